//! What `results.json` holds, as types: [`Document`] is the file, [`Metric`] what is measured, [`Estimate`] a figure with its limits,
//! [`Comparison`] what is said of two recipes, [`Word`] and [`Verdict`] how it is said, [`Explanation`] why.
//!
//! [`plain`] and [`shortened`] are names as people see them. Nothing is computed here, and nothing is needed but `serde`: another program reads results with this crate alone.
//! With the feature `schemars` every type has a JSON schema, from which programs in other languages are made:
//! `cargo run -p flatleak-results --features schemars --example schema` prints it.
//!
//! ```
//! use flatleak_results::{Comparison, Word};
//! let text = r#"{"baseline":"sgd","candidate":"sam","dataset":"digits","pairing":"paired","models":16,
//!   "headline":{"verdict":"open","sentence":"sam against sgd: open."},
//!   "points":[{"metric":"strongest.auc","word":"open","difference":{"mean":0.004,"low":-0.012,"high":0.02},"level":0.975,
//!     "p_adjusted":0.9,"relevant":0.01,"at_most_relevant":false,"detectable":0.02,"models_needed":null}],
//!   "metrics":[]}"#;
//! let found: Comparison = serde_json::from_str(text).unwrap();
//! let point = &found.points[0];
//! assert!(point.metric.is_auc() && point.word == Word::Open && point.difference.high > point.relevant);
//! assert!(!found.is_settled());
//! ```

mod comparison;
mod condition;
mod document;
mod doubt;
mod estimate;
mod explanation;
mod family;
mod figure;
mod frontier;
mod guessing;
mod label;
mod measure;
mod metric;
mod recipe;
mod relevant;
mod schema;
mod words;

pub use comparison::{Comparison, Headline, MetricDifference, Pairing, PointResult, PooledDifference};
pub use condition::Condition;
pub use document::{
    DatasetRecord, Document, Listing, Machine, Picture, PictureKind, RecipeSettings, Results, SCHEMA_VERSION,
    SMALLEST_GROUP, StudyRecord, Timings,
};
pub use doubt::Doubt;
pub use estimate::{Estimate, Needed};
pub use explanation::*;
pub use family::Family;
pub use figure::{Figure, RocFigure};
pub use frontier::{Frontier, FrontierPoint, LeastSet, MatchedDifference, Mismatch};
pub use guessing::{AgainstGuessing, Blind, BlindStatus, GuessingPoint};
pub use label::{LABEL, is_device, is_hidden, plain, plain_lines, shortened};
pub use measure::{FPR_LEVELS, Measure, NoMeasure};
pub use metric::{GroupProperty, Metric, NoMetric, Property, Side, Spreads};
pub use recipe::{AttackResult, DELTA, PRIORS, Protection, RecipeResult, Spread, TprAtFpr, UnderNoise};
pub use relevant::{NotRelevant, Relevant};
pub use words::{Direction, Verdict, Word};
