//! From files to whole splits of bytes.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::dataset::{Raw, Shape, Values};
use crate::error::Error;
use crate::idx;

/// One split as read, before any subset.
pub(crate) struct Whole {
    pub(crate) shape: Shape,
    pub(crate) raw: Raw,
    /// Names of the groups, where it has any.
    pub(crate) groups: Vec<String>,
}

/// An embedded file and its name, which stands in for a path in errors.
macro_rules! embedded_file {
    ($name:expr) => {
        (Path::new(concat!("embedded/", $name)), include_bytes!(concat!("../embedded/", $name)).as_slice())
    };
}

/// Decodes pool and test set of an embedded data set.
macro_rules! embedded {
    ($prefix:literal) => {
        [
            decode(
                embedded_file!(concat!($prefix, "pool-images-idx3-ubyte.gz")),
                embedded_file!(concat!($prefix, "pool-labels-idx1-ubyte.gz")),
            )?,
            decode(
                embedded_file!(concat!($prefix, "test-images-idx3-ubyte.gz")),
                embedded_file!(concat!($prefix, "test-labels-idx1-ubyte.gz")),
            )?,
        ]
    };
}

/// Pool and test set of `fashion-mnist-small`.
pub(crate) fn fashion() -> Result<[Whole; 2], Error> {
    Ok(embedded!(""))
}

/// Pool and test set of `digits`.
pub(crate) fn digits() -> Result<[Whole; 2], Error> {
    Ok(embedded!("digits-"))
}

/// Pool and test set of `letter`: a table, kept as bytes.
pub(crate) fn letter() -> Result<[Whole; 2], Error> {
    let mut both = embedded!("letter-");
    for whole in &mut both {
        if let Values::Pixels(bytes) = &whole.raw.values {
            whole.raw.values = Values::Table(bytes.iter().map(|&b| f32::from(b)).collect());
        }
    }
    Ok(both)
}

/// Pool and test set of a directory with four IDX files.
pub(crate) fn directory(path: &Path) -> Result<[Whole; 2], Error> {
    let split = |stems: [&str; 2]| {
        let images = find(path, stems, "images-idx3-ubyte")?;
        let labels = find(path, stems, "labels-idx1-ubyte")?;
        decode((&images, &slurp(&images)?), (&labels, &slurp(&labels)?))
    };
    Ok([split(["train", "pool"])?, split(["t10k", "test"])?])
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

/// The whole file, if no larger than the largest IDX file allowed.
pub(crate) fn slurp(path: &Path) -> Result<Vec<u8>, Error> {
    // Gzip makes incompressible data a little larger; headers are small.
    let limit = idx::MAX_VALUES + (1 << 20);
    let failed = |cause| Error::Io { path: path.into(), cause };
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(Error::FileTooLarge { path: path.into(), limit });
    }
    Ok(bytes)
}

/// A split from the contents of its two files.
fn decode((images_path, images): (&Path, &[u8]), (labels_path, labels): (&Path, &[u8])) -> Result<Whole, Error> {
    let wrong = |path: &Path, problem| Error::Idx { path: path.into(), problem };
    let images = idx::images(images).map_err(|problem| wrong(images_path, problem))?;
    let labels = idx::labels(labels).map_err(|problem| wrong(labels_path, problem))?;
    if images.count != labels.len() {
        return Err(Error::CountMismatch {
            images_path: images_path.into(),
            images: images.count,
            labels_path: labels_path.into(),
            labels: labels.len(),
        });
    }
    Ok(Whole {
        shape: Shape { channels: 1, height: images.height, width: images.width },
        raw: Raw {
            values: Values::Pixels(images.pixels),
            labels: labels.into_iter().map(u32::from).collect(),
            groups: None,
            ids: (0..images.count as u32).collect(),
        },
        groups: Vec::new(),
    })
}
