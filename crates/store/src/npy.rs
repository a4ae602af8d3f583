//! NumPy arrays, written: `.npy` version 1.0 in C order and `.npz` archives of them. Reading is the data crate's.

use std::io::{Cursor, Write};

use flatleak_pool::Rows;
use zip::write::SimpleFileOptions;

use crate::error::Error;

/// An array in C order, ready to be written.
pub(crate) struct Array<'a> {
    /// Element type as NumPy writes it: `|b1`, `<f4`, `<f8`, ...
    pub(crate) descr: &'a str,
    /// Size of each axis.
    pub(crate) shape: &'a [usize],
    /// Little-endian values.
    pub(crate) body: Vec<u8>,
}

/// Bytes of a `.npy` file.
pub(crate) fn encode(array: &Array<'_>) -> Vec<u8> {
    let shape: String = array.shape.iter().map(|n| format!("{n}, ")).collect();
    let shape = if array.shape.len() > 1 { shape.trim_end_matches(", ") } else { shape.trim_end() };
    let mut header = format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({shape}), }}", array.descr);
    // Magic, version and length take 10 bytes; the header ends with a newline at a multiple of 64.
    while !(10 + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((header.len() as u16).to_le_bytes());
    out.extend(header.as_bytes());
    out.extend(&array.body);
    out
}

/// Bytes of a `.npy` file of a matrix of f64.
pub fn npy_of_rows(rows: Rows<'_>) -> Vec<u8> {
    let shape = [rows.len(), rows.columns()];
    encode(&Array {
        descr: "<f8",
        shape: &shape,
        body: rows.into_iter().flatten().flat_map(|v| v.to_le_bytes()).collect(),
    })
}

/// Bytes of a `.npy` file of rows of booleans; all rows are as long as the first.
pub fn npy_of_mask(rows: &[&[bool]]) -> Vec<u8> {
    let shape = [rows.len(), rows.first().map_or(0, |r| r.len())];
    encode(&Array {
        descr: "|b1",
        shape: &shape,
        body: rows.iter().flat_map(|r| r.iter().map(|m| u8::from(*m))).collect(),
    })
}

/// Bytes of a `.npz` archive of named arrays, deflated.
pub(crate) fn archive(arrays: &[(&str, Array<'_>)]) -> Result<Vec<u8>, Error> {
    let failed = Error::encode("an npz archive");
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // Fast rather than small; the time of writing must not enter the bytes.
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .compression_level(Some(1))
        .last_modified_time(zip::DateTime::default());
    for (name, array) in arrays {
        zip.start_file(format!("{name}.npy"), options).map_err(|e| failed(e.into()))?;
        zip.write_all(&encode(array)).map_err(|e| failed(e.into()))?;
    }
    Ok(zip.finish().map_err(|e| failed(e.into()))?.into_inner())
}
