//! The typed results, as `results.json` has them.

/// An estimate with its 95 % interval.
pub use flatleak_stats::Interval as Estimate;
/// Models that would be enough, as a range.
pub use flatleak_stats::Needed;
use serde::{Deserialize, Serialize};

use crate::{AgainstGuessing, Blind, Condition, Explanation, Frontier, Mismatch, Verdict, Word};

/// FPR levels at which the TPR is reported.
pub const FPR_LEVELS: [f64; 5] = [0.0001, 0.001, 0.01, 0.05, 0.1];

/// Shares of members among the examples of which an attacker asks, for the precision.
pub const PRIORS: [f64; 3] = [0.01, 0.1, 0.5];

/// The delta of the nominal epsilon.
pub const DELTA: f64 = 1e-5;

/// Everything that the analysis of a study gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The answer over all comparisons.
    pub headline: Headline,
    /// One entry per recipe.
    pub recipes: Vec<RecipeResult>,
    /// One entry per compared pair.
    pub comparisons: Vec<Comparison>,
    /// Leakage against accuracy, per data set.
    pub frontiers: Vec<Frontier>,
    /// Shadows of every recipe against targets of every recipe.
    pub mismatch: Vec<Mismatch>,
    /// Why.
    pub explain: Explanation,
    /// What the report draws.
    pub figures: Vec<Figure>,
}

/// One recipe's models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    pub protection: String,
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
pub struct Spread {
    /// Over the examples that a model was trained on.
    pub member: Estimate,
    /// Over the others.
    pub non_member: Estimate,
}

/// One attack against one recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// At least 5 false positives are expected.
    pub reliable: bool,
    /// Share of members among those called members when 1, 10 or 50 % of all examples are ([`PRIORS`]), from the mean TPR and the mean
    /// realised FPR; null where nobody is called one.
    #[serde(default)]
    pub precision: [Option<f64>; 3],
}

/// A verdict and the sentence that says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Headline {
    /// The verdict.
    pub verdict: Verdict,
    /// In words.
    pub sentence: String,
}

/// How the models of two recipes are matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pairing {
    /// Models of equal index were trained on the same examples: differences are taken model by model.
    Paired,
    /// The same examples, another membership: estimates are independent.
    Unpaired,
    /// Other examples: intervals of leakage cover another draw of examples too.
    OtherExamples,
}

/// Two recipes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Baseline recipe.
    pub baseline: String,
    /// Candidate recipe; differences are candidate - baseline.
    pub candidate: String,
    /// Data set.
    pub dataset: String,
    /// How models are matched.
    pub pairing: Pairing,
    /// Models of the smaller pool.
    pub models: usize,
    /// The answer.
    pub headline: Headline,
    /// What it rests on: one entry per point.
    pub points: Vec<PointResult>,
    /// Conditions on both recipes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// One entry per metric.
    pub metrics: Vec<MetricDifference>,
}

impl Comparison {
    /// Whether more models would be of no use: the question has its answer, or every interval is narrower than the smallest relevant difference, so
    /// that what is left open is on which side of it a difference lies that is about as large.
    pub fn is_settled(&self) -> bool {
        let narrow = |p: &PointResult| p.difference.high - p.difference.low <= p.relevant;
        self.headline.verdict.is_settled() || (!self.points.is_empty() && self.points.iter().all(narrow))
    }
}

/// What is said at one operating point. The intervals of all points of all comparisons of a document hold together, with 95 % confidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointResult {
    /// The metric, of the attack of headlines.
    pub metric: String,
    /// The word.
    pub word: Word,
    /// Candidate - baseline with its simultaneous interval.
    pub difference: Estimate,
    /// Level of that interval.
    pub level: f64,
    /// The p-value that belongs to it, corrected for all points and comparisons (Bonferroni): at most .05 where the interval excludes 0.
    pub p_adjusted: f64,
    /// The smallest relevant difference.
    pub relevant: f64,
    /// The difference is shown to lie below the relevant one.
    pub at_most_relevant: bool,
    /// The smallest difference that these models detect with 80 % power.
    pub detectable: Option<f64>,
    /// Models per recipe that would show or exclude a relevant difference.
    pub models_needed: Option<Needed>,
}

/// One metric's difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricDifference {
    /// `attack.auc`, `attack.tpr@0.001`, or a property of the models.
    pub metric: String,
    /// Candidate - baseline.
    pub difference: Estimate,
    /// Standard error of the difference.
    pub standard_error: f64,
    /// Degrees of freedom of that error; null in results of schema version 1.
    #[serde(default)]
    pub degrees: Option<f64>,
    /// Two-sided p-value, by the t of the interval.
    pub p_value: f64,
    /// Corrected for the headline's points and for the comparisons of the document (Bonferroni); null elsewhere.
    pub p_adjusted: Option<f64>,
    /// At a headline's point its word there; else which way the 95 % interval points, for test accuracy with its size.
    #[serde(rename = "verdict")]
    pub word: Word,
}

/// One metric's paired difference over several data sets (random effects).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PooledDifference {
    /// Baseline recipe.
    pub baseline: String,
    /// Candidate recipe.
    pub candidate: String,
    /// The metric.
    pub metric: String,
    /// Number of data sets.
    pub datasets: usize,
    /// Candidate - baseline.
    pub difference: Estimate,
    /// Variance between data sets, tau^2.
    pub between: f64,
    /// Share of the variance that is between data sets, I^2.
    pub heterogeneity: f64,
    /// Two-sided p-value.
    pub p_value: f64,
    /// What is said of data sets like these, at a headline's point; null elsewhere.
    #[serde(default)]
    pub point: Option<PointResult>,
}

/// What the report draws for one recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Data set.
    pub dataset: String,
    /// Recipe name.
    pub recipe: String,
    /// Mean ROC curves of the headline attacks.
    pub roc: Vec<RocFigure>,
    /// Edges of the phi bins.
    pub phi_edges: Vec<f64>,
    /// Density of phi over members.
    pub phi_member: Vec<f64>,
    /// Density of phi over non-members.
    pub phi_non_member: Vec<f64>,
}

/// One mean ROC curve with a pointwise band.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RocFigure {
    /// Attack name.
    pub attack: String,
    /// FPR grid.
    pub fpr: Vec<f64>,
    /// Mean TPR over targets with its 95 % interval over blocks.
    pub tpr: Vec<Estimate>,
}
