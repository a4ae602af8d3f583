//! The study file: what is compared, on what data, with how many models.
//!
//! [`Study::parse`] reads TOML in which every key has a default and an unknown key is an error that names the
//! nearest known one; [`Study::default`] is the main job. [`Study::identity`] is what a trained model depends on.
//!
//! ```
//! let study = flatleak_study::Study::parse("models = 8\n[train]\nepochs = 2").unwrap();
//! assert_eq!((study.models, study.recipes[1].name.as_str(), study.recipes[1].epochs), (8, "sgd-2x", 4));
//! ```

mod asked;
mod entry;
mod error;
mod file;
mod identity;
mod study;

pub use error::{Error, Place, Suggestion};
pub use study::{DEFAULT_DATA, DEFAULT_POOL, Study};
