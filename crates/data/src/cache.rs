//! Data sets that were fetched or imported: one folder each, with checksums.
//!
//! The folder is `FLATLEAK_DATA`, else `flatleak/data` in the platform's cache directory. A data set appears there whole or not at
//! all: it is put together under a temporary name, opened, and renamed.

pub use crate::import::{Arrived, import, import_own};
pub use crate::place::{CACHE_VAR, directory};
pub use crate::remote::{Remote, remotes};
pub use crate::shelf::{Imported, find, imported, verify};
