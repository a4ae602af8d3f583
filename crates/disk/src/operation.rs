//! Single steps on the disk, each of them noted in the journal where one is kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

#[cfg(feature = "journal")]
use crate::journal::{Operation, noted};

/// Does a step and notes it.
macro_rules! step {
    ($operation:ident { $($field:ident: $value:expr),* }, $act:expr) => {{
        #[cfg(feature = "journal")]
        let done = noted(|| $act, || Operation::$operation { $($field: $value.into()),* });
        #[cfg(not(feature = "journal"))]
        let done = {
            let _ = ($(&$value),*);
            $act
        };
        done
    }};
}

/// One new folder in a folder that is there.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    step!(MakeFolder { path: path }, fs::create_dir(path))
}

/// A new file, and nothing that was there before: no link is followed, no file emptied.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    step!(Create { path: path }, OpenOptions::new().write(true).create_new(true).open(path))
}

pub(crate) fn write(file: &mut File, path: &Path, bytes: &[u8]) -> io::Result<()> {
    step!(Write { path: path, bytes: bytes }, file.write_all(bytes))
}

pub(crate) fn sync(file: &File, path: &Path) -> io::Result<()> {
    step!(Sync { path: path }, file.sync_all())
}

/// A second name for a file; fails where the name is taken.
pub(crate) fn link(from: &Path, to: &Path) -> io::Result<()> {
    step!(Link { from: from, to: to }, fs::hard_link(from, to))
}

/// Another name, in place of what has it.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    step!(Rename { from: from, to: to }, fs::rename(from, to))
}

/// Another name for a folder; fails where the name is taken by anything but an empty folder.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    step!(Rename { from: from, to: to }, without_replacing(from, to))
}

/// Two names change places in one step.
pub(crate) fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    step!(Exchange { a: a, b: b }, exchanged(a, b))
}

pub(crate) fn remove(path: &Path) -> io::Result<()> {
    step!(Remove { path: path }, fs::remove_file(path))
}

pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    step!(RemoveFolder { path: path }, fs::remove_dir_all(path))
}

/// Puts the names in a folder on the disk.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    step!(SyncFolder { path: path }, synced(path))
}

/// Puts all that a folder holds, at any depth, on the disk.
pub(crate) fn sync_below(path: &Path) -> io::Result<()> {
    step!(SyncBelow { path: path }, synced_below(path))
}

#[cfg(unix)]
fn synced(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn synced(_: &Path) -> io::Result<()> {
    // Other systems have no handle of a folder that could be synced.
    Ok(())
}

#[cfg(target_os = "linux")]
fn synced_below(path: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(path)?)?)
}

#[cfg(not(target_os = "linux"))]
fn synced_below(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let inner = entry?.path();
        if inner.is_dir() { synced_below(&inner)? } else { File::open(&inner)?.sync_all()? }
    }
    synced(path)
}

#[cfg(target_os = "linux")]
fn without_replacing(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some network file systems know no flags; a folder replaces an empty one at most.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => fs::rename(from, to),
        done => Ok(done?),
    }
}

#[cfg(not(target_os = "linux"))]
fn without_replacing(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

#[cfg(target_os = "linux")]
fn exchanged(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
}

#[cfg(not(target_os = "linux"))]
fn exchanged(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
