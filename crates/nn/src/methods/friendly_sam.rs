//! Friendly SAM.

use flatleak_kernel::{Buffer, sweep};

use super::method::{Method, Optimize, Pass, Perturbed, RHO, Training, radius};
use crate::checkpoint::Kept;
use crate::network::Network;
use crate::settings::{Parameter, settings};

settings! {
    /// Friendly SAM (Li et al. 2024, arXiv 2403.12350).
    pub struct FriendlySam {
        /// Radius of the perturbation.
        rho = RHO,
        /// Share of the mean gradient that is taken off.
        sigma = Parameter::new(1.0, (0.0, 10.0), "share of the mean gradient that is taken off"),
        /// Decay of the mean gradient.
        lambda = Parameter::new(0.9, (0.0, 1.0), "decay of the mean gradient"),
    }
}

impl Optimize for FriendlySam {
    const NAME: &'static str = "friendly-sam";
    const SOURCE: &'static str = "Li et al. 2024, arXiv 2403.12350";

    fn method(&self, training: Training<'_>) -> Box<dyn Method> {
        Box::new(Friendly::new(*self, training.network))
    }
}

/// Friendly SAM (Li et al. 2024, arXiv 2403.12350) as its authors' code has it: eps = rho d / ||d|| with d = g - sigma m, m the mean of
/// clean gradients before this step; then m <- lambda m + (1 - lambda) g. At the first step d = m = g.
#[derive(Debug)]
struct Friendly {
    settings: FriendlySam,
    perturbed: Perturbed,
    mean: Buffer,
}

impl Friendly {
    fn new(settings: FriendlySam, network: &Network) -> Self {
        Self { settings, perturbed: Perturbed::new(network), mean: Buffer::new(network.parameters()) }
    }
}

impl Method for Friendly {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        let FriendlySam { rho, sigma, lambda } = self.settings;
        let loss = pass.gradient(g, arena);
        pass.track(arena);
        if pass.step == 0 {
            self.mean.copy_from_slice(g);
            self.perturbed.along(arena, g, rho);
        } else {
            let (sigma, lambda) = (sigma as f32, lambda as f32);
            let norm = sweep::squared_distance(g, &self.mean, sigma).sqrt();
            let (to, w) = (&mut self.perturbed.arena[..g.len()], &arena[..g.len()]);
            sweep::perturb_across(to, (w, g), &mut self.mean, radius(rho, norm), (sigma, lambda));
        }
        pass.gradient(g, &self.perturbed.arena);
        loss
    }

    fn state(&mut self) -> Vec<(&'static str, Kept<'_>)> {
        vec![("mean", Kept::Single(&mut self.mean))]
    }
}
