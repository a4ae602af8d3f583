//! Why a recipe leaks, from the pools that the attacks read: nothing is trained again.
//!
//! [`Memorization`] is how much better an example is known to the models that were trained on it, with a standard error per
//! example and the statistics of its distribution.

mod memorization;

pub use memorization::{Identity, MIDDLE, Memorization, Statistic};

/// Errors of this crate.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A statistic could not be computed.
    #[error(transparent)]
    Stats(#[from] flatleak_stats::Error),
    /// An example without models on both sides.
    #[error(
        "example {example} of block {block} is not in one model and out of another: memorization needs blocks that split the pool"
    )]
    Block {
        /// The block.
        block: usize,
        /// The example.
        example: usize,
    },
}
