//! SAM on chunks of the batch.

use flatleak_kernel::{Buffer, sweep};

use super::{Method, Pass, Perturbed};
use crate::Network;

/// m-SAM (Foret et al. 2021, arXiv 2010.01412, section 4.1): every chunk of m examples has its own perturbation; the gradient is the mean
/// of the chunks' perturbed gradients, weighted by their sizes.
#[derive(Debug)]
pub(super) struct Chunks {
    rho: f64,
    m: usize,
    perturbed: Perturbed,
    own: Buffer,
}

impl Chunks {
    pub(super) fn new(network: &Network, rho: f64, m: usize) -> Self {
        Self { rho, m: m.max(1), perturbed: Perturbed::new(network), own: Buffer::new(network.parameters()) }
    }
}

impl Method for Chunks {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        let (batch, labels) = (pass.batch, pass.labels);
        g.fill(0.0);
        let mut loss = 0.0;
        for (rows, own_labels) in batch.chunks(self.m).zip(labels.chunks(self.m)) {
            let share = rows.len() as f64 / batch.len() as f64;
            loss += share * pass.part(rows, own_labels, &mut self.own, arena);
            self.perturbed.along(arena, &self.own, self.rho);
            pass.part(rows, own_labels, &mut self.own, &self.perturbed.arena);
            sweep::mix(g, 1.0, &self.own, share as f32);
        }
        loss
    }
}
