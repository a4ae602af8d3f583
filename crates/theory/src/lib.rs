//! Membership inference in the interpolating linear regime.

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
mod path;
mod problem;
mod simulate;
mod sweep;

pub use agreement::{Agreement, Draws, agreement};
pub use bridge::{Contraction, Placed, Recipe, Run, Step, place, step};
pub use descent::{Descent, Training, descend};
pub use error::Error;
pub use family::{Example, Family, Population, Setting};
pub use fit::Fit;
pub use margin::{Component, MarginLaw};
pub use outcome::{Along, AlongGroup, Change, FamilyRow, Outcome, Request, SCHEMA_VERSION, Shown, study};
pub use owens::owens_t;
pub use path::{Degenerate, Path, Point};
pub use problem::{Metric, Problem};
pub use simulate::{Simulated, simulate};
pub use sweep::{SweepPoint, least_squares, sweep};
