//! Weighted SAM.

use flatleak_kernel::{Buffer, sweep};

use super::method::{Method, Optimize, Pass, Perturbed, RHO, Training};
use super::sam::{ascent, gradients};
use crate::network::Network;
use crate::settings::{Parameter, settings};

const GAMMA: Parameter = Parameter::new(0.5, (0.0, 0.99), "weight of sharpness; alpha = gamma / (1 - gamma)");
const PAPER: &str = "Yue et al. 2023, arXiv 2305.15817";

settings! {
    /// Weighted SAM, decoupled (Yue et al. 2023, arXiv 2305.15817).
    pub struct Wsam {
        /// Radius of the perturbation.
        rho = RHO,
        /// Weight of sharpness.
        gamma = GAMMA,
    }
}

settings! {
    /// Weighted SAM with one base step.
    pub struct WsamCoupled {
        /// Radius of the perturbation.
        rho = RHO,
        /// Weight of sharpness.
        gamma = GAMMA,
    }
}

impl Optimize for Wsam {
    const NAME: &'static str = "wsam";
    const SOURCE: &'static str = PAPER;

    fn method(&self, training: Training<'_>) -> Box<dyn Method> {
        Box::new(Decoupled::new(training.network, self.rho, weight(self.gamma)))
    }
}

impl Optimize for WsamCoupled {
    const NAME: &'static str = "wsam-coupled";
    const SOURCE: &'static str = PAPER;

    fn method(&self, training: Training<'_>) -> Box<dyn Method> {
        ascent(training, self.rho, weight(self.gamma))
    }

    fn gradients(&self) -> f64 {
        gradients(self.gamma)
    }
}

/// alpha.
fn weight(gamma: f64) -> f64 {
    gamma / (1.0 - gamma)
}

/// Decoupled WSAM: the base step sees g alone, then w <- w - lr alpha (g_s - g).
#[derive(Debug)]
struct Decoupled {
    rho: f64,
    alpha: f64,
    perturbed: Perturbed,
    /// g_s.
    second: Buffer,
}

impl Decoupled {
    fn new(network: &Network, rho: f64, alpha: f64) -> Self {
        Self { rho, alpha, perturbed: Perturbed::new(network), second: Buffer::new(network.parameters()) }
    }
}

impl Method for Decoupled {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        let loss = pass.gradient(g, arena);
        pass.track(arena);
        self.perturbed.along(arena, g, self.rho);
        pass.gradient(&mut self.second, &self.perturbed.arena);
        loss
    }

    fn after(&mut self, pass: &mut Pass<'_>, w: &mut [f32], g: &[f32]) {
        sweep::add_difference(w, &self.second, g, -(pass.lr * self.alpha) as f32);
    }
}
