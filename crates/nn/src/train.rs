//! Training of one model by one thread.

use flatleak_kernel::Buffer;
use flatleak_kernel::sweep::{self, AdamStep, Direction, SgdStep};
use flatleak_stream::{Purpose, Stream};

use crate::methods::{self, Method, Pass};
use crate::{Base, Network, Recipe, Workspace};

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
    /// Momentum, or Adam's mean and mean square.
    velocity: Buffer,
    squares: Buffer,
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
            velocity: Buffer::new(d),
            squares: Buffer::new(if recipe.base == Base::Sgd { 0 } else { d }),
            workspace: network.workspace(recipe.batch),
            method: methods::new(network, recipe),
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
        let recipe = self.recipe;
        match recipe.base {
            Base::Sgd => {
                let step = SgdStep {
                    lr: lr as f32,
                    momentum: recipe.momentum as f32,
                    nesterov: recipe.nesterov,
                    weight_decay: recipe.weight_decay as f32,
                    first: self.step == 0,
                };
                sweep::sgd(w, &mut self.velocity, along, step);
            }
            base => {
                let get = |key: &str| recipe.parameters.get(key);
                let (beta1, beta2, t) = (get("beta1"), get("beta2"), (self.step + 1) as f64);
                let step = AdamStep {
                    lr: lr as f32,
                    beta1: beta1 as f32,
                    beta2: beta2 as f32,
                    epsilon: get("epsilon") as f32,
                    weight_decay: recipe.weight_decay as f32,
                    decoupled: base == Base::Adamw,
                    correction1: (1.0 - libm::pow(beta1, t)) as f32,
                    correction2: (1.0 - libm::pow(beta2, t)).sqrt() as f32,
                };
                sweep::adam(w, &mut self.velocity, &mut self.squares, along, step);
            }
        }
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
                let mixed = changed.mix(&labels, self.recipe.defences.mixup, &mut mixing);
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

/// Rows that are not as the data has them: augmented, mixed, or both.
struct Changed<'a> {
    recipe: &'a Recipe,
    rows: Vec<f32>,
    scratch: Vec<f32>,
    in_order: Vec<u32>,
    /// Partner of each place, and the weight of its own.
    pairs: Option<(Vec<u32>, f32)>,
}

impl<'a> Changed<'a> {
    fn new(network: &Network, recipe: &'a Recipe) -> Self {
        let any = !recipe.augment.is_empty() || recipe.defences.mixup > 0.0;
        let features = if any { network.features() } else { 0 };
        Self {
            recipe,
            rows: vec![0.0; recipe.batch * features],
            scratch: vec![0.0; if recipe.defences.mixup > 0.0 { recipe.batch * features } else { features }],
            in_order: (0..recipe.batch as u32).collect(),
            pairs: None,
        }
    }

    /// Draws partners and a weight from Beta(a, a); the second labels and that weight for the loss.
    fn mix(&mut self, labels: &[u32], a: f64, stream: &mut Stream) -> Option<(Vec<u32>, f32)> {
        if a <= 0.0 {
            return None;
        }
        let weight = beta(a, stream) as f32;
        let partners = stream.permutation(labels.len());
        let second = partners.iter().map(|&k| labels[k as usize]).collect();
        self.pairs = Some((partners, weight));
        Some((second, weight))
    }

    /// The rows of a batch and their places, where they differ from the data's.
    fn rows(&mut self, x: &[f32], batch: &[u32], network: &Network, stream: &mut Stream) -> Option<(&[f32], &[u32])> {
        if self.rows.is_empty() {
            return None;
        }
        let (features, shape) = (network.features(), network.shape());
        for (row, &k) in self.rows.chunks_exact_mut(features).zip(batch) {
            row.copy_from_slice(&x[k as usize * features..][..features]);
            for transform in &self.recipe.augment {
                transform.apply(row, shape, stream, &mut self.scratch[..features]);
            }
        }
        if let Some((partners, weight)) = &self.pairs {
            let used = batch.len() * features;
            self.scratch[..used].copy_from_slice(&self.rows[..used]);
            for (row, &k) in self.rows.chunks_exact_mut(features).zip(partners) {
                sweep::mix(row, *weight, &self.scratch[k as usize * features..][..features], 1.0 - weight);
            }
        }
        Some((&self.rows, &self.in_order[..batch.len()]))
    }
}

/// A draw from Beta(a, a) as the share of two gamma draws.
fn beta(a: f64, stream: &mut Stream) -> f64 {
    let (x, y) = (gamma(a, stream), gamma(a, stream));
    if x + y > 0.0 { x / (x + y) } else { 0.5 }
}

/// A draw from Gamma(a, 1) (Marsaglia & Tsang 2000); below 1 by way of a + 1.
fn gamma(a: f64, stream: &mut Stream) -> f64 {
    if a < 1.0 {
        let larger = gamma(a + 1.0, stream);
        return larger * libm::pow(stream.unit().max(f64::MIN_POSITIVE), 1.0 / a);
    }
    let d = a - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = stream.normal();
        let v = (1.0 + c * x) * (1.0 + c * x) * (1.0 + c * x);
        if v > 0.0 && libm::log(stream.unit().max(f64::MIN_POSITIVE)) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beta_draws_have_their_moments() {
        for a in [0.2, 1.0, 3.0] {
            let mut stream = Stream::new(3, Purpose::Simulation, 0, 0);
            let draws: Vec<f64> = (0..40_000).map(|_| beta(a, &mut stream)).collect();
            let mean = draws.iter().sum::<f64>() / 40_000.0;
            let variance = draws.iter().map(|v| (v - 0.5) * (v - 0.5)).sum::<f64>() / 40_000.0;
            // The variance of Beta(a, a) is 1 / (4 (2 a + 1)).
            let wanted = 0.25 / (2.0 * a + 1.0);
            assert!((mean - 0.5).abs() < 0.01 && (variance / wanted - 1.0).abs() < 0.03, "{a}: {mean} {variance}");
        }
    }
}
