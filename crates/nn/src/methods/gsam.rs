//! Surrogate-gap guided SAM.

use flatleak_kernel::{Buffer, sweep};

use super::{Method, Pass, Perturbed};
use crate::{Network, Recipe};

/// GSAM (Zhuang et al. 2022, arXiv 2203.08065, algorithm 1): g_s - alpha (g - (g.g_s)/(g_s.g_s) g_s); the radius follows the learning rate
/// linearly from `rho` at its highest to `rho_min` at 0.
#[derive(Debug)]
pub(super) struct SurrogateGap {
    rho: (f64, f64),
    highest: f64,
    alpha: f64,
    perturbed: Perturbed,
    second: Buffer,
    /// (g . g_s) / (g_s . g_s).
    share: f64,
}

impl SurrogateGap {
    pub(super) fn new(network: &Network, recipe: &Recipe) -> Self {
        let get = |key: &str| recipe.parameters.get(key);
        Self {
            rho: (get("rho_min"), get("rho")),
            highest: recipe.lr,
            alpha: get("alpha"),
            perturbed: Perturbed::new(network),
            second: Buffer::new(network.parameters()),
            share: 0.0,
        }
    }
}

impl Method for SurrogateGap {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        let loss = pass.gradient(g, arena);
        pass.track(arena);
        let (low, high) = self.rho;
        self.perturbed.along(arena, g, low + (high - low) * (pass.lr / self.highest));
        pass.gradient(&mut self.second, &self.perturbed.arena);
        let (across, own) = sweep::dots(g, &self.second);
        self.share = if own > 0.0 { across / own } else { 0.0 };
        loss
    }

    /// g_s - alpha (g - share g_s).
    fn beside(&self) -> Option<(f32, &[f32], f32)> {
        Some((-self.alpha as f32, &self.second, (1.0 + self.alpha * self.share) as f32))
    }
}
