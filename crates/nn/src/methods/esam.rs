//! Efficient SAM.

use std::ops::Range;

use flatleak_kernel::sweep;

use super::{Method, Pass, Perturbed};
use crate::apart::Sink;
use crate::{Network, Recipe, tensors};

/// ESAM (Du et al. 2022, arXiv 2110.03141): each tensor is perturbed with probability beta, by rho g / (beta ||g||) with the norm over all
/// parameters, and the second pass sees only the share gamma of the batch whose loss grew most. Its authors' code takes the norm over the
/// perturbed tensors alone.
#[derive(Debug)]
pub(super) struct Efficient {
    rho: f64,
    beta: f64,
    gamma: f64,
    perturbed: Perturbed,
    /// Where each tensor lies in the arena.
    tensors: Vec<Range<usize>>,
    before: Vec<f64>,
    order: Vec<usize>,
    chosen: (Vec<u32>, Vec<u32>),
    /// Which tensors are perturbed, in place of draws.
    #[cfg(test)]
    pub(super) replay: std::collections::VecDeque<Vec<bool>>,
}

impl Efficient {
    pub(super) fn new(network: &Network, recipe: &Recipe) -> Self {
        let get = |key: &str| recipe.parameters.get(key);
        let tensors = tensors::layout(network).into_iter().map(|t| t.range());
        Self {
            rho: get("rho"),
            beta: get("beta"),
            gamma: get("gamma"),
            perturbed: Perturbed::new(network),
            tensors: tensors.filter(|at| at.end <= network.parameters()).collect(),
            before: Vec::with_capacity(recipe.batch),
            order: Vec::with_capacity(recipe.batch),
            chosen: (Vec::with_capacity(recipe.batch), Vec::with_capacity(recipe.batch)),
            #[cfg(test)]
            replay: Default::default(),
        }
    }

    fn is_perturbed(&mut self, pass: &mut Pass<'_>, tensor: usize) -> bool {
        #[cfg(test)]
        if let Some(mask) = self.replay.front() {
            return mask[tensor];
        }
        let _ = tensor;
        pass.stream.unit() < self.beta
    }
}

impl Method for Efficient {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        let loss = pass.gradient(g, arena);
        pass.track(arena);
        self.before.clear();
        self.before.extend_from_slice(&pass.workspace.losses[..pass.labels.len()]);
        let norm = sweep::squared_norm(g).sqrt();
        let scale = (self.rho / ((norm + 1e-12) * self.beta)) as f32;
        for tensor in 0..self.tensors.len() {
            let scale = if self.is_perturbed(pass, tensor) { scale } else { 0.0 };
            let at = self.tensors[tensor].clone();
            sweep::perturb(&mut self.perturbed.arena[at.clone()], &arena[at.clone()], &g[at], scale);
        }
        #[cfg(test)]
        self.replay.pop_front();
        let after = pass.losses(&self.perturbed.arena);
        let growth = |i: usize| after[i] - self.before[i];
        self.order.clear();
        self.order.extend(0..after.len());
        self.order.sort_by(|a, b| growth(*b).total_cmp(&growth(*a)).then(a.cmp(b)));
        let kept = (self.gamma * after.len() as f64).ceil() as usize;
        self.order.truncate(kept.max(1));
        self.order.sort_unstable();
        let (batch, labels) = &mut self.chosen;
        batch.clear();
        labels.clear();
        batch.extend(self.order.iter().map(|&i| pass.batch[i]));
        labels.extend(self.order.iter().map(|&i| pass.labels[i]));
        pass.part(batch, labels, &mut Sink::Sum(g), &self.perturbed.arena);
        loss
    }
}
