//! What is done with bytes of strangers by those who read data: whatever they are, a value or an error comes back.

use std::io::{Cursor, Write};
use std::path::Path;

use flatleak_data::records::{self, Head, RecordError};
use flatleak_data::{ArrayError, Request, cifar, csv, idx, npy, npz, parquet, pictures, values};

/// Names of arrays that audits and data sets have.
const NAMES: [&str; 10] =
    ["x", "y", "sigma", "logits", "labels", "membership", "trainset_mask", "groups", "x_test", "y_test"];

/// A file of these bytes whose name ends so, and what `f` says of it.
fn with_file<T>(bytes: &[u8], ending: &str, f: impl FnOnce(&Path) -> T) -> Option<T> {
    let mut file = tempfile::Builder::new().suffix(ending).tempfile().ok()?;
    file.write_all(bytes).ok()?;
    Some(f(file.path()))
}

/// An array by itself, read as a stream and as a whole.
pub(crate) fn npy(bytes: &[u8]) {
    array(bytes, "x");
    let _ = npy::parse(bytes);
}

/// An archive of arrays, as audits and as data sets have it.
pub(crate) fn npz(bytes: &[u8]) {
    NAMES.iter().take(3).for_each(|name| array(bytes, name));
    let _ = npz::archive(bytes, &NAMES);
    with_file(bytes, ".npz", |path| {
        let _ = values::names(path);
        let _ = open(path);
    });
}

/// Tensors.
pub(crate) fn safetensors(bytes: &[u8]) {
    array(bytes, "x");
    with_file(bytes, ".safetensors", |path| values::names(path).map(drop));
}

fn array(bytes: &[u8], name: &str) {
    let read = |v: &mut values::Values<'_>| if v.is_text() { v.words().map(drop) } else { v.all().map(drop) };
    let _ = values::with_reader(Cursor::new(bytes), name, read);
    let _ = values::with_reader(Cursor::new(bytes), name, |v| v.transposed()?.skip());
    let _: Result<(), ArrayError> = values::with_reader(Cursor::new(bytes), name, |v| v.skip());
}

/// A table of whatever format its first bytes say, all columns.
fn rows(path: &Path) {
    let head = |heads: &[Head]| Ok::<_, RecordError>((0u64, (0..heads.len()).collect()));
    let _ = records::read(path, head, |count, _, fields| {
        *count += fields.iter().filter_map(|field| field.number()).count() as u64;
        Ok(())
    });
}

/// A Parquet file, as a table of outputs and as a data set.
pub(crate) fn parquet(bytes: &[u8]) {
    with_file(bytes, ".parquet", rows);
    let _ = parquet::parse(bytes.to_vec());
}

/// A table as Arrow IPC or Feather.
pub(crate) fn arrow(bytes: &[u8]) {
    with_file(bytes, ".feather", rows);
}

/// A table as text, as a table of outputs and as a data set.
pub(crate) fn csv(bytes: &[u8]) {
    with_file(bytes, ".csv", rows);
    let _ = std::str::from_utf8(bytes).map(csv::parse);
}

/// IDX files, plain or gzipped.
pub(crate) fn idx(bytes: &[u8]) {
    let _ = idx::images(bytes);
    let _ = idx::labels(bytes);
}

/// Records of CIFAR.
pub(crate) fn cifar(bytes: &[u8]) {
    for kind in [cifar::Kind::Ten, cifar::Kind::Hundred] {
        let _ = cifar::Records::default().extend(bytes, kind);
    }
}

/// A picture.
pub(crate) fn pictures(bytes: &[u8]) {
    let _ = pictures::decode(bytes).map(|picture| picture.resized(3));
}

/// Pictures in Parquet.
pub(crate) fn hub(bytes: &[u8]) {
    with_file(bytes, ".parquet", |path| drop(open(path)));
}

/// A data set at a path.
fn open(path: &Path) -> Result<flatleak_data::Dataset, flatleak_data::Error> {
    flatleak_data::open(&Request::new(path.to_string_lossy()))
}
