//! What can go wrong.

/// Errors of this crate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The number of models does not fill blocks, or too few of them.
    #[error(
        "{0} models: give an even number of at least 6. A target's pair needs two others as shadows; intervals and verdicts need 8 models, four pairs"
    )]
    Models(usize),
    /// Too few examples to split.
    #[error("a pool of {0} examples cannot be split: give at least 2")]
    Examples(usize),
    /// An array of another size than the pool.
    #[error("{what} has {found} values, not {expected}")]
    Size {
        /// The array.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length that fits.
        expected: usize,
    },
    /// A view that was laid aside and cannot be read back.
    #[error("cannot read back view {view} of the examples: {reason}")]
    View {
        /// Its number, from 1.
        view: usize,
        /// What the system says.
        reason: String,
    },
}
