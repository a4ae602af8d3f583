//! One recipe under attack.

use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::estimate::Estimate;
use crate::guessing::{AgainstGuessing, Blind};

/// Shares of members among the examples of which an attacker asks, for the precision.
pub const PRIORS: [f64; 3] = [0.01, 0.1, 0.5];

/// The delta of the nominal epsilon.
pub const DELTA: f64 = 1e-5;

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

/// One attack against one recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct AttackResult {
    /// Attack name.
    pub name: String,
    /// Variant, where several definitions exist.
    pub variant: Option<String>,
    /// The recipe that the shadows were trained with; null without shadows.
    pub shadow_recipe: Option<String>,
    /// The attack whose ROC is this one's by construction.
    pub same_roc_as: Option<String>,
    /// Area under the ROC curve.
    pub auc: Estimate,
    /// The AUC with an interval that covers another draw of examples too; absent below 4 blocks.
    #[serde(default)]
    pub population: Option<Estimate>,
    /// TPR - FPR at a threshold learnt on other blocks.
    pub advantage: Estimate,
    /// Largest TPR - FPR, at each target's own best threshold: above 0 on average even where nothing leaks.
    #[serde(default)]
    pub oracle_advantage: f64,
    /// (TPR + TNR)/2 at a threshold learnt on other blocks.
    pub balanced_accuracy: Estimate,
    /// TPR at low FPR.
    pub tpr_at_fpr: Vec<TprAtFpr>,
    /// Mean over targets of a lower limit of epsilon (delta 1e-5) over each target's examples: nominal, not a bound on the training.
    #[serde(default)]
    pub nominal_epsilon: Option<f64>,
}

/// TPR at one FPR level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct TprAtFpr {
    /// The level.
    pub fpr: f64,
    /// The TPR.
    pub tpr: Estimate,
    /// What a score that knows nothing reaches, with the fewest scored non-members of a target.
    #[serde(default)]
    pub chance: f64,
    /// Mean FPR that was realised.
    pub realised_fpr: f64,
    /// Mean number of false positives per target.
    pub false_positives: f64,
    /// At least 5 false positives are expected, and equal scores leave half of the level or more to be realised.
    pub reliable: bool,
    /// Share of members among those called members when 1, 10 or 50 % of all examples are ([`PRIORS`]), from the mean TPR and the mean
    /// realised FPR; null where nobody is called one.
    #[serde(default)]
    pub precision: [Option<f64>; 3],
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
