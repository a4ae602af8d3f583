//! Types of elements, and their values.

use crate::arrays::error::ArrayError;

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

/// Element type: class (`b`, `i`, `u`, `f`, or `g` for bf16), bytes, byte order.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    class: u8,
    size: usize,
    big: bool,
}

impl Kind {
    /// The element type that NumPy calls `descr`, such as `<f4`.
    pub(crate) fn named(descr: &str) -> Result<Self, ArrayError> {
        let refused = || ArrayError::Type { dtype: descr.into() };
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
        Ok(Self { class, size, big: order == '>' })
    }

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

    /// Values in the narrowest type that holds them.
    pub(crate) fn read(self, body: &[u8]) -> Numbers {
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
pub(crate) fn half(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (u32::from(bits >> 15) << 31, bits >> 10 & 31, u32::from(bits & 1023));
    match exponent {
        0 => f32::from_bits(sign | (fraction as f32 * 5.960_464_5e-8).to_bits()),
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        e => f32::from_bits(sign | (u32::from(e) + 112) << 23 | fraction << 13),
    }
}
