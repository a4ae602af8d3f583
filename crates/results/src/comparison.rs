//! Two recipes.

use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::estimate::{Estimate, Needed};
use crate::metric::Metric;
use crate::words::{Verdict, Word};

/// A verdict and the sentence that says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Headline {
    /// The verdict.
    pub verdict: Verdict,
    /// In words.
    pub sentence: String,
}

/// How the models of two recipes are matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct PointResult {
    /// The metric, of the attack of headlines.
    pub metric: Metric,
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
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct MetricDifference {
    /// `attack.auc`, `attack.tpr@0.001`, or a property of the models.
    pub metric: Metric,
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
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct PooledDifference {
    /// Baseline recipe.
    pub baseline: String,
    /// Candidate recipe.
    pub candidate: String,
    /// The metric.
    pub metric: Metric,
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
