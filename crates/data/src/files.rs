//! Files and folders, read within limits.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Most values in one file of bytes: 1 GiB of pixels, which become 4 GiB of f32.
pub(crate) const MOST_VALUES: u64 = 1 << 30;

/// The whole file, if no larger than the largest file of bytes allowed.
pub(crate) fn slurp(path: &Path) -> Result<Vec<u8>, Error> {
    // Gzip makes incompressible data a little larger; headers are small.
    let limit = MOST_VALUES + (1 << 20);
    let bytes = head(path, limit + 1)?;
    if bytes.len() as u64 > limit {
        return Err(Error::FileTooLarge { path: path.into(), limit });
    }
    Ok(bytes)
}

/// The first `most` bytes of a file, or all of a shorter one.
pub(crate) fn head(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let failed = |cause| Error::Io { path: path.into(), cause };
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(most).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Entries of a folder, sorted by name.
pub(crate) fn sorted(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |cause| Error::Io { path: folder.into(), cause };
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        all.push(entry.map_err(failed)?.path());
    }
    all.sort();
    Ok(all)
}
