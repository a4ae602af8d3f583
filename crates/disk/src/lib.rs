//! The one way in which this program publishes files: no other crate creates, renames or removes one.
//!
//! What appears under its final name is complete and on the disk, whenever the program is killed or the power fails. A file is
//! written under a temporary name that nobody else can have, synced, renamed, and its folder is synced ([`replace`]). A file that
//! several may write at once appears by a link, which only one of them can make ([`create`]). A folder is put together under a
//! temporary name and takes its place in one step ([`Stage`]). One process at a time works in a folder ([`lock`]).
//!
//! ```
//! use flatleak_disk::{Creation, create, replace};
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("below/results.json");
//! replace(&file, b"one")?;
//! replace(&file, b"two")?;
//! assert_eq!(std::fs::read(&file)?, b"two");
//! assert_eq!(create(&file, b"two")?, Creation::Same);
//! assert_eq!(create(&file, b"three")?, Creation::Other);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Links that stand where a file is to be written are replaced or refused, never followed.

// A warning of the compiler is the only word that reaches whoever builds for such a system.
#[cfg(not(unix))]
#[deprecated(
    note = "this system has no O_NOFOLLOW and no process groups: locks and logs that are links are followed, folders change places \
                     in two steps, and what a training command started is not ended with it"
)]
const LACKS: () = ();
#[cfg(not(unix))]
const _: () = LACKS;

mod error;
#[cfg(feature = "journal")]
pub mod journal;
mod lasting;
mod operation;
mod pause;
mod publish;
mod stage;
mod temporary;

pub use error::Error;
pub use lasting::{Lock, lock, log};
pub use pause::pause_point;
pub use publish::{Creation, create, make_folder, remove, replace, set_aside, unusable};
pub use stage::{Placed, Stage, aside};
pub use temporary::unfinished;
