//! How a model is trained.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::accounting;
use crate::augment::Transform;
use crate::base::Base;
use crate::command::Command;
use crate::defences::Defences;
use crate::error::{Error, Problem};
use crate::methods::{Optimizer, Privacy};
use crate::network::Network;
use crate::settings::SettingError;

/// Learning-rate schedule over the steps after warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Half a cosine from `lr` to 0 (Loshchilov & Hutter 2017, arXiv 1608.03983, eq. 5, one period).
    Cosine,
    /// `lr`, a tenth from half of the steps on, a hundredth from three quarters on.
    Step,
    /// Always `lr`.
    Constant,
}

/// Everything that decides how one model is trained, given data, membership row and seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// Name in tables and folders.
    pub name: String,
    /// The optimizer with its parameters. A radius of 0 takes no second gradient and is the base optimizer bit for bit.
    pub optimizer: Optimizer,
    /// What takes the step.
    pub base: Base,
    /// What is done against leaking.
    pub defences: Defences,
    /// Passes over the member set.
    pub epochs: usize,
    /// Examples per step; the last batch of an epoch may be smaller.
    pub batch: usize,
    /// Highest learning rate.
    pub lr: f64,
    /// Schedule after warm-up.
    pub schedule: Schedule,
    /// Epochs over which the rate rises linearly from 0.
    pub warmup: usize,
    /// Momentum.
    pub momentum: f64,
    /// Nesterov's form.
    pub nesterov: bool,
    /// L2 coefficient.
    pub weight_decay: f64,
    /// Transforms of every training image, in order; drawn by (seed, augmentation, model, epoch), so that recipes share them.
    pub augment: Vec<Transform>,
    /// The epoch after which models are measured, where that is not the last: the same run gives further recipes.
    pub measured_at: Option<usize>,
    /// A command that trains each model in place of the engine; only the name counts beside it. See [`Command`].
    pub trainer: Option<String>,
}

/// Examples per step where nobody says. Of fewer training examples a step then sees all.
pub const DEFAULT_BATCH: usize = 64;

impl Recipe {
    /// A recipe of an optimizer over a base, or over the one that its name stands for, with everything else at its default.
    pub fn new(name: &str, optimizer: Optimizer, base: Base) -> Self {
        let base = optimizer.own_base().filter(|own| own.name() != base.name()).unwrap_or(base);
        Self {
            name: name.into(),
            optimizer,
            base,
            defences: Defences::default(),
            epochs: 80,
            batch: DEFAULT_BATCH,
            lr: if base == Base::Sgd { 0.05 } else { 0.001 },
            schedule: Schedule::Cosine,
            warmup: 0,
            momentum: 0.9,
            nesterov: false,
            weight_decay: 5e-4,
            augment: Vec::new(),
            measured_at: None,
            trainer: None,
        }
    }

    /// The same with these values of parameters of the optimizer and its base, and with the defences among them.
    ///
    /// # Errors
    /// A key that none of them has, a value out of its range, what excludes each other.
    pub fn with(mut self, given: &BTreeMap<String, f64>) -> Result<Self, Error> {
        let mut rest = given.clone();
        self.defences = Defences::take(&mut rest).map_err(|problem| self.wrong(problem))?;
        for (key, value) in rest {
            if !self.optimizer.set(&key, value) && !self.base.set(&key, value) {
                let known = self.optimizer.parameters().iter().chain(self.base.parameters()).map(|p| p.key).collect();
                return Err(self.wrong(SettingError::Unknown { key, of: self.optimizer.name(), known }));
            }
        }
        self.check_parameters().map_err(|problem| self.wrong(problem))?;
        Ok(self)
    }

    /// Values of the optimizer's parameters and of its base's, by key in alphabetical order.
    pub fn values(&self) -> BTreeMap<&'static str, f64> {
        self.optimizer.values().into_iter().chain(self.base.values()).collect()
    }

    fn wrong(&self, problem: impl Into<Problem>) -> Error {
        Error::Recipe { recipe: self.name.clone(), problem: problem.into() }
    }

    /// Refuses values that cannot be meant.
    ///
    /// # Errors
    /// The first of them.
    pub fn check(&self) -> Result<(), Error> {
        self.check_name()
            .and_then(|()| self.check_counts())
            .and_then(|()| self.check_rates())
            .and_then(|()| Ok(self.defences.check(&self.optimizer)?))
            .and_then(|()| self.check_optimizer())
            .map_err(|problem| self.wrong(problem))
    }

    fn check_name(&self) -> Result<(), Problem> {
        let legal = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(legal) || self.name.starts_with('.') {
            return Err(Problem::Name);
        }
        let Some(command) = &self.trainer else { return Ok(()) };
        match Command::parse(command) {
            Err(problem) => Err(Problem::Trainer { command: command.clone(), problem }),
            Ok(_) => Ok(()),
        }
    }

    fn check_counts(&self) -> Result<(), Problem> {
        let within = |key, value, low, high| {
            if (low..=high).contains(&value) { Ok(()) } else { Err(Problem::Count { key, value, low, high }) }
        };
        within("epochs", self.epochs, 1, 100_000)?;
        if let Some(epoch) = self.measured_at {
            if epoch == 0 || epoch >= self.epochs {
                return Err(Problem::MeasuredAt { epoch, last: self.epochs - 1 });
            }
            if self.optimizer.averages() {
                return Err(Problem::MeasuredEarly { optimizer: self.optimizer.name() });
            }
        }
        within("batch", self.batch, 1, 1 << 16)?;
        if self.warmup >= self.epochs {
            return Err(Problem::Warmup { warmup: self.warmup, epochs: self.epochs });
        }
        Ok(())
    }

    fn check_rates(&self) -> Result<(), Problem> {
        let within = |key, value: f64, low: f64, high: f64, allowed| {
            if (low..=high).contains(&value) { Ok(()) } else { Err(Problem::Range { key, value, allowed }) }
        };
        within("lr", self.lr, f64::MIN_POSITIVE, 1e6, "a number above 0 and up to 1000000 is needed")?;
        within("momentum", self.momentum, 0.0, 1.0 - f64::EPSILON, "a number from 0 to below 1 is needed")?;
        within("weight_decay", self.weight_decay, 0.0, 1e6, "a number from 0 to 1000000 is needed")
    }

    fn check_optimizer(&self) -> Result<(), Problem> {
        let optimizer = self.optimizer.name();
        if self.optimizer.is_private() && !self.augment.is_empty() {
            return Err(Problem::Augment { optimizer });
        }
        if self.optimizer.own_base().is_some_and(|own| own.name() != self.base.name()) {
            return Err(Problem::Base { base: self.base.name(), optimizer });
        }
        self.check_parameters()?;
        self.optimizer.check()?;
        if self.nesterov && self.momentum == 0.0 {
            return Err(Problem::Nesterov);
        }
        Ok(())
    }

    /// Ranges of the optimizer's parameters and of its base's.
    fn check_parameters(&self) -> Result<(), SettingError> {
        let (own, base) = (self.optimizer.parameters(), self.base.parameters());
        let own = own.iter().zip(self.optimizer.values());
        own.chain(base.iter().zip(self.base.values())).try_for_each(|(parameter, (_, value))| parameter.check(value))
    }

    /// Learning rate at `step` of `total`, with `warmup` steps of linear rise.
    pub fn rate(&self, step: usize, warmup: usize, total: usize) -> f64 {
        if step < warmup {
            return self.lr * (step + 1) as f64 / warmup as f64;
        }
        let progress = (step - warmup) as f64 / (total - warmup).max(1) as f64;
        match self.schedule {
            Schedule::Cosine => self.lr * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * progress)),
            Schedule::Step if progress < 0.5 => self.lr,
            Schedule::Step if progress < 0.75 => self.lr * 0.1,
            Schedule::Step => self.lr * 0.01,
            Schedule::Constant => self.lr,
        }
    }

    /// Epochs that its models were trained for when they are measured.
    pub fn checkpoint(&self) -> usize {
        self.measured_at.unwrap_or(self.epochs)
    }

    /// Steps that they took by then on `members` examples.
    pub fn steps(&self, members: usize) -> usize {
        members.div_ceil(self.batch) * self.checkpoint()
    }

    /// epsilon and delta of training on `members` examples, where noise was added: private only while the seed is secret.
    pub fn privacy(&self, members: usize) -> Option<(f64, f64)> {
        let own = self.optimizer.privacy()?;
        let (q, steps) = ((self.batch as f64 / members as f64).min(1.0), self.steps(members));
        Some((accounting::epsilon(q, own.noise, steps, own.delta), own.delta))
    }

    /// Refuses what does not fit training on `members` examples: a batch of more of them than there are, unless it is the default, and a
    /// delta above 1 / `members`. A recipe that a command trains has neither.
    ///
    /// # Errors
    /// The value, and what fits.
    pub fn check_members(&self, members: usize) -> Result<(), Error> {
        if self.trainer.is_some() {
            return Ok(());
        }
        if self.batch > members && self.batch != DEFAULT_BATCH {
            return Err(self.wrong(Problem::Batch { batch: self.batch, members }));
        }
        match self.optimizer.privacy() {
            Some(Privacy { delta, .. }) if delta > 1.0 / members as f64 => {
                Err(self.wrong(Problem::Delta { delta, members }))
            }
            _ => Ok(()),
        }
    }

    /// Refuses noise that does not keep the budget on `members` examples.
    ///
    /// # Errors
    /// The epsilon that it comes to.
    pub fn check_budget(&self, members: usize) -> Result<(), Error> {
        let (Some(own), Some((epsilon, delta))) = (self.optimizer.privacy(), self.privacy(members)) else {
            return Ok(());
        };
        let Privacy { noise, budget, .. } = own;
        if budget > 0.0 && epsilon > budget {
            return Err(self.wrong(Problem::Budget { noise, epsilon, delta, epochs: self.epochs, members, budget }));
        }
        Ok(())
    }

    /// Gradient evaluations per step, a forward pass counted as a third of one.
    pub fn gradients_per_step(&self) -> f64 {
        self.optimizer.gradients_per_step()
    }
}

impl Network {
    /// Refuses batches that a network cannot be trained with, `members` being the examples that a model is trained on.
    ///
    /// # Errors
    /// A batch of one example with batch norm, also as the rest of an epoch: it would be set against itself.
    pub fn check_batch(&self, recipe: &Recipe, members: usize) -> Result<(), Error> {
        let optimizer = &recipe.optimizer;
        if optimizer.splits_batches() && (self.normalises_batches() || self.drops()) {
            return Err(recipe.wrong(Problem::Parts { optimizer: optimizer.name() }));
        }
        if !self.normalises_batches() {
            return Ok(());
        }
        if recipe.batch == 1 {
            return Err(recipe.wrong(Problem::Single));
        }
        if members % recipe.batch == 1 {
            return Err(recipe.wrong(Problem::Alone { batch: recipe.batch, members }));
        }
        Ok(())
    }
}
