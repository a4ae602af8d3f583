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
//!
//! ```
//! use flatleak_explain::Memorization;
//! use flatleak_pool::{Membership, Pool, Signal, Signals};
//!
//! // Six models in complementary pairs, four examples; each model is right on its members, and on example 0 whatever it was trained on.
//! let membership = Membership::complementary(0, 6, 4)?;
//! let right: Vec<Vec<u8>> = (0..6).map(|k| (0..4).map(|i| u8::from(i == 0 || membership.row(k)[i])).collect()).collect();
//! let signals = right.into_iter().map(Signals::from_correct).collect();
//! let pool = Pool::new("model", membership, vec![0; 4], signals)?;
//! let found = Memorization::new(&pool, Signal::Correct)?;
//! assert_eq!(found.values(), [0.0, 1.0, 1.0, 1.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
pub use sides::{Unit, usable};
pub use strata::{BUCKETS, Strata};
pub use thresholds::{ENTROPY_CUT, MEASURABLE, WORTHWHILE};
pub use variance::Variance;
