//! From pools to a verdict: attacks, intervals, paired differences.
//!
//! [`analyse`] takes the pools of a study's recipes and gives [`Results`]: per recipe its accuracy, every attack and the
//! spread of its confidence; per comparison the paired differences with intervals and p-values, and a
//! [`Headline`]. Intervals are delete-one-block jackknife intervals where targets share shadows (the block is
//! removed as targets and as shadows) and Student's t or BCa over blocks elsewhere; p-values exchange the two
//! recipes' models block by block and rescore.
//!
//! All intervals hold for the examples of this pool; they cover new models, not new examples.

mod analysis;
mod comparison;
mod explanation;
mod figures;
mod groups;
mod headline;
mod pooled;
mod recipe;
mod results;
mod scored;

pub use analysis::{Exchanges, Options, Progress, analyse};
pub use flatleak_attack::all as attacks;
pub use pooled::{across, pool_differences};
pub use results::*;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statistic could not be computed.
    #[error(transparent)]
    Stats(#[from] flatleak_stats::Error),
    /// Models that do not form a lineup.
    #[error(transparent)]
    Lineup(#[from] flatleak_attack::Error),
    /// What cannot be explained.
    #[error(transparent)]
    Explain(#[from] flatleak_explain::Error),
    /// The caller asked to stop.
    #[error("interrupted")]
    Stopped,
}
