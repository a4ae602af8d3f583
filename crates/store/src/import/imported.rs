//! What an import gives.

use flatleak_pool::Pool;

/// A pool and what was found out about its files on the way.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The pool; of examples that every model or none was trained on it keeps what it got.
    pub pool: Pool,
    /// What the reader of the results should know, as sentences without a full stop.
    pub notes: Vec<String>,
}
