//! What can go wrong with a run directory.

use std::path::{Path, PathBuf};

use crate::problem::ImportError;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The directory belongs to another study.
    #[error("{} holds another study ({difference}); choose another --out", path.display())]
    OtherStudy {
        /// The directory.
        path: PathBuf,
        /// What differs.
        difference: Difference,
    },
    /// Another process works in the directory.
    #[error("another flatleak works in {}; wait for it or choose another --out", .0.display())]
    Busy(PathBuf),
    /// A folder without a study.
    #[error("{} is no run directory: it has no study.toml", .0.display())]
    NoRun(PathBuf),
    /// Data that cannot be read.
    #[error(transparent)]
    Data(#[from] flatleak_data::Error),
    /// A command of an earlier run.
    #[error("a process that an earlier run started still writes to {}: end it, and the same command continues", .0.display())]
    Occupied(PathBuf),
    /// An artefact that was complete a moment ago cannot be read back.
    #[error("{} is missing or damaged; run `flatleak compare` again to train it anew", .0.display())]
    Missing(PathBuf),
    /// Another attempt at the same model gave other bits.
    #[error(
        "{}: bits differ: it is whole, of the same data, recipe, seed and engine, and not what was computed here; \
         a machine or a program errs, and neither result may be used",
        .0.display()
    )]
    BitsDiffer(PathBuf),
    /// Data that were laid down with the run and are not what they should be.
    #[error("{name} is damaged or of other data")]
    Staged {
        /// Its name in the run.
        name: String,
    },
    /// A study whose logits were not kept.
    #[error("{} holds no logits: studies of 2 GiB of them or more do not keep them; run a smaller one", .0.display())]
    NoLogits(PathBuf),
    /// A foreign file that is no pool.
    #[error("{} {problem}", path.display())]
    Import {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        problem: ImportError,
    },
    /// Arrays that do not fit the study.
    #[error(transparent)]
    Pool(#[from] flatleak_pool::Error),
    /// The study file in the directory.
    #[error(transparent)]
    Study(#[from] flatleak_study::Error),
    /// Weights that do not fit the network.
    #[error(transparent)]
    Engine(#[from] flatleak_nn::Error),
    /// Something that could not be encoded.
    #[error("cannot encode {what}: {source}")]
    Encode {
        /// What.
        what: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What keeps a study from continuing a folder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// No study is in it.
    #[error("it has files but no study.toml")]
    NoStudy,
    /// Another seed.
    #[error("seed {there} there, {here} here")]
    Seed {
        /// Of the folder.
        there: u64,
        /// Of the study.
        here: u64,
    },
    /// Other examples.
    #[error("data {} there, {} here, or other examples of it", there.join(", "), here.join(", "))]
    Data {
        /// Data sets of the folder.
        there: Vec<String>,
        /// Those of the study.
        here: Vec<String>,
    },
    /// Another network.
    #[error("network {there} there, {here} here")]
    Network {
        /// Of the folder.
        there: String,
        /// Of the study.
        here: String,
    },
    /// Another recipe under the same name.
    #[error("recipe `{recipe}` has other settings there")]
    Recipe {
        /// Its name.
        recipe: String,
    },
}

impl From<flatleak_disk::Error> for Error {
    fn from(flatleak_disk::Error { action, path, source }: flatleak_disk::Error) -> Self {
        Self::Io { action, path, source }
    }
}

impl Error {
    /// What is wrong with a foreign file.
    pub(crate) fn import(path: &Path, problem: impl Into<ImportError>) -> Self {
        Self::Import { path: path.to_owned(), problem: problem.into() }
    }

    pub(crate) fn encode(what: &'static str) -> impl Fn(Box<dyn std::error::Error + Send + Sync>) -> Self {
        move |source| Self::Encode { what, source }
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
