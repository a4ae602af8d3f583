//! What can be wrong with an array.

use std::io;
use std::path::PathBuf;

use crate::budget::OverBudget;

/// What can be wrong with an array or the file that holds it, as the end of a sentence that begins with the file.
#[derive(Debug, thiserror::Error)]
pub enum ArrayError {
    /// The file system refused.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A file of another kind.
    #[error("is neither .npy nor .npz nor safetensors (pickles are never read): save it with numpy.save")]
    Unknown,
    /// A pickle, which may run what a stranger wrote.
    #[error(
        "is a pickle, and pickles are never read; where you trust it, two lines of Python convert it (of files of joblib with joblib.load(\"FILE\")):\n  import numpy, pickle\n  numpy.save(\"outputs.npy\", numpy.asarray(pickle.load(open(\"FILE\", \"rb\"))))"
    )]
    Pickle,
    /// A file of PyTorch, a pickle too.
    #[error(
        "is a file of torch.save, and pickles are never read; two lines of Python convert it:\n  import numpy, torch\n  numpy.save(\"outputs.npy\", torch.load(\"FILE\", map_location=\"cpu\").float().numpy())"
    )]
    Torch,
    /// The signature of a `.npy` file is not there.
    #[error("is no .npy file: its first bytes are not \\x93NUMPY")]
    NotNpy,
    /// The `zip` crate refused.
    #[error("is no .npz archive: {0}")]
    NotNpz(#[source] zip::result::ZipError),
    /// A header that is none.
    #[error("is no safetensors file: {0}")]
    NotTensors(#[source] serde_json::Error),
    /// A version of the `.npy` format that does not exist.
    #[error("has .npy version {0}; 1 to 3 are known")]
    Version(u8),
    /// A file that ends within its header.
    #[error("is cut short in its header")]
    HeaderCut,
    /// A header that cannot be one.
    #[error("has a header of {found} bytes; at most {most} are read")]
    HeaderLong {
        /// Its length.
        found: usize,
        /// Most bytes of one.
        most: usize,
    },
    /// A header of other bytes than text.
    #[error("has a header that is not text")]
    HeaderBytes,
    /// A header that lacks something.
    #[error("has no `{key}` in its header")]
    HeaderKey {
        /// What it lacks.
        key: &'static str,
    },
    /// Something that is no size of an axis.
    #[error("has `{found}` in its shape")]
    Axis {
        /// What stands there.
        found: String,
    },
    /// More axes than are read.
    #[error("has {found} axes; at most {most} are read")]
    Axes {
        /// Axes.
        found: usize,
        /// Most of them.
        most: usize,
    },
    /// Records instead of numbers.
    #[error("is a structured array: save plain numbers instead")]
    Structured,
    /// Elements that are no numbers.
    #[error(
        "holds values of type `{dtype}`: save numbers or booleans, never objects or pickles (lists of unequal length are filled up with -1)"
    )]
    Type {
        /// What they are, as the file has it.
        dtype: String,
    },
    /// More values than there can be.
    #[error("has the impossible shape {shape:?}")]
    Shape {
        /// The shape.
        shape: Vec<usize>,
    },
    /// Too many or too few bytes.
    #[error("has {found} bytes of values, but its shape {shape:?} needs {needed}")]
    Bytes {
        /// Bytes that are there.
        found: usize,
        /// The shape.
        shape: Vec<usize>,
        /// Bytes that it needs.
        needed: usize,
    },
    /// A file that ends before its shape is filled.
    #[error("is cut short: its shape {shape:?} needs more values")]
    CutShort {
        /// The shape.
        shape: Vec<usize>,
    },
    /// A file that goes on behind its last value.
    #[error("holds more values than its shape {shape:?} says")]
    Trailing {
        /// The shape.
        shape: Vec<usize>,
    },
    /// More values were asked for than are left.
    #[error("has {left} values left, not {wanted}")]
    Left {
        /// Values that are left.
        left: usize,
        /// Values asked for.
        wanted: usize,
    },
    /// More memory or disk than is allowed.
    #[error(transparent)]
    Budget(#[from] OverBudget),
    /// An empty axis beside one that is longer than any.
    #[error("has the shape {shape:?}, an empty axis beside one of more than {most}: save an array without empty axes")]
    Hollow {
        /// The shape.
        shape: Vec<usize>,
        /// Most places on another axis.
        most: usize,
    },
    /// No room to bring an array into C order.
    #[error("is in Fortran order and cannot be turned in {}: {cause} (TMPDIR names another place)", place.display())]
    NoRoom {
        /// The folder of temporary files.
        place: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A member of an archive that cannot be unpacked.
    #[error("has a damaged `{name}`: {cause}")]
    Member {
        /// The member.
        name: String,
        /// What is wrong with it.
        cause: io::Error,
    },
    /// A member of an archive that is no array.
    #[error("has an array `{name}` that {problem}")]
    Array {
        /// The member.
        name: String,
        /// What is wrong with it.
        #[source]
        problem: Box<ArrayError>,
    },
    /// None of several arrays has the name that is wanted.
    #[error("holds {count} arrays ({}), none called `{name}`: give it that name, or numpy.stack arrays of single models into one", shown.join(", "))]
    Choice {
        /// The name that is wanted.
        name: String,
        /// Number of arrays.
        count: usize,
        /// The names of the first.
        shown: Vec<String>,
    },
    /// A tensor in bytes that do not fit it.
    #[error("has `{name}` of shape {shape:?} in bytes {from} to {to}, which do not fit")]
    Span {
        /// The tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Where it begins.
        from: usize,
        /// Where it ends.
        to: usize,
    },
}

impl ArrayError {
    /// That of the array called `name` in an archive.
    pub(crate) fn inside(self, name: &str) -> Self {
        Self::Array { name: name.into(), problem: Box::new(self) }
    }

    /// None of `all` is called `name`.
    pub(crate) fn choice(name: &str, all: &[String]) -> Self {
        let shown = all.iter().take(8).map(|n| n.trim_end_matches(".npy").to_owned()).collect();
        Self::Choice { name: name.into(), count: all.len(), shown }
    }
}
