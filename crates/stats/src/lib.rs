//! ROC measures, intervals and paired tests.
//!
//! [`Ranking`] sorts the scores of one target once and then answers every question about its ROC curve:
//! AUC, advantage, TPR at a low FPR as an [`OperatingPoint`], the best threshold. [`Replicates`] are measures of
//! the targets of a pool, block by block, and [`Student`] is an estimate with the error that follows from them: intervals
//! and p-values at any level are one t. [`benjamini_hochberg`] corrects a flood of tests. [`blocks_needed`] says how large a pool would settle an open comparison. [`gaussian`] has the best
//! attacks on two normal distributions, and [`parallel`] the map that every crate above uses to spread work.
//!
//! Scores are higher for members everywhere. The crate performs no input or output and knows nothing about
//! models; randomness comes from [`Stream`](flatleak_stream::Stream) alone, so every figure can be repeated.
//!
//! ```
//! use flatleak_stats::{Ranking, student_t};
//!
//! let member = [true, true, false, true, false, false];
//! let ranking = Ranking::new(&[0.9, 0.8, 0.7, 0.6, 0.2, 0.1], &member)?;
//! assert_eq!(ranking.auc(), 8.0 / 9.0);
//! assert_eq!(ranking.tpr_at(0.0).tpr, 2.0 / 3.0);
//!
//! let aucs = [0.61, 0.58, 0.63, 0.60];
//! let interval = student_t(&aucs, 0.95)?;
//! assert!(interval.low > 0.5);
//! # Ok::<(), flatleak_stats::Error>(())
//! ```

mod correction;
mod curve;
mod delong;
mod epsilon;
mod error;
mod exact;
pub mod gaussian;
mod interval;
mod meta;
pub mod moments;
pub mod normal;
pub mod parallel;
mod power;
mod proportion;
mod ranks;
mod replicates;
mod roc;
mod sequential;
mod student;
mod t_law;
mod threshold;

pub use correction::benjamini_hochberg;
pub use curve::{OperatingPoint, interpolate, precision};
pub use delong::{delong, share_below};
pub use epsilon::empirical_epsilon;
pub use error::Error;
pub use exact::{fisher_upper, sign_upper};
pub use flatleak_results::{Estimate as Interval, Needed};
pub use interval::{Jackknife, jackknife, mean_of_blocks, student_t, welch};
pub use meta::{RandomEffects, random_effects};
pub use power::{blocks_needed, smallest_detectable};
pub use proportion::{clopper_pearson, independent_difference, matched_difference, wilson};
pub use ranks::{Ordered, rank_correlation};
pub use replicates::{FEWEST_UNITS, Range, Replicates, limits};
pub use roc::Ranking;
pub use sequential::{LOOKS, spent_at};
pub use student::Student;
pub use t_law::student_t_critical;
pub use threshold::{Judged, Thresholds, best_thresholds};
