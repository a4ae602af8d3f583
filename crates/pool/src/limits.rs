//! How large a design may be.

/// Most models of a design.
pub const MOST_MODELS: usize = 10_000;

/// Most entries of a design, models times examples: a gigabyte.
pub const MOST_ENTRIES: usize = 1_000_000_000;
