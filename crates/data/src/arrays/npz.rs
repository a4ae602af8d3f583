//! `.npz` archives of NumPy arrays.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek};

use crate::arrays::error::ArrayError;
use crate::arrays::npy::{Array, MAX_HEADER, head, parse, stream};
use crate::arrays::stream::Values;
use crate::budget::{Account, Budget};

/// Names that arrays have among themselves: none of them is taken for another.
const NAMES: [&str; 12] = [
    "features",
    "test_features",
    "logits",
    "probabilities",
    "phi",
    "loss",
    "confidence",
    "labels",
    "membership",
    "test_logits",
    "test_labels",
    "sigma",
];

/// The arrays of an archive by name, of those that `wanted` names.
///
/// # Errors
/// What is wrong with the archive or one of these arrays.
pub fn archive(bytes: &[u8], wanted: &[&str]) -> Result<BTreeMap<String, Array>, ArrayError> {
    if bytes.len() > 2 && bytes[0] == 0x80 && (2..=5).contains(&bytes[1]) {
        return Err(ArrayError::Pickle);
    }
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(ArrayError::NotNpz)?;
    if zip.file_names().flatten().any(|n| n.ends_with("data.pkl")) {
        return Err(ArrayError::Torch);
    }
    let (mut out, mut account) = (BTreeMap::new(), Account::new(Budget::now(), "its arrays"));
    for name in wanted {
        let Ok(mut file) = zip.by_name(&format!("{name}.npy")) else { continue };
        let damaged = |cause: io::Error| ArrayError::Member { name: (*name).into(), cause };
        let mut content = Vec::new();
        // Sizes in the directory may lie: first the header, then no more than it promises and one byte.
        file.by_ref().take(MAX_HEADER as u64).read_to_end(&mut content).map_err(damaged)?;
        let promised = head(&content).map_err(|e| e.inside(name))?;
        account.spend(promised.memory.unwrap_or(u64::MAX)).map_err(|e| ArrayError::from(e).inside(name))?;
        let left = (promised.offset + promised.needed + 1).saturating_sub(content.len());
        file.by_ref().take(left as u64).read_to_end(&mut content).map_err(damaged)?;
        out.insert((*name).to_owned(), parse(&content).map_err(|e| e.inside(name))?);
    }
    Ok(out)
}

/// The array of an archive called `name` as text, where it is there and holds text along one axis.
///
/// # Errors
/// What is wrong with the archive or the array.
pub(crate) fn texts(bytes: &[u8], name: &str) -> Result<Option<Vec<String>>, ArrayError> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(ArrayError::NotNpz)?;
    let Ok(file) = zip.by_name(&format!("{name}.npy")) else { return Ok(None) };
    match stream(Box::new(file)) {
        Ok(mut values) if values.is_text() && matches!(values.shape(), [_] | [_, 1]) => {
            values.words().map(Some).map_err(|e| e.inside(name))
        }
        // What holds something else is read, or refused, by whoever needs it.
        _ => Ok(None),
    }
}

/// The names of the arrays in an archive.
pub(crate) fn names(file: impl Read + Seek) -> Result<Vec<String>, ArrayError> {
    let zip = zip::ZipArchive::new(file).map_err(ArrayError::NotNpz)?;
    let all = zip.file_names().flatten();
    Ok(all.filter_map(|n| n.strip_suffix(".npy").map(str::to_owned)).collect())
}

/// Hands the array called `name`, or the only one of an archive, to `f`.
pub(crate) fn with<T, E: From<ArrayError>>(
    file: impl Read + Seek,
    name: &str,
    f: impl FnOnce(&mut Values<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let mut zip = zip::ZipArchive::new(file).map_err(ArrayError::NotNpz)?;
    let names: Vec<String> = zip.file_names().flatten().map(|n| n.into_owned()).collect();
    if names.iter().any(|n| n.ends_with("data.pkl")) {
        return Err(ArrayError::Torch.into());
    }
    let member = format!("{name}.npy");
    let member = match names.as_slice() {
        // One array may be called anything but what another is called.
        [only] if *only == member || !NAMES.contains(&only.trim_end_matches(".npy")) => only,
        all => all.iter().find(|n| **n == member).ok_or_else(|| ArrayError::choice(name, all))?,
    };
    let damaged = |e: zip::result::ZipError| ArrayError::Member { name: member.clone(), cause: e.into() };
    let entry = zip.by_name(member).map_err(damaged)?;
    stream(Box::new(entry))?.whole(f)
}
