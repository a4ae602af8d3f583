//! Executes a plan: trains what is missing, one model per thread, and reports events. [`execute`] takes a [`Plan`], says what happens as
//! [`Event`]s and ends with a [`Summary`] or an [`Error`].
//!
//! ```
//! use std::sync::atomic::AtomicBool;
//!
//! use flatleak_data::{Request, open};
//! use flatleak_nn::Network;
//! use flatleak_run::{Checkpoints, Plan, Supervision, execute};
//! use flatleak_store::Workshop;
//! use flatleak_study::Study;
//!
//! let study = Study::parse(
//!     "models = 6\ndata = [\"digits\"]\npool = 40\ntest = 10\n[train]\nepochs = 1\n[[recipe]]\nname = \"sgd\"",
//! )?;
//! let data = open(&Request { pool: Some(40), test: Some(10), ..Request::new("digits") })?;
//! let network = Network::compile(&study.architecture, data.shape, data.classes)?;
//! let folder = tempfile::tempdir()?;
//! let dir = Workshop::open(folder.path(), &study, &data)?;
//! let supervision = Supervision::None;
//! let checkpoints = Checkpoints::default();
//! let plan = Plan { study: &study, data: &data, network: &network, dir: &dir, supervision: &supervision, checkpoints };
//!
//! let mut epochs = 0;
//! let first = execute(plan, 2, &AtomicBool::new(false), |_| epochs += 1)?;
//! assert_eq!((first.trained, first.reused), (6, 0));
//! // One epoch of each of six models, and each model when it is complete.
//! assert_eq!(epochs, 12);
//! // A run goes on where it stopped: here nothing is left to do.
//! let second = execute(plan, 2, &AtomicBool::new(false), |_| {})?;
//! assert_eq!((second.trained, second.reused), (0, 6));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! All (recipe, model) pairs of a study are walked. What the run directory already holds is reused; the rest is
//! trained and stored, weights first, then signals, so that a run killed anywhere goes on where it stopped. A model that takes longer than
//! the time of [`Checkpoints`] goes on from its last checkpoint, to the same bits.

mod checkpoints;
mod error;
mod execute;
mod foreign;
mod group;
mod log;
mod measure;
mod model;
mod plan;
mod process;
#[cfg(unix)]
mod supervisor;

pub use checkpoints::Checkpoints;
pub use error::{Error, LogitsError, TrainerError};
pub use execute::execute;
pub use plan::{Divergence, Event, Plan, Summary};
pub use process::Supervision;
#[cfg(unix)]
pub use supervisor::supervise;
