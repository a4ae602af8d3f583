//! What can be wrong with a request or its data.

use std::error::Error as Problem;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::shape::Shape;

/// One of a data set's two splits, as errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The pool that members and non-members are drawn from.
    Pool,
    /// The held-out test set.
    Test,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pool => "pool",
            Self::Test => "test",
        })
    }
}

/// Why a data set could not be opened. Every message is complete in itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is neither a catalogue name nor an existing directory.
    #[error(
        "no data set {name:?}:{} known names: {known}; or give a path",
        nearest.as_ref().map(|near| format!(" did you mean {near:?}?")).unwrap_or_default()
    )]
    Unknown {
        /// The name asked for.
        name: String,
        /// The catalogue name with the smallest edit distance, unless that is most of the name.
        nearest: Option<String>,
        /// All catalogue names, separated by commas.
        known: String,
    },
    /// The request looks like a path, but nothing is there.
    #[error("no directory {}: check the path", path.display())]
    NoDirectory {
        /// The path asked for.
        path: PathBuf,
    },
    /// Fashion-MNIST is not on this machine.
    #[error(
        "fashion-mnist is not in {}: run `apt-get install dataset-fashion-mnist`, or set {variable} \
         to a directory with its four IDX files",
        directory.display()
    )]
    NotInstalled {
        /// Where it was looked for.
        directory: PathBuf,
        /// The environment variable that names another directory.
        variable: &'static str,
    },
    /// A file of the quartet is missing.
    #[error("no {expected} in {}: add the file, plain or gzipped", directory.display())]
    MissingFile {
        /// The directory searched.
        directory: PathBuf,
        /// The names that would have done.
        expected: String,
    },
    /// The file system refused.
    #[error("cannot read {}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A file is larger than any data set that fits the limits.
    #[error("{} is larger than the limit of {limit} bytes: use a smaller data set", path.display())]
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// The most bytes that are read.
        limit: u64,
    },
    /// A file whose content is not what it should be.
    #[error("{} {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, as the end of a sentence: the error of its format, such as
        /// [`ArrayError`](crate::ArrayError), [`TableError`](crate::TableError) or [`idx::Problem`](crate::idx::Problem).
        #[source]
        problem: Box<dyn Problem + Send + Sync>,
    },
    /// Something that no reader knows.
    #[error("{} is no data set that is known here: give {}", path.display(), known.join("; "))]
    NoReader {
        /// The path.
        path: PathBuf,
        /// What is known.
        known: Vec<&'static str>,
    },
    /// Resizing of what are no pictures.
    #[error("{} holds no picture files, which alone `+size=N` resizes: leave it out", path.display())]
    NoPictures {
        /// The path.
        path: PathBuf,
    },
    /// A name that is taken.
    #[error("{name} is the name of {what}: {mend}")]
    Taken {
        /// The name.
        name: String,
        /// What has it.
        what: String,
        /// What to do.
        mend: String,
    },
    /// A folder that is too deep or too full to be imported.
    #[error("{} {problem}: import the folder of the data set alone", path.display())]
    NotASet {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A file that is not what it was.
    #[error("{}: checksum is {found}, but {expected} is expected: fetch it again", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// What it should hash to.
        expected: String,
        /// What it hashes to.
        found: String,
    },
    /// A file in a cached data set that did not come with it.
    #[error("{} did not come with the others of its data set: remove it, or fetch or import the set again", path.display())]
    Unlisted {
        /// The file.
        path: PathBuf,
    },
    /// The cache cannot be written.
    #[error(transparent)]
    Disk(#[from] flatleak_disk::Error),
    /// A name that cannot be a folder of the cache.
    #[error("{name:?} cannot be a data set's name: use 1 to 64 letters, digits, `-`, `_` or `.`")]
    Name {
        /// The name.
        name: String,
    },
    /// No place for a cache.
    #[error("no home directory: set {variable} to a directory for data")]
    NoCache {
        /// The environment variable.
        variable: &'static str,
    },
    /// A data set that must be fetched first.
    #[error(
        "{name} is not on this machine: run `flatleak data fetch {name}`; or {by_hand} and run `flatleak data fetch {name} --from PATH`"
    )]
    NotFetched {
        /// The data set.
        name: &'static str,
        /// How to get it by hand.
        by_hand: &'static str,
    },
    /// Images and labels do not belong together.
    #[error(
        "{} holds {images} images, but {} holds {labels} labels: use files of the same set",
        images_path.display(), labels_path.display()
    )]
    CountMismatch {
        /// The image file.
        images_path: PathBuf,
        /// Its number of images.
        images: usize,
        /// The label file.
        labels_path: PathBuf,
        /// Its number of labels.
        labels: usize,
    },
    /// Pool and test images differ in shape.
    #[error("{name}: pool images are {pool}, but test images {test}: use files of the same set")]
    ShapeMismatch {
        /// The data set.
        name: String,
        /// Shape of the pool images.
        pool: Shape,
        /// Shape of the test images.
        test: Shape,
    },
    /// More examples were asked for than there are.
    #[error("{name} has {available} {part} examples, but {wanted} were asked for: set {part} to at most {available}")]
    TooFew {
        /// The data set.
        name: String,
        /// The split.
        part: Part,
        /// The number asked for.
        wanted: usize,
        /// The number there is.
        available: usize,
    },
    /// A split would be empty.
    #[error("{name}: the {part} split is empty: at least one example is needed")]
    Empty {
        /// The data set.
        name: String,
        /// The split.
        part: Part,
    },
    /// A label is not below the number of classes.
    #[error(
        "{name}: {part} example {index} has label {label}, but labels go from 0 to {}: correct the labels",
        classes.saturating_sub(1)
    )]
    Label {
        /// The data set.
        name: String,
        /// The split.
        part: Part,
        /// Position within the split.
        index: usize,
        /// Its label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },
    /// A value of a table that is no number.
    #[error("{name}: {part} example {index}, column {column} is not a finite number: correct or drop the row")]
    NotFinite {
        /// The data set.
        name: String,
        /// The split.
        part: Part,
        /// Position within the split.
        index: usize,
        /// Position within the row.
        column: usize,
    },
    /// A `+key=value` behind a data set's name.
    #[error("{name}: {problem}")]
    Change {
        /// The data set as asked for.
        name: String,
        /// What is wrong.
        #[source]
        problem: SettingError,
    },
    /// Fewer than two classes: there is nothing to classify.
    #[error("{name}: the pool holds a single class: at least 2 are needed")]
    OneClass {
        /// The data set.
        name: String,
    },
    /// The vectors of a split do not fit each other or the shape.
    #[error(
        "{name}: {part} split has {values} pixels, {labels} labels and {ids} ids, \
         but {features} pixels an example: make them agree"
    )]
    Inconsistent {
        /// The data set.
        name: String,
        /// The split.
        part: Part,
        /// Number of pixels, all examples together.
        values: usize,
        /// Number of labels.
        labels: usize,
        /// Number of ids.
        ids: usize,
        /// Pixels of one example by the shape.
        features: usize,
    },
}

impl Error {
    /// The same with a path below `part` called by where it came from, `from`.
    pub(crate) fn at(self, part: &Path, from: &Path) -> Self {
        let called = |path: PathBuf| match path.strip_prefix(part) {
            Ok(inside) if from.is_dir() && inside != Path::new("") => from.join(inside),
            Ok(_) => from.to_owned(),
            Err(_) => path,
        };
        match self {
            Self::File { path, problem } => Self::File { path: called(path), problem },
            Self::NoReader { path, known } => Self::NoReader { path: called(path), known },
            Self::Io { path, cause } => Self::Io { path: called(path), cause },
            Self::FileTooLarge { path, limit } => Self::FileTooLarge { path: called(path), limit },
            Self::MissingFile { directory, expected } => Self::MissingFile { directory: called(directory), expected },
            other => other,
        }
    }

    /// What is wrong with a file, in its format's own words.
    pub(crate) fn file(path: &Path, problem: impl Problem + Send + Sync + 'static) -> Self {
        Self::File { path: path.into(), problem: Box::new(problem) }
    }
}

/// What can be wrong with a setting behind a data set's name.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SettingError {
    /// No part of the program knows the key.
    #[error("no setting `{key}`; there are: {}", known.join(", "))]
    Unknown {
        /// The key.
        key: String,
        /// All keys.
        known: &'static [&'static str],
    },
    /// A value that is no number.
    #[error("{key} = `{value}` is not a number")]
    NoNumber {
        /// The key.
        key: String,
        /// Its value.
        value: String,
    },
    /// A key that is there twice.
    #[error("{key} is set twice")]
    Twice {
        /// The key.
        key: String,
    },
    /// A value out of range.
    #[error("{key} = {value}, but {low} to {high} are possible")]
    Range {
        /// The key.
        key: String,
        /// Its value.
        value: f64,
        /// Least possible value.
        low: f64,
        /// Largest possible value.
        high: f64,
    },
    /// A value that must be whole.
    #[error("{key} = {value} must be a whole number")]
    NotWhole {
        /// The key.
        key: String,
        /// Its value.
        value: f64,
    },
    /// A key that means nothing for this data set.
    #[error("this data set has no setting `{key}`")]
    Unused {
        /// The key.
        key: String,
    },
}
