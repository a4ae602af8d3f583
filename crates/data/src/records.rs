//! Tables of named numeric columns, row by row: CSV and Parquet.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ::parquet::file::reader::{FileReader, SerializedFileReader};

use crate::csv::{fields, separator};
use crate::parquet::number;

/// Most columns.
const MOST_COLUMNS: usize = 1 << 16;
/// Longest line of text.
const LONGEST: u64 = 1 << 24;

/// Reads a table front to back. `head` sees the names of the columns and returns what `row` needs to know of them; `row` sees the values
/// of every row.
///
/// # Errors
/// What is wrong with the file, as a fragment; what `head` and `row` say.
pub fn read<T>(
    path: &Path,
    head: impl FnOnce(&[String]) -> Result<T, String>,
    row: impl FnMut(&mut T, &[f64]) -> Result<(), String>,
) -> Result<T, String> {
    let unreadable = |e: std::io::Error| format!("cannot be read: {e}");
    let mut file = File::open(path).map_err(unreadable)?;
    let mut magic = [0; 4];
    let got = file.read(&mut magic).map_err(unreadable)?;
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    if got == 4 && magic == *b"PAR1" {
        // The library may panic on a damaged file; that is an error like any other.
        let read = catch_unwind(AssertUnwindSafe(|| columns(file, head, row)));
        return read.unwrap_or_else(|_| Err("is damaged beyond reading".into()));
    }
    text(BufReader::new(file), head, row)
}

fn check(names: &[String]) -> Result<(), String> {
    if names.len() > MOST_COLUMNS {
        return Err(format!("has {} columns; at most {MOST_COLUMNS} are read", names.len()));
    }
    Ok(())
}

/// Comma-, semicolon- or tab-separated text with the names in its first line.
pub fn text<T>(
    mut from: impl BufRead,
    head: impl FnOnce(&[String]) -> Result<T, String>,
    mut row: impl FnMut(&mut T, &[f64]) -> Result<(), String>,
) -> Result<T, String> {
    let mut line = Vec::new();
    let mut next = |line: &mut Vec<u8>| -> Result<Option<String>, String> {
        line.clear();
        let got = from.by_ref().take(LONGEST).read_until(b'\n', line).map_err(|e| format!("cannot be read: {e}"))?;
        if got as u64 == LONGEST {
            return Err(format!("has a line of more than {LONGEST} bytes"));
        }
        let text = std::str::from_utf8(line).map_err(|_| "is neither text nor Parquet".to_owned())?;
        Ok((got > 0).then(|| text.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']).to_owned()))
    };
    let first = next(&mut line)?.ok_or("is empty")?;
    let separator = separator(&first);
    let names = fields(&first, separator);
    check(&names)?;
    if names.iter().all(|n| n.parse::<f64>().is_ok()) {
        return Err("has no line of names".into());
    }
    let mut state = head(&names)?;
    let mut values = Vec::new();
    let mut number = 1u64;
    while let Some(content) = next(&mut line)? {
        number += 1;
        if content.trim().is_empty() {
            continue;
        }
        values.clear();
        for (column, field) in fields(&content, separator).into_iter().enumerate() {
            let value = match field.to_ascii_lowercase().as_str() {
                "true" => Ok(1.0),
                "false" => Ok(0.0),
                other => other.parse::<f64>(),
            };
            values.push(value.map_err(|_| format!("line {number}, column {}: `{field}` is no number", column + 1))?);
        }
        if values.len() != names.len() {
            return Err(format!("line {number} has {} fields, the first line {}", values.len(), names.len()));
        }
        row(&mut state, &values).map_err(|e| format!("line {number}: {e}"))?;
    }
    Ok(state)
}

fn columns<T>(
    file: File,
    head: impl FnOnce(&[String]) -> Result<T, String>,
    mut row: impl FnMut(&mut T, &[f64]) -> Result<(), String>,
) -> Result<T, String> {
    let damaged = |e: ::parquet::errors::ParquetError| format!("is no readable Parquet file: {e}");
    let reader = SerializedFileReader::new(file).map_err(damaged)?;
    let names: Vec<String> =
        reader.metadata().file_metadata().schema().get_fields().iter().map(|f| f.name().to_owned()).collect();
    check(&names)?;
    let mut state = head(&names)?;
    let mut values = Vec::new();
    for (index, found) in reader.get_row_iter(None).map_err(damaged)?.enumerate() {
        values.clear();
        for (name, field) in found.map_err(damaged)?.get_column_iter() {
            values.push(number(field).ok_or_else(|| format!("row {index}, column `{name}`: `{field}` is no number"))?);
        }
        if values.len() != names.len() {
            return Err(format!("row {index} has {} values for {} columns", values.len(), names.len()));
        }
        row(&mut state, &values).map_err(|e| format!("row {index}: {e}"))?;
    }
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(content: &[u8]) -> Result<(usize, Vec<f64>), String> {
        text(
            content,
            |names| Ok((names.len(), Vec::new())),
            |state, row| {
                state.1.push(row.iter().sum());
                Ok(())
            },
        )
    }

    #[test]
    fn rows_come_one_by_one() {
        assert_eq!(sums(b"\xef\xbb\xbfa;b\r\n1;2\r\n\r\n-0.5;true\r\n").unwrap(), (2, vec![3.0, 0.5]));
        assert_eq!(sums(b"a,b").unwrap(), (2, Vec::new()));
    }

    #[test]
    fn mistakes_have_their_line() {
        assert_eq!(sums(b"a,b\n1,2\n1").unwrap_err(), "line 3 has 1 fields, the first line 2");
        assert_eq!(sums(b"a,b\n1,x").unwrap_err(), "line 2, column 2: `x` is no number");
        assert_eq!(sums(b"1,2\n3,4").unwrap_err(), "has no line of names");
        assert_eq!(sums(b"").unwrap_err(), "is empty");
        assert_eq!(sums(b"a,\xff").unwrap_err(), "is neither text nor Parquet");
    }
}
