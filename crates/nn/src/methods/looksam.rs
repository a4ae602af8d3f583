//! LookSAM.

use std::slice;

use flatleak_kernel::{Buffer, sweep};

use super::method::{Method, Optimize, Pass, Perturbed, RHO, Training};
use crate::checkpoint::Kept;
use crate::network::Network;
use crate::settings::{Parameter, settings};

settings! {
    /// LookSAM (Liu et al. 2022, arXiv 2203.02714).
    pub struct Looksam {
        /// Radius of the perturbation.
        rho = RHO,
        /// Steps between two perturbed gradients.
        k = Parameter::new(5.0, (1.0, 1e6), "steps between two perturbed gradients"),
        /// Weight of the kept direction.
        alpha = Parameter::new(0.7, (0.0, 10.0), "weight of the kept direction"),
    }
}

impl Optimize for Looksam {
    const NAME: &'static str = "looksam";
    const SOURCE: &'static str = "Liu et al. 2022, arXiv 2203.02714";

    fn method(&self, training: Training<'_>) -> Box<dyn Method> {
        Box::new(Look::new(*self, training.network))
    }

    fn gradients(&self) -> f64 {
        1.0 + 1.0 / self.k
    }
}

/// LookSAM (Liu et al. 2022, arXiv 2203.02714, algorithm 1): every k-th step is SAM's and keeps g_v, the part of g_s across g; the others
/// take g + alpha ||g|| / ||g_v|| g_v. g_v is projected over all parameters at once, and left out where it is nothing.
#[derive(Debug)]
struct Look {
    settings: Looksam,
    perturbed: Perturbed,
    first: Buffer,
    across: Buffer,
    /// ||g_v||, 0 where it is as good as nothing beside g_s.
    length: f64,
    /// Weight of g_v in this step.
    weight: f64,
}

impl Look {
    fn new(settings: Looksam, network: &Network) -> Self {
        let d = network.parameters();
        Self {
            settings,
            perturbed: Perturbed::new(network),
            first: Buffer::new(d),
            across: Buffer::new(d),
            length: 0.0,
            weight: 0.0,
        }
    }
}

impl Method for Look {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        self.weight = 0.0;
        if pass.step.is_multiple_of((self.settings.k as usize).max(1)) {
            let loss = pass.gradient(&mut self.first, arena);
            pass.track(arena);
            let norm = self.perturbed.along(arena, &self.first, self.settings.rho);
            pass.gradient(g, &self.perturbed.arena);
            let (along, whole) = sweep::dots(&self.first, g);
            let along = along / ((norm + 1e-12) * (norm + 1e-12));
            sweep::difference(&mut self.across, g, &self.first, along as f32);
            let kept = sweep::squared_norm(&self.across).sqrt();
            self.length = if kept <= 1e-6 * whole.sqrt() { 0.0 } else { kept };
            return loss;
        }
        let loss = pass.gradient(g, arena);
        pass.track(arena);
        if self.length > 0.0 {
            self.weight = self.settings.alpha * sweep::squared_norm(g).sqrt() / self.length;
        }
        loss
    }

    fn state(&mut self) -> Vec<(&'static str, Kept<'_>)> {
        let length = slice::from_mut(&mut self.length);
        vec![("across", Kept::Single(&mut self.across)), ("length", Kept::Double(length))]
    }

    fn beside(&self) -> Option<(f32, &[f32], f32)> {
        (self.weight != 0.0).then_some((1.0, &self.across, self.weight as f32))
    }
}
