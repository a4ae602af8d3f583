//! IDX files of unsigned bytes, plain or gzipped.
//!
//! [`images`] reads the three-axis files (magic 0x00000803: count, height, width), [`labels`] the one-axis
//! files (magic 0x00000801: count), both from bytes that nobody has checked: sizes are held against
//! [`MAX_VALUES`] before anything is allocated, and a gzip stream is never inflated beyond one byte more
//! than its header promises. Format: Y. LeCun, C. Cortes and C. Burges, "The MNIST database", section
//! "file format".
//!
//! ```
//! use flatleak_data::idx;
//! let file = [0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9];
//! assert_eq!(idx::labels(&file)?, [7, 0, 9]);
//! assert!(idx::labels(&file[..10]).is_err());
//! # Ok::<(), idx::Problem>(())
//! ```

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use crate::budget::MOST_VALUES;
use crate::error::Error;
use crate::files::slurp;
use crate::raw::{Raw, Values, Whole};
use crate::reader::{Found, Input, Options, Reader};
use crate::shape::Shape;

/// Most values in one file: 1 GiB of pixels, which become 4 GiB of f32.
pub const MAX_VALUES: u64 = MOST_VALUES;

/// How the names of a split's files begin.
const STEMS: [[&str; 2]; 2] = [["train", "pool"], ["t10k", "test"]];
/// How they go on.
const KINDS: [&str; 2] = ["images-idx3-ubyte", "labels-idx1-ubyte"];

/// Reads folders of four files.
pub(crate) struct Idx;

impl Reader for Idx {
    fn takes(&self) -> &'static str {
        "a folder with four IDX files"
    }

    fn detect(&self, input: &Input) -> Result<bool, Error> {
        Ok(STEMS.into_iter().any(|stems| KINDS.iter().any(|kind| find(input.path(), stems, kind).is_ok())))
    }

    fn read(&self, input: &Input, _: Options) -> Result<Found, Error> {
        directory(input.path()).map(|both| Found::Both(Box::new(both)))
    }
}

/// Pool and test set of a directory with four files.
pub(crate) fn directory(path: &Path) -> Result<[Whole; 2], Error> {
    let split = |stems: [&str; 2]| {
        let [images, labels] = [find(path, stems, KINDS[0])?, find(path, stems, KINDS[1])?];
        decode(Named { path: &images, bytes: &slurp(&images)? }, Named { path: &labels, bytes: &slurp(&labels)? })
    };
    let [pool, test] = STEMS;
    Ok([split(pool)?, split(test)?])
}

/// The first of `stem-kind` and `stem-kind.gz` that exists.
fn find(directory: &Path, stems: [&str; 2], kind: &str) -> Result<PathBuf, Error> {
    for stem in stems {
        for ending in ["", ".gz"] {
            let path = directory.join(format!("{stem}-{kind}{ending}"));
            if path.exists() {
                return Ok(path);
            }
        }
    }
    let [first, second] = stems.map(|stem| format!("{stem}-{kind}[.gz]"));
    Err(Error::MissingFile { directory: directory.into(), expected: format!("{first} or {second}") })
}

/// A file's content and its name.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) path: &'a Path,
    pub(crate) bytes: &'a [u8],
}

/// A split from its two files.
pub(crate) fn decode(of_images: Named<'_>, of_labels: Named<'_>) -> Result<Whole, Error> {
    let images = images(of_images.bytes).map_err(|problem| Error::file(of_images.path, problem))?;
    let labels = labels(of_labels.bytes).map_err(|problem| Error::file(of_labels.path, problem))?;
    if images.count != labels.len() {
        return Err(Error::CountMismatch {
            images_path: of_images.path.into(),
            images: images.count,
            labels_path: of_labels.path.into(),
            labels: labels.len(),
        });
    }
    let shape = Shape { channels: 1, height: images.height, width: images.width };
    Ok(Whole::new(shape, Raw::new(Values::Pixels(images.pixels), labels.into_iter().map(u32::from).collect())))
}

const GZIP: [u8; 2] = [0x1f, 0x8b];
const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;

/// Grey images of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Number of images.
    pub count: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// (count, height, width), row-major.
    pub pixels: Vec<u8>,
}

/// What is wrong with an IDX file, as the end of a sentence that begins with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Another type of file, or images where labels belong.
    #[error(
        "has the magic number {found:#010x} instead of {expected:#010x} (IDX {}): is this the right file?",
        if *.expected == IMAGES { "images" } else { "labels" }
    )]
    Magic {
        /// The number that the file begins with.
        found: u32,
        /// The number it should begin with.
        expected: u32,
    },
    /// The file ends too early.
    #[error("is cut short: {expected} bytes are needed, {found} are there: fetch the file again")]
    Truncated {
        /// Bytes needed, uncompressed, up to the end of what was being read.
        expected: u64,
        /// Bytes there, uncompressed.
        found: u64,
    },
    /// The file goes on after its last value.
    #[error("goes on after the {expected} bytes that its header promises: fetch the file again")]
    Trailing {
        /// Bytes promised, uncompressed, header included.
        expected: u64,
    },
    /// The header promises more than the limit.
    #[error("promises {sizes:?} values in its header, more than the limit of {MAX_VALUES}: use a smaller data set")]
    TooLarge {
        /// The promised size of each axis.
        sizes: Vec<u32>,
    },
    /// The header promises nothing.
    #[error("promises {sizes:?} values in its header: it is empty")]
    Empty {
        /// The promised size of each axis.
        sizes: Vec<u32>,
    },
    /// The compressed stream is broken.
    #[error("has a damaged gzip stream ({said}): fetch the file again")]
    Gzip {
        /// What kind of error it is.
        kind: ErrorKind,
        /// What the decoder says of it.
        said: String,
    },
}

/// Parses a file of images, plain or gzipped.
///
/// # Errors
/// Every [`Problem`].
pub fn images(bytes: &[u8]) -> Result<Images, Problem> {
    let ([count, height, width], pixels) = parse(bytes, IMAGES)?;
    Ok(Images { count, height, width, pixels })
}

/// Parses a file of labels, plain or gzipped.
///
/// # Errors
/// Every [`Problem`].
pub fn labels(bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let ([_], labels) = parse(bytes, LABELS)?;
    Ok(labels)
}

/// Sizes of the axes and the values.
fn parse<const AXES: usize>(bytes: &[u8], magic: u32) -> Result<([usize; AXES], Vec<u8>), Problem> {
    if bytes.starts_with(&GZIP) { read(MultiGzDecoder::new(bytes), magic) } else { read(bytes, magic) }
}

fn read<const AXES: usize>(mut source: impl Read, magic: u32) -> Result<([usize; AXES], Vec<u8>), Problem> {
    let found = word(&mut source, 0)?;
    if found != magic {
        return Err(Problem::Magic { found, expected: magic });
    }
    let mut sizes = [0u32; AXES];
    for (axis, size) in sizes.iter_mut().enumerate() {
        *size = word(&mut source, 4 * (1 + axis as u64))?;
    }
    let mut values = 1u64;
    for &size in &sizes {
        if size == 0 {
            return Err(Problem::Empty { sizes: sizes.to_vec() });
        }
        values = values.saturating_mul(u64::from(size));
    }
    if values > MAX_VALUES {
        return Err(Problem::TooLarge { sizes: sizes.to_vec() });
    }

    // The vector grows with what is really there, so a false promise costs nothing. The byte beyond the
    // promise shows trailing data and makes the gzip reader check its checksum.
    let header = 4 * (1 + AXES as u64);
    let content = fill(&mut source, values + 1, header, values)?;
    if content.len() as u64 > values {
        return Err(Problem::Trailing { expected: header + values });
    }
    Ok((sizes.map(|size| size as usize), content))
}

/// The big-endian word at `offset`, where `source` stands.
fn word(source: &mut impl Read, offset: u64) -> Result<u32, Problem> {
    let bytes = fill(source, 4, offset, 4)?;
    Ok(bytes.iter().fold(0, |value, &byte| (value << 8) | u32::from(byte)))
}

/// Up to `most` bytes; fewer than `least` are an error.
fn fill(source: &mut impl Read, most: u64, offset: u64, least: u64) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let outcome = source.by_ref().take(most).read_to_end(&mut bytes);
    let found = bytes.len() as u64;
    let truncated = Problem::Truncated { expected: offset + least, found: offset + found };
    match outcome {
        Ok(_) if found < least => Err(truncated),
        Ok(_) => Ok(bytes),
        // All values came out, but the checksum behind them is missing.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof && found >= least => {
            Err(Problem::Gzip { kind: error.kind(), said: "its end is missing".into() })
        }
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(truncated),
        Err(error) => Err(Problem::Gzip { kind: error.kind(), said: error.to_string() }),
    }
}

#[cfg(test)]
#[path = "idx_tests.rs"]
mod tests;
