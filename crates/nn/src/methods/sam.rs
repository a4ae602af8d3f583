//! SAM and its relatives that differ in the weight of the perturbed gradient.

use flatleak_kernel::Buffer;

use super::method::{Method, Optimize, Pass, Perturbed, Plain, RHO, Training};
use crate::network::Network;
use crate::settings::{Parameter, settings};

settings! {
    /// Sharpness-aware minimisation (Foret et al. 2021, arXiv 2010.01412, eq. 2 and algorithm 1).
    pub struct Sam {
        /// Radius of the perturbation.
        rho = RHO,
    }
}

settings! {
    /// Gradient mixed from w and w + eps (own: book/methods/training.md#unified-family).
    pub struct Mixed {
        /// Radius of the perturbation.
        rho = RHO,
        /// Weight of the perturbed gradient.
        alpha = Parameter::new(0.5, (-10.0, 10.0), "weight of the perturbed gradient"),
    }
}

settings! {
    /// Away from flat minima: a defence of this project's own.
    pub struct Sharpreg {
        /// Radius of the perturbation.
        rho = RHO,
        /// Weight of the perturbed gradient, below 0.
        alpha = Parameter::new(-0.5, (-10.0, 0.0), "weight of the perturbed gradient, below 0"),
    }
}

impl Optimize for Sam {
    const NAME: &'static str = "sam";
    const SOURCE: &'static str = "Foret et al. 2021, arXiv 2010.01412";

    fn method(&self, training: Training<'_>) -> Box<dyn Method> {
        ascent(training, self.rho, 1.0)
    }
}

impl Optimize for Mixed {
    const NAME: &'static str = "mixed";
    const SOURCE: &'static str = "own family: alpha 0 is sgd, 1 is sam";

    fn method(&self, training: Training<'_>) -> Box<dyn Method> {
        ascent(training, self.rho, self.alpha)
    }

    fn gradients(&self) -> f64 {
        gradients(self.alpha)
    }
}

impl Optimize for Sharpreg {
    const NAME: &'static str = "sharpreg";
    const SOURCE: &'static str = "own: mixed with alpha below 0";

    fn method(&self, training: Training<'_>) -> Box<dyn Method> {
        ascent(training, self.rho, self.alpha)
    }

    fn gradients(&self) -> f64 {
        gradients(self.alpha)
    }

    fn seeks_flatness(&self) -> bool {
        false
    }
}

/// The method for a weight of the perturbed gradient: none needs a second pass for a weight of 0.
pub(super) fn ascent(training: Training<'_>, rho: f64, alpha: f64) -> Box<dyn Method> {
    if alpha == 0.0 { Box::new(Plain) } else { Box::new(Ascent::new(training.network, rho, alpha)) }
}

/// Gradients that it takes.
pub(super) fn gradients(alpha: f64) -> f64 {
    if alpha == 0.0 { 1.0 } else { 2.0 }
}

/// (1 - alpha) g + alpha g_s, with g_s the gradient of the same batch at w + rho g / ||g||: alpha 1 is SAM (Foret et al. 2021, arXiv
/// 2010.01412, eq. 2 and algorithm 1), gamma / (1 - gamma) coupled WSAM (Yue et al. 2023, arXiv 2305.15817), below 0 sharpreg (own).
///
/// Dropout masks are the same in both passes, and running statistics follow the first alone: they belong to the unperturbed parameters.
#[derive(Debug)]
struct Ascent {
    rho: f64,
    alpha: f32,
    perturbed: Perturbed,
    /// g_s, where g is still needed.
    second: Buffer,
}

impl Ascent {
    fn new(network: &Network, rho: f64, alpha: f64) -> Self {
        let kept = if alpha == 1.0 { 0 } else { network.parameters() };
        Self { rho, alpha: alpha as f32, perturbed: Perturbed::new(network), second: Buffer::new(kept) }
    }
}

impl Method for Ascent {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        let loss = pass.gradient(g, arena);
        pass.track(arena);
        self.perturbed.along(arena, g, self.rho);
        if self.second.is_empty() {
            pass.gradient(g, &self.perturbed.arena);
        } else {
            pass.gradient(&mut self.second, &self.perturbed.arena);
        }
        loss
    }

    fn beside(&self) -> Option<(f32, &[f32], f32)> {
        (!self.second.is_empty()).then_some((1.0 - self.alpha, &self.second, self.alpha))
    }
}
