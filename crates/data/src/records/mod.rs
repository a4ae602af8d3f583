//! Tables of named columns, row by row, whatever file they are in.
//!
//! A file is told by its first bytes and never by its name: Parquet with every common codec, Arrow IPC and Feather, and text with commas,
//! semicolons or tabs, plain or gzipped; and a folder of Parquet files as one table. A row is a list of [`Field`]s. Only the columns that the caller wants are read, so that dates,
//! texts and lists that nobody asked for cost nothing and cannot fail.
//!
//! ```
//! use flatleak_data::records::{self, Field, RecordError};
//!
//! let file = tempfile::NamedTempFile::new()?;
//! std::fs::write(file.path(), "name;day;loss\nseed3;2026-01-01;0,25\n")?;
//! let losses = records::read(
//!     file.path(),
//!     |heads| {
//!         assert_eq!(heads[1].name, "day");
//!         Ok::<_, RecordError>((Vec::new(), vec![0, 2]))
//!     },
//!     |found, _, row| {
//!         assert_eq!(row[0], Field::Written("seed3"));
//!         found.extend(row[1].number());
//!         Ok(())
//!     },
//! )?;
//! assert_eq!(losses, [0.25]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "arrow")]
mod arrow;
mod batch;
mod error;
mod field;
mod foreign;
#[cfg(feature = "arrow")]
mod ipc;
mod line;
mod parquet;
mod text;

use std::fs;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::budget::{Account, Budget, OverBudget};
use crate::files;

pub use crate::table::Place;
pub use error::{RecordError, Spot};
pub use field::{Field, Head, Kind};
pub use text::rows as text_rows;

/// First bytes that tell what a file is.
const MAGIC: usize = 16;

/// Reads a table front to back.
///
/// `head` sees the names and types of all columns. It returns what `row` needs to know, and the numbers of the columns that are wanted.
/// `row` sees the fields of those, in that order, and where the row is. It sees no row of Parquet or Arrow of which no column is wanted.
///
/// # Errors
/// What is wrong with the file; what `head` and `row` say.
pub fn read<T, E: From<RecordError>>(
    path: &Path,
    head: impl FnOnce(&[Head]) -> Result<(T, Vec<usize>), E>,
    mut row: impl FnMut(&mut T, Place, &[Field<'_>]) -> Result<(), E>,
) -> Result<T, E> {
    let mut account = Account::new(Budget::now(), "its rows");
    let row = |state: &mut T, place: Place, fields: &[Field<'_>]| {
        spend(&mut account, fields).map_err(RecordError::from)?;
        row(state, place, fields)
    };
    if path.is_dir() {
        return parquet::rows(&parts(path)?, head, row);
    }
    let opened = || {
        let mut file = files::open(path)?;
        let mut magic = Vec::new();
        file.by_ref().take(MAGIC as u64).read_to_end(&mut magic)?;
        file.seek(SeekFrom::Start(0))?;
        Ok((file, magic))
    };
    let (file, magic) = opened().map_err(RecordError::Io)?;
    if magic.starts_with(b"PAR1") {
        return parquet::rows(&[path.into()], head, row);
    }
    if magic.starts_with(b"ARROW1") || magic.starts_with(&[0xff; 4]) {
        #[cfg(feature = "arrow")]
        return arrow::rows(file, head, row);
        #[cfg(not(feature = "arrow"))]
        return Err(RecordError::NoArrow.into());
    }
    let plain = BufReader::new(file);
    if magic.starts_with(&[0x1f, 0x8b]) {
        let unpacked = BufReader::new(MultiGzDecoder::new(plain));
        return known(unpacked).map_err(E::from).and_then(|from| text::rows(from, head, row));
    }
    known(plain).map_err(E::from).and_then(|from| text::rows(from, head, row))
}

/// Bytes that whoever reads a row may keep of it beside its numbers.
const OF_ROW: u64 = 64;
/// Letters of a text from which on it counts: short ones are names, which are kept once.
const NAME: usize = 64;

/// Counts a row, of which nobody knows how many there are before they are read: packed, a million take a thousand bytes.
fn spend(account: &mut Account, fields: &[Field<'_>]) -> Result<(), OverBudget> {
    let numbers = |field: &Field<'_>| match field {
        Field::List(all) => 8 * all.len() as u64,
        Field::Text(text) | Field::Written(text) if text.len() > NAME => text.len() as u64,
        _ => 8,
    };
    account.spend(OF_ROW + fields.iter().map(numbers).sum::<u64>())
}

/// The parts of a table in a folder, as Spark and dask leave them beside files that begin with a dot or underscore.
fn parts(folder: &Path) -> Result<Vec<PathBuf>, RecordError> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '_']));
        if !hidden {
            all.push(path);
        }
    }
    if all.is_empty() || all.iter().any(|path| path.is_dir() || path.extension().is_none_or(|e| e != "parquet")) {
        return Err(RecordError::Folder);
    }
    all.sort();
    Ok(all)
}

/// Refuses bytes of formats that are no table which is read.
fn known<R: BufRead>(mut from: R) -> Result<R, RecordError> {
    let start = from.fill_buf()?;
    match foreign::find(start) {
        Some((found, mend)) => Err(RecordError::Foreign { found, mend }),
        None => Ok(from),
    }
}
