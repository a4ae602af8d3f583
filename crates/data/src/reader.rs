//! What a reader of data sets is. The list of them is [`readers`](crate::readers).

use std::error::Error as Problem;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files::{head, slurp};
use crate::raw::Whole;

/// Bytes of a file that are looked at to tell what it is.
const HEAD: u64 = 512;

/// A format that data sets come in: all that is known of it stands in the file of its reader.
pub(crate) trait Reader: Sync {
    /// What it takes, for the message where nobody takes what is there: "a `.npz` archive of ...".
    fn takes(&self) -> &'static str;

    /// Whether the input is of this format, by its content, or by its name where the content cannot tell. A damaged file of the format
    /// is one of it: [`Reader::read`] says what is wrong.
    ///
    /// # Errors
    /// A folder that cannot be looked at.
    fn detect(&self, input: &Input) -> Result<bool, Error>;

    /// Whether it reads pictures, which `+size=N` resizes.
    fn resizes(&self) -> bool {
        false
    }

    /// The data set.
    ///
    /// # Errors
    /// The file, and what is wrong with it in a type of the reader's own: see [`Error::file`].
    fn read(&self, input: &Input, options: Options) -> Result<Found, Error>;
}

/// What behind a data set's name is the business of readers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// Pictures are resized to `side` x `side` where it is set.
    pub(crate) side: Option<usize>,
}

/// What a reader finds.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one is made by a reading, and taken apart at once")]
pub(crate) enum Found {
    /// Pool and test set.
    Both([Whole; 2]),
    /// A source without a test set of its own.
    One(Whole),
}

/// What lies at a path: a folder, or a file of which the first bytes are known.
#[derive(Debug)]
pub(crate) struct Input {
    path: PathBuf,
    folder: bool,
    ending: String,
    head: Vec<u8>,
}

impl Input {
    /// Looks at a path.
    pub(crate) fn look(path: &Path) -> Result<Self, Error> {
        let folder = path.is_dir();
        Ok(Self {
            path: path.into(),
            folder,
            ending: path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default(),
            head: if folder { Vec::new() } else { head(path, HEAD)? },
        })
    }

    /// The path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is a folder.
    pub(crate) fn is_folder(&self) -> bool {
        self.folder
    }

    /// Whether it is a folder in which there is something of this name.
    pub(crate) fn holds(&self, name: &str) -> bool {
        self.folder && self.path.join(name).exists()
    }

    /// Whether it is a file whose name ends with a dot and one of these, whatever their case.
    pub(crate) fn ends(&self, endings: &[&str]) -> bool {
        !self.folder && endings.contains(&self.ending.as_str())
    }

    /// The first bytes of a file; none of a folder.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// The whole file.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, Error> {
        slurp(&self.path)
    }

    /// What is wrong with the input.
    pub(crate) fn wrong(&self, problem: impl Problem + Send + Sync + 'static) -> Error {
        Error::file(&self.path, problem)
    }
}
