//! Executes a plan: trains what is missing, one model per thread, and reports events. [`execute`] takes a [`Plan`], says what happens as
//! [`Event`]s and ends with a [`Summary`] or an [`Error`].
//!
//! ```
//! use std::sync::atomic::AtomicBool;
//! use std::sync::{Arc, Mutex};
//! use std::time::Duration;
//!
//! use flatleak_data::{Request, open};
//! use flatleak_nn::Network;
//! use flatleak_run::{Checkpoints, Manner, Plan, Role, Supervision, execute};
//! use flatleak_store::Workshop;
//! use flatleak_study::Study;
//! use flatleak_work::{Board, Folder, Worker};
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
//! let board = Board::open(Arc::new(Folder::new(folder.path())), Worker::this(), Duration::from_secs(30))?;
//! let board = Mutex::new(board);
//! let plan = Plan {
//!     study: &study,
//!     data: &data,
//!     network: &network,
//!     dir: &dir,
//!     supervision: &supervision,
//!     checkpoints,
//!     board: &board,
//!     binary: "",
//! };
//! let manner = Manner { workers: 2, role: Role::Complete };
//!
//! let mut epochs = 0;
//! let first = execute(plan, manner, &AtomicBool::new(false), |_| epochs += 1)?;
//! assert_eq!((first.trained, first.reused), (6, 0));
//! // One epoch of each of six models, and each model when it is complete.
//! assert_eq!(epochs, 12);
//! // A run goes on where it stopped: here nothing is left to do.
//! let second = execute(plan, manner, &AtomicBool::new(false), |_| {})?;
//! assert_eq!((second.trained, second.reused), (0, 6));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! All (recipe, model) pairs of a study are walked. What the run directory already holds is reused; the rest is
//! trained and stored, weights first, then signals, so that a run killed anywhere goes on where it stopped. A model that takes longer than
//! the time of [`Checkpoints`] goes on from its last checkpoint, to the same bits. Other processes may work at the same run, on other machines
//! too: they agree over the [`Board`](flatleak_work::Board). [`survey`] says what is there without training, [`canary`] tells programs apart
//! that compute other bits.

mod canary;
mod error;
mod execute;
mod foreign;
mod group;
mod log;
mod measure;
mod model;
mod plan;
mod process;
mod pulse;
mod queue;
mod saver;
#[cfg(unix)]
mod supervisor;
mod survey;

pub use canary::canary;
pub use error::{Error, LogitsError, TrainerError};
pub use execute::execute;
pub use plan::{Checkpoints, Divergence, Event, Manner, Plan, Role, Shard, Summary};
pub use process::Supervision;
#[cfg(unix)]
pub use supervisor::supervise;
pub use survey::{Missing, survey};
