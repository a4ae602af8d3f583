//! Membership inference in the interpolating linear regime.

mod condition;
mod error;
mod family;
mod fit;
mod margin;
mod owens;
mod path;
mod problem;

pub use error::Error;
pub use family::{Example, Family, Population, Setting};
pub use fit::Fit;
pub use margin::{Component, MarginLaw};
pub use owens::owens_t;
pub use path::{Degenerate, Path, Point};
pub use problem::{Metric, Problem};
