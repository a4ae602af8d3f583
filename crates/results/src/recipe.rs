//! One recipe under attack.

use serde::{Deserialize, Serialize};

use crate::attacked::AttackResult;
use crate::condition::Condition;
use crate::estimate::Estimate;
use crate::guessing::{AgainstGuessing, Blind};

/// One recipe's models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct RecipeResult {
    /// Recipe name.
    pub name: String,
    /// Data set.
    pub dataset: String,
    /// Epoch at which the models were measured.
    pub checkpoint: usize,
    /// Number of models, M.
    pub models: usize,
    /// How targets are kept apart from their own block.
    pub protection: Protection,
    /// Accuracy on the held-out set; null without one.
    pub test_accuracy: Option<Estimate>,
    /// Accuracy on the pool examples that each model was trained on.
    pub member_accuracy: Estimate,
    /// Accuracy on the pool examples that it was not trained on.
    pub non_member_accuracy: Estimate,
    /// Accuracy on the held-out set with noise on its inputs, where it was measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noise: Vec<UnderNoise>,
    /// Spread of p_y over the examples, per model.
    pub confidence_variance: Spread,
    /// Spread of phi over the examples, per model.
    pub phi_variance: Spread,
    /// What members and non-members differ by themselves.
    #[serde(default)]
    pub blind: Option<Blind>,
    /// Whether it leaks at all; absent where no attack was run.
    #[serde(default)]
    pub guessing: Option<AgainstGuessing>,
    /// What forbids words about it, or belongs beside them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// One entry per attack.
    pub attacks: Vec<AttackResult>,
}

impl RecipeResult {
    /// The result of an attack, by its name.
    pub fn attack(&self, name: &str) -> Option<&AttackResult> {
        self.attacks.iter().find(|a| a.name == name)
    }
}

/// Accuracy under one level of noise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct UnderNoise {
    /// Standard deviation of the noise in units of the inputs' own.
    pub deviation: f64,
    /// Accuracy on the held-out set.
    pub accuracy: Estimate,
    /// What it is less than without noise.
    pub lost: Estimate,
}

/// A variance over members and over non-members.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Spread {
    /// Over the examples that a model was trained on.
    pub member: Estimate,
    /// Over the others.
    pub non_member: Estimate,
}

/// How targets are kept apart from their own block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// A target's shadows are all models outside its block.
    #[default]
    LeaveOneBlockOut,
}
