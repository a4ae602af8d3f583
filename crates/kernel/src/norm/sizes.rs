//! What norms share.

/// What is added to a variance before its root is taken.
pub const EPSILON: f64 = 1e-5;

/// Rows whose sums are kept in registers before they join the totals, and that are worked on channel by channel.
pub(crate) const BLOCK: usize = 64;
