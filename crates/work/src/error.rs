//! What can go wrong between workers.

use crate::unlike::Unlike;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused.
    #[error(transparent)]
    Disk(#[from] flatleak_disk::Error),
    /// A file of the depot that cannot be read.
    #[error("cannot read {name}: {source}")]
    Unreadable {
        /// Which.
        name: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file of the depot that is not what it should be.
    #[error("{name} is damaged: {source}")]
    Damaged {
        /// Which.
        name: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Something that cannot be encoded.
    #[error("cannot encode {what}: {source}")]
    Encode {
        /// What.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// A run that is not this program's, data's or engine's.
    #[error("{0}")]
    Unlike(#[from] Unlike),
    /// A store in which a name is no lock.
    #[error(
        "{address} lets {won} of {writers} writers create one name: workers cannot share it; \
         use a store with conditional creation"
    )]
    Racy {
        /// The store.
        address: String,
        /// Writers that were told that they had created the name.
        won: usize,
        /// Writers at the same time.
        writers: usize,
    },
}
