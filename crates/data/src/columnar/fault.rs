//! What is wrong with a file, as the `parquet` crate's traits want it said.

use ::parquet::errors::ParquetError;

use crate::budget::OverBudget;

/// What is over the budget, in the crate's error.
pub(super) fn over(e: OverBudget) -> ParquetError {
    ParquetError::External(Box::new(e))
}

/// What is over the budget, taken out of the crate's error again.
///
/// # Errors
/// The error, where it is another.
pub(crate) fn over_budget(error: ParquetError) -> std::result::Result<OverBudget, ParquetError> {
    match error {
        ParquetError::External(inner) => inner.downcast().map(|found| *found).map_err(ParquetError::External),
        other => Err(other),
    }
}

/// What is wrong with a file, in the crate's error.
pub(super) fn damaged(what: &str) -> ParquetError {
    ParquetError::General(what.into())
}
