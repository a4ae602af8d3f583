//! Files that appear whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::operation;
use crate::pause::pause_point;
use crate::temporary::{self, folder_of};

/// How a file came to be under its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It was not there before.
    New,
    /// The same bytes were there already.
    Same,
    /// Something else is there, and stays.
    Other,
}

/// A file under a temporary name; removed unless it was published.
struct Draft<'a> {
    target: &'a Path,
    path: PathBuf,
    published: bool,
}

/// Publishes a file, in place of what has its name. Folders on the way to it are made.
///
/// # Errors
/// When the file system fails; what had the name is as it was then.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut draft = Draft::write(path, bytes)?;
    operation::rename(&draft.path, path).map_err(Error::of("cannot rename to", path))?;
    draft.published = true;
    sync_folder_of(path)
}

/// Publishes a file unless its name is taken. Of many that do so at the same time exactly one creates it, on network file systems too.
///
/// # Errors
/// When the file system fails, or something that is no file has the name.
pub fn create(path: &Path, bytes: &[u8]) -> Result<Creation, Error> {
    if let Some(found) = compared(path, bytes)? {
        return Ok(found);
    }
    let draft = Draft::write(path, bytes)?;
    let named =
        operation::link(&draft.path, path).or_else(|e| if has_no_links(&e) { draft.take(path) } else { Err(e) });
    match named {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            return Ok(compared(path, bytes)?.unwrap_or(Creation::Other));
        }
        Err(source) => return Err(Error::of("cannot create", path)(source)),
    }
    // The temporary name goes before the folder is synced, so that no cut of power leaves both.
    drop(draft);
    sync_folder_of(path)?;
    Ok(Creation::New)
}

/// Whether a file system gives no file a second name, as those of memory cards do not.
fn has_no_links(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported)
}

/// Makes a folder and those above it, and puts their names on the disk.
///
/// # Errors
/// When the file system fails, or a file has the name of one of them.
pub fn make_folder(path: &Path) -> Result<(), Error> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let above = folder_of(path);
    make_folder(above)?;
    match operation::make_folder(path) {
        Ok(()) => sync_folder(above),
        // Somebody else made it in the meantime.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(source) => Err(Error::of("cannot create", path)(source)),
    }
}

/// Removes what is there: a file, a link without what it leads to, a folder with all that it holds. What is not there is as good as removed.
///
/// # Errors
/// When the file system fails.
pub fn remove(path: &Path) -> Result<(), Error> {
    let removed = match fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => operation::remove_folder(path),
        Ok(_) => operation::remove(path),
        Err(e) => Err(e),
    };
    match removed {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::of("cannot remove", path)(source)),
        _ => Ok(()),
    }
}

/// What [`set_aside`] makes of a name.
pub fn unusable(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".unusable");
    path.with_file_name(name)
}

/// Gives a file that is of no use to this program the name that [`unusable`] says, so that whoever wants to may look at it. What had that
/// name before is removed. What is not there, because another process was faster, is as good as set aside.
///
/// # Errors
/// When the file system fails.
pub fn set_aside(path: &Path) -> Result<PathBuf, Error> {
    let to = unusable(path);
    let moved = match operation::rename(path, &to) {
        // A file and a folder do not take each other's place.
        Err(e) if e.kind() != io::ErrorKind::NotFound && fs::symlink_metadata(&to).is_ok() => {
            remove(&to)?;
            operation::rename(path, &to)
        }
        done => done,
    };
    match moved {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::of("cannot rename", path)(source)),
        _ => {
            sync_folder_of(path)?;
            Ok(to)
        }
    }
}

pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    match operation::sync_folder(path) {
        // File systems that sync no folders keep names as they like.
        Err(e) if matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        done => done.map_err(Error::of("cannot sync", path)),
    }
}

pub(crate) fn sync_folder_of(path: &Path) -> Result<(), Error> {
    sync_folder(folder_of(path))
}

/// What is under a name already; `None` where nothing is.
fn compared(path: &Path, bytes: &[u8]) -> Result<Option<Creation>, Error> {
    let failed = || Error::of("cannot read", path);
    match fs::symlink_metadata(path) {
        Ok(there) if !there.is_file() => Err(failed()(io::Error::other("it is no regular file"))),
        Ok(there) if there.len() != bytes.len() as u64 => Ok(Some(Creation::Other)),
        Ok(_) => {
            let same = fs::read(path).map_err(failed())? == bytes;
            Ok(Some(if same { Creation::Same } else { Creation::Other }))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed()(source)),
    }
}

impl<'a> Draft<'a> {
    /// Writes and syncs a temporary file beside `target`.
    fn write(target: &'a Path, bytes: &[u8]) -> Result<Self, Error> {
        make_folder(folder_of(target))?;
        let failed = || Error::of("cannot write", target);
        temporary::sweep(target, temporary::FILE);
        let path = temporary::beside(target, temporary::FILE).map_err(failed())?;
        let mut file = operation::create(&path).map_err(failed())?;
        let draft = Self { target, path, published: false };
        let (head, tail) = bytes.split_at(bytes.len() / 2);
        operation::write(&mut file, &draft.path, head).map_err(failed())?;
        draft.pause("write");
        operation::write(&mut file, &draft.path, tail).map_err(failed())?;
        operation::sync(&file, &draft.path).map_err(failed())?;
        draft.pause("rename");
        Ok(draft)
    }

    /// Gives the file its name where nothing has it.
    fn take(&self, path: &Path) -> io::Result<()> {
        operation::rename_new(&self.path, path)
    }

    /// The point `<name of the file without its ending>-<moment>`.
    fn pause(&self, moment: &str) {
        let stem = self.target.file_stem().unwrap_or_default().to_string_lossy();
        pause_point(&format!("{stem}-{moment}"));
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.published {
            // Half a file is worth nothing; should removing fail too, nobody else has its name.
            let _ = operation::remove(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names in a folder.
    fn names(folder: &Path) -> Vec<String> {
        let mut all: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        all.sort();
        all
    }

    #[test]
    fn one_of_many_creates_and_no_temporary_name_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("one");
        let outcomes: Vec<Creation> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..16u8)
                .map(|k| {
                    let path = &path;
                    scope.spawn(move || create(path, &[k; 4096]).unwrap())
                })
                .collect();
            writers.into_iter().map(|w| w.join().unwrap()).collect()
        });
        assert_eq!(outcomes.iter().filter(|c| **c == Creation::New).count(), 1, "{outcomes:?}");
        let won = outcomes.iter().position(|c| *c == Creation::New).unwrap() as u8;
        assert_eq!(fs::read(&path).unwrap(), [won; 4096]);
        assert_eq!(names(dir.path()), ["one"]);
    }

    #[test]
    fn without_links_a_name_is_taken_once_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("one");
        let first = Draft::write(&path, b"first").unwrap();
        first.take(&path).unwrap();
        let second = Draft::write(&path, b"second").unwrap();
        assert_eq!(second.take(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        drop((first, second));
        assert_eq!((fs::read(&path).unwrap(), names(dir.path())), (b"first".to_vec(), vec!["one".to_owned()]));
    }

    #[test]
    fn many_replace_at_the_same_time_and_the_file_is_always_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.html");
        std::thread::scope(|scope| {
            for k in 0..8u8 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..20 {
                        replace(path, &[k; 10_000]).unwrap();
                        let read = fs::read(path).unwrap();
                        assert!(read.len() == 10_000 && read.iter().all(|b| *b == read[0]));
                    }
                });
            }
        });
        assert_eq!(names(dir.path()), ["report.html"]);
    }

    #[test]
    fn failures_leave_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("taken");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), "x").unwrap();
        let error = replace(&path, b"y").unwrap_err();
        assert!(error.to_string().starts_with("cannot rename to "), "{error}");
        let error = create(&path, b"y").unwrap_err().to_string();
        assert!(error.ends_with("it is no regular file"), "{error}");
        assert_eq!(names(dir.path()), ["taken"]);
        let error = replace(&path.join("inside/deeper/file"), b"y").unwrap_err();
        assert_eq!((error.action, error.path), ("cannot create", path.join("inside")));
    }

    #[test]
    fn what_is_set_aside_is_kept_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        for content in ["first", "second"] {
            replace(&path, content.as_bytes()).unwrap();
            let to = set_aside(&path).unwrap();
            assert_eq!(
                (fs::read_to_string(&to).unwrap().as_str(), names(dir.path())),
                (content, vec!["state.unusable".to_owned()])
            );
        }
        // Another process was faster.
        assert_eq!(set_aside(&path).unwrap(), unusable(&path));
        assert_eq!(names(dir.path()), ["state.unusable"]);
        fs::create_dir(&path).unwrap();
        assert!(set_aside(&path).unwrap().is_dir());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_replaced_and_never_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (victim, link) = (dir.path().join("victim"), dir.path().join("results.json"));
        fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        assert!(create(&link, b"new").is_err());
        replace(&link, b"new").unwrap();
        assert_eq!((fs::read(&victim).unwrap(), fs::read(&link).unwrap()), (b"precious".to_vec(), b"new".to_vec()));
        assert!(!fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
