//! NumPy arrays: `.npy` versions 1 to 3 (NEP 1), numbers only.
//!
//! Pickled and object arrays are refused by name: reading them would run what a stranger wrote.

use std::io::{self, ErrorKind, Read};

use crate::arrays::element::Kind;
use crate::arrays::error::ArrayError;
use crate::arrays::stream::{Values, not_hollow};
use crate::budget::product;

pub use crate::arrays::element::Numbers;

/// Most bytes of a header, magic and all.
pub(crate) const MAX_HEADER: usize = 1 << 16;

/// Most axes.
pub(crate) const MAX_AXES: usize = 8;

/// An array in C order.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Size of each axis.
    pub shape: Vec<usize>,
    /// Its values.
    pub values: Numbers,
}

/// Parses a `.npy` file.
///
/// # Errors
/// What is wrong with it.
pub fn parse(bytes: &[u8]) -> Result<Array, ArrayError> {
    let Header { kind, shape, fortran, offset, needed, .. } = head(bytes)?;
    if kind.is_text() {
        return Err(ArrayError::Type { dtype: kind.name() });
    }
    let body = &bytes[offset..];
    if needed != body.len() {
        return Err(ArrayError::Bytes { found: body.len(), shape, needed });
    }
    let values = kind.read(body);
    if !fortran || shape.len() < 2 {
        return Ok(Array { shape, values });
    }
    let values = match values {
        Numbers::Bytes(v) => Numbers::Bytes(turned(&v, &shape)),
        Numbers::Integers(v) => Numbers::Integers(turned(&v, &shape)),
        Numbers::Floats(v) => Numbers::Floats(turned(&v, &shape)),
    };
    Ok(Array { shape, values })
}

/// Values whose first axis runs fastest, as data frames have them, in C order.
fn turned<T: Copy>(values: &[T], shape: &[usize]) -> Vec<T> {
    let mut at = vec![0; shape.len()];
    let mut out = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        let position = at.iter().zip(shape).rev().fold(0, |position, (index, size)| position * size + index);
        out.push(values[position]);
        for (index, size) in at.iter_mut().zip(shape).rev() {
            *index += 1;
            if *index < *size {
                break;
            }
            *index = 0;
        }
    }
    out
}

/// What a header says.
pub(crate) struct Layout {
    pub(crate) kind: Kind,
    pub(crate) shape: Vec<usize>,
    /// The first axis runs fastest.
    pub(crate) fortran: bool,
}

/// What a header promises of the bytes that begin with it.
pub(crate) struct Header {
    kind: Kind,
    shape: Vec<usize>,
    fortran: bool,
    /// Where the values begin.
    pub(crate) offset: usize,
    /// Bytes of values.
    pub(crate) needed: usize,
    /// Bytes of the values in the file, in memory, and as the f32 that they become.
    pub(crate) memory: Option<u64>,
}

/// Reads the header from a stream, which is left at the first value.
fn read_header(from: &mut dyn Read) -> Result<Layout, ArrayError> {
    let unread = |e: io::Error| match e.kind() {
        ErrorKind::UnexpectedEof => ArrayError::HeaderCut,
        _ => ArrayError::Io(e),
    };
    let mut start = Vec::new();
    from.take(6).read_to_end(&mut start).map_err(unread)?;
    if start != b"\x93NUMPY" {
        return Err(ArrayError::NotNpy);
    }
    let [major, _] = two(from).map_err(unread)?;
    let low = usize::from(u16::from_le_bytes(two(from).map_err(unread)?));
    let length = match major {
        1 => low,
        2 | 3 => low | usize::from(u16::from_le_bytes(two(from).map_err(unread)?)) << 16,
        _ => return Err(ArrayError::Version(major)),
    };
    if length > MAX_HEADER {
        return Err(ArrayError::HeaderLong { found: length, most: MAX_HEADER });
    }
    let mut header = vec![0; length];
    from.read_exact(&mut header).map_err(unread)?;
    described(std::str::from_utf8(&header).map_err(|_| ArrayError::HeaderBytes)?)
}

fn two(from: &mut dyn Read) -> io::Result<[u8; 2]> {
    let mut bytes = [0; 2];
    from.read_exact(&mut bytes).map(|()| bytes)
}

/// Reads the header alone.
pub(crate) fn head(bytes: &[u8]) -> Result<Header, ArrayError> {
    let mut body = bytes;
    let Layout { kind, shape, fortran } = read_header(&mut body)?;
    let shape = not_hollow(shape)?;
    let count = shape.iter().try_fold(1usize, |n, &s| n.checked_mul(s));
    let needed = count.and_then(|n| n.checked_mul(kind.size()));
    let Some(needed) = needed else { return Err(ArrayError::Shape { shape }) };
    let memory = product(&shape).and_then(|n| n.checked_mul(kind.size() as u64 + kind.held() + 4));
    Ok(Header { kind, shape, fortran, offset: bytes.len() - body.len(), needed, memory })
}

/// The array, read front to back in C order, whatever its own.
pub(crate) fn stream(mut from: Box<dyn Read + '_>) -> Result<Values<'_>, ArrayError> {
    let Layout { kind, shape, fortran } = read_header(&mut from)?;
    let turned = fortran && shape.len() > 1;
    let values = Values::new(shape, kind, from)?;
    if turned { values.turned() } else { Ok(values) }
}

/// The parts of a header such as `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.
fn described(header: &str) -> Result<Layout, ArrayError> {
    let value = |key: &'static str| {
        let found = header.split_once(&format!("'{key}':"));
        found.map(|(_, after)| after.trim_start()).ok_or(ArrayError::HeaderKey { key })
    };
    let quoted = value("descr")?.strip_prefix('\'').and_then(|d| d.split_once('\''));
    let (descr, _) = quoted.ok_or(ArrayError::Structured)?;
    let kind = Kind::named(descr)?;
    let fortran = !value("fortran_order")?.starts_with("False");
    let inside = value("shape")?.strip_prefix('(').and_then(|s| s.split_once(')'));
    let (axes, _) = inside.ok_or(ArrayError::HeaderKey { key: "shape" })?;
    let axes = axes.split(',').map(str::trim).filter(|s| !s.is_empty());
    let shape = axes
        .map(|s| s.parse().map_err(|_| ArrayError::Axis { found: s.into() }))
        .collect::<Result<Vec<usize>, ArrayError>>()?;
    if shape.len() > MAX_AXES {
        return Err(ArrayError::Axes { found: shape.len(), most: MAX_AXES });
    }
    Ok(Layout { kind, shape, fortran })
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
        let error = |bytes: &[u8]| parse(bytes).unwrap_err().to_string();
        assert!(error(&npy("'|O'", "(1,)", b"\x80")).contains("never objects or pickles"));
        assert!(error(&npy("'<U1'", "(1,)", &[0; 4])).contains("`<U1`"), "text is no bytes");
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
        assert!(parse(&bytes).is_ok(), "one axis has no order");
    }

    #[test]
    fn fortran_order_is_turned() {
        let body: Vec<u8> = (0..6).collect();
        let mut bytes = npy("'|u1'", "(2, 3)", &body);
        let at = bytes.windows(5).position(|w| w == b"False").unwrap();
        bytes.splice(at..at + 5, *b" True");
        assert_eq!(parse(&bytes).unwrap().values, Numbers::Bytes(vec![0, 2, 4, 1, 3, 5]));
    }
}
