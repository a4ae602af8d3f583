//! Pools that were trained elsewhere, from their outputs: NumPy and safetensors arrays, tables, and the folders that published
//! code leaves.

mod arrays;
mod layouts;
mod privacy_meter;
mod table;

use std::path::{Path, PathBuf};

use flatleak_pool::Pool;

use crate::Error;

pub use arrays::{Arrays, Given, from_arrays};
pub use layouts::from_folder;
pub use table::from_table;

/// A pool and what was found out about its files on the way.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The pool; of examples that every model or none was trained on it keeps what it got.
    pub pool: Pool,
    /// What the reader of the results should know, as sentences without a full stop.
    pub notes: Vec<String>,
}

fn wrong(path: &Path) -> impl Fn(String) -> Error {
    let path: PathBuf = path.to_owned();
    move |reason| Error::Import { path: path.clone(), reason }
}
