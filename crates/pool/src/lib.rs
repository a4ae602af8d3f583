//! What every analysis reads: which model was trained on which example, and what each model puts out.
//!
//! [`Membership`] is the blocked design, [`Signals`] are derived from logits once, and [`Pool`] is the view that
//! attacks and explanations take. What has one row per model is a [`Matrix`], read through [`Rows`]. No input or output happens here.
//!
//! ```
//! use flatleak_pool::Membership;
//! let m = Membership::complementary(0, 6, 10).unwrap();
//! // Models 2j and 2j+1 split the pool between them.
//! assert!((0..10).all(|i| m.row(2)[i] != m.row(3)[i]));
//! assert_eq!(m.block(3).index(), 1);
//! ```

mod chance;
mod decimal;
mod design;
mod error;
mod limits;
mod membership;
mod pool;
mod rows;
mod signal;
mod signals;
mod units;
mod views;

pub use chance::{as_good_as, chance};
pub use decimal::{Decimal, NoDecimal};
pub use design::Design;
pub use design::cut::{FOLDS, Order};
pub use error::{Error, ViewError};
pub use limits::{MOST_ENTRIES, MOST_MODELS};
pub use membership::{BLOCK, FEWEST, Membership, SIDE};
pub use pool::{Features, Groups, NoiseAccuracy, Pool};
pub use rows::{Matrix, NoRows, Rows};
pub use signal::Signal;
pub use signals::{PhiForm, Signals, Wanted, saturated_phi};
pub use units::{BlockId, UnitId, Units};
pub use views::{Keeper, Views};
