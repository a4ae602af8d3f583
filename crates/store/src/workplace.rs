//! Folders of commands that train models: what a failed attempt left is there for the next one.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flatleak_disk::{make_folder, remove, replace};

use crate::error::Error;
use crate::workshop::Workshop;

/// What a command says, in its folder.
pub const LOG_FILE: &str = "log.txt";

/// What the content of the folder depends on, while its model is not complete.
const IDENTITY_FILE: &str = "identity";

/// How long the processes of an earlier attempt are waited for: longer than it takes to kill them.
const PATIENCE: Duration = Duration::from_secs(15);

/// What an attempt starts without: results of an earlier one must never be taken for its own.
const ANEW: [&str; 3] = ["logits.npy", "test_logits.npy", "mask.npy"];

impl Workshop {
    /// The folder for a command that trains a model. What an earlier attempt at the same model left is kept, except its logits, so that a command
    /// can go on from its own checkpoints; what belongs to another model, by its data, seed, membership or command, is removed.
    ///
    /// # Errors
    /// When the file system fails, and when a process of an earlier attempt still runs.
    pub fn workplace(&self, recipe: usize, model: usize) -> Result<PathBuf, Error> {
        let (path, identity) = (self.file(recipe, model, "trainer"), self.identity(recipe, model));
        await_end(&path.join(LOG_FILE))?;
        if belongs(&path, &identity) {
            ANEW.into_iter().try_for_each(|name| remove(&path.join(name)))?;
            // A pipe in the log's place would be waited for.
            let log = path.join(LOG_FILE);
            if !is_file(&log) {
                remove(&log)?;
            }
            return Ok(path);
        }
        remove(&path)?;
        make_folder(&path)?;
        replace(&path.join(IDENTITY_FILE), identity.as_bytes())?;
        Ok(path)
    }

    /// Takes note that a command's model is complete: should the model ever be trained again, then from the start.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn close_workplace(&self, recipe: usize, model: usize) -> Result<(), Error> {
        Ok(remove(&self.file(recipe, model, "trainer").join(IDENTITY_FILE))?)
    }
}

/// Waits for the processes of an earlier attempt. Each has the log open, which is locked while one of them runs: a flatleak that was killed may have been
/// followed by the next before its commands were gone.
fn await_end(log: &Path) -> Result<(), Error> {
    if !is_file(log) {
        return Ok(());
    }
    let file = File::open(log).map_err(Error::io("cannot read", log))?;
    let end = Instant::now() + PATIENCE;
    // Where nothing can be locked, nothing is known.
    while let Err(TryLockError::WouldBlock) = file.try_lock() {
        if Instant::now() > end {
            return Err(Error::Occupied(log.to_owned()));
        }
        std::thread::sleep(PATIENCE / 100);
    }
    Ok(())
}

/// Whether a folder was made for what has this identity.
fn belongs(path: &Path, identity: &str) -> bool {
    let mark = path.join(IDENTITY_FILE);
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
        && fs::symlink_metadata(&mark).is_ok_and(|found| found.is_file() && found.len() == identity.len() as u64)
        && fs::read(&mark).is_ok_and(|found| found == identity.as_bytes())
}

fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}

#[cfg(test)]
mod tests {
    use flatleak_data::{Request, open};
    use flatleak_study::Study;

    use super::*;

    fn run(folder: &Path, command: &str) -> Workshop {
        let text =
            format!("models = 6\npool = 40\ntest = 10\n[[recipe]]\nname = 'a'\ntrainer = '{command} {{mask}} {{out}}'");
        let data = open(&Request { pool: Some(40), test: Some(10), ..Request::new("digits") }).unwrap();
        Workshop::open(folder, &Study::parse(&text).unwrap(), &data).unwrap()
    }

    #[test]
    fn checkpoints_stay_and_logits_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let dir = run(folder.path(), "x");
        let path = dir.workplace(0, 3).unwrap();
        fs::create_dir(path.join("checkpoints")).unwrap();
        fs::write(path.join("checkpoints/7.pt"), "weights").unwrap();
        fs::write(path.join("log.txt"), "said").unwrap();
        fs::write(path.join("logits.npy"), "old").unwrap();
        fs::create_dir(path.join("test_logits.npy")).unwrap();
        assert_eq!(dir.workplace(0, 3).unwrap(), path);
        assert_eq!(fs::read_to_string(path.join("checkpoints/7.pt")).unwrap(), "weights");
        assert_eq!(fs::read_to_string(path.join("log.txt")).unwrap(), "said");
        assert!(!path.join("logits.npy").exists() && !path.join("test_logits.npy").exists());

        dir.close_workplace(0, 3).unwrap();
        assert_eq!(fs::read_to_string(path.join("checkpoints/7.pt")).unwrap(), "weights");
        dir.workplace(0, 3).unwrap();
        assert!(!path.join("checkpoints").exists(), "a complete model starts anew");
    }

    #[test]
    fn the_next_attempt_waits_for_the_last_one() {
        let folder = tempfile::tempdir().unwrap();
        let dir = run(folder.path(), "x");
        let path = dir.workplace(0, 0).unwrap();
        let log = File::create(path.join(LOG_FILE)).unwrap();
        log.lock().unwrap();
        let last = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(500));
            fs::write(path.join("logits.npy"), "late").unwrap();
            drop(log);
        });
        let path = dir.workplace(0, 0).unwrap();
        last.join().unwrap();
        assert!(!path.join("logits.npy").exists());
    }

    /// Another command's folder, and one that was moved from another model.
    #[test]
    fn what_belongs_to_another_model_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let dir = run(folder.path(), "x");
        let (path, other) = (dir.workplace(0, 0).unwrap(), dir.workplace(0, 1).unwrap());
        fs::write(other.join("checkpoint"), "").unwrap();
        fs::remove_dir_all(&path).unwrap();
        fs::rename(&other, &path).unwrap();
        dir.workplace(0, 0).unwrap();
        assert!(!path.join("checkpoint").exists());

        fs::write(path.join("checkpoint"), "").unwrap();
        drop(dir);
        fs::remove_file(folder.path().join("study.toml")).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let dir = run(elsewhere.path(), "y");
        fs::create_dir_all(elsewhere.path().join("models/a")).unwrap();
        fs::rename(folder.path().join("models/a/0000"), elsewhere.path().join("models/a/0000")).unwrap();
        assert!(!dir.workplace(0, 0).unwrap().join("checkpoint").exists());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_removed_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let dir = run(folder.path(), "x");
        let path = dir.workplace(0, 0).unwrap();
        let kept = folder.path().join("kept");
        fs::write(&kept, "kept").unwrap();
        for name in ["logits.npy", "log.txt"] {
            std::os::unix::fs::symlink(&kept, path.join(name)).unwrap();
        }
        dir.workplace(0, 0).unwrap();
        assert!(fs::symlink_metadata(path.join("log.txt")).is_err());
        fs::remove_dir_all(&path).unwrap();
        std::os::unix::fs::symlink(folder.path(), &path).unwrap();
        assert!(fs::symlink_metadata(dir.workplace(0, 0).unwrap()).unwrap().is_dir());
        assert_eq!(fs::read_to_string(&kept).unwrap(), "kept");
    }
}
