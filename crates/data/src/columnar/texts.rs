//! Texts whose lengths are packed as differences (Parquet's encodings DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY).
//!
//! The `parquet` crate makes room for as many lengths as the differences say that there are, whatever the page says.

use ::parquet::basic::Encoding;
use ::parquet::column::page::Page;
use ::parquet::errors::Result;

use super::fault::{damaged, over};
use super::thrift::Compact;
use crate::budget::{self, product};

/// Texts that are made at once: whoever reads, reads as many rows.
const AT_ONCE: usize = 1024;

/// Refuses lengths of more texts than a page has, and texts that cannot be held.
pub(super) fn check(page: &Page, levels: [i16; 2]) -> Result<()> {
    let (buf, values, encoding) = (page.buffer(), page.num_values() as usize, page.encoding());
    let prefixed = encoding == Encoding::DELTA_BYTE_ARRAY;
    if !prefixed && encoding != Encoding::DELTA_LENGTH_BYTE_ARRAY {
        return Ok(());
    }
    let wrong = || damaged("a page has lengths for more texts than it holds");
    let mut rest = behind(page, levels).and_then(|at| buf.get(at..)).ok_or_else(wrong)?;
    if prefixed {
        // Every text may begin with all of the text before it.
        budget::memory("texts of a page", product(&[buf.len(), values.min(AT_ONCE)])).map_err(over)?;
        let length = differences(rest, values as u64)?;
        rest = usize::try_from(length).ok().and_then(|length| rest.get(length..)).ok_or_else(wrong)?;
    }
    differences(rest, values as u64).map(drop)
}

/// Where the values of a page begin, behind its levels.
fn behind(page: &Page, levels: [i16; 2]) -> Option<usize> {
    let (of_levels, values) = match page {
        Page::DataPageV2 { def_levels_byte_len, rep_levels_byte_len, .. } => {
            return (*def_levels_byte_len as usize).checked_add(*rep_levels_byte_len as usize);
        }
        Page::DataPage { rep_level_encoding, def_level_encoding, num_values, .. } => {
            ([*rep_level_encoding, *def_level_encoding], *num_values as usize)
        }
        Page::DictionaryPage { .. } => return Some(0),
    };
    let mut at = 0usize;
    for (most, encoding) in levels.into_iter().zip(of_levels).filter(|(most, _)| *most > 0) {
        let length = match encoding {
            Encoding::RLE => {
                let four = page.buffer().get(at..)?.first_chunk::<4>()?;
                (u32::from_le_bytes(*four) as usize).checked_add(4)?
            }
            _ => values.checked_mul((16 - most.leading_zeros()) as usize)?.div_ceil(8),
        };
        at = at.checked_add(length)?;
    }
    Some(at)
}

/// The bytes of a block of differences, of at most so many numbers.
fn differences(block: &[u8], most: u64) -> Result<u64> {
    let wrong = || damaged("a page has lengths for more texts than it holds");
    let mut from = Compact::new(block);
    let (size, parts, count) = (from.varint()?, from.varint()?, from.varint()?);
    from.varint()?;
    if count > most || parts == 0 || size == 0 || size > 1 << 31 || parts > size || size % parts != 0 {
        return Err(wrong());
    }
    let of_part = size / parts;
    let mut left = count.saturating_sub(1);
    while left > 0 {
        from.varint()?;
        let mut widths = Vec::new();
        for _ in 0..parts {
            widths.push(from.byte()?);
        }
        for width in widths {
            if left == 0 {
                break;
            }
            from.bytes(u64::from(width) * of_part / 8)?;
            left = left.saturating_sub(of_part);
        }
    }
    Ok(from.read)
}
