//! Files and folders, read within limits. Every file that anyone gives is opened here.

use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::budget::{self, MOST_VALUES, OverBudget};
use crate::error::Error;

/// Something else than a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is {kind} and no regular file: {mend}")]
pub struct NotRegular {
    /// What it is.
    pub kind: &'static str,
    /// What to do.
    pub mend: &'static str,
}

/// Opens a regular file. What could block for ever, or never ends, is refused: a pipe, a device, a socket; and so is a folder.
///
/// # Errors
/// What the system says; [`NotRegular`] inside an error of kind [`ErrorKind::InvalidInput`].
pub fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    // A pipe that nobody writes to would not even open.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let file = options.open(path)?;
    // What was opened is asked, not the path, behind which something else may lie by now.
    let found = file.metadata()?;
    if found.is_file() { Ok(file) } else { Err(refused(&found)) }
}

fn refused(found: &Metadata) -> io::Error {
    let copy = "copy its content to a file, and give that";
    let (kind, mend) = match kind(found.file_type()) {
        "a folder" => ("a folder", "give a file in it"),
        kind => (kind, copy),
    };
    io::Error::new(ErrorKind::InvalidInput, NotRegular { kind, mend })
}

#[cfg(unix)]
fn kind(of: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    match of {
        _ if of.is_dir() => "a folder",
        _ if of.is_fifo() => "a pipe",
        _ if of.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn kind(of: FileType) -> &'static str {
    if of.is_dir() { "a folder" } else { "a device" }
}

/// The whole of a regular file that can be held.
///
/// # Errors
/// Those of [`open`]; [`OverBudget`] inside an error of kind [`ErrorKind::FileTooLarge`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    within(path, 1)
}

/// The whole of a regular file of text, such as JSON or TOML, of which what is made of it can be held.
///
/// # Errors
/// Those of [`read`]; bytes that are not UTF-8.
pub fn text(path: &Path) -> io::Result<String> {
    String::from_utf8(within(path, PARSED)?).map_err(|e| io::Error::new(ErrorKind::InvalidData, e.utf8_error()))
}

/// Memory that a parsed document takes for each byte of it: two bytes of JSON may be a value of 32, in a list of twice its length.
const PARSED: u64 = 32;

fn within(path: &Path, times: u64) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    let length = file.metadata()?.len();
    let over = |e: OverBudget| io::Error::new(ErrorKind::FileTooLarge, format_over(&e));
    budget::memory("its content", length.checked_mul(times)).map_err(over)?;
    let mut bytes = Vec::new();
    // The length of a file that grows meanwhile is not waited for.
    file.by_ref().take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// As a cause behind a colon.
fn format_over(e: &OverBudget) -> String {
    format!("it {e}")
}

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
    let file = open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len().min(most);
    budget::memory("its content", Some(length)).map_err(|e| Error::file(path, e))?;
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes).map_err(failed)?;
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
        let socket = dir.path().join("socket");
        let _kept = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, word) in [(&pipe, "a pipe"), (&dir.path().to_owned(), "a folder"), (&"/dev/zero".into(), "a device")]
        {
            let error = open(path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().starts_with(&format!("it is {word} and no regular file")), "{error}");
        }
        assert!(open(&socket).is_err());
        // A link is what it leads to.
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        assert!(open(&link).is_err());
    }

    #[test]
    fn a_file_beyond_memory_is_refused_by_its_length() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sparse");
        File::create(&path).unwrap().set_len(1 << 42).unwrap();
        for error in [read(&path).unwrap_err(), text(&path).unwrap_err()] {
            assert!(error.to_string().contains("bytes of memory for its content"), "{error}");
        }
        fs::write(&path, "text").unwrap();
        assert_eq!(text(&path).unwrap(), "text");
    }
}
