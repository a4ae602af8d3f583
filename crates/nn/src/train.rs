//! Training of one model by one thread.

use flatleak_kernel::Buffer;
use flatleak_kernel::sweep::{self, SgdStep};
use flatleak_stream::{Purpose, Stream};

use crate::{Network, Optimizer, Recipe, Workspace};

/// How training ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// All epochs done; mean training loss of the last one.
    Done(f64),
    /// Loss or parameters stopped being finite in this epoch.
    Diverged(usize),
    /// The caller asked to stop.
    Stopped,
}

/// One model in training: parameters, gradient, momentum and workspace.
#[derive(Debug)]
pub struct Trainer<'a> {
    network: &'a Network,
    recipe: &'a Recipe,
    /// The arena: D parameters, and running statistics of batch norms behind them.
    pub parameters: Vec<f32>,
    gradient: Buffer,
    velocity: Buffer,
    perturbed: Buffer,
    workspace: Workspace,
    fresh: bool,
}

impl<'a> Trainer<'a> {
    /// A trainer that starts from `parameters`.
    pub fn new(network: &'a Network, recipe: &'a Recipe, parameters: Vec<f32>) -> Self {
        let d = network.parameters();
        let twice = recipe.gradients_per_step() == 2;
        Self {
            network,
            recipe,
            parameters,
            gradient: Buffer::new(d),
            velocity: Buffer::new(d),
            perturbed: Buffer::new(if twice { network.arena() } else { 0 }),
            workspace: network.workspace(recipe.batch),
            fresh: true,
        }
    }

    /// The gradient of the last step: for SAM the one at the perturbed parameters.
    pub fn gradient(&self) -> &[f32] {
        &self.gradient
    }

    /// One optimizer step on the rows `batch` of `x`; returns the loss at the unperturbed parameters.
    ///
    /// SAM: eps = rho g / (||g|| + 1e-12) with one norm over all parameters; the base step uses the gradient
    /// of the same batch at w + eps. The perturbed parameters live in their own arena, so restoring is exact. Dropout masks are the same in
    /// both passes, and running statistics follow the first alone: they belong to the unperturbed parameters.
    pub fn step(&mut self, x: &[f32], labels: &[u32], batch: &[u32], lr: f64) -> f64 {
        let network = self.network;
        self.workspace.gather(x, network.shape(), batch);
        let loss = network.gradient(&mut self.gradient, &self.parameters, labels, &mut self.workspace);
        network.track(&mut self.parameters, &self.workspace);
        let d = network.parameters();
        if self.recipe.optimizer == Optimizer::Sam && self.recipe.rho > 0.0 {
            let norm = sweep::squared_norm(&self.gradient).sqrt();
            let scale = (self.recipe.rho / (norm + 1e-12)) as f32;
            sweep::perturb(&mut self.perturbed[..d], &self.parameters[..d], &self.gradient, scale);
            // The first pass may have worked in place on the input (an activation as first layer).
            self.workspace.gather(x, network.shape(), batch);
            network.gradient(&mut self.gradient, &self.perturbed, labels, &mut self.workspace);
        }
        let step = SgdStep {
            lr: lr as f32,
            momentum: self.recipe.momentum as f32,
            nesterov: self.recipe.nesterov,
            weight_decay: self.recipe.weight_decay as f32,
            first: self.fresh,
        };
        sweep::sgd(&mut self.parameters[..d], &mut self.velocity, &self.gradient, step);
        self.fresh = false;
        loss
    }

    /// Draws the dropout masks of the next step of `batch` examples.
    pub fn draw_masks(&mut self, batch: usize, stream: &mut Stream) {
        self.workspace.draw_masks(&self.network.steps, batch, stream);
    }

    /// Trains on the rows `members` of `x`, in an order keyed by (seed, model, epoch), and reports each epoch
    /// through `on_epoch(epoch, mean loss)`, which says whether to go on.
    pub fn run(
        &mut self,
        (x, y): (&[f32], &[u32]),
        members: &[u32],
        (seed, model): (u64, u64),
        mut on_epoch: impl FnMut(usize, f64) -> bool,
    ) -> Outcome {
        let steps = members.len().div_ceil(self.recipe.batch);
        let (total, warmup) = (steps * self.recipe.epochs, steps * self.recipe.warmup);
        let mut batch = Vec::with_capacity(self.recipe.batch);
        let mut labels = Vec::with_capacity(self.recipe.batch);
        let (shape, features) = (self.network.shape(), self.network.features());
        let augment = &self.recipe.augment;
        let mut rows = vec![0.0; if augment.is_empty() { 0 } else { self.recipe.batch * features }];
        let mut scratch = vec![0.0; if augment.is_empty() { 0 } else { features }];
        let in_order: Vec<u32> = (0..self.recipe.batch as u32).collect();
        let mut mean = 0.0;
        for epoch in 0..self.recipe.epochs {
            let mut draws = Stream::new(seed, Purpose::Augmentation, model, epoch as u64);
            let order = Stream::new(seed, Purpose::Order, model, epoch as u64).permutation(members.len());
            let mut drops = self.network.drops().then(|| Stream::new(seed, Purpose::Dropout, model, epoch as u64));
            let mut sum = 0.0;
            for (i, chunk) in order.chunks(self.recipe.batch).enumerate() {
                batch.clear();
                labels.clear();
                batch.extend(chunk.iter().map(|&k| members[k as usize]));
                labels.extend(batch.iter().map(|&k| y[k as usize]));
                if let Some(drops) = &mut drops {
                    self.draw_masks(batch.len(), drops);
                }
                let rate = self.recipe.rate(epoch * steps + i, warmup, total);
                let loss = if augment.is_empty() {
                    self.step(x, &labels, &batch, rate)
                } else {
                    for (row, &k) in rows.chunks_exact_mut(features).zip(&batch) {
                        row.copy_from_slice(&x[k as usize * features..][..features]);
                        for transform in augment {
                            transform.apply(row, shape, &mut draws, &mut scratch);
                        }
                    }
                    self.step(&rows, &labels, &in_order[..batch.len()], rate)
                };
                sum += loss * chunk.len() as f64;
            }
            mean = sum / members.len().max(1) as f64;
            if !mean.is_finite() {
                return Outcome::Diverged(epoch);
            }
            if !on_epoch(epoch, mean) {
                return Outcome::Stopped;
            }
        }
        if self.parameters.iter().all(|w| w.is_finite()) {
            Outcome::Done(mean)
        } else {
            Outcome::Diverged(self.recipe.epochs - 1)
        }
    }

    /// Logits `[n, C]` of all rows of `x`.
    pub fn logits(&mut self, x: &[f32]) -> Vec<f32> {
        let n = x.len() / self.network.features().max(1);
        let all: Vec<u32> = (0..n as u32).collect();
        self.network.logits(&self.parameters, x, &all, &mut self.workspace)
    }
}
