//! How a model is trained.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::accounting;
use crate::{Base, Defences, Error, Optimizer, Parameters, Transform};

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Name in tables and folders.
    pub name: String,
    /// The optimizer.
    pub optimizer: Optimizer,
    /// Its parameters. A radius of 0 takes no second gradient and is the base optimizer bit for bit.
    #[serde(default)]
    pub parameters: Parameters,
    /// What takes the step.
    #[serde(default)]
    pub base: Base,
    /// What is done against leaking.
    #[serde(default)]
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub augment: Vec<Transform>,
    /// The epoch after which models are measured, where that is not the last: the same run gives further recipes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_at: Option<usize>,
    /// A command that trains each model in place of the engine; only the name counts beside it. See [`PLACEHOLDERS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trainer: Option<String>,
}

/// What a trainer's command may ask for: the model's index, the file of its membership row, its seed, the file of the data, and the folder
/// that it writes to.
pub const PLACEHOLDERS: [&str; 5] = ["{index}", "{mask}", "{seed}", "{data}", "{out}"];

impl Recipe {
    /// A recipe with an optimizer's parameters, those that are not given at their defaults, and everything else at its own.
    ///
    /// # Errors
    /// A key that the optimizer does not have, a value out of its range.
    pub fn new(name: &str, optimizer: Optimizer, base: Base, given: &BTreeMap<String, f64>) -> Result<Self, Error> {
        let base = optimizer.own_base().unwrap_or(base);
        let parameters = Parameters::resolve(optimizer, base, given)
            .map_err(|problem| Error::Recipe { recipe: name.into(), problem })?;
        Ok(Self {
            name: name.into(),
            optimizer,
            parameters,
            base,
            defences: Defences::default(),
            epochs: 80,
            batch: 64,
            lr: if base == Base::Sgd { 0.05 } else { 0.001 },
            schedule: Schedule::Cosine,
            warmup: 0,
            momentum: 0.9,
            nesterov: false,
            weight_decay: 5e-4,
            augment: Vec::new(),
            measured_at: None,
            trainer: None,
        })
    }

    /// Refuses values that cannot be meant.
    pub fn check(&self) -> Result<(), Error> {
        let fail = |problem: String| Err(Error::Recipe { recipe: self.name.clone(), problem });
        let legal = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(legal) || self.name.starts_with('.') {
            return fail(
                "a name has 1 to 64 letters, digits, `-`, `_`, `+` or `.`, and does not start with `.`".into(),
            );
        }
        if let Some(command) = &self.trainer {
            let missing = ["{mask}", "{out}"].into_iter().find(|p| !command.contains(p));
            if let Some(missing) = missing {
                return fail(format!(
                    "trainer = {command:?} lacks {missing}: a trainer needs to know whom to train on and where to write"
                ));
            }
            let unknown = command
                .split('{')
                .skip(1)
                .filter_map(|rest| rest.split_once('}'))
                .map(|(name, _)| format!("{{{name}}}"));
            if let Some(unknown) = unknown.into_iter().find(|u| !PLACEHOLDERS.contains(&u.as_str())) {
                return fail(format!("trainer asks for {unknown}; there are {}", PLACEHOLDERS.join(", ")));
            }
        }
        if self.epochs == 0 || self.epochs > 100_000 {
            return fail(format!("epochs = {}, but 1 to 100000 are possible", self.epochs));
        }
        if let Some(epoch) = self.measured_at.filter(|e| *e == 0 || *e >= self.epochs) {
            return fail(format!("measure_at = {epoch}, but 1 to {} are epochs before the last", self.epochs - 1));
        }
        if self.measured_at.is_some() && self.optimizer == Optimizer::Swa {
            return fail("measure_at: what swa averages is there at the end only".into());
        }
        if self.batch == 0 || self.batch > 1 << 16 {
            return fail(format!("batch = {}, but 1 to 65536 are possible", self.batch));
        }
        if self.warmup >= self.epochs {
            return fail(format!("warmup = {} leaves nothing of {} epochs", self.warmup, self.epochs));
        }
        for (key, value, low, high) in [
            ("lr", self.lr, f64::MIN_POSITIVE, 1e6),
            ("momentum", self.momentum, 0.0, 1.0 - f64::EPSILON),
            ("weight_decay", self.weight_decay, 0.0, 1e6),
        ] {
            if !(low..=high).contains(&value) {
                return fail(format!("{key} = {value} is out of range"));
            }
        }
        self.defences.check().or_else(&fail)?;
        if self.defences.mixup > 0.0 && self.optimizer.splits_batches() {
            return fail(format!("mixup mixes examples of a batch, which {} takes apart", self.optimizer.name()));
        }
        if self.defences.dropout > 0.0 && self.optimizer.splits_batches() {
            return fail(format!(
                "dropout draws one mask for a batch, which {} takes apart: leave one of them out",
                self.optimizer.name()
            ));
        }
        if self.optimizer.is_private() && self.defences.relaxloss > 0.0 {
            return fail(format!(
                "relaxloss looks at the mean loss of a batch, which {} does not hide: leave one of them out",
                self.optimizer.name()
            ));
        }
        if self.optimizer.is_private() && !self.augment.is_empty() {
            return fail(format!("{} draws batches of any size, which augment does not allow", self.optimizer.name()));
        }
        if self.optimizer.own_base().is_some_and(|own| own != self.base) {
            return fail(
                format!(
                    "base = {:?} beside optimizer = \"{}\", which is a base itself",
                    self.base,
                    self.optimizer.name()
                )
                .to_lowercase(),
            );
        }
        let rho_min = self.parameters.get("rho_min");
        if rho_min > self.parameters.get("rho") {
            return fail(format!("rho_min = {rho_min} is above rho"));
        }
        if self.nesterov && self.momentum == 0.0 {
            return fail("nesterov needs momentum above 0".into());
        }
        Ok(())
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
        let get = |key: &str| self.parameters.get(key);
        let (q, steps) = ((self.batch as f64 / members as f64).min(1.0), self.steps(members));
        self.optimizer.is_private().then(|| (accounting::epsilon(q, get("noise"), steps, get("delta")), get("delta")))
    }

    /// Refuses noise that does not keep the budget on `members` examples.
    ///
    /// # Errors
    /// The epsilon that it comes to.
    pub fn check_budget(&self, members: usize) -> Result<(), Error> {
        let budget = self.parameters.get("budget");
        match self.privacy(members) {
            Some((epsilon, delta)) if budget > 0.0 && epsilon > budget => Err(Error::Recipe {
                recipe: self.name.clone(),
                problem: format!(
                    "noise = {} comes to epsilon {epsilon:.3} at delta {delta} over {} epochs of {members} examples, above budget = {budget}: more noise, fewer epochs or smaller batches",
                    self.parameters.get("noise"),
                    self.epochs
                ),
            }),
            _ => Ok(()),
        }
    }

    /// Gradient evaluations per step, a forward pass counted as a third of one.
    pub fn gradients_per_step(&self) -> f64 {
        let get = |key: &str| self.parameters.get(key);
        if get("rho") == 0.0 && self.optimizer.is_sharpness_aware() {
            return 1.0;
        }
        match self.optimizer {
            Optimizer::Mixed | Optimizer::Sharpreg if get("alpha") == 0.0 => 1.0,
            Optimizer::WsamCoupled if get("gamma") == 0.0 => 1.0,
            Optimizer::Looksam => 1.0 + 1.0 / get("k"),
            Optimizer::Esam => 1.0 + 1.0 / 3.0 + get("gamma"),
            Optimizer::DpSat => 1.0,
            o if o.is_sharpness_aware() => 2.0,
            _ => 1.0,
        }
    }
}
