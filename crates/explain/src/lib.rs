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
mod error;
mod evidence;
pub mod halves;
mod influence;
mod memorization;
pub mod pairs;
mod row;
mod sides;
mod strata;
mod thresholds;
mod variance;

pub use attribution::{Parts, PhiMoments, RelativeParts, relative, shapley};
pub use design::Design;
pub use error::Error;
pub use influence::Influence;
pub use memorization::{Identity, MIDDLE, Memorization};
pub use row::Row;
pub use sides::usable;
pub use strata::{BUCKETS, Strata};
pub use thresholds::{ENTROPY_CUT, MEASURABLE, WORTHWHILE};
pub use variance::Variance;
