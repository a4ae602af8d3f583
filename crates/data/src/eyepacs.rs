//! EyePACS (diabetic retinopathy): a folder of photographs and a table with their names and levels 0 to 4.
//!
//! Decoding 35,000 photographs takes an hour, so the resized array is kept in the cache, named by a hash of the table, the files'
//! sizes and the target size, with its checksum in front. A damaged copy is made anew.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cache;
use crate::dataset::{Raw, Shape, Values};
use crate::error::Error;
use crate::files::{Whole, slurp};
use crate::pictures;

/// Side of the resized pictures where the request does not say.
const SIDE: usize = 64;

/// Fewest pictures whose array is kept; fewer are decoded in a moment.
const KEPT_FROM: usize = 1000;

/// Image names and levels of the folder's table; `None` where no CSV begins with `image,level`.
pub(crate) fn labels(folder: &Path) -> Result<Option<Vec<(String, u32)>>, Error> {
    for path in pictures::sorted(folder)?.into_iter().filter(|p| p.extension().is_some_and(|e| e == "csv")) {
        let wrong = |problem: String| Error::File { path: path.clone(), problem };
        let bytes = slurp(&path)?;
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = (1..).zip(text.lines());
        if lines.next().is_none_or(|(_, head)| head.trim() != "image,level") {
            continue;
        }
        let mut out = Vec::new();
        for (line, row) in lines.filter(|(_, row)| !row.trim().is_empty()) {
            let pair = row.trim().split_once(',').and_then(|(n, l)| Some((n.to_owned(), l.parse().ok()?)));
            match pair {
                Some((name, level)) if level <= 4 && !name.contains(['/', '\\']) => out.push((name, level)),
                _ => return Err(wrong(format!("line {line} is not `image,level` with a level from 0 to 4"))),
            }
        }
        return Ok(Some(out));
    }
    Ok(None)
}

/// The pictures of a table, resized.
pub(crate) fn read(folder: &Path, table: &[(String, u32)], side: Option<usize>) -> Result<Whole, Error> {
    let side = side.unwrap_or(SIDE);
    let mut hasher = blake3::Hasher::new();
    let mut list = Vec::with_capacity(table.len());
    for (name, level) in table {
        let path = located(folder, name)?;
        let size = fs::metadata(&path).map_err(|cause| Error::Io { path: path.clone(), cause })?.len();
        hasher.update(format!("{name} {level} {size} {side}\n").as_bytes());
        list.push((path, *level));
    }
    let name = format!(".eyepacs-{}.bin", &hasher.finalize().to_hex()[..16]);
    let kept = cache::directory().filter(|_| list.len() >= KEPT_FROM).map(|folder| folder.join(name));
    let shape = Shape { channels: 3, height: side, width: side };
    let expected = list.len() * shape.features();
    if let Some(pixels) = kept.as_ref().and_then(|path| stored(path, expected)) {
        let labels = table.iter().map(|(_, l)| *l).collect();
        let ids = (0..table.len() as u32).collect();
        let raw = Raw { values: Values::Pixels(pixels), labels, groups: None, ids };
        return Ok(Whole { shape, raw, groups: Vec::new() });
    }
    let whole = pictures::read(folder, &list, Some(side))?;
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
    let mut bytes = fs::read(path).ok()?;
    if bytes.len() != 32 + expected || bytes[..32] != *blake3::hash(&bytes[32..]).as_bytes() {
        return None;
    }
    bytes.drain(..32);
    Some(bytes)
}

fn store(path: &Path, pixels: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let temporary = path.with_extension("tmp");
    let hash = blake3::hash(pixels);
    fs::write(&temporary, [hash.as_bytes().as_slice(), pixels].concat())?;
    fs::rename(&temporary, path)
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
