//! Efficient SAM.

use std::ops::Range;

use flatleak_kernel::sweep;

use super::method::{Method, Optimize, Pass, Perturbed, RHO, Training};
use crate::apart::Sink;
use crate::settings::{Parameter, settings};
use crate::tensors;

settings! {
    /// Efficient SAM (Du et al. 2022, arXiv 2110.03141).
    pub struct Esam {
        /// Radius of the perturbation.
        rho = RHO,
        /// Share of the tensors that are perturbed.
        beta = Parameter::new(0.6, (1e-3, 1.0), "share of the tensors that are perturbed"),
        /// Share of the batch in the second pass.
        gamma = Parameter::new(0.5, (1e-3, 1.0), "share of the batch in the second pass"),
    }
}

impl Optimize for Esam {
    const NAME: &'static str = "esam";
    const SOURCE: &'static str = "Du et al. 2022, arXiv 2110.03141";
    const SPLITS_BATCHES: bool = true;

    fn method(&self, training: Training<'_>) -> Box<dyn Method> {
        Box::new(Efficient::new(*self, training))
    }

    fn gradients(&self) -> f64 {
        1.0 + 1.0 / 3.0 + self.gamma
    }
}

/// ESAM (Du et al. 2022, arXiv 2110.03141): each tensor is perturbed with probability beta, by rho g / (beta ||g||) with the norm over all
/// parameters, and the second pass sees only the share gamma of the batch whose loss grew most. Its authors' code takes the norm over the
/// perturbed tensors alone.
#[derive(Debug)]
pub(super) struct Efficient {
    settings: Esam,
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
    pub(super) fn new(settings: Esam, Training { network, batch, .. }: Training<'_>) -> Self {
        let tensors = tensors::layout(network).into_iter().map(|t| t.range());
        Self {
            settings,
            perturbed: Perturbed::new(network),
            tensors: tensors.filter(|at| at.end <= network.parameters()).collect(),
            before: Vec::with_capacity(batch),
            order: Vec::with_capacity(batch),
            chosen: (Vec::with_capacity(batch), Vec::with_capacity(batch)),
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
        pass.stream.unit() < self.settings.beta
    }
}

impl Method for Efficient {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        let loss = pass.gradient(g, arena);
        pass.track(arena);
        self.before.clear();
        self.before.extend_from_slice(&pass.workspace.losses[..pass.labels.len()]);
        let norm = sweep::squared_norm(g).sqrt();
        let scale = (self.settings.rho / ((norm + 1e-12) * self.settings.beta)) as f32;
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
        let kept = (self.settings.gamma * after.len() as f64).ceil() as usize;
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
