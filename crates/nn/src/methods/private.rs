//! Differentially private training.

use flatleak_kernel::Buffer;

use super::{Method, Pass, Perturbed};
use crate::apart::{Apart, Sink};
use crate::{Network, Optimizer, Recipe, add_noise};

/// DP-SGD (Abadi et al. 2016, arXiv 1607.00133, algorithm 1): gradients of single examples, each clipped to norm C, summed, with noise of
/// deviation sigma C on every coordinate, divided by the expected size of a batch. With a radius, DP-SAT (Park et al. 2023, arXiv
/// 2306.05651): gradients are taken at w + rho h / ||h||, h the noisy gradient of the step before, which spends no further budget.
#[derive(Debug)]
pub(super) struct Private {
    clip: f64,
    noise: f64,
    /// Expected examples of a batch.
    pub(super) expected: f64,
    ascent: Option<(f64, Perturbed)>,
    previous: Buffer,
    apart: Apart,
    /// Standard normal draws in place of the stream's, one entry per step.
    #[cfg(test)]
    pub(super) replay: std::collections::VecDeque<Vec<f32>>,
}

impl Private {
    pub(super) fn new(network: &Network, recipe: &Recipe) -> Self {
        let get = |key: &str| recipe.parameters.get(key);
        let ascent = recipe.optimizer == Optimizer::DpSat && get("rho") > 0.0;
        Self {
            clip: get("clip"),
            noise: get("noise"),
            expected: recipe.batch as f64,
            ascent: ascent.then(|| (get("rho"), Perturbed::new(network))),
            previous: Buffer::new(if ascent { network.parameters() } else { 0 }),
            apart: Apart::new(&network.steps, recipe.batch),
            #[cfg(test)]
            replay: Default::default(),
        }
    }

    fn add_noise(&mut self, pass: &mut Pass<'_>, g: &mut [f32]) {
        let deviation = self.noise * self.clip / self.expected;
        #[cfg(test)]
        if let Some(drawn) = self.replay.pop_front() {
            flatleak_kernel::sweep::mix(g, 1.0, &drawn, deviation as f32);
            return;
        }
        if deviation > 0.0 {
            add_noise(g, deviation, pass.stream);
        }
    }
}

impl Method for Private {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        let (batch, labels) = (pass.batch, pass.labels);
        // At the first step there is no gradient to ascend along.
        let moved = match &mut self.ascent {
            Some((rho, perturbed)) if pass.step > 0 => {
                perturbed.along(arena, &self.previous, *rho);
                true
            }
            _ => false,
        };
        if batch.is_empty() {
            g.fill(0.0);
        }
        let mut loss = 0.0;
        // Poisson sampling draws more than are expected, too.
        let most = self.apart.capacity;
        for (part, (rows, labels)) in batch.chunks(most).zip(labels.chunks(most)).enumerate() {
            let at = match &self.ascent {
                Some((_, perturbed)) if moved => &perturbed.arena,
                _ => &*arena,
            };
            let n = labels.len();
            loss += n as f64 * pass.part(rows, labels, &mut Sink::Apart(&mut self.apart), at);
            self.apart.clip(&pass.network.steps, pass.workspace.inputs(), n, self.clip, self.expected);
            self.apart.sum(g, &pass.network.steps, pass.workspace.inputs(), part > 0);
        }
        self.add_noise(pass, g);
        if self.ascent.is_some() {
            self.previous.copy_from_slice(g);
        }
        loss / batch.len().max(1) as f64
    }
}
