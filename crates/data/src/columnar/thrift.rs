//! Thrift's compact protocol (Apache Thrift, doc/specs/thrift-compact-protocol.md), as far as Parquet uses it: read with a bound on depth,
//! and nothing allocated.
//!
//! The `parquet` crate goes by the numbers of fields and believes of their types what the format says. A file whose types are others would be
//! read here and there in two ways, so that it is refused.

use std::collections::BTreeMap;
use std::io::Read;

use ::parquet::errors::Result;

use super::fault::damaged;

/// Most structs and lists within each other; Parquet has five.
const DEEPEST: usize = 16;

/// Types of fields, by the numbers that stand in files.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
pub(super) const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
pub(super) const STRUCT: u8 = 12;
const UUID: u8 = 13;

/// The structs of parquet.thrift whose fields are known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Of {
    File,
    Element,
    Logical,
    Decimal,
    Time,
    Integer,
    Variant,
    Place,
    Page,
    Data,
    Dictionary,
    Data2,
    Statistics,
    Other,
}

impl Of {
    /// The type of a field and, of a struct, what it is; none of fields that nobody reads.
    fn known(self, id: i16) -> Option<(u8, Self)> {
        let (kind, inner) = match (self, id) {
            (Self::File, 1) => (I32, Self::Other),
            (Self::File, 3) => (I64, Self::Other),
            (Self::File, 2 | 4 | 5 | 7) => (LIST, Self::Other),
            (Self::File, 6) | (Self::Element, 4) => (BINARY, Self::Other),
            (Self::Element, 10) => (STRUCT, Self::Logical),
            (Self::Element, 1..=9) => (I32, Self::Other),
            (Self::Logical, 5) => (STRUCT, Self::Decimal),
            (Self::Logical, 7 | 8) => (STRUCT, Self::Time),
            (Self::Logical, 10) => (STRUCT, Self::Integer),
            (Self::Logical, 16) => (STRUCT, Self::Variant),
            (Self::Logical, 17 | 18) => (STRUCT, Self::Place),
            (Self::Logical, 1..=15) => (STRUCT, Self::Other),
            (Self::Decimal, 1 | 2) | (Self::Place, 2) => (I32, Self::Other),
            (Self::Time, 1) | (Self::Integer, 2) => (TRUE, Self::Other),
            (Self::Time, 2) => (STRUCT, Self::Other),
            (Self::Integer | Self::Variant, 1) => (BYTE, Self::Other),
            (Self::Place, 1) => (BINARY, Self::Other),
            (Self::Page, 1..=4) | (Self::Data, 1..=4) | (Self::Dictionary, 1 | 2) | (Self::Data2, 1..=6) => {
                (I32, Self::Other)
            }
            (Self::Page, 5) => (STRUCT, Self::Data),
            (Self::Page, 6) => (STRUCT, Self::Other),
            (Self::Page, 7) => (STRUCT, Self::Dictionary),
            (Self::Page, 8) => (STRUCT, Self::Data2),
            (Self::Data, 5) | (Self::Data2, 8) => (STRUCT, Self::Statistics),
            (Self::Dictionary, 3) | (Self::Data2, 7) | (Self::Statistics, 7 | 8) => (TRUE, Self::Other),
            (Self::Statistics, 1 | 2 | 5 | 6) => (BINARY, Self::Other),
            (Self::Statistics, 3 | 4) => (I64, Self::Other),
            _ => return None,
        };
        Some((kind, inner))
    }
}

/// Whole numbers of 32 bits in a struct and those within, by their field.
pub(super) type Numbers = BTreeMap<(Of, i16), i64>;

/// Values from a reader, of which the bytes are counted.
pub(super) struct Compact<R> {
    from: R,
    pub(super) read: u64,
}

impl<R: Read> Compact<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, read: 0 }
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        let mut one = [0];
        self.from.read_exact(&mut one)?;
        self.read += 1;
        Ok(one[0])
    }

    pub(super) fn bytes(&mut self, count: u64) -> Result<()> {
        let found = std::io::copy(&mut self.from.by_ref().take(count), &mut std::io::sink())?;
        self.read += found;
        if found == count { Ok(()) } else { Err(damaged("a field ends behind its file")) }
    }

    pub(super) fn varint(&mut self) -> Result<u64> {
        let mut all = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            all |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(all);
            }
        }
        Err(damaged("a number has more than 64 bits"))
    }

    fn zigzag(&mut self) -> Result<i64> {
        let found = self.varint()?;
        Ok((found >> 1).cast_signed() ^ -(found & 1).cast_signed())
    }

    /// The number and type of the next field; nothing at the end of its struct.
    pub(super) fn field(&mut self, last: &mut i16) -> Result<Option<(i16, u8)>> {
        let head = self.byte()?;
        let kind = head & 0xf;
        if kind == 0 {
            return Ok(None);
        }
        let id = match head >> 4 {
            0 => i16::try_from(self.zigzag()?).ok(),
            delta => last.checked_add(i16::from(delta)),
        };
        *last = id.ok_or_else(|| damaged("a field has an impossible number"))?;
        Ok(Some((*last, kind)))
    }

    /// The type of a list's entries, and how many there are.
    pub(super) fn list(&mut self) -> Result<(u8, u64)> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        Ok((head & 0xf, count))
    }

    /// Refuses a field of another type than the format has.
    pub(super) fn expect(of: Of, id: i16, kind: u8) -> Result<Of> {
        let Some((expected, inner)) = of.known(id) else { return Ok(Of::Other) };
        // Both booleans are types of their own.
        let found = if kind == FALSE { TRUE } else { kind };
        if found == expected { Ok(inner) } else { Err(damaged("a field has another type than it should")) }
    }

    /// Reads a struct, and keeps its numbers.
    pub(super) fn structure(&mut self, of: Of, deep: usize, numbers: &mut Numbers) -> Result<()> {
        if deep > DEEPEST {
            return Err(damaged("its records lie too deep within each other"));
        }
        let mut last = 0;
        while let Some((id, kind)) = self.field(&mut last)? {
            match (Self::expect(of, id, kind)?, kind) {
                (_, I32) => drop(numbers.insert((of, id), self.zigzag()?)),
                (inner, STRUCT) => self.structure(inner, deep + 1, numbers)?,
                _ => self.skip(kind, false, deep + 1)?,
            }
        }
        Ok(())
    }

    /// Reads on behind a value; a boolean has a byte of its own as an entry of a list alone.
    pub(super) fn skip(&mut self, kind: u8, entry: bool, deep: usize) -> Result<()> {
        if deep > DEEPEST {
            return Err(damaged("its records lie too deep within each other"));
        }
        match kind {
            TRUE | FALSE if !entry => Ok(()),
            TRUE | FALSE | BYTE => self.bytes(1),
            I16 | I32 | I64 => self.varint().map(drop),
            DOUBLE => self.bytes(8),
            UUID => self.bytes(16),
            BINARY => {
                let length = self.varint()?;
                self.bytes(length)
            }
            LIST | SET => {
                let (kind, count) = self.list()?;
                (0..count).try_for_each(|_| self.skip(kind, true, deep + 1))
            }
            MAP => {
                let count = self.varint()?;
                let kinds = if count > 0 { self.byte()? } else { 0 };
                (0..count).try_for_each(|_| {
                    self.skip(kinds >> 4, true, deep + 1)?;
                    self.skip(kinds & 0xf, true, deep + 1)
                })
            }
            STRUCT => self.structure(Of::Other, deep, &mut Numbers::new()),
            _ => Err(damaged("a field has an unknown type")),
        }
    }
}
