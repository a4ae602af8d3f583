//! From where on something counts.

/// Standard errors of its null by which a measure must exceed it before anything rests on it.
pub const MEASURABLE: f64 = 3.0;

/// By how much a rank correlation must exceed its null besides (own).
pub const WORTHWHILE: f64 = 0.05;

/// Standard errors above which an influence enters influence entropy: none, every positive influence does. On generated sub-populations a cut
/// at two or three errors turned the order around (rare groups came out as the well supported ones, because nothing about a frequent one
/// exceeds the cut), and without a cut the order agreed with the true frequencies from an eighth of the models on; figures in the book.
pub const ENTROPY_CUT: f64 = 0.0;
