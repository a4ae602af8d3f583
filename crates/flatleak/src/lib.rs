//! The library behind the program: what the command line and the Python package are thin over.
//!
//! [`prepare`] reads a study and its data ([`Compare`] says what is asked), [`compare()`] trains, attacks, compares and reports it,
//! [`explain()`] says why a finished run leaks, [`Pools`] audits models that were trained elsewhere, [`target()`] attacks a single model.
//! [`list_runs`] says what lies in a folder of runs, [`diff()`] sets two finished ones side by side, [`plan()`] says what a study will take.
//! Whoever calls hears of progress as [`Event`]s through a [`Listener`], and may stop: what is complete by then stays on disk.
//!
//! ```
//! use std::sync::atomic::AtomicBool;
//!
//! use flatleak::{Compare, Event, Listener, Phase, compare, prepare};
//!
//! let folder = tempfile::tempdir()?;
//! // Six models of SGD and of SAM on 60 of scikit-learn's digits, trained for two epochs: an answer in a second, and none to rely on.
//! let asked = Compare {
//!     out: Some(folder.path().join("run")),
//!     data: vec!["digits".into()],
//!     recipes: vec!["sgd".into(), "sam".into()],
//!     models: Some(6),
//!     pool: Some(60),
//!     epochs: Some(2),
//!     workers: 2,
//!     ..Compare::default()
//! };
//! let mut trained = 0;
//! let mut hear = |event| trained += usize::from(matches!(event, Event::Complete { .. }));
//! let stop = AtomicBool::new(false);
//! let report = compare(&asked, &prepare(&asked)?, &mut Listener { hear: &mut hear, stop: &stop })?;
//! assert_eq!(trained, 12);
//! assert_eq!(report.document.comparisons[0].candidate, "sam");
//! assert!(report.page.is_file());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod audit;
mod audit_error;
mod compare;
mod desk;
mod diff;
mod error;
mod event;
mod explain;
mod finished;
mod folder;
mod job;
pub mod machine;
mod merge;
pub mod outputs;
mod paper;
mod plan;
mod question;
mod record;
mod runs;
pub mod sheet;
mod status;
mod target;
mod variant;
mod work;

pub use audit::{Pools, Settings, attacks, usable, wanted};
pub use audit_error::AuditError;
pub use compare::{Report, compare};
pub use diff::{Diff, DiffError, Figure, RecipeDiff, Setting, WordDiff, diff};
pub use error::Error;
pub use event::{At, Event, Listener, Phase};
pub use explain::{Explain, explain, explain_archives};
pub use finished::{Finished, LeftOut, missing_runs, runs_in};
pub use flatleak_run::{Checkpoints, Shard, Supervision};
pub use folder::folder_name;
pub use job::{Compare, Goal, Job, Prepared, Training, prepare, resolve};
pub use merge::{Merged, merge};
pub use paper::pdf;
pub use plan::{Estimate, RecipePlan, plan};
pub use question::pairs;
pub use record::foreign_record;
pub use runs::{Listed, State, list_runs};
pub use status::{Failing, Ongoing, Status, status};
pub use target::{Target, TargetAttack, TargetBlind, TargetTpr, target};
pub use variant::{NoVariant, Variant};
pub use work::{Work, Worked, cancel, lay_down, work};
