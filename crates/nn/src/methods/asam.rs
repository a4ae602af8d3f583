//! Adaptive SAM.

use flatleak_kernel::{Buffer, sweep};

use super::{Method, Pass, Perturbed};
use crate::{Network, tensors};

/// ASAM (Kwon et al. 2021, arXiv 2102.11600, eq. 8): eps = rho T^2 g / ||T g|| with T = |w| + eta on tensors of two axes or more, 1 on the
/// others; the original definition. Codes in circulation also use T = |w| on all parameters, without eta.
#[derive(Debug)]
pub(super) struct Adaptive {
    rho: f64,
    eta: f32,
    perturbed: Perturbed,
    /// 1 where a parameter belongs to such a tensor.
    weight: Buffer,
    /// T g.
    scaled: Buffer,
}

impl Adaptive {
    pub(super) fn new(network: &Network, rho: f64, eta: f64) -> Self {
        let mut weight = Buffer::new(network.parameters());
        for tensor in tensors::layout(network).iter().filter(|t| t.shape.len() > 1) {
            tensor.positions().into_iter().for_each(|at| weight[at] = 1.0);
        }
        let scaled = Buffer::new(network.parameters());
        Self { rho, eta: eta as f32, perturbed: Perturbed::new(network), weight, scaled }
    }

    /// w + eps into the perturbed arena.
    fn perturb(&mut self, arena: &[f32], g: &[f32]) {
        let w = &arena[..g.len()];
        sweep::scale_by_size(&mut self.scaled, w, &self.weight, g, self.eta);
        let norm = sweep::squared_norm(&self.scaled).sqrt();
        let scale = (self.rho / (norm + 1e-12)) as f32;
        let to = &mut self.perturbed.arena[..g.len()];
        sweep::perturb_by_size(to, w, &self.weight, &self.scaled, self.eta, scale);
    }
}

impl Method for Adaptive {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        let loss = pass.gradient(g, arena);
        pass.track(arena);
        self.perturb(arena, g);
        pass.gradient(g, &self.perturbed.arena);
        loss
    }
}
