//! Why recipes leak, as results.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::comparison::Pairing;
use crate::estimate::Estimate;
use crate::metric::{Side, Spreads};

/// Why recipes leak.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Explanation {
    /// One entry per recipe.
    pub memorization: Vec<MemorizationResult>,
    /// One entry per compared pair.
    pub memorization_differences: Vec<MemorizationDifference>,
    /// Two entries per recipe: from right answers (hard) and from confidences (soft).
    pub influence: Vec<InfluenceResult>,
    /// Per compared pair, held-out examples sorted in several ways.
    pub entropy_buckets: Vec<BucketsResult>,
    /// One entry per recipe and known group; empty where the data has none.
    pub groups: Vec<GroupResult>,
    /// Per recipe, signal, side and kind.
    pub variance: Vec<VarianceResult>,
    /// The same, candidate - baseline, per compared pair.
    pub variance_differences: Vec<VarianceDifference>,
    /// One entry per compared pair.
    pub attribution: Vec<AttributionResult>,
    /// Does memorization explain who is found? One entry per recipe and attack.
    pub link: Vec<LinkResult>,
    /// What this run says about the study's claims (a) to (d).
    pub claims: Vec<ClaimResult>,
    /// What could not be explained, and why.
    pub left_out: Vec<LeftOut>,
}

impl Explanation {
    /// Appends the explanation of another data set.
    pub fn extend(&mut self, other: Self) {
        self.memorization.extend(other.memorization);
        self.memorization_differences.extend(other.memorization_differences);
        self.influence.extend(other.influence);
        self.entropy_buckets.extend(other.entropy_buckets);
        self.groups.extend(other.groups);
        self.variance.extend(other.variance);
        self.variance_differences.extend(other.variance_differences);
        self.attribution.extend(other.attribution);
        self.link.extend(other.link);
        self.claims.extend(other.claims);
        self.left_out.extend(other.left_out);
    }
}

/// A difference, candidate - baseline, with its error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Difference {
    /// Its value with a 95 % interval.
    #[serde(flatten)]
    pub estimate: Estimate,
    /// Standard error.
    pub standard_error: f64,
    /// Degrees of freedom of that error; null in results of schema version 1.
    #[serde(default)]
    pub degrees: Option<f64>,
}

/// A statistic by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct NamedEstimate {
    /// Which.
    pub name: Statistic,
    /// Its value with a 95 % interval.
    #[serde(flatten)]
    pub estimate: Estimate,
}

/// A difference of a statistic by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct NamedDifference {
    /// Which.
    pub name: Statistic,
    /// Candidate - baseline.
    #[serde(flatten)]
    pub difference: Difference,
}

/// Memorization under one recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct MemorizationResult {
    /// Recipe name.
    pub recipe: String,
    /// Data set.
    pub dataset: String,
    /// From correct predictions (0/1).
    pub hard: Vec<NamedEstimate>,
    /// From confidences; empty where the pool has none.
    pub soft: Vec<NamedEstimate>,
    /// Mean standard error of one example's memorization.
    pub mean_standard_error: f64,
    /// Mean memorization is the gap of accuracy: checked.
    pub identity: IdentityResult,
    /// Examples per bin of 0/1 memorization, equal bins from -1 to 1.
    pub histogram: Vec<usize>,
    /// The same for soft memorization.
    pub soft_histogram: Vec<usize>,
}

/// Both sides of mean memorization = accuracy on members - accuracy on non-members.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct IdentityResult {
    /// Mean 0/1 memorization.
    pub memorization: f64,
    /// Gap of accuracy, pooled over models and examples.
    pub accuracy_gap: f64,
    /// They agree to rounding.
    pub holds: bool,
    /// Every example is in equally many models; elsewhere the identity need not hold.
    pub balanced: bool,
}

/// Differences of memorization, candidate - baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct MemorizationDifference {
    /// Baseline recipe.
    pub baseline: String,
    /// Candidate recipe.
    pub candidate: String,
    /// Data set.
    pub dataset: String,
    /// How the models are matched.
    pub pairing: Pairing,
    /// From correct predictions (0/1).
    pub hard: Vec<NamedDifference>,
    /// From confidences.
    pub soft: Vec<NamedDifference>,
    /// Pearson correlation of soft memorization between the recipes, over examples (0/1 where there are no confidences).
    pub correlation: Option<f64>,
    /// Examples by memorization under the baseline (rows, upwards) and the candidate (columns), equal bins from -1 to 1.
    pub joint: Vec<Vec<usize>>,
}

/// Influence of all training examples on all held-out ones under one recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct InfluenceResult {
    /// Recipe name.
    pub recipe: String,
    /// Data set.
    pub dataset: String,
    /// What it is computed from.
    pub form: Form,
    /// Pairs computed, N T.
    pub pairs: u64,
    /// Pairs with memorization of at least .25 and influence of at least .15, the published thresholds.
    pub high: u64,
    /// How many of these there are where membership means nothing, mean of three draws.
    pub high_by_chance: f64,
    /// Pairs at a false-discovery rate of 5 % over all pairs; null in the soft form.
    pub discovered: Option<u64>,
    /// Standard error of a typical pair: that of an influence of 0, root mean square over held-out examples.
    pub standard_error: f64,
    /// Total models at which .15 is two such errors.
    pub models_needed: usize,
    /// Split-half reliability of influence entropy, beside its null.
    pub reliability: Option<NullResult>,
    /// Its rank correlation with the pool frequency of the example's group, where groups are known.
    pub follows_frequency: Option<NullResult>,
    /// Held-out examples on which no training example has a positive influence: all models agree.
    pub without_influence: usize,
    /// Mean of exp(entropy), the effective number of supporting training examples.
    pub supporters: Option<f64>,
    /// The largest pairs.
    pub top: Vec<PairResult>,
}

/// A rank correlation beside what chance gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct NullResult {
    /// As measured.
    pub real: f64,
    /// Mean over draws in which membership means nothing.
    pub null: f64,
    /// Deviation of one such draw.
    pub deviation: f64,
    /// (real - null) / deviation.
    pub distance: f64,
    /// At least 3, and real - null at least .05.
    pub exceeds: bool,
}

/// One influential pair.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct PairResult {
    /// Training example, by its place in the source.
    pub train: u32,
    /// Its label, where it is known.
    pub train_label: Option<u32>,
    /// Held-out example, by its place in the test set.
    pub test: u32,
    /// Its label, where it is known.
    pub test_label: Option<u32>,
    /// Influence with a 95 % interval.
    pub influence: Estimate,
    /// Memorization of the training example.
    pub memorization: f64,
    /// Adjusted for all pairs; null in the soft form.
    pub q_value: Option<f64>,
}

/// Held-out examples in buckets, made by one half of the blocks and judged by the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct BucketsResult {
    /// Baseline recipe; its models make the buckets.
    pub baseline: String,
    /// Candidate recipe.
    pub candidate: String,
    /// Data set.
    pub dataset: String,
    /// What the examples are sorted by.
    pub by: SortedBy,
    /// The lowest values first; the last holds the examples without a value. Empty buckets are left out.
    pub buckets: Vec<BucketResult>,
    /// Gain in the two lowest buckets minus gain in the two highest, among examples of equal difficulty; where the sorting rests on
    /// membership, less the same where membership means nothing.
    pub contrast: Option<Difference>,
    /// Mean of the same contrast where membership means nothing; null where the sorting does not rest on membership.
    pub contrast_by_chance: Option<f64>,
    /// Whether anything may be read from it: the order is reproducible beyond its null.
    pub measurable: bool,
}

/// One bucket of held-out examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct BucketResult {
    /// `1` (lowest) to `5`, or `none`.
    pub bucket: String,
    /// Number of examples, mean over the two assignments.
    pub examples: f64,
    /// Accuracy of the baseline.
    pub baseline: Estimate,
    /// Accuracy of the candidate.
    pub candidate: Estimate,
    /// Paired difference, candidate - baseline.
    pub gain: Estimate,
}

/// One recipe on one known group of examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct GroupResult {
    /// Recipe name.
    pub recipe: String,
    /// Data set.
    pub dataset: String,
    /// Name of the group.
    pub name: String,
    /// Pool examples in it.
    pub pool: usize,
    /// Share of the pool.
    pub frequency: f64,
    /// Held-out examples in it.
    pub test: usize,
    /// Accuracy on its held-out examples; null where there are none.
    pub test_accuracy: Option<Estimate>,
    /// Accuracy on its pool examples that a model was trained on.
    pub member_accuracy: Estimate,
    /// Accuracy on its pool examples that a model was not trained on.
    pub non_member_accuracy: Estimate,
    /// Mean 0/1 memorization of its examples.
    pub memorization: Estimate,
    /// Leakage about its examples, per headline attack.
    pub leakage: Vec<GroupLeakage>,
}

/// How well one attack tells a group's members from its non-members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct GroupLeakage {
    /// Attack name.
    pub attack: String,
    /// AUC among the group's examples.
    pub auc: Estimate,
    /// Share of the group's members that are found at the threshold that accuses 1 % of *all* non-members.
    pub tpr: Estimate,
}

/// A variance under one recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct VarianceResult {
    /// Recipe name.
    pub recipe: String,
    /// Data set.
    pub dataset: String,
    /// Of what.
    pub signal: Spreads,
    /// Over whom.
    pub side: Side,
    /// Over what.
    pub over: Over,
    /// Its value.
    pub variance: Estimate,
}

/// A variance's difference, candidate - baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct VarianceDifference {
    /// Baseline recipe.
    pub baseline: String,
    /// Candidate recipe.
    pub candidate: String,
    /// Data set.
    pub dataset: String,
    /// As in [`VarianceResult`].
    pub signal: Spreads,
    /// As in [`VarianceResult`].
    pub side: Side,
    /// As in [`VarianceResult`].
    pub over: Over,
    /// Candidate - baseline.
    pub difference: Difference,
}

/// Mean and deviation of phi under one recipe, as one threshold meets them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct MomentsResult {
    /// Mean over members, m.
    pub member_mean: f64,
    /// Deviation over members, tau.
    pub member_deviation: f64,
    /// Mean over non-members, mu.
    pub non_member_mean: f64,
    /// Deviation over non-members, sigma.
    pub non_member_deviation: f64,
    /// (m - mu) / sigma; null where sigma is 0.
    pub gap_in_deviations: Option<f64>,
    /// tau / sigma; null where sigma is 0.
    pub deviation_ratio: Option<f64>,
    /// Advantage of the best threshold if phi were normal.
    pub gaussian_advantage: f64,
}

/// The difference in advantage of the global phi attack, in parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct AttributionResult {
    /// Baseline recipe.
    pub baseline: String,
    /// Candidate recipe.
    pub candidate: String,
    /// Data set.
    pub dataset: String,
    /// Baseline's moments.
    pub baseline_moments: MomentsResult,
    /// Candidate's moments.
    pub candidate_moments: MomentsResult,
    /// Observed difference in advantage; null where no attack was run.
    pub observed: Option<Difference>,
    /// The same if phi were normal; the three parts add up to it.
    pub gaussian: Difference,
    /// Observed minus normal: what the normal form misses; null where no attack was run.
    pub remainder: Option<f64>,
    /// Part of the distance between the means.
    pub gap: Difference,
    /// Part of the spread over members.
    pub member_spread: Difference,
    /// Part of the spread over non-members.
    pub non_member_spread: Difference,
    /// The same in two parts that do not depend on the scale of phi: spreads in units of the distance between the means. Null where
    /// members do not lie above non-members.
    pub relative_member_spread: Option<Difference>,
    /// Part of the spread over non-members in these units.
    pub relative_non_member_spread: Option<Difference>,
}

/// Memorization against attack success.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct LinkResult {
    /// Recipe name.
    pub recipe: String,
    /// Data set.
    pub dataset: String,
    /// Attack name.
    pub attack: String,
    /// Rank correlation over examples of soft memorization, from other blocks, with the rate of right membership calls.
    pub correlation: Estimate,
}

/// What a run says about one claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ClaimOutcome {
    /// The run supports the claim.
    Supports,
    /// The run contradicts it.
    Contradicts,
    /// It cannot tell.
    CannotTell,
}

/// One of the study's claims and what this run says about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct ClaimResult {
    /// Which.
    pub claim: Claim,
    /// Data set.
    pub dataset: String,
    /// Candidate recipe.
    pub candidate: String,
    /// What the study claims.
    pub statement: String,
    /// What this run says.
    pub outcome: ClaimOutcome,
    /// The same in words, with figures.
    pub sentence: String,
}

/// Something that could not be explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct LeftOut {
    /// Data set.
    pub dataset: String,
    /// What.
    pub what: String,
    /// Why.
    pub reason: Reason,
}

/// Why something was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nobody asked for it.
    NotAskedFor,
    /// What is in its way, in words.
    Because(String),
}

/// What stands for [`Reason::NotAskedFor`] in files.
const NOT_ASKED_FOR: &str = "not asked for";

impl Display for Reason {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAskedFor => NOT_ASKED_FOR,
            Self::Because(why) => why,
        })
    }
}

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        if text == NOT_ASKED_FOR { Self::NotAskedFor } else { Self::Because(text.into()) }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(String::deserialize(deserializer)?.as_str().into())
    }
}

/// What influence is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Right answers.
    Hard,
    /// Confidences.
    Soft,
}

impl Display for Form {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
        })
    }
}

/// What held-out examples are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SortedBy {
    /// Over how many training examples their support is spread.
    InfluenceEntropy,
    /// Memorization of their five strongest supporters.
    SupportersMemorization,
    /// Accuracy of the baseline on them.
    Difficulty,
    /// Frequency of their group in the pool.
    GroupFrequency,
}

/// What a variance is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub enum Over {
    /// Examples, per model.
    #[serde(rename = "over-examples")]
    Examples,
    /// Models, per example.
    #[serde(rename = "over-models")]
    Models,
}

/// A statistic of the distribution of memorization over examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// Mean over examples.
    Mean,
    /// Mean square over examples, mean_i (mem_i^2 - error_i^2): free of noise, which the shares are not (own;
    /// book/methods/explanation.md#statistics-of-memorization). Under independent units mem_i^2 - error_i^2 estimates the square of the true
    /// memorization without bias, so that pools of different sizes, and recipes of different noise, can be compared.
    MeanSquare,
    /// Share below .25.
    #[serde(rename = "share-below-0.25")]
    Low,
    /// Share from .25 to .85.
    #[serde(rename = "share-middle")]
    Middle,
    /// Share above .85.
    #[serde(rename = "share-above-0.85")]
    High,
}

impl Statistic {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 5] = [Self::Mean, Self::MeanSquare, Self::Low, Self::Middle, Self::High];
}

impl Display for Statistic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mean => "mean",
            Self::MeanSquare => "mean-square",
            Self::Low => "share-below-0.25",
            Self::Middle => "share-middle",
            Self::High => "share-above-0.85",
        })
    }
}

/// A claim of the study (book/methods/study.md#the-claims).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// Better accuracy and more leakage.
    A,
    /// Atypical examples gain most.
    B,
    /// Attacks succeed on what is memorized.
    C,
    /// A narrower spread on unseen examples gives more leakage.
    D,
}

impl Display for Claim {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "a",
            Self::B => "b",
            Self::C => "c",
            Self::D => "d",
        })
    }
}
