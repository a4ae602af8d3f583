//! NumPy arrays: `.npy` versions 1 to 3 and `.npz` archives (NEP 1), numbers only.
//!
//! Pickled and object arrays are refused by name: reading them would run what a stranger wrote.

use std::collections::BTreeMap;
use std::io::{Cursor, ErrorKind, Read};

/// Most bytes of one array.
pub const MAX_BYTES: u64 = 1 << 32;

/// Most bytes of a header, magic and all.
const MAX_HEADER: usize = 1 << 16;

/// An array in C order.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Size of each axis.
    pub shape: Vec<usize>,
    /// Its values.
    pub values: Numbers,
}

/// Values of an array, in the narrowest of three types that holds them.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Unsigned bytes and booleans.
    Bytes(Vec<u8>),
    /// Other integers.
    Integers(Vec<i64>),
    /// Floating-point numbers, f64 rounded to f32.
    Floats(Vec<f32>),
}

impl Numbers {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(v) => v.len(),
            Self::Integers(v) => v.len(),
            Self::Floats(v) => v.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Parses a `.npy` file.
///
/// # Errors
/// What is wrong with it, as a fragment.
pub fn parse(bytes: &[u8]) -> Result<Array, String> {
    let Header { kind, shape, fortran, offset, needed } = head(bytes)?;
    if fortran {
        return Err("is in Fortran order: save it with numpy.ascontiguousarray".into());
    }
    let body = &bytes[offset..];
    if needed != body.len() {
        return Err(format!("has {} bytes of values, but its shape {shape:?} needs {needed}", body.len()));
    }
    Ok(Array { shape, values: kind.read(body) })
}

/// What a header promises.
struct Header {
    kind: Kind,
    shape: Vec<usize>,
    /// The first axis runs fastest.
    fortran: bool,
    /// Where the values begin.
    offset: usize,
    /// Bytes of values.
    needed: usize,
}

/// Reads the header from a stream, which is left at the first value: element type, shape, and whether the first axis runs fastest.
pub(crate) fn read_header(from: &mut dyn Read) -> Result<(Kind, Vec<usize>, bool), String> {
    let unread = |e: std::io::Error| match e.kind() {
        ErrorKind::UnexpectedEof => "is cut short in its header".to_owned(),
        _ => e.to_string(),
    };
    let mut start = Vec::new();
    from.take(6).read_to_end(&mut start).map_err(unread)?;
    if start != b"\x93NUMPY" {
        return Err("is no .npy file: its first bytes are not \\x93NUMPY".into());
    }
    let [major, _] = two(from).map_err(unread)?;
    let low = usize::from(u16::from_le_bytes(two(from).map_err(unread)?));
    let length = match major {
        1 => low,
        2 | 3 => low | usize::from(u16::from_le_bytes(two(from).map_err(unread)?)) << 16,
        _ => return Err(format!("has .npy version {major}; 1 to 3 are known")),
    };
    if length > MAX_HEADER {
        return Err(format!("has a header of {length} bytes"));
    }
    let mut header = vec![0; length];
    from.read_exact(&mut header).map_err(unread)?;
    described(std::str::from_utf8(&header).map_err(|_| "has a header that is not text".to_owned())?)
}

fn two(from: &mut dyn Read) -> std::io::Result<[u8; 2]> {
    let mut bytes = [0; 2];
    from.read_exact(&mut bytes).map(|()| bytes)
}

/// Reads the header alone.
fn head(bytes: &[u8]) -> Result<Header, String> {
    let mut body = bytes;
    let (kind, shape, fortran) = read_header(&mut body)?;
    let count = shape.iter().try_fold(1usize, |n, &s| n.checked_mul(s));
    let needed = count.and_then(|n| n.checked_mul(kind.size)).filter(|n| *n as u64 <= MAX_BYTES);
    let needed = needed.ok_or(format!("has the impossible shape {shape:?}"))?;
    Ok(Header { kind, shape, fortran, offset: bytes.len() - body.len(), needed })
}

/// Element type: class (`b`, `i`, `u`, `f`, or `g` for bf16), bytes, byte order.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    class: u8,
    size: usize,
    big: bool,
}

impl Kind {
    /// That of a tensor, where it is one of numbers.
    pub(crate) fn of_tensor(dtype: safetensors::Dtype) -> Option<Self> {
        use safetensors::Dtype;
        let (class, size) = match dtype {
            Dtype::BOOL => (b'b', 1),
            Dtype::U8 => (b'u', 1),
            Dtype::U16 => (b'u', 2),
            Dtype::U32 => (b'u', 4),
            Dtype::U64 => (b'u', 8),
            Dtype::I8 => (b'i', 1),
            Dtype::I16 => (b'i', 2),
            Dtype::I32 => (b'i', 4),
            Dtype::I64 => (b'i', 8),
            Dtype::F16 => (b'f', 2),
            Dtype::BF16 => (b'g', 2),
            Dtype::F32 => (b'f', 4),
            Dtype::F64 => (b'f', 8),
            _ => return None,
        };
        Some(Self { class, size, big: false })
    }

    /// Bytes of one value.
    pub(crate) fn size(self) -> usize {
        self.size
    }

    /// Values as f64; `body` holds as many as `to`.
    pub(crate) fn widen(self, body: &[u8], to: &mut [f64]) {
        if (self.class, self.size) == (b'f', 8) {
            for (v, b) in to.iter_mut().zip(body.as_chunks::<8>().0) {
                *v = if self.big { f64::from_be_bytes(*b) } else { f64::from_le_bytes(*b) };
            }
            return;
        }
        if self.class == b'g' {
            for (v, b) in to.iter_mut().zip(body.as_chunks::<2>().0) {
                *v = f64::from(f32::from_bits(u32::from(u16::from_le_bytes(*b)) << 16));
            }
            return;
        }
        match self.read(body) {
            Numbers::Bytes(all) => to.iter_mut().zip(all).for_each(|(v, b)| *v = f64::from(b)),
            Numbers::Integers(all) => to.iter_mut().zip(all).for_each(|(v, b)| *v = b as f64),
            Numbers::Floats(all) => to.iter_mut().zip(all).for_each(|(v, b)| *v = f64::from(b)),
        }
    }

    fn read(&self, body: &[u8]) -> Numbers {
        fn words<const K: usize, T>(body: &[u8], big: bool, f: impl Fn([u8; K]) -> T) -> Vec<T> {
            let flip = |mut b: [u8; K]| {
                if big {
                    b.reverse();
                }
                b
            };
            body.as_chunks::<K>().0.iter().map(|b| f(flip(*b))).collect()
        }
        let big = self.big;
        match (self.class, self.size) {
            (b'f', 2) => Numbers::Floats(words(body, big, |b| half(u16::from_le_bytes(b)))),
            (b'f', 4) => Numbers::Floats(words(body, big, f32::from_le_bytes)),
            (b'f', _) => Numbers::Floats(words(body, big, |b| f64::from_le_bytes(b) as f32)),
            (b'i', 1) => Numbers::Integers(words(body, big, |b| i64::from(i8::from_le_bytes(b)))),
            (b'i', 2) => Numbers::Integers(words(body, big, |b| i64::from(i16::from_le_bytes(b)))),
            (b'i', 4) => Numbers::Integers(words(body, big, |b| i64::from(i32::from_le_bytes(b)))),
            (b'i', _) => Numbers::Integers(words(body, big, i64::from_le_bytes)),
            (b'u', 2) => Numbers::Integers(words(body, big, |b| i64::from(u16::from_le_bytes(b)))),
            (b'u', 4) => Numbers::Integers(words(body, big, |b| i64::from(u32::from_le_bytes(b)))),
            // Labels beyond 2^63 are refused where labels are checked.
            (b'u', 8) => Numbers::Integers(words(body, big, |b| u64::from_le_bytes(b).cast_signed())),
            _ => Numbers::Bytes(body.to_vec()),
        }
    }
}

/// An IEEE half-precision number.
fn half(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (u32::from(bits >> 15) << 31, bits >> 10 & 31, u32::from(bits & 1023));
    match exponent {
        0 => f32::from_bits(sign | (fraction as f32 * 5.960_464_5e-8).to_bits()),
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        e => f32::from_bits(sign | (u32::from(e) + 112) << 23 | fraction << 13),
    }
}

/// Element type, shape and whether the first axis runs fastest, of a header such as `{'descr': '<f4', 'fortran_order': False, 'shape': (2,
/// 3), }`.
fn described(header: &str) -> Result<(Kind, Vec<usize>, bool), String> {
    let value = |key: &str| -> Result<&str, String> {
        let (_, after) = header.split_once(&format!("'{key}':")).ok_or(format!("has no `{key}` in its header"))?;
        Ok(after.trim_start())
    };
    let descr = value("descr")?;
    let descr = descr
        .strip_prefix('\'')
        .and_then(|d| d.split_once('\''))
        .ok_or("is a structured array: save plain numbers instead")?
        .0;
    let kind = kind_of(descr)?;
    let fortran = !value("fortran_order")?.starts_with("False");
    let shape =
        value("shape")?.strip_prefix('(').and_then(|s| s.split_once(')')).ok_or("has no shape in its header")?.0;
    let shape = shape
        .split(',')
        .map(str::trim)
        .filter(|s| !s.is_empty())
        .map(|s| s.parse().map_err(|_| format!("has `{s}` in its shape")))
        .collect::<Result<Vec<usize>, String>>()?;
    if shape.len() > 8 {
        return Err(format!("has {} axes", shape.len()));
    }
    Ok((kind, shape, fortran))
}

/// The element type that NumPy calls `descr`, such as `<f4`.
pub(crate) fn kind_of(descr: &str) -> Result<Kind, String> {
    let refused = || format!("holds values of type `{descr}`: save numbers or booleans, never objects or pickles");
    let mut letters = descr.chars();
    let order = letters.next().ok_or_else(refused)?;
    let class = letters.next().filter(|c| "biuf".contains(*c)).ok_or_else(refused)? as u8;
    let size: usize = letters.as_str().parse().map_err(|_| refused())?;
    let known = match class {
        b'b' => size == 1,
        b'f' => matches!(size, 2 | 4 | 8),
        _ => matches!(size, 1 | 2 | 4 | 8),
    };
    if !known || !"<>|=".contains(order) {
        return Err(refused());
    }
    Ok(Kind { class, size, big: order == '>' })
}

/// The arrays of a `.npz` archive by name, of those that `wanted` names.
///
/// # Errors
/// What is wrong with the archive or one of these arrays, as a fragment.
pub fn archive(bytes: &[u8], wanted: &[&str]) -> Result<BTreeMap<String, Array>, String> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|e| format!("is no .npz archive: {e}"))?;
    let mut out = BTreeMap::new();
    for name in wanted {
        let Ok(mut file) = zip.by_name(&format!("{name}.npy")) else { continue };
        let damaged = |e: std::io::Error| format!("has a damaged `{name}`: {e}");
        let mut content = Vec::new();
        // Sizes in the directory may lie: first the header, then no more than it promises and one byte.
        file.by_ref().take(MAX_HEADER as u64).read_to_end(&mut content).map_err(damaged)?;
        let promised = head(&content).map_err(|e| format!("has an array `{name}` that {e}"))?;
        let left = (promised.offset + promised.needed + 1).saturating_sub(content.len());
        file.by_ref().take(left as u64).read_to_end(&mut content).map_err(damaged)?;
        out.insert((*name).to_owned(), parse(&content).map_err(|e| format!("has an array `{name}` that {e}"))?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(descr: &str, shape: &str, body: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut out = b"\x93NUMPY\x01\x00".to_vec();
        out.extend((header.len() as u16).to_le_bytes());
        out.extend(header.as_bytes());
        out.extend(body);
        out
    }

    #[test]
    fn every_type_by_hand() {
        let read = |descr: &str, body: &[u8]| parse(&npy(descr, "(2,)", body)).unwrap().values;
        assert_eq!(read("'|u1'", &[1, 255]), Numbers::Bytes(vec![1, 255]));
        assert_eq!(read("'|b1'", &[1, 0]), Numbers::Bytes(vec![1, 0]));
        assert_eq!(read("'|i1'", &[1, 255]), Numbers::Integers(vec![1, -1]));
        assert_eq!(read("'<i2'", &[1, 0, 0, 1]), Numbers::Integers(vec![1, 256]));
        assert_eq!(read("'>i2'", &[0, 1, 1, 0]), Numbers::Integers(vec![1, 256]));
        assert_eq!(read("'<u4'", &[255, 255, 255, 255, 2, 0, 0, 0]), Numbers::Integers(vec![0xffff_ffff, 2]));
        let mut both = 1.5f64.to_le_bytes().to_vec();
        both.extend((-2f64).to_le_bytes());
        assert_eq!(read("'<f8'", &both), Numbers::Floats(vec![1.5, -2.0]));
        let scalar = parse(&npy("'<f4'", "()", &3f32.to_le_bytes())).unwrap();
        assert_eq!((scalar.shape.len(), scalar.values), (0, Numbers::Floats(vec![3.0])));
    }

    #[test]
    fn what_must_be_refused() {
        let error = |bytes: &[u8]| parse(bytes).unwrap_err();
        assert!(error(&npy("'|O'", "(1,)", b"\x80")).contains("never objects or pickles"));
        assert!(error(&npy("'<c8'", "(1,)", &[0; 8])).contains("`<c8`"));
        assert!(error(&npy("[('a', '<f4')]", "(1,)", &[0; 4])).contains("structured"));
        assert!(error(&npy("'<f4'", "(3,)", &[0; 8])).contains("needs 12"));
        assert!(error(&npy("'<f4'", "(18446744073709551615, 2)", &[])).contains("impossible shape"));
        assert!(error(b"PK").contains("no .npy"));
        let fortran = npy("'<f4'", "(1,)", &[0; 4]);
        let fortran = String::from_utf8(fortran[10..].to_vec()).unwrap().replace("False", "True");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((fortran.len() as u16 - 4).to_le_bytes());
        bytes.extend(fortran.as_bytes());
        assert!(error(&bytes).contains("Fortran"));
    }
}
