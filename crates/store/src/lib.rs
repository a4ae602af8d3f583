//! The run directory on disk.
//!
//! [`RunDir`] owns one study's folder. Every artefact is a file that is written under a temporary name, synced and
//! renamed; tensors carry the identity of what they depend on and a checksum of their content, and one that
//! does not match is reported as absent, never used. The format is specified in the book. [`export_npz`] and [`import_npz`] speak
//! NumPy.

mod artefact;
mod error;
mod export;
mod fault;
mod import;
mod interchange;
mod npy;
mod rundir;
mod spill;

pub use artefact::write_atomic;
pub use error::Error;
pub use export::ExportLayout;
pub use fault::pause_point;
pub use import::{Arrays, Given, Imported, from_arrays, from_folder, from_table};
pub use interchange::{INFLUENCE_LIMIT, export_npz, import_npz};
pub use npy::{npy_of_mask, npy_of_rows};
pub use rundir::{DATA_FILE, Measured, Outputs, RunDir, SplitOutputs};
