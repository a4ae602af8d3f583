//! What lies in the cache: one folder for each data set, with a file of checksums.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flatleak_disk::aside;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::files::{open, sorted, text};
use crate::place::{CACHE_VAR, directory};
use crate::remote::Remote;

/// Name of the file with one `blake3  name` line per file.
pub(crate) const CHECKSUMS: &str = "checksums.txt";
/// How a line of that file begins that says what the data set is.
pub(crate) const NOTE: &str = "# ";

/// Where a cached data set lies: its folder, or the single file in it. `None` when it is not there.
pub fn find(name: &str) -> Option<PathBuf> {
    if !legal(name) {
        return None;
    }
    let folder = place(name)?;
    let (files, folders) = listed(&folder).ok()?;
    match (&files[..], folders.is_empty()) {
        ([], true) => None,
        ([one], true) => Some(one.clone()),
        _ => Some(folder),
    }
}

/// The folder of a data set, which may not be there; for the moment in which a new one takes its place without an exchange of names, that
/// of the old one.
fn place(name: &str) -> Option<PathBuf> {
    let folder = directory()?.join(name);
    let old = aside(&folder);
    Some(if !folder.exists() && old.exists() { old } else { folder })
}

pub(crate) fn legal(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && name.len() <= 64 && name.chars().all(letters) && !name.starts_with('.')
}

/// Data files of a folder, sorted, and its folders.
pub(crate) fn listed(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Error> {
    let shown = |path: &PathBuf| path.file_name().is_some_and(|n| n != CHECKSUMS && !is_hidden(&n.to_string_lossy()));
    let (folders, files) = sorted(folder)?.into_iter().filter(shown).partition(|path| path.is_dir());
    let files: Vec<PathBuf> = files;
    Ok((files.into_iter().filter(|path| path.is_file()).collect(), folders))
}

/// All data files below a folder, sorted.
pub(crate) fn all_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let (mut files, folders) = listed(folder)?;
    for inner in folders {
        files.extend(all_files(&inner)?);
    }
    Ok(files)
}

pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// A data set that was imported under a name of the user's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Its name.
    pub name: String,
    /// Examples, shape and classes, where the import noted them.
    pub size: Option<String>,
    /// Where it lies.
    pub path: PathBuf,
}

/// All data sets that were imported under names of the user's own, by name.
pub fn imported() -> Vec<Imported> {
    let Some(cache) = directory() else { return Vec::new() };
    let folders = sorted(&cache).unwrap_or_default().into_iter().filter(|path| path.is_dir());
    let names = folders.filter_map(|path| path.file_name().map(|n| n.to_string_lossy().into_owned()));
    let own = names.filter(|name| Remote::named(name).is_none());
    own.filter_map(|name| Some(Imported { path: find(&name)?, size: noted(&name), name })).collect()
}

/// What the import of a data set noted of it.
pub(crate) fn noted(name: &str) -> Option<String> {
    let text = text(&place(name)?.join(CHECKSUMS)).ok()?;
    text.lines().next()?.strip_prefix(NOTE).map(str::to_owned)
}

/// Checks every file of a cached data set against its checksum; the number of files.
///
/// # Errors
/// A data set that is not in the cache, a file that is missing or changed, or that did not come with the others.
pub fn verify(name: &str) -> Result<usize, Error> {
    let folder = place(name).ok_or(Error::NoCache { variable: CACHE_VAR })?;
    let path = folder.join(CHECKSUMS);
    let text = text(&path).map_err(failed(&path))?;
    let lines = text.lines().filter(|line| !line.starts_with(NOTE));
    let mut sums: BTreeMap<&str, &str> = lines.filter_map(|l| l.split_once("  ")).map(|(s, n)| (n, s)).collect();
    let files = all_files(&folder)?;
    for path in &files {
        let base = path.strip_prefix(&folder).unwrap_or(path).to_string_lossy().replace('\\', "/");
        let Some(expected) = sums.remove(base.as_str()) else { return Err(Error::Unlisted { path: path.clone() }) };
        let found = blake3_of(path)?;
        if found != expected {
            return Err(Error::Checksum { path: path.clone(), expected: expected.into(), found });
        }
    }
    match sums.keys().next() {
        Some(missing) => Err(Error::MissingFile { directory: folder, expected: (*missing).into() }),
        None => Ok(files.len()),
    }
}

pub(crate) fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |cause| Error::Io { path, cause }
}

pub(crate) fn blake3_of(path: &Path) -> Result<String, Error> {
    let mut hasher = blake3::Hasher::new();
    chunks(path, |piece| {
        hasher.update(piece);
    })?;
    Ok(hasher.finalize().to_hex().to_string())
}

pub(crate) fn sha256_of(path: &Path) -> Result<String, Error> {
    let mut hasher = Sha256::new();
    chunks(path, |piece| hasher.update(piece))?;
    Ok(hasher.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

fn chunks(path: &Path, mut f: impl FnMut(&[u8])) -> Result<(), Error> {
    let mut file = open(path).map_err(failed(path))?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(failed(path))? {
            0 => return Ok(()),
            n => f(&buffer[..n]),
        }
    }
}
