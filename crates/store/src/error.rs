//! What can go wrong with a run directory.

use std::path::{Path, PathBuf};

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
        difference: String,
    },
    /// Another process works in the directory.
    #[error("another flatleak works in {}; wait for it or choose another --out", .0.display())]
    Busy(PathBuf),
    /// An artefact that was complete a moment ago cannot be read back.
    #[error("{} is missing or damaged; run `flatleak compare` again to train it anew", .0.display())]
    Missing(PathBuf),
    /// A study whose logits were not kept.
    #[error("{} holds no logits: studies of 2 GiB of them or more do not keep them; run a smaller one", .0.display())]
    NoLogits(PathBuf),
    /// A foreign file that is no pool.
    #[error("{} {reason}", path.display())]
    Import {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, as a fragment.
        reason: String,
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
    /// A command that did not train its model.
    #[error("the trainer of recipe `{recipe}`, model {model}, {reason}; what it said is in {}", log.display())]
    Trainer {
        /// The recipe.
        recipe: String,
        /// Index of the model.
        model: usize,
        /// What happened, as a fragment.
        reason: String,
        /// Its output.
        log: PathBuf,
    },
    /// Something that could not be encoded.
    #[error("cannot encode {what}: {reason}")]
    Encode {
        /// What.
        what: &'static str,
        /// Why.
        reason: String,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
