//! One pool against guessing, and the attack that sees no output.

use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;
use crate::metric::Metric;
use crate::words::Verdict;

/// What a pool's models say against guessing. Interval and test are one t on the logit scale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct AgainstGuessing {
    /// `leaks`, `no-relevant-leak`, `inverted`, `open`, `too-few-models` or `withheld`.
    pub verdict: Verdict,
    /// The AUC, and the TPR at the level that the design gives.
    pub points: Vec<GuessingPoint>,
}

/// One point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct GuessingPoint {
    /// The metric.
    pub metric: Metric,
    /// The estimate with its simultaneous interval.
    pub estimate: Estimate,
    /// Level of that interval.
    pub level: f64,
    /// What a score that knows nothing reaches.
    pub chance: f64,
    /// Smallest relevant excess over it.
    pub relevant: f64,
}

impl GuessingPoint {
    /// Whether its interval lies above guessing.
    pub fn is_above(&self) -> bool {
        self.estimate.low > self.chance
    }

    /// Of the AUC alone: tied scores find fewer members at a level than scores without ties do that know nothing either.
    pub fn is_below(&self) -> bool {
        self.metric.is_auc() && self.estimate.high < self.chance
    }

    /// Whether its excess over guessing is shown to be no relevant one.
    pub fn is_small(&self) -> bool {
        self.estimate.high - self.chance < self.relevant
    }
}

/// How the blind attack stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BlindStatus {
    /// A block's models share their blind scores and split the examples between them: its AUC is 1/2 whatever they are.
    BalancedByDesign,
    /// The number of models per example was fixed: counts alone give members away by construction, and are cut.
    FixedByDesign,
    /// Fewer blocks than a regression is learnt from, or no phi.
    TooFewModels,
    /// It was run.
    Measured,
}

/// The blind attack on one recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Blind {
    /// How it stands.
    pub status: BlindStatus,
    /// Its AUC.
    pub auc: Option<Estimate>,
    /// One-sided p-value of an AUC of 1/2.
    pub p_value: Option<f64>,
    /// By how much the AUC of `strongest` exceeds it.
    pub excess: Option<Estimate>,
    /// Whether examples were drawn at different rates, which gives members away without any unfairness.
    pub mixed_rates: bool,
    /// Whether it beats chance (p <= .01).
    pub beats_chance: bool,
}

impl Blind {
    /// One that was not run.
    pub fn without(status: BlindStatus) -> Self {
        Self { status, auc: None, p_value: None, excess: None, mixed_rates: false, beats_chance: false }
    }
}
