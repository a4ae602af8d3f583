//! Many workers at one run. They share a [`Depot`], a folder or an object store, and agree through small files in it: who tries which task
//! ([`Lease`]), who is alive ([`Beat`]), how an attempt ended ([`End`]).
//!
//! A lease is a hint and never a lock. No result rests on it: models are published create-only, so that of two workers at one task the
//! second finds the bytes that it would have written. A lease keeps two workers from doing the same work, and it expires when its worker has
//! missed [`MISSED`] signs of life by the clock of the depot; clocks of workers are never compared.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use flatleak_work::{Board, End, Folder, Limits, Outcome, Published, Standing, Task, Worker};
//!
//! let run = tempfile::tempdir()?;
//! let board = |worker| Board::open(Arc::new(Folder::new(run.path())), worker, Duration::from_secs(30));
//! let (mut ours, mut theirs) = (board(Worker::this())?, board(Worker::this())?);
//! ours.beat(&[])?;
//! let (task, identity) = (Task::new("sgd", 3), "of this study");
//!
//! // One of two workers gets the first attempt.
//! let attempt = ours.claim(&task, 1)?.ok_or("nobody else was there")?;
//! assert!(theirs.claim(&task, 1)?.is_none());
//! theirs.refresh()?;
//! assert!(matches!(theirs.standing(&task, identity, Limits::default())?, Standing::Running { .. }));
//!
//! ours.end(&End::new(&attempt, identity, Outcome::Done { published: Published::New }, Duration::from_secs(2)))?;
//! theirs.refresh()?;
//! assert!(matches!(theirs.standing(&task, identity, Limits::default())?, Standing::Done { .. }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod beat;
mod board;
mod depot;
mod end;
mod error;
mod folder;
mod history;
mod lease;
mod pins;
mod probe;
mod task;
mod unlike;
mod worker;

pub use beat::{Beat, Running};
pub use board::{Board, CANCELLED, MISSED};
pub use depot::Depot;
pub use end::{Divergence, End, Outcome, Published};
pub use error::Error;
pub use folder::Folder;
pub use history::{Limits, Standing};
pub use lease::Lease;
pub use pins::{Accept, PINS, Pins};
pub use probe::probe;
pub use task::{Attempt, Task};
pub use unlike::Unlike;
pub use worker::Worker;
