//! One attack against one recipe.

use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;

/// Shares of members among the examples of which an attacker asks, for the precision.
pub const PRIORS: [f64; 3] = [0.01, 0.1, 0.5];

/// The delta of the nominal epsilon.
pub const DELTA: f64 = 1e-5;

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
