//! What can be wrong with the input of a statistic.

/// Why a statistic could not be computed. Every message is complete in itself.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Two slices that run in parallel differ in length.
    #[error("{what} differ in number ({left} and {right}): give one for each")]
    LengthMismatch {
        /// The two things, as "scores and membership labels".
        what: &'static str,
        /// Length of the first slice.
        left: usize,
        /// Length of the second slice.
        right: usize,
    },
    /// A score cannot be ranked.
    #[error("score {index} is not a number: infinite scores can be ranked, undefined ones cannot")]
    NanScore {
        /// Its position.
        index: usize,
    },
    /// A ROC curve needs both classes.
    #[error("{members} members and {non_members} non-members: a roc curve needs at least one of each")]
    OneClass {
        /// Number of members.
        members: usize,
        /// Number of non-members.
        non_members: usize,
    },
    /// Too few independent units for a measure of spread, or for any test.
    #[error("{found} {what}, but at least {needed} are needed: add models")]
    TooFew {
        /// The units.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A value is infinite or undefined.
    #[error("{what} {index} is {value}, not a finite number: leave out what could not be computed")]
    NotFinite {
        /// The kind of value.
        what: &'static str,
        /// Its position.
        index: usize,
        /// The value.
        value: f64,
    },
    /// A value does not vary, so a ratio to its spread is undefined.
    #[error("all {what} are equal: their correlation is undefined")]
    Constant {
        /// The kind of value.
        what: &'static str,
    },
    /// A confidence level outside the open unit interval.
    #[error("confidence level {level} is not between 0 and 1: give a fraction such as 0.95")]
    Level {
        /// The level asked for.
        level: f64,
    },
    /// A proportion without trials, or above one.
    #[error("{successes} successes in {trials} trials are no proportion: check the counts")]
    Counts {
        /// Successes.
        successes: u64,
        /// Trials.
        trials: u64,
    },
}

/// `Ok` when every value is finite, else the first that is not.
pub(crate) fn check_finite(what: &'static str, values: &[f64]) -> Result<(), Error> {
    match values.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(Error::NotFinite { what, index, value: values[index] }),
        None => Ok(()),
    }
}

/// Refuses levels outside (0, 1).
pub(crate) fn check_level(level: f64) -> Result<(), Error> {
    if level > 0.0 && level < 1.0 { Ok(()) } else { Err(Error::Level { level }) }
}
