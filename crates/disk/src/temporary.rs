//! Names that nobody else has: `.<name>.<16 hexadecimal digits>.<ending>`, beside what they are to become.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::operation;

/// How names of files end.
pub(crate) const FILE: &str = "tmp";
/// Age from which something belongs to no program that still runs.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a folder stays swept.
const AGAIN: Duration = Duration::from_secs(60 * 60);
/// Characters of a name that are kept, so that long ones stay within what a file system takes.
const LONGEST: usize = 48;
const DIGITS: usize = 16;

/// A name for what is to become `path`.
pub(crate) fn beside(path: &Path, ending: &str) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let number = RandomState::new().hash_one(std::process::id());
    Ok(path.with_file_name(OsString::from(format!("{}{number:016x}.{ending}", begin(&name.to_string_lossy())))))
}

fn begin(name: &str) -> String {
    format!(".{}.", name.chars().take(LONGEST).collect::<String>())
}

/// The name that a file was to have which was never completed, because the program was killed; of a long name the beginning. `None` for
/// every other file.
pub fn unfinished(name: &str) -> Option<&str> {
    let (name, unique) = name.strip_prefix('.')?.strip_suffix(FILE)?.strip_suffix('.')?.rsplit_once('.')?;
    is_unique(unique).then_some(name)
}

fn is_unique(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The folder of a file: the working directory for a bare name.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Folders that this process swept, with the ending and the time.
static SWEPT: Mutex<BTreeMap<(PathBuf, &'static str), Instant>> = Mutex::new(BTreeMap::new());

/// Whether it is time to look through a folder: thousands of files may be written to it, one after the other.
fn is_due(folder: &Path, ending: &'static str) -> bool {
    let mut swept = SWEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let due = swept.get(&(folder.to_owned(), ending)).is_none_or(|last| last.elapsed() > AGAIN);
    if due {
        swept.retain(|_, last| last.elapsed() <= AGAIN);
        swept.insert((folder.to_owned(), ending), Instant::now());
    }
    due
}

/// Removes what programs that were killed more than a day ago left beside `path`. Nothing depends on it.
pub(crate) fn sweep(path: &Path, ending: &'static str) {
    let folder = folder_of(path);
    if !is_due(folder, ending) {
        return;
    }
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let unique = || name.strip_prefix('.')?.strip_suffix(ending)?.strip_suffix('.')?.rsplit_once('.');
        let age = || SystemTime::now().duration_since(entry.metadata().ok()?.modified().ok()?).ok();
        if unique().is_some_and(|(_, digits)| is_unique(digits)) && age().is_some_and(|age| age > ABANDONED) {
            let path = entry.path();
            let _ = if path.is_dir() { operation::remove_folder(&path) } else { operation::remove(&path) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Stage, replace};
    use std::fs::File;

    #[test]
    fn what_was_abandoned_is_swept() {
        let dir = tempfile::tempdir().unwrap();
        let long_ago = SystemTime::now() - 2 * ABANDONED;
        let old = |name: &str| {
            let path = dir.path().join(name);
            if name.ends_with("part") {
                fs::create_dir(&path).unwrap()
            } else {
                fs::write(&path, "half").unwrap()
            }
            File::open(&path).unwrap().set_modified(long_ago).unwrap();
            path
        };
        let ours = [".set.0123456789abcdef.part", ".file.0123456789abcdef.tmp", ".other.0123456789abcdef.tmp"].map(old);
        let others = [".set.notes.part", ".file.tmp", "file.0123456789abcdef.tmp", "file"].map(old);
        let young = dir.path().join(".file.fedcba9876543210.tmp");
        fs::write(&young, "a moment ago").unwrap();
        let stage = Stage::beside(&dir.path().join("set")).unwrap();
        replace(&dir.path().join("file"), b"new").unwrap();
        assert!(ours.iter().all(|path| !path.exists()) && stage.path().exists() && young.exists());
        assert!(others.iter().all(|path| path.exists()));
        // Once is enough for a while.
        let later = old(".file.0123456789abcdef.tmp");
        replace(&dir.path().join("file"), b"newer").unwrap();
        assert!(later.exists());
    }

    #[test]
    fn names_say_what_was_to_be() {
        let long = "n".repeat(300);
        let path = beside(Path::new(&long), FILE).unwrap();
        assert_eq!(unfinished(path.to_str().unwrap()), Some(&long[..LONGEST]));
        let path = beside(Path::new("below/results.json"), FILE).unwrap();
        assert!(path.starts_with("below"));
        assert_eq!(unfinished(path.file_name().unwrap().to_str().unwrap()), Some("results.json"));
        for other in ["results.json", ".results.json.tmp", ".results.json.0123.tmp", ".x.0123456789abcdef.part"] {
            assert_eq!(unfinished(other), None, "{other}");
        }
    }
}
