//! Membership inference in the interpolating linear regime, exact and simulated.
//!
//! n examples in more than n dimensions are fitted exactly by many linear functions. [`Fit`] is the one whose weights are smallest under a
//! [`Metric`], with its leave-one-out
//! memorization and influence; [`Path`] follows it for G = I + eta Sigma, the model of a preference for flatness, from gradient descent's
//! solution to the limit. A [`Setting`] draws
//! problems of which the [`MarginLaw`] on unseen examples is known exactly, and with it every attack's advantage. [`agreement`] and
//! [`simulate`] run the attacks of
//! `flatleak-attack` beside these forms, [`sweep`] walks through the interpolation threshold, [`descend`] trains the same functions by SGD
//! and SAM, and [`place`] puts trained
//! networks on the map. [`study`] does all of it: what `flatleak theory` shows; [`own`] follows a problem that was brought along.
//!
//! All arithmetic is f64. Matrix products and factorisations are `faer`'s: pure Rust, several times faster than a plain loop at 2,000
//! examples, and with a Cholesky
//! factorisation and a symmetric eigendecomposition that are kept up; it stays inside this crate. Work is spread over problems and metrics,
//! never within one, so no
//! figure depends on the number of threads.
//!
//! ```
//! use flatleak_theory::{Path, Problem};
//! // Two examples in three dimensions, of which the first varies most.
//! let problem = Problem::new(&[2.0, 1.0, 0.0, 1.0, 0.0, 1.0], &[1.0, -1.0], 3)?;
//! let path = Path::new(&problem, &[4.0, 1.0, 1.0], &[0.0, 1.0, f64::INFINITY], 1)?;
//! let v: Vec<f64> = path.points.iter().map(|p| p.second_moment).collect();
//! assert!(v[0] > v[1] && v[1] > v[2]);
//! # Ok::<(), flatleak_theory::Error>(())
//! ```

mod agreement;
mod bridge;
mod condition;
mod descent;
mod error;
mod family;
mod fit;
mod margin;
mod outcome;
mod owens;
mod own;
mod path;
mod problem;
mod simulate;
mod sweep;

pub use agreement::{Agreement, Draws, agreement};
pub use bridge::{Contraction, Placed, Recipe, Run, Step, place, step};
pub use descent::{AgainstSgd, Descent, Descents, Training, descend};
pub use error::Error;
pub use family::{Example, Family, Population, Setting};
pub use fit::Fit;
pub use margin::{Component, MarginLaw};
pub use outcome::{Along, AlongGroup, Change, FamilyRow, Outcome, Request, SCHEMA_VERSION, Shown, study};
pub use owens::owens_t;
pub use own::{Own, OwnPoint, own};
pub use path::{Degenerate, Path, Point};
pub use problem::{Metric, Problem};
pub use simulate::{Simulated, simulate};
pub use sweep::{SweepPoint, least_squares, sweep};
