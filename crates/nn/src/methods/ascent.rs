//! SAM and its relatives that differ in the weight of the perturbed gradient.

use flatleak_kernel::{Buffer, sweep};

use super::{Method, Pass, Perturbed};
use crate::Network;

/// (1 - alpha) g + alpha g_s, with g_s the gradient of the same batch at w + rho g / ||g||: alpha 1 is SAM (Foret et al. 2021, arXiv
/// 2010.01412, eq. 2 and algorithm 1), gamma / (1 - gamma) coupled WSAM (Yue et al. 2023, arXiv 2305.15817), below 0 sharpreg (own).
///
/// Dropout masks are the same in both passes, and running statistics follow the first alone: they belong to the unperturbed parameters.
#[derive(Debug)]
pub(super) struct Ascent {
    rho: f64,
    alpha: f32,
    perturbed: Perturbed,
    /// g_s, where g is still needed.
    second: Buffer,
}

impl Ascent {
    pub(super) fn new(network: &Network, rho: f64, alpha: f64) -> Self {
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

/// Decoupled WSAM: the base step sees g alone, then w <- w - lr alpha (g_s - g).
#[derive(Debug)]
pub(super) struct Decoupled {
    rho: f64,
    alpha: f64,
    perturbed: Perturbed,
    /// g_s.
    second: Buffer,
}

impl Decoupled {
    pub(super) fn new(network: &Network, rho: f64, alpha: f64) -> Self {
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
