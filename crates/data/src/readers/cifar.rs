//! CIFAR-10 and CIFAR-100, binary version (A. Krizhevsky 2009): records of one or two label bytes and 3 x 32 x 32 pixels, red plane
//! first, row-major.

use std::path::Path;

use crate::error::Error;
use crate::files::slurp;
use crate::raw::{Raw, Values, Whole};
use crate::reader::{Found, Input, Options, Reader};
use crate::shape::Shape;

/// The first file of CIFAR-10, by which a folder is recognised.
const TEN: &str = "data_batch_1.bin";
/// The training set of CIFAR-100.
const HUNDRED: &str = "train.bin";

/// The classes of CIFAR-10, as `batches.meta.txt` beside its files names them.
const TEN_CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Reads folders of their files.
pub(crate) struct Cifar;

impl Reader for Cifar {
    fn takes(&self) -> &'static str {
        "a folder with the `.bin` files of CIFAR-10 or CIFAR-100"
    }

    fn detect(&self, input: &Input) -> Result<bool, Error> {
        Ok(input.holds(TEN) || input.holds(HUNDRED))
    }

    fn read(&self, input: &Input, _: Options) -> Result<Found, Error> {
        let path = input.path();
        if !input.holds(TEN) {
            return Ok(Found::Both(Box::new([
                whole(path, &[HUNDRED], Kind::Hundred)?,
                whole(path, &["test.bin"], Kind::Hundred)?,
            ])));
        }
        let names: Vec<String> = (1..=5).map(|i| format!("data_batch_{i}.bin")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if let Some(missing) = names.iter().find(|n| !input.holds(n)) {
            return Err(Error::MissingFile { directory: path.into(), expected: (*missing).into() });
        }
        Ok(Found::Both(Box::new([whole(path, &names, Kind::Ten)?, whole(path, &["test_batch.bin"], Kind::Ten)?])))
    }
}

/// One split from its files.
fn whole(folder: &Path, names: &[&str], kind: Kind) -> Result<Whole, Error> {
    let mut all = Records::default();
    for name in names {
        let path = folder.join(name);
        all.extend(&slurp(&path)?, kind).map_err(|problem| Error::file(&path, problem))?;
    }
    let coarse = kind == Kind::Hundred;
    let shape = Shape { channels: 3, height: 32, width: 32 };
    let raw = Raw { groups: coarse.then_some(all.coarse), ..Raw::new(Values::Pixels(all.pixels), all.labels) };
    Ok(Whole {
        groups: (0..if coarse { COARSE } else { 0 }).map(|i| format!("superclass {i}")).collect(),
        classes: (!coarse).then(|| TEN_CLASSES.map(str::to_owned).to_vec()),
        ..Whole::new(shape, raw)
    })
}

/// What can be wrong with a file, as the end of a sentence that begins with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A file that is cut short, or another one.
    #[error("has {bytes} bytes, which are no whole number of records of {record}: fetch the file again")]
    Size {
        /// Bytes of the file.
        bytes: usize,
        /// Bytes of a record.
        record: usize,
    },
    /// A class that does not exist.
    #[error("record {record} has label {label}, but there are {classes} classes: fetch the file again")]
    Label {
        /// The record, from 0.
        record: usize,
        /// Its label.
        label: u32,
        /// Number of classes.
        classes: u32,
    },
    /// A superclass that does not exist.
    #[error("record {record} has coarse label {label}, but there are {COARSE}: fetch the file again")]
    Coarse {
        /// The record, from 0.
        record: usize,
        /// Its superclass.
        label: u8,
    },
}

/// Values of one image.
const PIXELS: usize = 3 * 32 * 32;

/// Which of the two formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One label byte, 10 classes.
    Ten,
    /// A coarse label byte (20 superclasses) and a fine one (100 classes).
    Hundred,
}

impl Kind {
    /// Number of classes.
    pub fn classes(self) -> u32 {
        match self {
            Self::Ten => 10,
            Self::Hundred => 100,
        }
    }

    fn head(self) -> usize {
        match self {
            Self::Ten => 1,
            Self::Hundred => 2,
        }
    }
}

/// Number of superclasses of CIFAR-100.
pub const COARSE: u32 = 20;

/// Records of one or more files, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// (records, 3, 32, 32).
    pub pixels: Vec<u8>,
    /// Class of each record.
    pub labels: Vec<u32>,
    /// Superclass of each record; empty for CIFAR-10.
    pub coarse: Vec<u32>,
}

impl Records {
    /// Appends the records of one file.
    ///
    /// # Errors
    /// No whole number of records, or a label out of range; nothing is appended then.
    pub fn extend(&mut self, bytes: &[u8], kind: Kind) -> Result<(), Problem> {
        let size = kind.head() + PIXELS;
        if bytes.is_empty() || !bytes.len().is_multiple_of(size) {
            return Err(Problem::Size { bytes: bytes.len(), record: size });
        }
        for (record, bytes) in bytes.chunks_exact(size).enumerate() {
            let label = u32::from(bytes[kind.head() - 1]);
            if label >= kind.classes() {
                return Err(Problem::Label { record, label, classes: kind.classes() });
            }
            if kind == Kind::Hundred && u32::from(bytes[0]) >= COARSE {
                return Err(Problem::Coarse { record, label: bytes[0] });
            }
        }
        self.pixels.reserve_exact(bytes.len() / size * PIXELS);
        for record in bytes.chunks_exact(size) {
            self.labels.push(u32::from(record[kind.head() - 1]));
            if kind == Kind::Hundred {
                self.coarse.push(u32::from(record[0]));
            }
            self.pixels.extend_from_slice(&record[kind.head()..]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_by_hand() {
        let record = |head: &[u8], v: u8| [head, &[v; PIXELS]].concat();
        let mut ten = Records::default();
        ten.extend(&[record(&[3], 7), record(&[9], 8)].concat(), Kind::Ten).unwrap();
        ten.extend(&record(&[0], 9), Kind::Ten).unwrap();
        assert_eq!((ten.labels.as_slice(), ten.coarse.len()), ([3, 9, 0].as_slice(), 0));
        assert_eq!((ten.pixels[0], ten.pixels[PIXELS], ten.pixels[2 * PIXELS]), (7, 8, 9));
        let mut hundred = Records::default();
        hundred.extend(&record(&[19, 99], 1), Kind::Hundred).unwrap();
        assert_eq!((hundred.labels[0], hundred.coarse[0]), (99, 19));
        let before = hundred.clone();
        for (bytes, word) in [
            (record(&[20, 1], 0), "coarse label 20"),
            (record(&[1, 100], 0), "label 100"),
            (vec![0; 10], "10 bytes"),
            (vec![], "0 bytes"),
        ] {
            assert!(hundred.extend(&bytes, Kind::Hundred).unwrap_err().to_string().contains(word));
        }
        assert_eq!(hundred, before);
    }
}
