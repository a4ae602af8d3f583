//! What can go wrong.

use std::io::ErrorKind;

use crate::limits::{MOST_ENTRIES, MOST_MODELS};
use crate::signal::Signal;

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
    /// A design beyond memory.
    #[error(
        "{models} models on halves of {examples} examples are too many: at most {MOST_MODELS} models and {MOST_ENTRIES} entries, models times examples, are possible"
    )]
    TooLarge {
        /// Models.
        models: usize,
        /// Examples.
        examples: usize,
    },
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
        /// What keeps it from being read.
        reason: ViewError,
    },
}

/// What keeps the signals of a view from being read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// Nothing was kept of the model.
    #[error("model {model} has none")]
    Absent {
        /// The model.
        model: usize,
    },
    /// One signal was not kept.
    #[error("model {model} has no {signal:?}")]
    NoSignal {
        /// The model.
        model: usize,
        /// The signal.
        signal: Signal,
    },
    /// The place where they are kept cannot be read.
    #[error("the temporary file cannot be read: {said}")]
    Unreadable {
        /// What kind of error it is.
        kind: ErrorKind,
        /// What the system says.
        said: String,
    },
}
