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
mod blind;
mod comparison;
mod condition;
mod explained;
mod explanation;
mod figures;
mod frontier;
mod groups;
mod guessing;
mod headline;
mod judge;
mod mismatch;
mod pooled;
mod population;
mod recipe;
mod results;
mod scored;
mod sets;
mod words;

pub use analysis::{Analysis, Compared, Options, Progress, analyse, compare, explain};
pub use blind::{Blind, BlindStatus, beats_chance, blind_target};
pub use comparison::Family;
pub use condition::Condition;
pub use explained::*;
pub use explanation::detail::{Detail, EXPOSURE_ATTACK};
pub use flatleak_attack::all as attacks;
pub use flatleak_stats::Relevant;
pub use frontier::{Frontier, FrontierPoint, MatchedDifference};
pub use guessing::{AgainstGuessing, GuessingPoint, of_target};
pub use headline::{FEW, against_guessing, called};
pub use mismatch::Mismatch;
pub use pooled::{across, pool_differences};
pub use results::*;
pub use scored::{can_run, scores};
pub use sets::LeastSet;
pub use words::{Verdict, Word};

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statistic could not be computed.
    #[error(transparent)]
    Stats(#[from] flatleak_stats::Error),
    /// Models that do not form a lineup.
    #[error(transparent)]
    Lineup(#[from] flatleak_attack::Error),
    /// Views that cannot be read.
    #[error(transparent)]
    Pool(#[from] flatleak_pool::Error),
    /// What cannot be explained.
    #[error(transparent)]
    Explain(#[from] flatleak_explain::Error),
    /// The caller asked to stop.
    #[error("interrupted")]
    Stopped,
}
