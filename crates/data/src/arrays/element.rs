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

/// Most letters of a value that is text.
const MOST_LETTERS: usize = 1 << 12;

/// Element type: class (`b`, `i`, `u`, `f`, `g` for bf16, `x` for the 80-bit long double of x86, `U` and `S` for text), bytes, byte order.
#[derive(Clone, Copy, PartialEq, Eq)]
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
        let order = letters.next().filter(|c| "<>|=".contains(*c)).ok_or_else(refused)?;
        let class = letters.next().ok_or_else(refused)?;
        let size: usize = letters.as_str().parse().map_err(|_| refused())?;
        let (class, size) = match (class, size) {
            ('b', 1) => (b'b', 1),
            ('i' | 'u', 1 | 2 | 4 | 8) | ('f', 2 | 4 | 8) => (class as u8, size),
            // NumPy has no bf16: what JAX and ml_dtypes save is two bytes without a meaning.
            ('V', 2) if order != '>' => (b'g', 2),
            // 80 bits and padding, on 64-bit and on 32-bit systems.
            ('f', 12 | 16) if order != '>' => (b'x', size),
            ('U', 1..=MOST_LETTERS) => (b'U', 4 * size),
            ('S', 1..=MOST_LETTERS) => (b'S', size),
            _ => return Err(refused()),
        };
        Ok(Self { class, size, big: order == '>' })
    }

    /// The name of it in messages, as NumPy has it.
    pub(crate) fn name(self) -> String {
        let order = match self {
            Self { size: 1, .. } | Self { class: b'S', .. } => "|",
            Self { big: true, .. } => ">",
            _ => "<",
        };
        match self.class {
            b'g' => "bf16".into(),
            b'x' => format!("{order}f{}", self.size),
            b'U' => format!("{order}U{}", self.size / 4),
            class => format!("{order}{}{}", class as char, self.size),
        }
    }

    /// Whether values are text and no numbers.
    pub(crate) fn is_text(self) -> bool {
        matches!(self.class, b'U' | b'S')
    }

    /// Values as text, without what pads them; `None` for numbers and for letters that do not exist.
    pub(crate) fn words(self, body: &[u8]) -> Option<Vec<String>> {
        let letters = |value: &[u8]| -> Option<String> {
            let each = value
                .as_chunks::<4>()
                .0
                .iter()
                .map(|b| char::from_u32(if self.big { u32::from_be_bytes(*b) } else { u32::from_le_bytes(*b) }));
            each.collect()
        };
        let one = |value: &[u8]| match self.class {
            b'U' => letters(value),
            b'S' => String::from_utf8(value.to_vec()).ok(),
            _ => None,
        };
        let trimmed = |text: String| text.trim_end_matches('\0').to_owned();
        body.chunks_exact(self.size).map(|value| one(value).map(trimmed)).collect()
    }

    /// Relative error of a value that was rounded to this type; 0 for integers.
    pub(crate) fn rounding(self) -> f64 {
        match (self.class, self.size) {
            (b'g', _) => 2f64.powi(-9),
            (b'f', 2) => 2f64.powi(-11),
            (b'f', 4) => 2f64.powi(-24),
            (b'f' | b'x', _) => 2f64.powi(-53),
            _ => 0.0,
        }
    }

    /// Whether values are whole numbers by their type.
    pub(crate) fn is_whole(self) -> bool {
        matches!(self.class, b'b' | b'i' | b'u')
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

    /// Bytes of one of [`Numbers`] that a value becomes.
    pub(crate) fn held(self) -> u64 {
        match (self.class, self.size) {
            (b'b', _) | (b'u', 1) => 1,
            (b'i' | b'u', _) => 8,
            _ => 4,
        }
    }

    /// Values as f64; `body` holds as many as `to`.
    pub(crate) fn widen(self, body: &[u8], to: &mut [f64]) {
        if (self.class, self.size) == (b'f', 8) {
            for (v, b) in to.iter_mut().zip(body.as_chunks::<8>().0) {
                *v = if self.big { f64::from_be_bytes(*b) } else { f64::from_le_bytes(*b) };
            }
            return;
        }
        if self.class == b'x' {
            to.iter_mut().zip(body.chunks_exact(self.size)).for_each(|(v, b)| *v = extended(b));
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
            (b'g', _) => {
                Numbers::Floats(words(body, false, |b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)))
            }
            (b'x', size) => Numbers::Floats(body.chunks_exact(size).map(|b| extended(b) as f32).collect()),
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

/// The long double of x86, 80 bits with a leading 1 that is written, rounded to f64.
fn extended(bytes: &[u8]) -> f64 {
    let mut words = [0; 8];
    words.copy_from_slice(&bytes[..8]);
    let (mantissa, head) = (u64::from_le_bytes(words), u16::from_le_bytes([bytes[8], bytes[9]]));
    let (negative, exponent) = (head >> 15 == 1, i32::from(head & 0x7fff));
    let size = match (exponent, mantissa << 1) {
        (0x7fff, 0) => f64::INFINITY,
        (0x7fff, _) => f64::NAN,
        // Split, since the least of these are far below the least power of two that there is in f64.
        _ => libm::ldexp(libm::ldexp(mantissa as f64, -63), exponent - 16383),
    };
    if negative { -size } else { size }
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
