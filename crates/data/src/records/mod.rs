//! Tables of named columns, row by row, whatever file they are in.
//!
//! A file is told by its first bytes and never by its name: Parquet with every common codec, Arrow IPC and Feather, and text with commas,
//! semicolons or tabs, plain or gzipped; and a folder of Parquet files, or of files of text, as one table. A row is a list of [`Field`]s. Only the columns that the caller wants are read, so that dates,
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

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::budget::{Account, Budget, OverBudget};
use crate::files;

use batch::OF_ROW;

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
        return match parts(path)? {
            Parts::Parquet(files) => parquet::rows(&files, head, row),
            Parts::Text(files) => texts(&files, head, row),
        };
    }
    let (file, magic) = opened(path).map_err(RecordError::Io)?;
    if magic.starts_with(b"PAR1") {
        return parquet::rows(&[path.into()], head, row);
    }
    if magic.starts_with(b"ARROW1") || magic.starts_with(&[0xff; 4]) {
        #[cfg(feature = "arrow")]
        return arrow::rows(file, head, row);
        #[cfg(not(feature = "arrow"))]
        return Err(RecordError::NoArrow.into());
    }
    text::rows(plain(file, &magic)?, head, row)
}

/// Text, unpacked where it is packed, of no other format that is known.
fn plain(file: File, magic: &[u8]) -> Result<Box<dyn BufRead>, RecordError> {
    let from = BufReader::new(file);
    let packed = magic.starts_with(&[0x1f, 0x8b]);
    known(if packed { Box::new(BufReader::new(MultiGzDecoder::new(from))) } else { Box::new(from) })
}

/// The files of a folder that are one table.
enum Parts {
    Parquet(Vec<PathBuf>),
    Text(Vec<PathBuf>),
}

/// The rows of files of text that are parts of one table: each has the line of names.
fn texts<T, E: From<RecordError>>(
    files: &[PathBuf],
    head: impl FnOnce(&[Head]) -> Result<(T, Vec<usize>), E>,
    mut row: impl FnMut(&mut T, Place, &[Field<'_>]) -> Result<(), E>,
) -> Result<T, E> {
    let mut head = Some(head);
    let mut kept: Option<(T, Vec<Head>, Vec<usize>)> = None;
    // Rows are counted over all parts, as those of Parquet are.
    let mut rows = 0;
    for path in files {
        let name = || path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let (file, magic) = opened(path).map_err(RecordError::Io)?;
        // A part of no rows may be without a line of names.
        if magic.is_empty() {
            continue;
        }
        let before = kept.take();
        let mut seen = None;
        let start = |heads: &[Head]| match (before, head.take()) {
            (Some((_, first, _)), _) if first != heads => Err(RecordError::Parts { name: name() }.into()),
            (Some((state, first, wanted)), _) => {
                seen = Some((first, wanted.clone()));
                Ok((state, wanted))
            }
            (None, Some(head)) => {
                let (state, wanted) = head(heads)?;
                seen = Some((heads.to_vec(), wanted.clone()));
                Ok((state, wanted))
            }
            (None, None) => Err(RecordError::Empty.into()),
        };
        let each = |state: &mut T, _: Place, fields: &[Field<'_>]| {
            let place = Place::Row(rows);
            rows += 1;
            row(state, place, fields)
        };
        let state = text::rows(plain(file, &magic)?, start, each)?;
        kept = seen.map(|(heads, wanted)| (state, heads, wanted));
    }
    kept.map(|(state, ..)| state).ok_or_else(|| RecordError::Empty.into())
}

fn opened(path: &Path) -> std::io::Result<(File, Vec<u8>)> {
    let mut file = files::open(path)?;
    let mut magic = Vec::new();
    file.by_ref().take(MAGIC as u64).read_to_end(&mut magic)?;
    file.seek(SeekFrom::Start(0))?;
    Ok((file, magic))
}

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
fn parts(folder: &Path) -> Result<Parts, RecordError> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '_']));
        if !hidden {
            all.push(path);
        }
    }
    all.sort();
    let are = |ends: &[&str]| {
        let one = |path: &PathBuf| path.is_file() && ends.iter().any(|end| path.to_string_lossy().ends_with(end));
        !all.is_empty() && all.iter().all(one)
    };
    match [are(&[".parquet"]), are(&[".csv", ".csv.gz", ".tsv", ".tsv.gz"])] {
        [true, _] => Ok(Parts::Parquet(all)),
        [_, true] => Ok(Parts::Text(all)),
        _ => Err(RecordError::Folder),
    }
}

/// Refuses bytes of formats that are no table which is read.
fn known<R: BufRead>(mut from: R) -> Result<R, RecordError> {
    let start = from.fill_buf()?;
    match foreign::find(start) {
        Some((found, mend)) => Err(RecordError::Foreign { found, mend }),
        None => Ok(from),
    }
}
