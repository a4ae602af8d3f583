//! SAM on chunks of the batch.

use flatleak_kernel::loss::Objective;
use flatleak_kernel::{Buffer, sweep};

use super::{Method, Pass, Perturbed};
use crate::apart::Sink;
use crate::lowrank::LowRank;
use crate::{Network, Recipe};

/// m-SAM (Foret et al. 2021, arXiv 2010.01412, section 4.1): every chunk of m examples has its own perturbation; the gradient is the mean
/// of the chunks' perturbed gradients, weighted by their sizes.
///
/// Where all parameters are in linear layers, the chunks go through the network together and no perturbed parameters are formed
/// ([`LowRank`]); a batch of one chunk is SAM's to the bit.
#[derive(Debug)]
pub(super) struct Chunks {
    rho: f64,
    m: usize,
    perturbed: Perturbed,
    own: Buffer,
    together: Option<LowRank>,
}

impl Chunks {
    pub(super) fn new(network: &Network, recipe: &Recipe) -> Self {
        let m = (recipe.parameters.get("m") as usize).clamp(1, recipe.batch);
        Self {
            rho: recipe.parameters.get("rho"),
            m,
            perturbed: Perturbed::new(network),
            own: Buffer::new(network.parameters()),
            together: LowRank::new(&network.steps, recipe.batch, m),
        }
    }

    /// All chunks at once.
    fn together(&mut self, pass: &mut Pass<'_>, mut chunks: LowRank, arena: &[f32], g: &mut [f32]) -> f64 {
        let loss = pass.backward(&mut Sink::Apart(&mut chunks.apart), arena);
        chunks.ascend(&pass.network.steps, pass.workspace.inputs(), pass.labels.len(), self.rho);
        pass.workspace.moved = Some(chunks);
        pass.gradient(g, arena);
        self.together = pass.workspace.moved.take();
        loss
    }

    /// One chunk after the other.
    fn one_by_one(&mut self, pass: &mut Pass<'_>, arena: &[f32], g: &mut [f32]) -> f64 {
        let (batch, labels) = (pass.batch, pass.labels);
        g.fill(0.0);
        let mut loss = 0.0;
        for (rows, own_labels) in batch.chunks(self.m).zip(labels.chunks(self.m)) {
            let share = rows.len() as f64 / batch.len() as f64;
            loss += share * pass.part(rows, own_labels, &mut Sink::Sum(&mut self.own), arena);
            self.perturbed.along(arena, &self.own, self.rho);
            pass.part(rows, own_labels, &mut Sink::Sum(&mut self.own), &self.perturbed.arena);
            sweep::mix(g, 1.0, &self.own, share as f32);
        }
        loss
    }
}

impl Method for Chunks {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        // RelaxLoss sets the mean loss of what it is given beside a level.
        let whole = pass.labels.len() <= self.m || matches!(pass.workspace.objective, Objective::Relaxed { .. });
        match self.together.take_if(|_| !whole) {
            Some(chunks) => self.together(pass, chunks, arena, g),
            None => self.one_by_one(pass, arena, g),
        }
    }
}
