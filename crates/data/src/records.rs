//! Tables of named numeric columns, row by row: CSV and Parquet.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use crate::readers::{csv, parquet};

pub use crate::table::{Place, TableError};

/// Reads a table front to back. `head` sees the names of the columns and returns what `row` needs to know of them; `row` sees the values
/// of every row and where it is.
///
/// # Errors
/// What is wrong with the file; what `head` and `row` say.
pub fn read<T, E: From<TableError>>(
    path: &Path,
    head: impl FnOnce(&[String]) -> Result<T, E>,
    row: impl FnMut(&mut T, Place, &[f64]) -> Result<(), E>,
) -> Result<T, E> {
    let opened = || {
        let mut file = File::open(path)?;
        let mut magic = [0; 4];
        let got = file.read(&mut magic)?;
        file.seek(SeekFrom::Start(0))?;
        Ok((file, got == 4 && magic == *b"PAR1"))
    };
    let (file, is_parquet) = opened().map_err(TableError::Io)?;
    if is_parquet { parquet::rows(file, head, row) } else { csv::rows(BufReader::new(file), head, row) }
}
