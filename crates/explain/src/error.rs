//! What can go wrong.

/// Errors of this crate.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A statistic could not be computed.
    #[error(transparent)]
    Stats(#[from] flatleak_stats::Error),
    /// Signals that form no matrix.
    #[error(transparent)]
    Pool(#[from] flatleak_pool::Error),
    /// An example without enough models on both sides.
    #[error(
        "example {example} is in {inside} models and out of {outside}; at least {needed} of each are needed: leave it out"
    )]
    OneSided {
        /// The example.
        example: usize,
        /// Models that hold it.
        inside: usize,
        /// Models that do not.
        outside: usize,
        /// The fewest of each.
        needed: usize,
    },
    /// More models than counts hold.
    #[error("{0} models, but influence counts up to 32767")]
    Models(usize),
    /// An array that does not fit.
    #[error("{what} number {found}, not {expected}")]
    Size {
        /// The array.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length that fits.
        expected: usize,
    },
}
