//! Training of one model by one thread.

use flatleak_kernel::Buffer;
use flatleak_kernel::sweep::Direction;
use flatleak_stream::{Purpose, Stream};

use crate::base::{Momenta, Rates};
use crate::batch::Changed;
use crate::checkpoint::{Checkpoint, Kept, Unfit, Values};
use crate::methods::{Method, Pass, Training};
use crate::network::Network;
use crate::place::{Place, Streams};
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

/// What was just done when a trainer asks whether to go on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// A step.
    Step,
    /// All steps of an epoch.
    Epoch {
        /// The epoch, from 0.
        epoch: usize,
        /// Mean training loss of it.
        loss: f64,
    },
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
    streams: Streams,
    /// Where it stands, but for positions: the streams have their own.
    at: Place,
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
            streams: Streams::new((0, 0), 0),
            at: Place::default(),
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
            stream: self.streams.noise(),
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

    /// The model as it stands between two steps.
    pub fn checkpoint(&mut self) -> Checkpoint<'_> {
        let place = Place { positions: self.streams.positions(), ..self.at };
        let mut kept = vec![("arena".to_owned(), Kept::Single(&mut self.parameters))];
        kept.extend(self.momenta.state().into_iter().map(|(name, own)| (format!("base.{name}"), own)));
        kept.extend(self.method.state().into_iter().map(|(name, own)| (format!("method.{name}"), own)));
        kept.retain(|(_, own)| !own.is_empty());
        Checkpoint { place, kept }
    }

    /// Takes the place of a model of the same recipe on as many `members` that stood at `place` and kept what `read` has of each name. What
    /// [`Trainer::run`] does next is what it would have done there.
    ///
    /// # Errors
    /// What does not fit this recipe and network; the trainer is as it was then.
    pub fn resume(
        &mut self,
        place: Place,
        members: usize,
        read: impl FnMut(&str) -> Option<Values>,
    ) -> Result<(), Unfit> {
        let Place { epoch, done, .. } = place;
        if epoch >= self.recipe.epochs || done > members.div_ceil(self.recipe.batch) {
            return Err(Unfit::Place { epoch, done });
        }
        self.checkpoint().fill(read)?;
        self.at = place;
        self.streams.seek(place.positions);
        Ok(())
    }

    /// Trains on the rows `members` of `x`, in an order keyed by (seed, model, epoch), from where the trainer stands: at the start, where
    /// [`Trainer::resume`] put it, or where `watch` stopped it. `watch` says after every step and every epoch whether to go on.
    ///
    /// Private methods draw each batch by Poisson sampling instead: every member with probability batch / members.
    pub fn run(
        &mut self,
        (x, y): (&[f32], &[u32]),
        members: &[u32],
        (seed, model): (u64, u64),
        mut watch: impl FnMut(&mut Self, Moment) -> bool,
    ) -> Outcome {
        let steps = members.len().div_ceil(self.recipe.batch);
        let (total, warmup) = (steps * self.recipe.epochs, steps * self.recipe.warmup);
        self.total = total;
        let mut batch = Vec::with_capacity(self.recipe.batch);
        let mut labels = Vec::with_capacity(self.recipe.batch);
        let mut changed = Changed::new(self.network, self.recipe);
        let (from, positions) = (self.at, self.streams.positions());
        self.step = from.epoch * steps + from.done;
        let mut mean = 0.0;
        for epoch in from.epoch..self.recipe.epochs {
            self.streams = Streams::new((seed, model), epoch);
            if epoch == from.epoch {
                self.streams.seek(positions);
            } else {
                self.at = Place { epoch, ..Place::default() };
            }
            let order = Stream::new(seed, Purpose::Order, model, epoch as u64).permutation(members.len());
            while self.at.done < steps {
                let rate = self.recipe.rate(self.step, warmup, total);
                self.choose(&mut batch, members, &order);
                labels.clear();
                labels.extend(batch.iter().map(|&k| y[k as usize]));
                if self.network.drops() {
                    self.workspace.draw_masks(&self.network.steps, batch.len(), self.streams.drops());
                }
                let mixed = changed.mix(&labels, self.streams.mixing());
                self.workspace.objective = self.recipe.defences.objective(self.network.classes(), epoch, mixed);
                let loss = match changed.rows(x, &batch, self.network, self.streams.augmentation()) {
                    Some((rows, in_order)) => self.step(rows, &labels, in_order, rate),
                    None => self.step(x, &labels, &batch, rate),
                };
                self.at.loss += loss * labels.len() as f64;
                self.at.done += 1;
                if !watch(self, Moment::Step) {
                    return Outcome::Stopped;
                }
            }
            mean = self.at.loss / members.len().max(1) as f64;
            if !mean.is_finite() {
                return Outcome::Diverged(epoch);
            }
            if !watch(self, Moment::Epoch { epoch, loss: mean }) {
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

    /// The members of the next batch.
    fn choose(&mut self, batch: &mut Vec<u32>, members: &[u32], order: &[u32]) {
        batch.clear();
        if self.recipe.optimizer.is_private() {
            let q = self.recipe.batch as f64 / members.len() as f64;
            let stream = self.streams.noise();
            batch.extend(members.iter().filter(|_| stream.unit() < q));
        } else {
            let first = self.at.done * self.recipe.batch;
            let end = (first + self.recipe.batch).min(order.len());
            batch.extend(order[first..end].iter().map(|&k| members[k as usize]));
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
