//! What was done to the disk, step by step, and what is left of it when the power fails after any of the steps.
//!
//! Steps are noted as they are done, of one folder and of all threads. [`Wreck::after`] is the folder as a file system may show it
//! after the power failed: bytes that were not synced are gone, and names that were not synced are there or not.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One step.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Operation {
    MakeFolder { path: PathBuf },
    Create { path: PathBuf },
    Write { path: PathBuf, bytes: Vec<u8> },
    Sync { path: PathBuf },
    Link { from: PathBuf, to: PathBuf },
    Rename { from: PathBuf, to: PathBuf },
    Exchange { a: PathBuf, b: PathBuf },
    Remove { path: PathBuf },
    RemoveFolder { path: PathBuf },
    SyncFolder { path: PathBuf },
    SyncBelow { path: PathBuf },
}

impl Operation {
    /// What it makes, changes or removes; of two names the later one.
    pub fn path(&self) -> &Path {
        match self {
            Self::MakeFolder { path }
            | Self::Create { path }
            | Self::Write { path, .. }
            | Self::Sync { path }
            | Self::Remove { path }
            | Self::RemoveFolder { path }
            | Self::SyncFolder { path }
            | Self::SyncBelow { path }
            | Self::Link { to: path, .. }
            | Self::Rename { to: path, .. }
            | Self::Exchange { b: path, .. } => path,
        }
    }
}

/// The folder that is watched, and its steps.
static JOURNAL: Mutex<Option<(PathBuf, Vec<Operation>)>> = Mutex::new(None);
/// One at a time is recorded.
static TURN: Mutex<()> = Mutex::new(());

fn journal() -> MutexGuard<'static, Option<(PathBuf, Vec<Operation>)>> {
    JOURNAL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `act` does below a folder.
pub fn record<T>(folder: &Path, act: impl FnOnce() -> T) -> (T, Vec<Operation>) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    *journal() = Some((folder.to_owned(), Vec::new()));
    let done = act();
    let (_, steps) = journal().take().unwrap_or_default();
    (done, steps)
}

/// Does a step and notes it, in one turn, so that the journal has the order of the disk.
pub(crate) fn noted<T>(act: impl FnOnce() -> io::Result<T>, of: impl FnOnce() -> Operation) -> io::Result<T> {
    let mut journal = journal();
    let done = act()?;
    if let Some((folder, steps)) = journal.as_mut() {
        let operation = of();
        if operation.path().starts_with(folder) {
            steps.push(operation);
        }
    }
    Ok(done)
}

/// What a file system keeps of names that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// All of them, though the bytes behind them may be gone.
    Kept,
    /// None of them.
    Lost,
}

/// A file or folder, as programs see it and as it is on the disk.
#[derive(Clone, Debug)]
enum Node {
    File { seen: Vec<u8>, kept: Vec<u8> },
    Folder { seen: BTreeMap<OsString, usize>, kept: BTreeMap<OsString, usize> },
}

/// A folder after the power failed.
#[derive(Clone, Debug)]
pub struct Wreck {
    root: PathBuf,
    nodes: Vec<Node>,
}

impl Wreck {
    /// What some steps leave of `root`, which began as `before` says: paths from it, and bytes.
    pub fn after(root: &Path, before: &[(PathBuf, Vec<u8>)], steps: &[Operation]) -> Self {
        let empty = Node::Folder { seen: BTreeMap::new(), kept: BTreeMap::new() };
        let mut wreck = Self { root: root.to_owned(), nodes: vec![empty] };
        for (inside, bytes) in before {
            wreck.put(&root.join(inside), Node::File { seen: bytes.clone(), kept: bytes.clone() });
        }
        wreck.sync_below(0);
        steps.iter().for_each(|step| wreck.step(step));
        wreck
    }

    /// Writes it to an empty folder.
    ///
    /// # Errors
    /// When the file system fails.
    pub fn lay_out(&self, names: Names, to: &Path) -> io::Result<()> {
        self.lay(0, names, to)
    }

    fn lay(&self, node: usize, names: Names, to: &Path) -> io::Result<()> {
        match &self.nodes[node] {
            Node::File { kept, .. } => fs::write(to, kept),
            Node::Folder { seen, kept } => {
                fs::create_dir_all(to)?;
                let all = if names == Names::Kept { seen } else { kept };
                all.iter().try_for_each(|(name, inner)| self.lay(*inner, names, &to.join(name)))
            }
        }
    }

    fn step(&mut self, step: &Operation) {
        match step {
            Operation::MakeFolder { path } => {
                self.put(path, Node::Folder { seen: BTreeMap::new(), kept: BTreeMap::new() });
            }
            Operation::Create { path } => self.put(path, Node::File { seen: Vec::new(), kept: Vec::new() }),
            Operation::Write { path, bytes } => {
                if let Some(Node::File { seen, .. }) = self.node(path) {
                    seen.extend(bytes);
                }
            }
            Operation::Sync { path } => {
                if let Some(Node::File { seen, kept }) = self.node(path) {
                    kept.clone_from(seen);
                }
            }
            Operation::Link { from, to } => {
                let at = self.at(from);
                self.name(to, at);
            }
            Operation::Rename { from, to } => {
                let at = self.at(from);
                self.name(from, None);
                self.name(to, at);
            }
            Operation::Exchange { a, b } => {
                let (x, y) = (self.at(a), self.at(b));
                self.name(a, y);
                self.name(b, x);
            }
            Operation::Remove { path } | Operation::RemoveFolder { path } => self.name(path, None),
            Operation::SyncFolder { path } => {
                if let Some(Node::Folder { seen, kept }) = self.node(path) {
                    kept.clone_from(seen);
                }
            }
            Operation::SyncBelow { path } => {
                if let Some(at) = self.at(path) {
                    self.sync_below(at);
                }
            }
        }
    }

    fn sync_below(&mut self, at: usize) {
        let inner: Vec<usize> = match &mut self.nodes[at] {
            Node::File { seen, kept } => {
                kept.clone_from(seen);
                Vec::new()
            }
            Node::Folder { seen, kept } => {
                kept.clone_from(seen);
                seen.values().copied().collect()
            }
        };
        inner.into_iter().for_each(|node| self.sync_below(node));
    }

    /// Number of what a path names.
    fn at(&self, path: &Path) -> Option<usize> {
        let inside = path.strip_prefix(&self.root).ok()?;
        inside.components().try_fold(0, |node, part| match &self.nodes[node] {
            Node::Folder { seen, .. } => seen.get(part.as_os_str()).copied(),
            Node::File { .. } => None,
        })
    }

    fn node(&mut self, path: &Path) -> Option<&mut Node> {
        let at = self.at(path)?;
        self.nodes.get_mut(at)
    }

    /// Gives a name to a node, or takes it away.
    fn name(&mut self, path: &Path, to: Option<usize>) {
        let Some((above, name)) = path.parent().zip(path.file_name()) else { return };
        let Some(Node::Folder { seen, .. }) = self.node(above) else { return };
        match to {
            Some(node) => seen.insert(name.to_owned(), node),
            None => seen.remove(name),
        };
    }

    /// A new node under a name; folders above it are made where they are not there.
    fn put(&mut self, path: &Path, node: Node) {
        if path == self.root {
            return;
        }
        if let Some(above) = path.parent().filter(|above| self.at(above).is_none()) {
            self.put(above, Node::Folder { seen: BTreeMap::new(), kept: BTreeMap::new() });
        }
        self.nodes.push(node);
        self.name(path, Some(self.nodes.len() - 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Creation, Placed, Stage, create, replace};

    /// What a folder may hold after the power failed, after every step and in both ways, at `inside`.
    fn outcomes(root: &Path, before: &[(PathBuf, Vec<u8>)], steps: &[Operation], inside: &str) -> Vec<Option<Vec<u8>>> {
        let mut all = Vec::new();
        for cut in 0..=steps.len() {
            for names in [Names::Kept, Names::Lost] {
                let dir = tempfile::tempdir().unwrap();
                Wreck::after(root, before, &steps[..cut]).lay_out(names, dir.path()).unwrap();
                all.push(fs::read(dir.path().join(inside)).ok());
            }
        }
        all
    }

    #[test]
    fn a_file_is_old_or_new_after_every_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("below/file");
        let before = [(PathBuf::from("below/file"), b"old".to_vec())];
        fs::create_dir(dir.path().join("below")).unwrap();
        fs::write(&path, "old").unwrap();
        let (done, steps) = record(dir.path(), || replace(&path, b"new"));
        done.unwrap();
        let found = outcomes(dir.path(), &before, &steps, "below/file");
        assert!(found.iter().all(|f| f.as_deref() == Some(b"old") || f.as_deref() == Some(b"new")), "{found:?}");
        assert_eq!(found.last(), Some(&Some(b"new".to_vec())), "published is on the disk");
        // A file that is not synced before its name is would be empty.
        let unsynced: Vec<Operation> = steps.iter().filter(|s| !matches!(s, Operation::Sync { .. })).cloned().collect();
        assert!(outcomes(dir.path(), &before, &unsynced, "below/file").contains(&Some(Vec::new())));
    }

    #[test]
    fn a_created_file_is_absent_or_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/file");
        let (done, steps) = record(dir.path(), || create(&path, b"bytes"));
        assert_eq!(done.unwrap(), Creation::New);
        let found = outcomes(dir.path(), &[], &steps, "new/file");
        assert!(found.iter().flatten().all(|f| f == b"bytes"), "{found:?}");
        assert!(found.last().unwrap().is_some() && found[0].is_none());
    }

    #[test]
    fn a_folder_is_old_or_new_after_every_cut() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("set");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("a"), "old").unwrap();
        let before = [(PathBuf::from("set/a"), b"old".to_vec())];
        let (done, steps) = record(dir.path(), || {
            let stage = Stage::beside(&target)?;
            stage.write(Path::new("a"), &mut b"new".as_slice())?;
            stage.write(Path::new("b/c"), &mut b"more".as_slice())?;
            stage.publish(true)
        });
        assert_eq!(done.unwrap(), Placed::Replaced);
        let (a, c) = (outcomes(dir.path(), &before, &steps, "set/a"), outcomes(dir.path(), &before, &steps, "set/b/c"));
        for (a, c) in a.iter().zip(&c) {
            match a.as_deref() {
                Some(b"old") => assert_eq!(*c, None),
                Some(b"new") => assert_eq!(c.as_deref(), Some(b"more".as_slice())),
                other => panic!("neither old nor new: {other:?}"),
            }
        }
        assert_eq!(a.last(), Some(&Some(b"new".to_vec())));
    }
}
