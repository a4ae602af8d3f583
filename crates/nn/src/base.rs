//! What takes the step, given a gradient.

use flatleak_kernel::Buffer;
use flatleak_kernel::sweep::{self, AdamStep, Direction, SgdStep};

use crate::checkpoint::Kept;
use crate::settings::{Parameter, Settings, settings};

settings! {
    /// Parameters of Adam (Kingma & Ba 2015, arXiv 1412.6980) and AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101).
    pub struct AdamSettings {
        /// Decay of the mean gradient.
        beta1 = Parameter::new(0.9, (0.0, 0.999_999), "decay of the mean gradient"),
        /// Decay of the mean square.
        beta2 = Parameter::new(0.999, (0.0, 0.999_999), "decay of the mean square"),
        /// What is added to the root.
        epsilon = Parameter::new(1e-8, (0.0, 1.0), "what is added to the root"),
    }
}

/// What takes the step, given a gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Base {
    /// SGD with momentum.
    #[default]
    Sgd,
    /// Adam, weight decay added to the gradient.
    Adam(AdamSettings),
    /// AdamW.
    Adamw(AdamSettings),
}

impl Base {
    /// Every base, its parameters at their defaults.
    pub const ALL: [Self; 3] = [Self::Sgd, Self::Adam(AdamSettings::DEFAULT), Self::Adamw(AdamSettings::DEFAULT)];

    /// Name in study files.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sgd => "sgd",
            Self::Adam(_) => "adam",
            Self::Adamw(_) => "adamw",
        }
    }

    /// The base of a name, its parameters at their defaults.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|base| base.name() == name)
    }

    /// Its own parameters.
    pub fn parameters(&self) -> &'static [Parameter] {
        if matches!(self, Self::Sgd) { &[] } else { AdamSettings::PARAMETERS }
    }

    /// Their values.
    pub fn values(&self) -> Vec<(&'static str, f64)> {
        match self {
            Self::Sgd => Vec::new(),
            Self::Adam(settings) | Self::Adamw(settings) => settings.values(),
        }
    }

    /// Sets the value of a key; whether there is one.
    pub(crate) fn set(&mut self, key: &str, value: f64) -> bool {
        match self {
            Self::Sgd => false,
            Self::Adam(settings) | Self::Adamw(settings) => settings.set(key, value),
        }
    }
}

/// What a step takes from the recipe and from the schedule.
#[derive(Clone, Copy)]
pub(crate) struct Rates {
    pub(crate) lr: f64,
    pub(crate) momentum: f64,
    pub(crate) nesterov: bool,
    pub(crate) weight_decay: f64,
    /// Number of the step, from 0.
    pub(crate) step: usize,
}

/// What a base keeps from one step to the next.
#[derive(Debug)]
pub(crate) struct Momenta {
    /// Momentum, or Adam's mean.
    velocity: Buffer,
    /// Adam's mean square.
    squares: Buffer,
}

impl Momenta {
    /// For so many parameters.
    pub(crate) fn new(base: Base, parameters: usize) -> Self {
        let squares = Buffer::new(if base == Base::Sgd { 0 } else { parameters });
        Self { velocity: Buffer::new(parameters), squares }
    }

    /// Both, by name.
    pub(crate) fn state(&mut self) -> Vec<(&'static str, Kept<'_>)> {
        vec![("velocity", Kept::Single(&mut self.velocity)), ("squares", Kept::Single(&mut self.squares))]
    }

    /// One step of the parameters `w`.
    pub(crate) fn step(&mut self, base: Base, w: &mut [f32], along: Direction<'_>, rates: Rates) {
        let (settings, decoupled) = match base {
            Base::Sgd => {
                let step = SgdStep {
                    lr: rates.lr as f32,
                    momentum: rates.momentum as f32,
                    nesterov: rates.nesterov,
                    weight_decay: rates.weight_decay as f32,
                    first: rates.step == 0,
                };
                return sweep::sgd(w, &mut self.velocity, along, step);
            }
            Base::Adam(settings) => (settings, false),
            Base::Adamw(settings) => (settings, true),
        };
        let AdamSettings { beta1, beta2, epsilon } = settings;
        let t = (rates.step + 1) as f64;
        let step = AdamStep {
            lr: rates.lr as f32,
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            epsilon: epsilon as f32,
            weight_decay: rates.weight_decay as f32,
            decoupled,
            correction1: (1.0 - libm::pow(beta1, t)) as f32,
            correction2: (1.0 - libm::pow(beta2, t)).sqrt() as f32,
        };
        sweep::adam(w, &mut self.velocity, &mut self.squares, along, step);
    }
}
