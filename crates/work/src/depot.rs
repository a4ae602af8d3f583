//! Where a run is kept.

use std::fmt::Debug;
use std::time::SystemTime;

use flatleak_disk::Creation;

use crate::error::Error;

/// A folder or an object store, in which names are paths with `/`. What a name holds appears whole or not at all.
pub trait Depot: Debug + Send + Sync {
    /// How people call it.
    fn address(&self) -> String;

    /// Puts bytes under a name unless it is taken. Of many that do so at the same time exactly one creates it.
    ///
    /// # Errors
    /// A store that fails.
    fn create(&self, name: &str, bytes: &[u8]) -> Result<Creation, Error>;

    /// Puts bytes under a name, in place of what it holds.
    ///
    /// # Errors
    /// A store that fails.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), Error>;

    /// What a name holds; `None` where nothing has it.
    ///
    /// # Errors
    /// A store that fails.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error>;

    /// When a name was last written, by the clock of the store; `None` where nothing has it.
    ///
    /// # Errors
    /// A store that fails.
    fn modified(&self, name: &str) -> Result<Option<SystemTime>, Error>;

    /// Names directly below a folder, without the folder, in any order; none where there is no such folder.
    ///
    /// # Errors
    /// A store that fails.
    fn list(&self, folder: &str) -> Result<Vec<String>, Error>;

    /// Removes a name. What is not there is as good as removed.
    ///
    /// # Errors
    /// A store that fails.
    fn remove(&self, name: &str) -> Result<(), Error>;
}
