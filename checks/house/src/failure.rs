//! Why the tool could not count at all, as opposed to what it counted.

use std::path::PathBuf;

/// Errors of the tool.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// An argument that means nothing.
    #[error("unknown argument {0:?}; usage: house [--figures] [ROOT]")]
    Argument(String),
    /// A file or folder that cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The table cannot be printed.
    #[error("cannot print: {0}")]
    Print(#[from] std::io::Error),
    /// Rust that is not Rust, or that this tool takes apart wrongly.
    #[error("cannot parse {path}{}: {error}", if *without_tests { " without its tests" } else { "" })]
    Rust {
        /// Of the file, from the root.
        path: String,
        /// Whether the whole file was parsed already.
        without_tests: bool,
        /// Where and why.
        error: syn::Error,
    },
    /// A manifest or `house.toml`.
    #[error("cannot parse {path}: {error}")]
    Toml {
        /// Of the file, from the root.
        path: String,
        /// Where and why.
        error: Box<toml::de::Error>,
    },
    /// `git ls-files` did not answer.
    #[error("git ls-files failed: {0}")]
    Git(String),
    /// A module without a file.
    #[error("{path}:{line}: no file for `mod {name}`")]
    NoModule {
        /// Of the file that declares it.
        path: String,
        /// Of the declaration.
        line: usize,
        /// The module.
        name: String,
    },
    /// A list that is no source file.
    #[error("checks/house.toml: kind {kind:?} has its list in {list}, which is no source file below crates/")]
    NoList {
        /// The kind.
        kind: String,
        /// As written.
        list: String,
    },
}
