//! Arrays of any size, read front to back: `.npy`, members of `.npz`, tensors of safetensors.
//!
//! Nothing is allocated by what a header claims: values are read into the caller's slices.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::npy::{self, Kind};

/// Names that arrays have among themselves: none of them is taken for another.
const NAMES: [&str; 12] = [
    "features",
    "test_features",
    "logits",
    "probabilities",
    "phi",
    "loss",
    "confidence",
    "labels",
    "membership",
    "test_logits",
    "test_labels",
    "sigma",
];
/// Most bytes of a safetensors header.
const MAX_HEADER: u64 = 1 << 24;
/// Most values that are handed out at once.
const MOST_AT_ONCE: usize = 1 << 28;
/// Bytes of an array in Fortran order that are held while it is turned.
const TURNED_AT_ONCE: usize = 1 << 25;

/// An array that is being read, in C order.
pub struct Values<'a> {
    shape: Vec<usize>,
    kind: Kind,
    /// Values that are left.
    left: usize,
    from: Box<dyn Read + 'a>,
    bytes: Vec<u8>,
}

impl<'a> Values<'a> {
    fn new(shape: Vec<usize>, kind: Kind, from: Box<dyn Read + 'a>) -> Result<Self, String> {
        let count = shape.iter().try_fold(1usize, |n, s| n.checked_mul(*s));
        let left = count.filter(|n| n.checked_mul(8).is_some()).ok_or(format!("has the impossible shape {shape:?}"))?;
        Ok(Self { shape, kind, left, from, bytes: Vec::new() })
    }

    /// Size of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The same values under other axes, of which there have to be as many values; otherwise nothing changes.
    pub fn reshape(&mut self, shape: Vec<usize>) {
        if shape.iter().product::<usize>() == self.shape.iter().product::<usize>() {
            self.shape = shape;
        }
    }

    /// Reads the next values.
    ///
    /// # Errors
    /// A file that ends before its shape is filled, or more values than it has.
    pub fn read(&mut self, to: &mut [f64]) -> Result<(), String> {
        if to.len() > self.left {
            return Err(format!("has {} values left, not {}", self.left, to.len()));
        }
        self.bytes.resize(to.len() * self.kind.size(), 0);
        let cut = |e: std::io::Error| format!("is cut short: {e}");
        self.from.read_exact(&mut self.bytes).map_err(cut)?;
        self.kind.widen(&self.bytes, to);
        self.left -= to.len();
        Ok(())
    }

    /// The next `count` values.
    ///
    /// # Errors
    /// As [`Values::read`]; more than 2^28 values.
    pub fn next(&mut self, count: usize) -> Result<Vec<f64>, String> {
        if count > MOST_AT_ONCE {
            return Err(format!("has {count} values; at most {MOST_AT_ONCE} are read at once"));
        }
        // As long as the file really is, not as it claims.
        let mut out = Vec::new();
        while out.len() < count {
            let from = out.len();
            out.resize(from + (count - from).min(1 << 16), 0.0);
            self.read(&mut out[from..])?;
        }
        Ok(out)
    }

    /// Reads on to the end without a look at the values.
    ///
    /// # Errors
    /// A file that ends before its shape is filled.
    pub fn skip(&mut self) -> Result<(), String> {
        let bytes = (self.left * self.kind.size()) as u64;
        let copied = io::copy(&mut self.from.by_ref().take(bytes), &mut io::sink());
        self.left = 0;
        match copied {
            Ok(found) if found == bytes => Ok(()),
            _ => Err("is cut short".into()),
        }
    }

    /// All that is left.
    ///
    /// # Errors
    /// As [`Values::next`].
    pub fn all(&mut self) -> Result<Vec<f64>, String> {
        self.next(self.left)
    }

    /// `Ok` where the file holds no more than its shape says.
    fn end(mut self) -> Result<(), String> {
        let more = self.left == 0 && self.from.read(&mut [0]).is_ok_and(|n| n > 0);
        if more { Err(format!("holds more values than its shape {:?} says", self.shape)) } else { Ok(()) }
    }

    /// The same values with the last axis running fastest, from a file in which the first does: turned on disk, a block of the second axis
    /// at a time, so that no more than a block is ever held.
    fn turned(mut self) -> Result<Values<'static>, String> {
        let no_room = |e: io::Error| {
            format!("is in Fortran order and cannot be turned in {}: {e}", std::env::temp_dir().display())
        };
        let size = self.kind.size();
        let mut from = tempfile::tempfile().map_err(no_room)?;
        let bytes = (self.left * size) as u64;
        // One more than there should be, to notice it.
        let copied = io::copy(&mut self.from.by_ref().take(bytes + 1), &mut from).map_err(no_room)?;
        match copied.cmp(&bytes) {
            Ordering::Less => return Err("is cut short".into()),
            Ordering::Greater => return Err(format!("holds more values than its shape {:?} says", self.shape)),
            Ordering::Equal => {}
        }
        let (&[first, second, ..], shape) = (self.shape.as_slice(), &self.shape) else {
            return Err(format!("is of shape {:?}, with one axis", self.shape));
        };
        let rest: usize = shape[2..].iter().product();
        let together = (TURNED_AT_ONCE / (first * rest * size).max(1)).clamp(1, second.max(1));
        let mut to = BufWriter::new(tempfile::tempfile().map_err(no_room)?);
        let (mut block, mut row) = (Vec::new(), Vec::new());
        for start in (0..second).step_by(together) {
            let here = together.min(second - start);
            // Of every place on the axes behind, this block's part is one run.
            let run = here * first * size;
            block.resize(rest * run, 0);
            for (k, part) in block.chunks_exact_mut(run.max(1)).enumerate() {
                let offset = ((k * second + start) * first * size) as u64;
                from.seek(SeekFrom::Start(offset)).map_err(no_room)?;
                from.read_exact(part).map_err(no_room)?;
            }
            for m in 0..first {
                row.clear();
                for n in 0..here {
                    for k in 0..rest {
                        // The last axis fastest: the file counts the axes behind in the other direction.
                        let at = (reversed(k, &shape[2..]) * here + n) * first + m;
                        row.extend_from_slice(&block[at * size..(at + 1) * size]);
                    }
                }
                let offset = ((m * second + start) * rest * size) as u64;
                to.seek(SeekFrom::Start(offset)).map_err(no_room)?;
                to.write_all(&row).map_err(no_room)?;
            }
        }
        let mut to = to.into_inner().map_err(|e| no_room(e.into_error()))?;
        to.seek(SeekFrom::Start(0)).map_err(no_room)?;
        Values::new(self.shape, self.kind, Box::new(BufReader::new(to)))
    }
}

/// Where, with the first of these axes running fastest, the value stands that is at `k` with the last running fastest.
fn reversed(mut k: usize, axes: &[usize]) -> usize {
    let mut at = 0;
    for &axis in axes.iter().rev() {
        at = at * axis + k % axis;
        k /= axis;
    }
    at
}

/// Where an array is.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// In a file.
    File(&'a Path),
    /// In a file, the last axis first: of shape (N, M) where (M, N) is wanted.
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
    /// What is wrong with it, as a fragment; what `f` says.
    pub fn with<T>(self, name: &str, f: impl FnOnce(&mut Values<'_>) -> Result<T, String>) -> Result<T, String> {
        match self {
            Self::File(path) => with(path, name, f),
            Self::Transposed(path) => {
                with(path, name, |found| {
                    let mut shape = found.shape().to_vec();
                    shape.reverse();
                    let (kind, from) = (found.kind, &mut found.from);
                    let mut turned = Values::new(shape, kind, Box::new(from))?.turned()?;
                    // What was read there is read here.
                    found.left = 0;
                    f(&mut turned)
                })
            }
            Self::Memory { descr, shape, bytes } => {
                f(&mut Values::new(shape.to_vec(), npy::kind_of(descr)?, Box::new(bytes))?)
            }
        }
    }

    /// What to call it in messages.
    pub fn place(self) -> &'a Path {
        match self {
            Self::File(path) | Self::Transposed(path) => path,
            Self::Memory { .. } => Path::new("the array"),
        }
    }
}

/// Opens the array in a file and hands it to `f`. Of an archive or a file of tensors it is the one called `name`, or the only one.
///
/// # Errors
/// What is wrong with the file, as a fragment; what `f` says.
pub fn with<T>(path: &Path, name: &str, f: impl FnOnce(&mut Values<'_>) -> Result<T, String>) -> Result<T, String> {
    let file = File::open(path).map_err(|e| format!("cannot be read: {e}"))?;
    with_reader(BufReader::new(file), name, f)
}

/// [`with`] for anything that can be read and searched.
///
/// # Errors
/// Those of [`with`].
pub fn with_reader<T>(
    mut file: impl Read + Seek,
    name: &str,
    f: impl FnOnce(&mut Values<'_>) -> Result<T, String>,
) -> Result<T, String> {
    let unreadable = |e: std::io::Error| format!("cannot be read: {e}");
    let mut magic = [0; 8];
    let got = file.read(&mut magic).map_err(unreadable)?;
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    if magic.starts_with(b"\x93NUMPY") {
        let mut values = numpy(Box::new(file))?;
        let found = f(&mut values)?;
        return values.end().map(|()| found);
    }
    if magic.starts_with(b"PK") {
        let mut zip = zip::ZipArchive::new(file).map_err(|e| format!("is no .npz archive: {e}"))?;
        let names: Vec<String> = zip.file_names().flatten().map(|n| n.into_owned()).collect();
        let member = format!("{name}.npy");
        let member = match names.as_slice() {
            // One array may be called anything but what another is called.
            [only] if *only == member || !NAMES.contains(&only.trim_end_matches(".npy")) => only,
            all => all.iter().find(|n| **n == member).ok_or_else(|| choose(name, all))?,
        };
        let entry = zip.by_name(member).map_err(|e| format!("has a damaged `{member}`: {e}"))?;
        let mut values = numpy(Box::new(entry))?;
        let found = f(&mut values)?;
        return values.end().map(|()| found);
    }
    if got == 8 && u64::from_le_bytes(magic) <= MAX_HEADER {
        return f(&mut tensor(file, name)?);
    }
    Err("is neither .npy nor .npz nor safetensors (pickles are never read): save it with numpy.save".into())
}

fn choose(name: &str, all: &[String]) -> String {
    let shown: Vec<&str> = all.iter().take(8).map(|n| n.trim_end_matches(".npy")).collect();
    format!("holds {} arrays ({}), none called `{name}`: give it that name", all.len(), shown.join(", "))
}

fn numpy(mut from: Box<dyn Read + '_>) -> Result<Values<'_>, String> {
    let (kind, shape, fortran) = npy::read_header(&mut from)?;
    let values = Values::new(shape, kind, from)?;
    if fortran && values.shape.len() > 1 { values.turned() } else { Ok(values) }
}

fn tensor<'a>(mut file: impl Read + Seek + 'a, name: &str) -> Result<Values<'a>, String> {
    let damaged = |e: std::io::Error| format!("is cut short in its header: {e}");
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(damaged)?;
    let length = u64::from_le_bytes(length);
    let mut header = Vec::new();
    file.by_ref().take(length).read_to_end(&mut header).map_err(damaged)?;
    // The crate's own reader wants the whole file in memory; its type of the header does not.
    let metadata: safetensors::tensor::Metadata =
        serde_json::from_slice(&header).map_err(|e| format!("is no safetensors file: {e}"))?;
    let names: Vec<String> = metadata.tensors().into_keys().collect();
    let chosen = match names.as_slice() {
        [only] => only.as_str(),
        _ => name,
    };
    let info = metadata.info(chosen).ok_or_else(|| choose(name, &names))?;
    let kind = Kind::of_tensor(info.dtype)
        .ok_or(format!("holds values of type {:?}: save numbers or booleans", info.dtype))?;
    let (shape, (offset, end)) = (info.shape.clone(), info.data_offsets);
    let needed = shape.iter().try_fold(kind.size(), |n, s| n.checked_mul(*s));
    if needed.is_none() || end.checked_sub(offset) != needed {
        return Err(format!("has `{chosen}` of shape {shape:?} in bytes {offset} to {end}, which do not fit"));
    }
    let offset = offset as u64;
    file.seek(SeekFrom::Start(8 + length + offset)).map_err(damaged)?;
    Values::new(shape, kind, Box::new(file))
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

    fn read(bytes: &[u8]) -> Result<(Vec<usize>, Vec<f64>), String> {
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
        assert!(read(&npy("<f8", "True", "(2, 3)", &[0; 40])).unwrap_err().contains("cut short"));
        assert!(read(&npy("<f8", "True", "(2, 2)", &[0; 40])).unwrap_err().contains("more values"));
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
        let other = with(file(&bytes).path(), "y", |v| v.all()).unwrap_err();
        assert!(other.contains("none called `y`"), "{other}");
    }

    #[test]
    fn lies_are_refused_before_anything_is_allocated() {
        let error = |bytes: &[u8]| read(bytes).unwrap_err();
        assert!(error(&npy("<f8", "False", "(1000000000, 1000)", &[0; 8])).contains("at most"));
        assert!(error(&npy("<f8", "False", "(18446744073709551615, 3)", &[])).contains("impossible shape"));
        assert!(error(&npy("<f8", "False", "(100,)", &[0; 16])).contains("cut short"));
        assert!(error(&npy("|O", "False", "(1,)", &[0x80])).contains("never objects or pickles"));
        assert!(error(b"\x80\x04\x95 a pickle").contains("pickles are never read"));
        assert!(error(b"").contains("neither"));
    }
}
