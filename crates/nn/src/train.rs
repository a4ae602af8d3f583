//! Training of one model by one thread.

use flatleak_kernel::Buffer;
use flatleak_kernel::sweep::Direction;
use flatleak_stream::{Purpose, Stream};

use crate::base::{Momenta, Rates};
use crate::batch::Changed;
use crate::methods::{Method, Pass, Training};
use crate::network::Network;
use crate::recipe::Recipe;
use crate::workspace::Workspace;

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

/// Batches, at least, by which running statistics of averaged parameters are measured anew: what they were before is then below .002.
const MEASURED: usize = 60;

/// One model in training: parameters, gradient, the base optimizer's state, the method's own and the workspace.
#[derive(Debug)]
pub struct Trainer<'a> {
    network: &'a Network,
    recipe: &'a Recipe,
    /// The arena: D parameters, and running statistics of batch norms behind them.
    pub parameters: Vec<f32>,
    gradient: Buffer,
    /// What the base keeps.
    momenta: Momenta,
    workspace: Workspace,
    method: Box<dyn Method>,
    /// The method's own random numbers.
    stream: Stream,
    step: usize,
    total: usize,
}

impl<'a> Trainer<'a> {
    /// A trainer that starts from `parameters`.
    pub fn new(network: &'a Network, recipe: &'a Recipe, parameters: Vec<f32>) -> Self {
        let d = network.parameters();
        Self {
            network,
            recipe,
            parameters,
            gradient: Buffer::new(d),
            momenta: Momenta::new(recipe.base, d),
            workspace: network.workspace(recipe.batch),
            method: recipe.optimizer.method(Training { network, batch: recipe.batch, lr: recipe.lr }),
            stream: Stream::new(0, Purpose::DpNoise, 0, 0),
            step: 0,
            total: usize::MAX,
        }
    }

    /// The gradient that the method left in the last step: for SAM the one at the perturbed parameters.
    pub fn gradient(&self) -> &[f32] {
        &self.gradient
    }

    #[cfg(test)]
    pub(crate) fn with_method(mut self, method: Box<dyn Method>) -> Self {
        self.method = method;
        self
    }

    /// How many steps there will be, as `run` knows it.
    #[cfg(test)]
    pub(crate) fn expect(&mut self, total: usize) {
        self.total = total;
    }

    /// One optimizer step on the rows `batch` of `x`; returns the loss at the unperturbed parameters.
    pub fn step(&mut self, x: &[f32], labels: &[u32], batch: &[u32], lr: f64) -> f64 {
        let d = self.network.parameters();
        let mut pass = Pass {
            network: self.network,
            workspace: &mut self.workspace,
            x,
            labels,
            batch,
            gathered: false,
            stream: &mut self.stream,
            lr,
            step: self.step,
            total: self.total,
        };
        let loss = self.method.gradient(&mut pass, &mut self.parameters, &mut self.gradient);
        let w = &mut self.parameters[..d];
        let along = Direction { gradient: &self.gradient, beside: self.method.beside() };
        let Recipe { base, momentum, nesterov, weight_decay, .. } = *self.recipe;
        self.momenta.step(base, w, along, Rates { lr, momentum, nesterov, weight_decay, step: self.step });
        self.method.after(&mut pass, w, &self.gradient);
        self.step += 1;
        loss
    }

    /// Draws the dropout masks of the next step of `batch` examples.
    pub fn draw_masks(&mut self, batch: usize, stream: &mut Stream) {
        self.workspace.draw_masks(&self.network.steps, batch, stream);
    }

    /// Trains on the rows `members` of `x`, in an order keyed by (seed, model, epoch), and reports each epoch
    /// through `on_epoch(trainer, epoch, mean loss)`, which says whether to go on.
    ///
    /// Private methods draw each batch by Poisson sampling instead: every member with probability batch / members.
    pub fn run(
        &mut self,
        (x, y): (&[f32], &[u32]),
        members: &[u32],
        (seed, model): (u64, u64),
        mut on_epoch: impl FnMut(&mut Self, usize, f64) -> bool,
    ) -> Outcome {
        let steps = members.len().div_ceil(self.recipe.batch);
        let (total, warmup) = (steps * self.recipe.epochs, steps * self.recipe.warmup);
        self.total = total;
        let mut batch = Vec::with_capacity(self.recipe.batch);
        let mut labels = Vec::with_capacity(self.recipe.batch);
        let mut changed = Changed::new(self.network, self.recipe);
        let mut mean = 0.0;
        for epoch in 0..self.recipe.epochs {
            let key = |purpose| Stream::new(seed, purpose, model, epoch as u64);
            let mut augmentation = key(Purpose::Augmentation);
            let mut mixing = key(Purpose::Mixup);
            self.stream = key(Purpose::DpNoise);
            let order = key(Purpose::Order).permutation(members.len());
            let mut drops = self.network.drops().then(|| key(Purpose::Dropout));
            let mut sum = 0.0;
            for i in 0..steps {
                let rate = self.recipe.rate(epoch * steps + i, warmup, total);
                batch.clear();
                if self.recipe.optimizer.is_private() {
                    let q = self.recipe.batch as f64 / members.len() as f64;
                    batch.extend(members.iter().filter(|_| self.stream.unit() < q));
                } else {
                    let first = i * self.recipe.batch;
                    let end = (first + self.recipe.batch).min(order.len());
                    batch.extend(order[first..end].iter().map(|&k| members[k as usize]));
                }
                labels.clear();
                labels.extend(batch.iter().map(|&k| y[k as usize]));
                if let Some(drops) = &mut drops {
                    self.draw_masks(batch.len(), drops);
                }
                let mixed = changed.mix(&labels, &mut mixing);
                self.workspace.objective = self.recipe.defences.objective(self.network.classes(), epoch, mixed);
                let loss = match changed.rows(x, &batch, self.network, &mut augmentation) {
                    Some((rows, in_order)) => self.step(rows, &labels, in_order, rate),
                    None => self.step(x, &labels, &batch, rate),
                };
                sum += loss * labels.len() as f64;
            }
            mean = sum / members.len().max(1) as f64;
            if !mean.is_finite() {
                return Outcome::Diverged(epoch);
            }
            if !on_epoch(self, epoch, mean) {
                return Outcome::Stopped;
            }
        }
        self.finish(x, y, members);
        if self.parameters.iter().all(|w| w.is_finite()) {
            Outcome::Done(mean)
        } else {
            Outcome::Diverged(self.recipe.epochs - 1)
        }
    }

    /// Puts what the method made of the parameters in their place, and measures running statistics for it.
    pub(crate) fn finish(&mut self, x: &[f32], y: &[u32], members: &[u32]) {
        let Some(end) = self.method.end() else { return };
        self.parameters[..end.len()].copy_from_slice(&end);
        if !self.network.normalises_batches() {
            return;
        }
        let mut measured = 0;
        while measured < MEASURED {
            for chunk in members.chunks(self.recipe.batch).filter(|c| c.len() > 1) {
                let labels: Vec<u32> = chunk.iter().map(|&k| y[k as usize]).collect();
                self.workspace.gather(x, self.network.shape(), chunk);
                self.network.measure(&self.parameters, &labels, &mut self.workspace);
                self.network.track(&mut self.parameters, &self.workspace);
                measured += 1;
            }
            if members.len() < 2 {
                return;
            }
        }
    }

    /// Logits `[n, C]` of all rows of `x`.
    pub fn logits(&mut self, x: &[f32]) -> Vec<f32> {
        let n = x.len() / self.network.features().max(1);
        let all: Vec<u32> = (0..n as u32).collect();
        self.network.logits(&self.parameters, x, &all, &mut self.workspace)
    }
}
