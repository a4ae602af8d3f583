//! The run directory on disk. [`RunDir`] reads one study's folder, and [`Workshop`] is one in which a program trains; [`Outputs`] are what a model puts out and [`Measured`] what comes back;
//! an [`Imported`] pool comes from files that others wrote ([`from_arrays`], [`from_table`], [`from_folder`]). What goes wrong is an
//! [`Error`], with an [`ImportError`] inside where a foreign file is to blame.
//!
//! ```
//! use flatleak_data::{Request, open};
//! use flatleak_pool::Signals;
//! use flatleak_store::{Outputs, SplitOutputs, Workshop};
//! use flatleak_study::Study;
//!
//! let study = Study::parse("models = 6\ndata = [\"digits\"]\npool = 40\ntest = 10")?;
//! let data = open(&Request { pool: Some(40), test: Some(10), ..Request::new("digits") })?;
//! let folder = tempfile::tempdir()?;
//! let dir = Workshop::open(folder.path(), &study, &data)?;
//! assert!(dir.signals(0, 0)?.is_none(), "nothing was trained yet");
//!
//! // What a model that gives every class the same logit puts out.
//! let of = |labels: &[u32]| -> Result<SplitOutputs, flatleak_pool::Error> {
//!     let logits = vec![0.0; 10 * labels.len()];
//!     Ok(SplitOutputs { signals: vec![Signals::from_logits(&logits, labels, 10)?], logits: vec![logits] })
//! };
//! let splits = [of(&data.pool.y)?, of(&data.test.y)?];
//! dir.save_signals(0, 0, Outputs { splits: splits.clone(), noise: Vec::new() })?;
//! let found = dir.signals(0, 0)?.ok_or("published a moment ago")?;
//! assert_eq!(found.splits[0], splits[0].signals);
//!
//! // A damaged artefact is as good as none.
//! let file = folder.path().join("models/sgd/0000/signals.safetensors");
//! let mut bytes = std::fs::read(&file)?;
//! *bytes.last_mut().ok_or("empty")? ^= 1;
//! std::fs::write(&file, bytes)?;
//! assert!(dir.signals(0, 0)?.is_none());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Every artefact is a file that appears whole or not at all; tensors carry the identity of what they depend on and a checksum of their content, and one that
//! does not match is reported as absent, never used. The format is specified in the book. [`export_npz`] and [`import_npz`] speak
//! NumPy.

mod adopt;
mod artefact;
mod checkpoint;
mod error;
mod export;
mod implausible;
mod import;
mod interchange;
mod npy;
mod number;
mod problem;
mod rundir;
mod spill;
mod staged;
mod workplace;
mod workshop;

pub use checkpoint::Resumed;
pub use error::{Difference, Error};
pub use export::ExportLayout;
pub use implausible::{Dark, Implausible};
pub use import::{
    Arrays, FeatureArrays, Given, HeldOut, Imported, Name, RowsError, Terms, from_arrays, from_folder, from_named,
    from_table,
};
pub use interchange::{INFLUENCE_LIMIT, export_npz, import_npz};
pub use npy::{npy_of_mask, npy_of_rows};
pub use problem::{CorrectnessError, FolderError, ImportError, OutputsError};
pub use rundir::{Measured, RunDir, Stated, model_folder};
pub use staged::{load_staged, stage, staged_name};
pub use workplace::LOG_FILE;
pub use workshop::{DATA_FILE, Outputs, SplitOutputs, Workshop, lock_run};
