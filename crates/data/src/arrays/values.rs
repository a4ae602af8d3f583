//! Arrays of any size, read front to back: `.npy`, members of `.npz`, tensors of safetensors.
//!
//! This is the one place that chooses among them; a further container is a file beside this one and a line in [`with_reader`].

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use crate::arrays::element::Kind;
use crate::arrays::{npy, npz, safetensors};
use crate::files::open;

pub use crate::arrays::error::ArrayError;
pub use crate::arrays::stream::Values;

/// Where an array is.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// In a file.
    File(&'a Path),
    /// In a file that holds several, under a name of its own.
    Member {
        /// The file.
        path: &'a Path,
        /// The name of the array.
        name: &'a str,
    },
    /// In a file, the first two axes in each other's place: of shape (N, M) where (M, N) is wanted.
    Transposed(&'a Path),
    /// In memory, in C order.
    Memory {
        /// NumPy's name of the element type, such as `<f4`.
        descr: &'a str,
        /// Size of each axis.
        shape: &'a [usize],
        /// The values.
        bytes: &'a [u8],
    },
}

impl<'a> Source<'a> {
    /// Hands the array to `f`; in a file that holds several it is the one called `name`.
    ///
    /// # Errors
    /// What is wrong with it; what `f` says.
    pub fn with<T, E: From<ArrayError>>(
        self,
        name: &str,
        f: impl FnOnce(&mut Values<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            Self::File(path) => with(path, name, f),
            Self::Member { path, name } => with(path, name, f),
            Self::Transposed(path) => with(path, name, |found| f(&mut found.transposed()?)),
            Self::Memory { descr, shape, bytes } => {
                f(&mut Values::new(shape.to_vec(), Kind::named(descr)?, Box::new(bytes))?)
            }
        }
    }

    /// What to call it in messages.
    pub fn place(self) -> &'a Path {
        match self {
            Self::File(path) | Self::Transposed(path) | Self::Member { path, .. } => path,
            Self::Memory { .. } => Path::new("the array"),
        }
    }
}

/// The names of the arrays in a file that holds several; none where it holds one, or is no archive.
///
/// # Errors
/// A file that cannot be read, or is damaged.
pub fn names(path: &Path) -> Result<Vec<String>, ArrayError> {
    let mut file = open(path)?;
    let mut magic = [0; 8];
    let got = file.read(&mut magic)?;
    file.seek(SeekFrom::Start(0))?;
    match magic {
        _ if magic.starts_with(b"PK") => npz::names(BufReader::new(file)),
        _ if got == 8 && u64::from_le_bytes(magic) <= safetensors::MAX_HEADER => {
            safetensors::names(BufReader::new(file))
        }
        _ => Ok(Vec::new()),
    }
}

/// Opens the array in a file and hands it to `f`. Of an archive or a file of tensors it is the one called `name`, or the only one.
///
/// # Errors
/// What is wrong with the file; what `f` says.
pub fn with<T, E: From<ArrayError>>(
    path: &Path,
    name: &str,
    f: impl FnOnce(&mut Values<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let file = open(path).map_err(ArrayError::Io)?;
    with_reader(BufReader::new(file), name, f)
}

/// [`with`] for anything that can be read and searched.
///
/// # Errors
/// Those of [`with`].
pub fn with_reader<T, E: From<ArrayError>>(
    mut file: impl Read + Seek,
    name: &str,
    f: impl FnOnce(&mut Values<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let mut magic = [0; 8];
    let got = file.read(&mut magic).map_err(ArrayError::Io)?;
    file.seek(SeekFrom::Start(0)).map_err(ArrayError::Io)?;
    if magic.starts_with(b"\x93NUMPY") {
        npy::stream(Box::new(file))?.whole(f)
    } else if magic.starts_with(b"PK") {
        npz::with(file, name, f)
    } else if got == 8 && magic[0] == 0x80 && (2..=5).contains(&magic[1]) && magic[3..] != [0; 5] {
        // torch.save wrote a number of its own first, before it wrote archives.
        let torch = magic[2..6] == [0x8a, 0x0a, 0x6c, 0xfc];
        Err(if torch { ArrayError::Torch } else { ArrayError::Pickle }.into())
    } else if got == 8 && u64::from_le_bytes(magic) <= safetensors::MAX_HEADER {
        f(&mut safetensors::stream(file, name)?)
    } else {
        Err(ArrayError::Unknown.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    fn npy(descr: &str, fortran: &str, shape: &str, body: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        let mut out = b"\x93NUMPY\x01\x00".to_vec();
        out.extend((header.len() as u16).to_le_bytes());
        out.extend(header.as_bytes());
        out.extend(body);
        out
    }

    fn read(bytes: &[u8]) -> Result<(Vec<usize>, Vec<f64>), ArrayError> {
        with(file(bytes).path(), "x", |v| Ok((v.shape().to_vec(), v.all()?)))
    }

    #[test]
    fn halves_and_fortran_order() {
        // numpy.array([1, -2, 65504, 6e-8, inf], numpy.float16)
        let body = [0x00, 0x3c, 0x00, 0xc0, 0xff, 0x7b, 0x01, 0x00, 0x00, 0x7c];
        let found = read(&npy("<f2", "False", "(5,)", &body)).unwrap().1;
        assert_eq!(found, [1.0, -2.0, 65504.0, 2f64.powi(-24), f64::INFINITY]);
        let turned = read(&npy("|u1", "True", "(2, 3)", &[1, 4, 2, 5, 3, 6])).unwrap();
        assert_eq!(turned, (vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        let deep = read(&npy("|u1", "True", "(2, 2, 2)", &[0, 4, 2, 6, 1, 5, 3, 7])).unwrap().1;
        assert_eq!(deep, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    }

    #[test]
    fn blocks_turn_like_the_whole() {
        // More than one block: 40 x 30,001 x 2 x 2 doubles.
        let shape = [40usize, 30_001, 2, 2];
        let value = |m: usize, n: usize, q: usize, c: usize| ((m * 31 + n * 17 + q * 7 + c * 3) % 1009) as f64;
        let mut body = Vec::new();
        for c in 0..2 {
            for q in 0..2 {
                for n in 0..shape[1] {
                    body.extend((0..shape[0]).flat_map(|m| value(m, n, q, c).to_le_bytes()));
                }
            }
        }
        let (found, all) = read(&npy("<f8", "True", "(40, 30001, 2, 2)", &body)).unwrap();
        assert_eq!(found, shape);
        let mut all = all.into_iter();
        for m in 0..shape[0] {
            for n in 0..shape[1] {
                for (q, c) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    assert_eq!(all.next(), Some(value(m, n, q, c)), "{m} {n} {q} {c}");
                }
            }
        }
        assert!(read(&npy("<f8", "True", "(2, 3)", &[0; 40])).unwrap_err().to_string().contains("cut short"));
        assert!(read(&npy("<f8", "True", "(2, 2)", &[0; 40])).unwrap_err().to_string().contains("more values"));
    }

    #[test]
    fn tensors_by_name_or_alone() {
        let header = br#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"x":{"dtype":"BF16","shape":[1,2],"data_offsets":[8,12]}}"#;
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header);
        bytes.extend(1.5f32.to_le_bytes());
        bytes.extend(2.5f32.to_le_bytes());
        bytes.extend([0x80, 0x3f, 0x20, 0xc1]);
        assert_eq!(read(&bytes).unwrap(), (vec![1, 2], vec![1.0, -10.0]));
        let lying = String::from_utf8_lossy(header).replace("[1,2]", "[1,3]");
        let mut lies = (lying.len() as u64).to_le_bytes().to_vec();
        lies.extend(lying.as_bytes());
        lies.extend(&bytes[bytes.len() - 12..]);
        assert!(read(&lies).is_err());
        let other = with(file(&bytes).path(), "y", |v| v.all()).unwrap_err().to_string();
        assert!(other.contains("none called `y`"), "{other}");
    }

    #[test]
    fn empty_axes_take_no_time() {
        // Nothing is there: each of these went over the axes for years.
        for shape in ["(0, 4611686018427387904)", "(4611686018427387904, 0)", "(2, 0, 1152921504606846976)"] {
            let error = read(&npy("<f8", "True", shape, &[])).unwrap_err();
            assert!(matches!(error, ArrayError::Hollow { .. }), "{error}");
        }
        for order in ["True", "False"] {
            for shape in [[0, 16_777_216, 2], [16_777_216, 0, 2], [3, 5, 0]] {
                let header = format!("({}, {}, {})", shape[0], shape[1], shape[2]);
                let all = read(&npy("<f8", order, &header, &[])).unwrap();
                assert_eq!(all, (shape.to_vec(), Vec::new()), "{order}");
            }
        }
    }

    #[test]
    fn fewer_than_two_axes_are_as_they_are_when_turned() {
        for (shape, body) in [("()", &[7][..]), ("(2,)", &[7, 8])] {
            let file = file(&npy("|u1", "False", shape, body));
            let turned =
                Source::Transposed(file.path()).with("x", |v| Ok::<_, ArrayError>((v.shape().len(), v.all()?)));
            let values: Vec<f64> = body.iter().map(|b| f64::from(*b)).collect();
            assert_eq!(turned.unwrap(), (body.len() - 1, values), "{shape}");
        }
    }

    #[test]
    fn what_cannot_be_turned_is_refused_before_it_is_read() {
        let error = read(&npy("|u1", "True", "(1000000000000000, 4)", &[0; 8])).unwrap_err();
        assert!(error.to_string().contains("for bringing it into C order"), "{error}");
    }

    #[test]
    fn lies_are_refused_before_anything_is_allocated() {
        let error = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
        assert!(error(&npy("<f8", "False", "(1000000000, 1000)", &[0; 8])).contains("bytes of memory for its values"));
        assert!(error(&npy("<f8", "False", "(18446744073709551615, 3)", &[])).contains("impossible shape"));
        assert!(error(&npy("<f8", "False", "(100,)", &[0; 16])).contains("cut short"));
        assert!(error(&npy("|O", "False", "(1,)", &[0x80])).contains("never objects or pickles"));
        assert!(error(b"\x80\x04\x95 a pickle").contains("pickles are never read"));
        assert!(error(b"").contains("neither"));
    }
}
