//! Leakage against accuracy, and sets of recipes (book/methods/words.md#frontier).

use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;
use crate::metric::{Metric, Property};

/// Recipes by leakage and accuracy on one data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Frontier {
    /// Data set.
    pub dataset: String,
    /// One entry per recipe, in their order.
    pub points: Vec<FrontierPoint>,
    /// Recipes that cannot be told from the least leaking, one set per operating point; none in results of schema version 1.
    #[serde(default)]
    pub sets: Vec<LeastSet>,
    /// Recipes in every set whose accuracy is not relevantly below the best; empty where there is none, or nothing can be said.
    pub recommended: Vec<String>,
    /// That in words.
    pub sentence: String,
    /// Differences at equal accuracy, for pairs whose baseline was measured at several epochs.
    pub matched: Vec<MatchedDifference>,
}

/// One recipe's place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct FrontierPoint {
    /// Recipe name.
    pub recipe: String,
    /// Epoch of measurement.
    pub checkpoint: usize,
    /// Accuracy on held-out examples.
    pub test_accuracy: Estimate,
    /// Accuracy on members.
    pub member_accuracy: Estimate,
    /// Its test accuracy less that of the most accurate recipe, model by model where they share their examples; the intervals of all recipes hold
    /// together.
    pub loss: Estimate,
    /// The attack of headlines.
    pub attack: String,
    /// That attack's AUC.
    pub leakage: Estimate,
    /// No other recipe is at least as accurate and leaks no more.
    pub pareto: bool,
}

/// Leakage of a candidate less that of its baseline where the baseline is as accurate, interpolated along its epochs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct MatchedDifference {
    /// Baseline recipe.
    pub baseline: String,
    /// Candidate recipe.
    pub candidate: String,
    /// Which accuracy is equal: on held-out examples or on members.
    pub at: Property,
    /// Candidate - baseline in the AUC of the attack of headlines, with a delete-one-block jackknife interval; null where the baseline reaches
    /// that accuracy at no epoch that was measured.
    pub difference: Option<Estimate>,
}

/// Recipes that cannot be told from the least leaking one at one point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct LeastSet {
    /// The metric.
    pub metric: Metric,
    /// Recipes in the set, in the order of the study.
    pub recipes: Vec<String>,
    /// Recipes that are not among the least leaking: each leaks more than another, whatever chance did to both.
    pub not_among_the_least: Vec<String>,
}

/// Mean AUC of one attack with the shadows of one recipe on the targets of another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Mismatch {
    /// Data set.
    pub dataset: String,
    /// Attack name.
    pub attack: String,
    /// Recipe of the shadows.
    pub shadows: String,
    /// Recipe of the targets.
    pub targets: String,
    /// Mean over targets. No interval: how much of a difference is chance is for the comparisons to say.
    pub auc: f64,
}
