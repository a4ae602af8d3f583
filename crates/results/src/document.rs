//! `results.json` as a type.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::comparison::{Comparison, Headline, PooledDifference};
use crate::explanation::Explanation;
use crate::family::Family;
use crate::figure::Figure;
use crate::frontier::{Frontier, Mismatch};
use crate::recipe::RecipeResult;

/// Version of the schema of `results.json`.
pub const SCHEMA_VERSION: u32 = 2;

/// Everything that the analysis of a study gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
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

/// Everything in `results.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Document {
    /// Schema version.
    pub schema_version: u32,
    /// Version of the program.
    pub flatleak_version: String,
    /// What changes results.
    pub study: StudyRecord,
    /// Where it ran.
    pub machine: Machine,
    /// How large a difference matters, and among how many comparisons and pools the errors of 5 % are shared.
    #[serde(default)]
    pub family: Family,
    /// The answer.
    pub headline: Headline,
    /// Recipes that diverged and are left out.
    pub diverged: Vec<String>,
    /// Per recipe.
    pub recipes: Vec<RecipeResult>,
    /// Per pair.
    pub comparisons: Vec<Comparison>,
    /// Differences over all data sets, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pooled: Vec<PooledDifference>,
    /// Leakage against accuracy, per data set with several recipes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frontiers: Vec<Frontier>,
    /// Shadows of every recipe against targets of every recipe.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mismatch: Vec<Mismatch>,
    /// Why.
    pub explain: Explanation,
    /// Pictures of single examples that the report shows.
    #[serde(default)]
    pub pictures: Vec<Picture>,
    /// Files of single examples that the report lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listings: Vec<Listing>,
    /// What a reader should know of outputs that came from elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Whether pictures and what is known of single examples were left out.
    #[serde(default)]
    pub redacted: bool,
    /// What the report draws.
    pub figures: Vec<Figure>,
    /// Seconds.
    pub timings: Timings,
}

/// Pool examples below which a group is left out of a redacted document.
pub const SMALLEST_GROUP: usize = 20;

/// A picture of single examples beside `results.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Picture {
    /// Data set.
    pub dataset: String,
    /// Recipe name.
    pub recipe: String,
    /// What it shows.
    pub kind: PictureKind,
    /// PNG file, relative to the folder of the results.
    pub file: String,
    /// BLAKE3 of the file; empty in documents of earlier programs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub blake3: String,
    /// Legend of its rows, from the top.
    pub rows: Vec<String>,
}

/// A file of single examples beside `results.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Listing {
    /// Data set.
    pub dataset: String,
    /// JSON file, relative to the folder of the results.
    pub file: String,
    /// BLAKE3 of the file.
    pub blake3: String,
}

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PictureKind {
    /// The most memorized training examples, one class a row.
    Memorized,
    /// Influential pairs, a held-out example and its supporters a row.
    Influential,
}

/// What changes results, and nothing else.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct StudyRecord {
    /// Study name.
    pub name: String,
    /// Root seed.
    pub seed: u64,
    /// Models per recipe.
    pub models: usize,
    /// Views of every example that attacks saw.
    pub queries: usize,
    /// Data sets.
    pub datasets: Vec<DatasetRecord>,
    /// Layers.
    pub layers: Vec<String>,
    /// Engine version.
    pub engine_version: u32,
    /// Recipes in words.
    pub recipes: Vec<RecipeSettings>,
    /// A quick run, not for decisions.
    pub quick: bool,
}

/// One data set of a study.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct DatasetRecord {
    /// Name or path as asked for.
    pub name: String,
    /// Digest of its examples.
    pub digest: String,
    /// Pool examples, N.
    pub pool: usize,
    /// Held-out examples, T.
    pub test: usize,
    /// Classes, C.
    pub classes: usize,
}

/// One recipe in words.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct RecipeSettings {
    /// Name.
    pub name: String,
    /// Its settings.
    pub settings: String,
    /// Gradient evaluations per step.
    pub gradients_per_step: f64,
    /// Gradients of a batch that a model took until it was measured; 0 where that is not known.
    #[serde(default)]
    pub gradients: f64,
    /// Optimizer.
    #[serde(default)]
    pub optimizer: String,
    /// Values of its parameters by key.
    #[serde(default)]
    pub parameters: BTreeMap<String, f64>,
}

/// Where it ran.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Machine {
    /// Processor.
    pub cpu: String,
    /// Cores that the program may use.
    pub cores: usize,
    /// Operating system and architecture.
    pub platform: String,
    /// Instruction set of the matrix kernels.
    pub instruction_set: String,
    /// Worker threads.
    pub workers: usize,
}

/// Wall-clock seconds, and what else is of one writing of the results alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Timings {
    /// Training, reuse included.
    pub training_s: f64,
    /// Analysis.
    pub analysis_s: f64,
    /// Models trained by this run.
    pub trained: usize,
    /// Models found complete.
    pub reused: usize,
    /// Date of the run, UTC.
    pub date: String,
    /// BLAKE3 of all the rest, by which damage is noticed; set as the document is written, empty in documents of earlier programs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub checksum: String,
}

impl Document {
    /// Puts results under their study.
    pub fn new(
        study: StudyRecord,
        machine: Machine,
        diverged: Vec<String>,
        results: Results,
        timings: Timings,
        version: &str,
    ) -> Self {
        let Results { headline, recipes, comparisons, frontiers, mismatch, explain, figures } = results;
        let pooled = Vec::new();
        let flatleak_version = version.to_owned();
        let schema_version = SCHEMA_VERSION;
        Self {
            schema_version,
            flatleak_version,
            study,
            machine,
            family: Family::default(),
            headline,
            diverged,
            recipes,
            comparisons,
            pooled,
            frontiers,
            mismatch,
            explain,
            pictures: Vec::new(),
            listings: Vec::new(),
            notes: Vec::new(),
            redacted: false,
            figures,
            timings,
        }
    }

    /// Leaves out pictures and what is known of single examples; groups of fewer than [`SMALLEST_GROUP`] pool examples are as good as
    /// singles.
    pub fn redact(&mut self) {
        self.redacted = true;
        self.pictures.clear();
        self.listings.clear();
        self.explain.influence.iter_mut().for_each(|i| i.top.clear());
        let small: Vec<String> =
            self.explain.groups.iter().filter(|g| g.pool < SMALLEST_GROUP).map(|g| g.name.clone()).collect();
        self.explain.groups.retain(|g| g.pool >= SMALLEST_GROUP);
        let kept: Vec<&str> = self.explain.groups.iter().map(|g| g.name.as_str()).collect();
        for c in &mut self.comparisons {
            // A group that is small on one data set goes from all; so does one of which nothing is known.
            let stays = |group: &str| kept.contains(&group) && !small.iter().any(|s| s == group);
            c.metrics.retain(|m| m.metric.group().is_none_or(stays));
        }
    }
}
