//! The one list of what data sets come in.
//!
//! A reader is a file of this folder and a line of the list `READERS`; nothing else knows its format.

pub mod cifar;
pub mod csv;
pub mod eyepacs;
pub mod hub;
pub mod idx;
pub mod npy;
pub mod npz;
pub mod parquet;
pub mod pictures;

use std::path::Path;

use flatleak_stream::{Purpose, Stream};

use crate::error::Error;
use crate::raw::Whole;
use crate::reader::{Found, Input, Options, Reader};
use crate::subset::balanced;

/// All readers, in the order in which they are asked: the first that knows an input reads it. Exact signs stand before vague ones.
const READERS: &[&dyn Reader] = &[
    &cifar::Cifar,
    &eyepacs::EyePacs,
    &pictures::Pictures,
    &idx::Idx,
    &npz::Npz,
    &npy::Npy,
    &hub::Hub,
    &parquet::Parquet,
    &csv::Csv,
];

/// The test set's share where a source has none: one in five, drawn by (seed, subset, 2, 0).
const TEST_SHARE: usize = 5;

/// Pool and test set at a path.
pub(crate) fn open(path: &Path, seed: u64, options: Options) -> Result<[Whole; 2], Error> {
    let input = Input::look(path)?;
    for reader in READERS {
        if reader.detect(&input)? {
            if options.side.is_some() && !reader.resizes() {
                return Err(Error::NoPictures { path: path.into() });
            }
            return Ok(match reader.read(&input, options)? {
                Found::Both(both) => *both,
                Found::One(whole) => cut(&whole, seed),
            });
        }
    }
    Err(Error::NoReader { path: path.into(), known: READERS.iter().map(|r| r.takes()).collect() })
}

/// Pool and test set of a source without one of its own.
fn cut(whole: &Whole, seed: u64) -> [Whole; 2] {
    let n = whole.raw.labels.len();
    let test = balanced(&whole.raw.labels, n / TEST_SHARE, &mut Stream::new(seed, Purpose::Subset, 2, 0));
    let mut held = vec![false; n];
    test.iter().for_each(|&i| held[i as usize] = true);
    let pool: Vec<u32> = (0..n as u32).filter(|&i| !held[i as usize]).collect();
    [pool, test].map(|positions| whole.select(&positions))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(name: &str, content: &[u8]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        open(&path, 0, Options::default()).unwrap_err().to_string()
    }

    #[test]
    fn content_goes_before_names() {
        assert!(error("a.csv", b"PAR1 nothing PAR1").contains("no readable Parquet file"));
        assert!(error("a", b"\x93NUMPY\x01\x00").contains("numpy.savez"));
        assert!(error("a.csv", b"x,y\n1,2,3\n").contains("line 2 has 3 fields"));
        assert!(error("a.npz", b"x,y\n1,2\n").contains("no .npz archive"));
    }

    #[test]
    fn what_nobody_knows_is_refused_with_what_is_known() {
        let text = error("a.xlsx", b"PK\x03\x04");
        for reader in READERS {
            assert!(text.contains(reader.takes()), "{text}");
        }
        let dir = tempfile::tempdir().unwrap();
        let error = open(dir.path(), 0, Options::default()).unwrap_err();
        assert!(matches!(error, Error::NoReader { .. }), "{error}");
    }
}
