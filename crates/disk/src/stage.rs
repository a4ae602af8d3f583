//! Folders that appear whole or not at all.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::operation;
use crate::publish::{make_folder, sync_folder_of};
use crate::temporary::{self, folder_of};

/// Bytes that are copied at once.
const CHUNK: usize = 1 << 18;
/// How names of stages end.
const ENDING: &str = "part";

/// A folder under a temporary name, which nobody else has, beside its place; removed unless it is published.
#[derive(Debug)]
pub struct Stage {
    path: PathBuf,
    target: PathBuf,
}

/// How a folder came to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// There was none.
    New,
    /// It took the place of another.
    Replaced,
    /// Another is there, and stays.
    Taken,
}

impl Stage {
    /// An empty stage for this place. Stages of programs that were killed more than a day ago are removed.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn beside(target: &Path) -> Result<Self, Error> {
        make_folder(folder_of(target))?;
        temporary::sweep(target, ENDING);
        let failed = || Error::of("cannot create", target);
        let path = temporary::beside(target, ENDING).map_err(failed())?;
        operation::make_folder(&path).map_err(failed())?;
        Ok(Self { path, target: target.to_owned() })
    }

    /// Where it is put together.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what `from` has to a new file of the stage; the number of bytes.
    ///
    /// # Errors
    /// When the file system fails, or the file is there already.
    pub fn write(&self, inside: &Path, from: &mut dyn Read) -> Result<u64, Error> {
        let path = self.path.join(inside);
        let failed = || Error::of("cannot write", &path);
        self.folder(inside.parent().unwrap_or(Path::new("")))?;
        let mut file = operation::create(&path).map_err(failed())?;
        let mut buffer = vec![0; CHUNK];
        let mut written = 0;
        loop {
            let n = match from.read(&mut buffer) {
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(Error::of("cannot read what becomes", &path)(source)),
            };
            if n == 0 {
                return Ok(written);
            }
            operation::write(&mut file, &path, &buffer[..n]).map_err(failed())?;
            written += n as u64;
        }
    }

    /// Makes a folder of the stage, and those above it.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn folder(&self, inside: &Path) -> Result<(), Error> {
        let mut path = self.path.clone();
        for part in inside.components() {
            path.push(part);
            if !path.is_dir() {
                operation::make_folder(&path).map_err(Error::of("cannot create", &path))?;
            }
        }
        Ok(())
    }

    /// Gives a file or folder of the stage another name in it.
    ///
    /// # Errors
    /// When the file system fails, or the name is taken by a folder that is not empty.
    pub fn rename(&self, from: &Path, to: &Path) -> Result<(), Error> {
        let to = self.path.join(to);
        operation::rename(&self.path.join(from), &to).map_err(Error::of("cannot rename to", &to))
    }

    /// Removes an empty folder of the stage.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn remove_folder(&self, inside: &Path) -> Result<(), Error> {
        let path = self.path.join(inside);
        operation::remove_folder(&path).map_err(Error::of("cannot remove", &path))
    }

    /// Syncs all of it and puts it in its place in one step; what was there is removed afterwards where `replaces` is set, and stays where not.
    ///
    /// Until the step the old folder is in its place, afterwards the new one. File systems that cannot exchange two names have a moment
    /// between in which the old one has the name that [`aside`] gives.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn publish(self, replaces: bool) -> Result<Placed, Error> {
        let failed = || Error::of("cannot rename to", &self.target);
        operation::sync_below(&self.path).map_err(Error::of("cannot sync", &self.path))?;
        match operation::rename_new(&self.path, &self.target) {
            Ok(()) => {
                sync_folder_of(&self.target)?;
                return Ok(Placed::New);
            }
            Err(e) if is_taken(&e) && !replaces => return Ok(Placed::Taken),
            Err(e) if is_taken(&e) => {}
            Err(source) => return Err(failed()(source)),
        }
        match operation::exchange(&self.path, &self.target) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => return self.publish(replaces),
            Err(_) => self.by_two_renames().map_err(failed())?,
        }
        sync_folder_of(&self.target)?;
        Ok(Placed::Replaced)
    }

    /// Takes the place of a folder where names cannot be exchanged.
    fn by_two_renames(&self) -> io::Result<()> {
        let old = aside(&self.target);
        if old.exists() {
            operation::remove_folder(&old)?;
        }
        operation::rename(&self.target, &old)?;
        operation::rename(&self.path, &self.target)?;
        operation::sync_folder(folder_of(&self.target))?;
        operation::remove_folder(&old)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // After an exchange this is the old folder. What cannot be removed is swept a day later.
        if self.path.exists() {
            let _ = operation::remove_folder(&self.path);
        }
    }
}

/// Where the old folder is while a new one takes its place, on file systems that cannot exchange two names.
pub fn aside(target: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".old");
    target.with_file_name(name)
}

fn is_taken(e: &io::Error) -> bool {
    // A folder does not take the place of a file either.
    matches!(e.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn staged(target: &Path, content: &str) -> Stage {
        let stage = Stage::beside(target).unwrap();
        let written = stage.write(Path::new("a/b.txt"), &mut content.as_bytes()).unwrap();
        assert_eq!(written, content.len() as u64);
        stage
    }

    fn entries(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn a_folder_takes_its_place_and_what_was_there_goes() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("set");
        assert_eq!(staged(&target, "one").publish(false).unwrap(), Placed::New);
        assert_eq!(staged(&target, "two").publish(false).unwrap(), Placed::Taken);
        assert_eq!(fs::read_to_string(target.join("a/b.txt")).unwrap(), "one");
        assert_eq!(staged(&target, "three").publish(true).unwrap(), Placed::Replaced);
        assert_eq!(fs::read_to_string(target.join("a/b.txt")).unwrap(), "three");
        drop(staged(&target, "four"));
        assert_eq!(entries(dir.path()), 1);
    }

    #[test]
    fn names_that_cannot_be_exchanged_take_two_steps() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("set");
        staged(&target, "one").publish(false).unwrap();
        staged(&target, "two").by_two_renames().unwrap();
        assert_eq!(fs::read_to_string(target.join("a/b.txt")).unwrap(), "two");
        assert_eq!(entries(dir.path()), 1);
    }

    #[test]
    fn of_many_one_wins_and_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("set");
        let outcomes: Vec<Placed> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8)
                .map(|k| {
                    let target = &target;
                    scope.spawn(move || staged(target, &k.to_string().repeat(1000)).publish(false).unwrap())
                })
                .collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(outcomes.iter().filter(|p| **p == Placed::New).count(), 1, "{outcomes:?}");
        assert_eq!((fs::read(target.join("a/b.txt")).unwrap().len(), entries(dir.path())), (1000, 1));
    }
}
