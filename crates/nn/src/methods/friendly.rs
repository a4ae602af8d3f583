//! Friendly SAM.

use flatleak_kernel::{Buffer, sweep};

use super::{Method, Pass, Perturbed, radius};
use crate::{Network, Recipe};

/// Friendly SAM (Li et al. 2024, arXiv 2403.12350) as its authors' code has it: eps = rho d / ||d|| with d = g - sigma m, m the mean of
/// clean gradients before this step; then m <- lambda m + (1 - lambda) g. At the first step d = m = g.
#[derive(Debug)]
pub(super) struct Friendly {
    rho: f64,
    sigma: f64,
    lambda: f64,
    perturbed: Perturbed,
    mean: Buffer,
}

impl Friendly {
    pub(super) fn new(network: &Network, recipe: &Recipe) -> Self {
        let get = |key: &str| recipe.parameters.get(key);
        Self {
            rho: get("rho"),
            sigma: get("sigma"),
            lambda: get("lambda"),
            perturbed: Perturbed::new(network),
            mean: Buffer::new(network.parameters()),
        }
    }
}

impl Method for Friendly {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        let loss = pass.gradient(g, arena);
        pass.track(arena);
        if pass.step == 0 {
            self.mean.copy_from_slice(g);
            self.perturbed.along(arena, g, self.rho);
        } else {
            let (sigma, lambda) = (self.sigma as f32, self.lambda as f32);
            let norm = sweep::squared_distance(g, &self.mean, sigma).sqrt();
            let (to, w) = (&mut self.perturbed.arena[..g.len()], &arena[..g.len()]);
            sweep::perturb_across(to, (w, g), &mut self.mean, radius(self.rho, norm), (sigma, lambda));
        }
        pass.gradient(g, &self.perturbed.arena);
        loss
    }
}
