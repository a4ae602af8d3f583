//! EyePACS (diabetic retinopathy): a folder of photographs and a table with their names and levels 0 to 4.
//!
//! Decoding 35,000 photographs takes an hour, so the resized array is kept in the cache, named by a hash of the table, the files'
//! sizes and the target size, with its checksum in front. A damaged copy is made anew.

use std::fs;
use std::path::{Path, PathBuf};

use flatleak_disk::replace;

use crate::error::Error;
use crate::files::{read as read_file, slurp, sorted};
use crate::place::directory;
use crate::raw::{Raw, Values, Whole};
use crate::reader::{Found, Input, Options, Reader};
use crate::readers::pictures::{Labelled, read};
use crate::shape::Shape;

/// Reads such a folder.
pub(crate) struct EyePacs;

impl Reader for EyePacs {
    fn takes(&self) -> &'static str {
        "a folder of pictures with a CSV that begins `image,level`"
    }

    fn detect(&self, input: &Input) -> Result<bool, Error> {
        Ok(input.is_folder() && table(input.path())?.is_some())
    }

    fn resizes(&self) -> bool {
        true
    }

    fn read(&self, input: &Input, options: Options) -> Result<Found, Error> {
        let rows = match table(input.path())? {
            Some(path) => labels(&path)?,
            None => Vec::new(),
        };
        resized(input.path(), &rows, options.side.unwrap_or(SIDE)).map(Found::One)
    }
}

/// What can be wrong with the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A line that is none.
    #[error("has a line {line} that is not `image,level` with a level from 0 to 4: correct or drop it")]
    Line {
        /// The line, from 1.
        line: usize,
    },
}

/// Side of the resized pictures where the request does not say.
const SIDE: usize = 64;

/// Fewest pictures whose array is kept; fewer are decoded in a moment.
const KEPT_FROM: usize = 1000;

/// How the table begins.
const HEAD: &str = "image,level";

/// A picture's name and level.
struct Row {
    name: String,
    level: u32,
}

/// The first CSV of a folder that begins as the table does.
fn table(folder: &Path) -> Result<Option<PathBuf>, Error> {
    for path in sorted(folder)?.into_iter().filter(|p| p.extension().is_some_and(|e| e == "csv")) {
        if String::from_utf8_lossy(&slurp(&path)?).lines().next().is_some_and(|head| head.trim() == HEAD) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Image names and levels of a table.
fn labels(path: &Path) -> Result<Vec<Row>, Error> {
    let bytes = slurp(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = (1..).zip(text.lines()).skip(1).filter(|(_, row)| !row.trim().is_empty());
    let row = |(line, row): (usize, &str)| {
        let pair = row.trim().split_once(',').and_then(|(n, l)| Some((n.to_owned(), l.parse().ok()?)));
        match pair {
            Some((name, level)) if level <= 4 && !name.contains(['/', '\\']) => Ok(Row { name, level }),
            _ => Err(Error::file(path, Problem::Line { line })),
        }
    };
    lines.map(row).collect()
}

/// The pictures of a table, resized.
fn resized(folder: &Path, table: &[Row], side: usize) -> Result<Whole, Error> {
    let mut hasher = blake3::Hasher::new();
    let mut list = Vec::with_capacity(table.len());
    for Row { name, level } in table {
        let path = located(folder, name)?;
        let size = fs::metadata(&path).map_err(|cause| Error::Io { path: path.clone(), cause })?.len();
        hasher.update(format!("{name} {level} {size} {side}\n").as_bytes());
        list.push(Labelled { path, label: *level });
    }
    let name = format!(".eyepacs-{}.bin", &hasher.finalize().to_hex()[..16]);
    let kept = directory().filter(|_| list.len() >= KEPT_FROM).map(|folder| folder.join(name));
    let shape = Shape { channels: 3, height: side, width: side };
    let expected = list.len() * shape.features();
    if let Some(pixels) = kept.as_ref().and_then(|path| stored(path, expected)) {
        let labels = table.iter().map(|row| row.level).collect();
        return Ok(Whole::new(shape, Raw::new(Values::Pixels(pixels), labels)));
    }
    let whole = read(folder, &list, Some(side))?;
    if let (Some(path), Values::Pixels(pixels)) = (kept, &whole.raw.values)
        && whole.shape == shape
    {
        // A cache that cannot be written costs time, not results.
        let _ = store(&path, pixels);
    }
    Ok(whole)
}

/// The picture of a name, with or without ending, in the folder or in `train` below it.
fn located(folder: &Path, name: &str) -> Result<PathBuf, Error> {
    let candidates = ["", ".jpeg", ".jpg", ".png"].iter().flat_map(|ending| {
        [folder.join(format!("{name}{ending}")), folder.join("train").join(format!("{name}{ending}"))]
    });
    candidates.into_iter().find(|p| p.is_file()).ok_or_else(|| Error::MissingFile {
        directory: folder.into(),
        expected: format!("{name}.jpeg, named by the table"),
    })
}

/// The kept array, if it is whole.
fn stored(path: &Path, expected: usize) -> Option<Vec<u8>> {
    let mut bytes = read_file(path).ok()?;
    if bytes.len() != 32 + expected || bytes[..32] != *blake3::hash(&bytes[32..]).as_bytes() {
        return None;
    }
    bytes.drain(..32);
    Some(bytes)
}

fn store(path: &Path, pixels: &[u8]) -> Result<(), flatleak_disk::Error> {
    let hash = blake3::hash(pixels);
    replace(path, &[hash.as_bytes().as_slice(), pixels].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_array_comes_back_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("below/kept.bin");
        let pixels: Vec<u8> = (0..=200).collect();
        assert_eq!(stored(&path, 201), None);
        store(&path, &pixels).unwrap();
        assert_eq!(stored(&path, 201), Some(pixels));
        assert_eq!(stored(&path, 200), None, "another size");
        let mut bytes = fs::read(&path).unwrap();
        bytes[40] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert_eq!(stored(&path, 201), None, "damaged");
        assert_eq!(fs::read_dir(dir.path().join("below")).unwrap().count(), 1);
    }
}
