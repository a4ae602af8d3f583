//! Why a recipe leaks, from the pools that the attacks read: nothing is trained again.
//!
//! - [`Memorization`] is how much better an example is known to the models that were trained on it, with a standard error
//!   per example and the statistics of its distribution.
//! - [`Influence`] is what a training example does for a held-out one, for all pairs, row by row; [`pairs::sweep`] keeps the
//!   largest, counts the rest and controls false discoveries.
//! - [`halves::reliability`] says whether a pool is large enough for influence entropy to mean anything, and [`Strata`]
//!   sorts held-out examples by what one half of the models says and judges them by the other.
//! - [`Variance`] and [`PhiMoments`] are about the spread of outputs and what it does to an attack's advantage.
//!
//! Errors come from blocks of models where the design has them, else from single models.

mod attribution;
mod design;
mod evidence;
pub mod halves;
mod influence;
mod memorization;
pub mod pairs;
mod row;
mod sides;
mod strata;
mod variance;

pub use attribution::{Parts, PhiMoments, RelativeParts, relative, shapley};
pub use design::Design;
pub use influence::Influence;
pub use memorization::{Identity, MIDDLE, Memorization, Statistic};
pub use row::Row;
pub use strata::{BUCKETS, Strata};
pub use variance::{Over, Variance};

use flatleak_pool::Membership;

/// Standard errors of its null by which a measure must exceed it before anything rests on it.
pub const MEASURABLE: f64 = 3.0;

/// By how much a rank correlation must exceed its null besides (own).
pub const WORTHWHILE: f64 = 0.05;

/// Standard errors above which an influence enters influence entropy: none, every positive influence does. On generated sub-populations a cut
/// at two or three errors turned the order around (rare groups came out as the well supported ones, because nothing about a frequent one
/// exceeds the cut), and without a cut the order agreed with the true frequencies from an eighth of the models on; figures in the book.
pub const ENTROPY_CUT: f64 = 0.0;

/// The examples that can be explained: those with enough models on both sides. What a design without blocks needs is two of each,
/// one of which the jackknife deletes.
pub fn usable(membership: &Membership) -> Vec<usize> {
    let needed = sides::needed(membership);
    let inside = |i: usize| (0..membership.models()).filter(|&k| membership.row(k)[i]).count();
    let enough = |i: &usize| inside(*i) >= needed && membership.models() - inside(*i) >= needed;
    (0..membership.examples()).filter(enough).collect()
}

/// Errors of this crate.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A statistic could not be computed.
    #[error(transparent)]
    Stats(#[from] flatleak_stats::Error),
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
