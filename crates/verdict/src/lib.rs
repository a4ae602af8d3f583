//! From pools to a verdict: attacks, intervals, paired differences.
//!
//! [`compare()`] takes the pools of a study's recipes and gives, per recipe, its accuracy, every attack and the
//! spread of its confidence, and per comparison the paired differences with intervals and p-values, and a
//! [`Headline`]. Intervals and p-values are Student's t on one variance, which knows that targets share shadows
//! ([`Replicates`](flatleak_stats::Replicates)).
//!
//! [`explain()`] says why, from the same pools, as an [`Explanation`] with what is known of single examples as [`Detail`].
//!
//! All intervals hold for the examples of this pool; they cover new models, not new examples.

mod analysis;
mod attacked;
mod blind;
mod comparison;
mod condition;
mod error;
mod explanation;
mod family;
mod figures;
mod frontier;
mod groups;
mod guessing;
mod headline;
mod judge;
mod merged;
mod mismatch;
mod options;
mod pooled;
mod population;
mod properties;
mod recipe;
mod scored;
mod sets;
mod table;
mod words;

pub use analysis::{Analysis, Compared, analyse, compare, explain};
pub use blind::{beats_chance, blind_target};
pub use error::Error;
pub use explanation::detail::Detail;
pub use family::{FAMILY, HEADLINE, SUMMARY, headline_metric};
pub use flatleak_attack::all as attacks;
pub use guessing::of_target;
pub use headline::{FEW, against_guessing, called};
pub use merged::merge;
pub use options::{Options, Progress};
pub use pooled::{across, pool_differences};
pub use scored::{can_run, scores};
pub use words::word;
