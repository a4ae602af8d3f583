//! Files that stay open while a program works: its lock, and the log of what it starts.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

use crate::error::Error;

/// Held until it is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes the lock that this file stands for; `None` while another process has it. The file is made where it is not there; what it holds
/// stays. On a file system that knows no locks, as some of clusters do, everybody has it: files appear whole there too.
///
/// # Errors
/// When the file system fails; something under the name that is no regular file, such as a link or a pipe.
pub fn lock(path: &Path) -> Result<Option<Lock>, Error> {
    let file = open(path, OpenOptions::new().write(true)).map_err(Error::of("cannot open", path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock { _file: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) if knows_no_locks(&source) => Ok(Some(Lock { _file: file })),
        Err(TryLockError::Error(source)) => Err(Error::of("cannot lock", path)(source)),
    }
}

/// Whether a file system refuses every lock: Lustre says ENOSYS unless it is mounted with `flock`.
fn knows_no_locks(e: &io::Error) -> bool {
    #[cfg(unix)]
    if e.raw_os_error() == Some(rustix::io::Errno::NOSYS.raw_os_error()) {
        return true;
    }
    e.kind() == io::ErrorKind::Unsupported
}

/// A file to whose end programs add, and which can be read. It is made where it is not there. What it holds is of no use to this program, so that
/// it is not synced.
///
/// # Errors
/// When the file system fails; something under the name that is no regular file.
pub fn log(path: &Path) -> Result<File, Error> {
    open(path, OpenOptions::new().append(true)).map_err(Error::of("cannot open", path))
}

fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.read(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().cast_signed());
    }
    let file = options.open(path)?;
    // Only what was opened can be trusted to be what it was.
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    Ok(file)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_lock_is_held_once_and_empties_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        fs::write(&path, "kept").unwrap();
        let held = lock(&path).unwrap().unwrap();
        assert!(lock(&path).unwrap().is_none());
        drop(held);
        assert!(lock(&path).unwrap().is_some());
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
    }

    #[test]
    fn a_file_system_without_locks_is_told_from_one_that_fails() {
        let of = |code| knows_no_locks(&io::Error::from_raw_os_error(code));
        assert!(of(rustix::io::Errno::NOSYS.raw_os_error()) && of(rustix::io::Errno::OPNOTSUPP.raw_os_error()));
        assert!(!of(rustix::io::Errno::IO.raw_os_error()) && !of(rustix::io::Errno::STALE.raw_os_error()));
    }

    #[test]
    fn links_and_pipes_are_no_locks() {
        let dir = tempfile::tempdir().unwrap();
        let (victim, path) = (dir.path().join("victim"), dir.path().join("lock"));
        fs::write(&victim, "kept").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        assert!(lock(&path).unwrap_err().to_string().starts_with("cannot open "));
        fs::remove_file(&path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        for error in [lock(&path).unwrap_err(), log(&path).unwrap_err()] {
            assert!(error.to_string().ends_with("it is no regular file"), "{error}");
        }
        assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");
    }
}
