//! A folder as depot, on a disk of this machine or of a network.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use flatleak_disk::{Creation, unfinished};

use crate::depot::Depot;
use crate::error::Error;

/// A run in a folder.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The run in this folder.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    fn unreadable(&self, name: &str, source: io::Error) -> Error {
        Error::Unreadable { name: self.path.join(name).display().to_string(), source }
    }
}

/// What is not there is nothing; every other failure is one.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

impl Depot for Folder {
    fn address(&self) -> String {
        self.path.display().to_string()
    }

    fn create(&self, name: &str, bytes: &[u8]) -> Result<Creation, Error> {
        Ok(flatleak_disk::create(&self.path.join(name), bytes)?)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        Ok(flatleak_disk::replace(&self.path.join(name), bytes)?)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path.join(name);
        // A link or a pipe under a name of this program's was put there by somebody else.
        match found(fs::symlink_metadata(&path)) {
            Ok(None) => Ok(None),
            Ok(Some(there)) if there.is_file() => found(fs::read(&path)).map_err(|e| self.unreadable(name, e)),
            Ok(Some(_)) => Err(self.unreadable(name, io::Error::other("it is no regular file"))),
            Err(e) => Err(self.unreadable(name, e)),
        }
    }

    fn modified(&self, name: &str) -> Result<Option<SystemTime>, Error> {
        found(fs::symlink_metadata(self.path.join(name)).and_then(|there| there.modified()))
            .map_err(|e| self.unreadable(name, e))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, Error> {
        let Some(entries) = found(fs::read_dir(self.path.join(folder))).map_err(|e| self.unreadable(folder, e))? else {
            return Ok(Vec::new());
        };
        let names = entries.map(|entry| entry.map(|e| e.file_name().to_string_lossy().into_owned()));
        let names = names.collect::<io::Result<Vec<_>>>().map_err(|e| self.unreadable(folder, e))?;
        Ok(names.into_iter().filter(|name| unfinished(name).is_none()).collect())
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        Ok(flatleak_disk::remove(&self.path.join(name))?)
    }
}
