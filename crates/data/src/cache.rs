//! Data sets that were fetched or imported: one folder each, with checksums.
//!
//! The folder is `FLATLEAK_DATA`, else `flatleak/data` in the platform's cache directory. A data set appears there whole or not at
//! all: it is put together under a temporary name, opened, and renamed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::files::sorted;
use crate::reader::Options;
use crate::readers;

pub use crate::place::{CACHE_VAR, directory};

/// Name of the file with one `blake3  name` line per file.
const CHECKSUMS: &str = "checksums.txt";
/// Largest file that is unpacked.
const MAX_FILE: u64 = 1 << 32;

/// A data set that must be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Name to ask for.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Examples, shape and classes.
    pub size: &'static str,
    /// Licence of the data.
    pub licence: &'static str,
    /// Where its publisher keeps it; `None` where there is no address that needs no account or is known to last.
    pub url: Option<&'static str>,
    /// SHA-256 of that file, once checked against the real one; none has been.
    pub sha256: Option<&'static str>,
    /// How to get it by hand.
    pub by_hand: &'static str,
    /// Files that are kept; an npz of any name where empty.
    files: &'static [&'static str],
}

const REMOTES: [Remote; 5] = [
    Remote {
        name: "cifar-10",
        what: "CIFAR-10, binary version (Krizhevsky 2009)",
        size: "50,000 pool, 10,000 test; 32x32 colour; 10 classes",
        licence: "none stated by its authors",
        url: Some("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"),
        sha256: None,
        by_hand: "download cifar-10-binary.tar.gz from its authors' page",
        files: &[
            "data_batch_1.bin",
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin",
            "test_batch.bin",
        ],
    },
    Remote {
        name: "cifar-100",
        what: "CIFAR-100, binary version (Krizhevsky 2009); groups are the 20 superclasses",
        size: "50,000 pool, 10,000 test; 32x32 colour; 100 classes",
        licence: "none stated by its authors",
        url: Some("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"),
        sha256: None,
        by_hand: "download cifar-100-binary.tar.gz from its authors' page",
        files: &["train.bin", "test.bin"],
    },
    Remote {
        name: "purchase-100",
        what: "Purchase-100 (Shokri et al. 2017)",
        size: "197,324 rows; 600 binary columns; 100 classes",
        licence: "not stated",
        url: None,
        sha256: None,
        by_hand: "get the npz with arrays `features` and `labels`",
        files: &[],
    },
    Remote {
        name: "texas-100",
        what: "Texas-100 hospital discharges (Shokri et al. 2017)",
        size: "67,330 rows; 6,169 binary columns; 100 classes",
        licence: "not stated",
        url: None,
        sha256: None,
        by_hand: "get the npz with arrays `features` and `labels`",
        files: &[],
    },
    Remote {
        name: "eyepacs",
        what: "EyePACS diabetic retinopathy photographs, resized to 64x64 (+size=N for another)",
        size: "35,126 images; 5 levels",
        licence: "competition rules",
        url: None,
        sha256: None,
        by_hand: "log in at kaggle.com/c/diabetic-retinopathy-detection, accept its rules, unpack train.zip and trainLabels.csv into one folder",
        files: &[],
    },
];

/// All data sets that must be fetched before they can be opened.
pub fn remotes() -> &'static [Remote] {
    &REMOTES
}

impl Remote {
    /// The data set of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        REMOTES.iter().find(|r| r.name == name)
    }
}

/// Where a cached data set lies: its folder, or the single file in it. `None` when it is not there.
pub fn find(name: &str) -> Option<PathBuf> {
    if !legal(name) {
        return None;
    }
    let folder = directory()?.join(name);
    let files: Vec<PathBuf> = listed(&folder).ok()?;
    match &files[..] {
        [] => None,
        [one] => Some(one.clone()),
        _ => Some(folder),
    }
}

fn legal(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && name.len() <= 64 && name.chars().all(letters) && !name.starts_with('.')
}

/// Data files of a folder, sorted.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let data = |path: &PathBuf| path.is_file() && path.file_name().is_some_and(|n| n != CHECKSUMS);
    Ok(sorted(folder)?.into_iter().filter(data).collect())
}

/// Puts a data set into the cache from a file or folder on this machine: a folder with its files, a `.tar.gz` of it, or one file
/// that a reader knows. Returns where it lies now.
///
/// `sha256` is what the source file must hash to, in hexadecimal.
///
/// # Errors
/// A name that cannot be one, a source that lacks a file, a wrong checksum, content that no reader takes. Nothing is left in the
/// cache then.
pub fn import(name: &str, from: &Path, sha256: Option<&str>) -> Result<PathBuf, Error> {
    if !legal(name) {
        return Err(Error::Name { name: name.into() });
    }
    let cache = directory().ok_or(Error::NoCache { variable: CACHE_VAR })?;
    if let Some(expected) = sha256 {
        let found = sha256_of(from)?;
        if !found.eq_ignore_ascii_case(expected) {
            return Err(Error::Checksum { path: from.into(), expected: expected.to_lowercase(), found });
        }
    }
    let part = cache.join(format!(".{name}.part"));
    let made = assemble(name, from, &part).and_then(|()| {
        let target = cache.join(name);
        if target.exists() {
            fs::remove_dir_all(&target).map_err(failed(&target))?;
        }
        fs::rename(&part, &target).map_err(failed(&target))?;
        Ok(target)
    });
    if made.is_err() {
        // What could not be put together is worth nothing.
        let _ = fs::remove_dir_all(&part);
    }
    made
}

fn assemble(name: &str, from: &Path, part: &Path) -> Result<(), Error> {
    if part.exists() {
        fs::remove_dir_all(part).map_err(failed(part))?;
    }
    fs::create_dir_all(part).map_err(failed(part))?;
    let wanted = Remote::named(name).map_or(&[][..], |r| r.files);
    let text = from.to_string_lossy();
    if from.is_dir() {
        for file in listed(from)? {
            let Some(base) = file.file_name().and_then(|n| n.to_str()) else { continue };
            if wanted.is_empty() || wanted.contains(&base) {
                fs::copy(&file, part.join(base)).map_err(failed(&file))?;
            }
        }
    } else if text.ends_with(".tar.gz") || text.ends_with(".tgz") {
        unpack(from, part, wanted)?;
    } else {
        let base = from.file_name().ok_or_else(|| Error::NoDirectory { path: from.into() })?;
        fs::copy(from, part.join(base)).map_err(failed(from))?;
    }
    if let Some(missing) = wanted.iter().find(|w| !part.join(w).exists()) {
        return Err(Error::MissingFile { directory: from.into(), expected: (*missing).into() });
    }
    let files = listed(part)?;
    let whole = if let [one] = &files[..] { one.as_path() } else { part };
    readers::open(whole, 0, Options::default())?;
    let mut sums = String::new();
    for file in files {
        let base = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        sums += &format!("{}  {base}\n", blake3_of(&file)?);
    }
    let path = part.join(CHECKSUMS);
    fs::write(&path, sums).map_err(failed(&path))
}

/// Regular files of an archive, flattened to their names; only the wanted ones where any are named.
fn unpack(archive: &Path, to: &Path, wanted: &[&str]) -> Result<(), Error> {
    let file = File::open(archive).map_err(failed(archive))?;
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(file));
    for entry in tar.entries().map_err(failed(archive))? {
        let entry = entry.map_err(failed(archive))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path().map_err(failed(archive))?.into_owned();
        let Some(base) = path.file_name().and_then(|n| n.to_str()).filter(|b| legal(b)) else { continue };
        if !wanted.is_empty() && !wanted.contains(&base) {
            continue;
        }
        let target = to.join(base);
        let mut out = File::create(&target).map_err(failed(&target))?;
        let copied = io::copy(&mut entry.take(MAX_FILE + 1), &mut out).map_err(failed(archive))?;
        if copied > MAX_FILE {
            return Err(Error::FileTooLarge { path, limit: MAX_FILE });
        }
    }
    Ok(())
}

/// Checks every file of a cached data set against its checksum; the number of files.
///
/// # Errors
/// A data set that is not in the cache, or a file that is missing or changed.
pub fn verify(name: &str) -> Result<usize, Error> {
    let cache = directory().ok_or(Error::NoCache { variable: CACHE_VAR })?;
    let folder = cache.join(name);
    let path = folder.join(CHECKSUMS);
    let text = fs::read_to_string(&path).map_err(failed(&path))?;
    let sums: BTreeMap<&str, &str> = text.lines().filter_map(|l| l.split_once("  ")).map(|(s, n)| (n, s)).collect();
    for (base, expected) in &sums {
        let file = folder.join(base);
        let found = blake3_of(&file)?;
        if found != *expected {
            return Err(Error::Checksum { path: file, expected: (*expected).into(), found });
        }
    }
    Ok(sums.len())
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |cause| Error::Io { path, cause }
}

fn blake3_of(path: &Path) -> Result<String, Error> {
    let mut hasher = blake3::Hasher::new();
    chunks(path, |piece| {
        hasher.update(piece);
    })?;
    Ok(hasher.finalize().to_hex().to_string())
}

fn sha256_of(path: &Path) -> Result<String, Error> {
    let mut hasher = Sha256::new();
    chunks(path, |piece| hasher.update(piece))?;
    Ok(hasher.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

fn chunks(path: &Path, mut f: impl FnMut(&[u8])) -> Result<(), Error> {
    let mut file = File::open(path).map_err(failed(path))?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(failed(path))? {
            0 => return Ok(()),
            n => f(&buffer[..n]),
        }
    }
}
