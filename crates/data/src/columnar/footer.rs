//! What a file says of itself at its end.

use std::io::Read;

use ::parquet::errors::Result;
use ::parquet::file::reader::ChunkReader;

use super::fault::{damaged, over};
use super::thrift::{Compact, LIST, Numbers, Of, STRUCT};
use crate::budget;

/// Most groups within each other; a list in a list in a record has eight.
const DEEPEST: usize = 64;
/// Memory for each byte of the description, of which a column of a group of rows takes 30 and becomes 900.
const DESCRIBED: u64 = 32;
/// Length of the description and the four letters behind it.
const END: u64 = 8;

/// Refuses a file whose description cannot be held, or goes deeper than any.
pub(super) fn check(file: &impl ChunkReader) -> Result<()> {
    let size = file.len();
    let Some(before) = size.checked_sub(END) else { return Err(damaged("it has no end")) };
    let mut end = [0; 4];
    file.get_read(before)?.read_exact(&mut end)?;
    let length = u64::from(u32::from_le_bytes(end));
    // What else is wrong with the end, the library says.
    let Some(at) = before.checked_sub(length) else { return Ok(()) };
    budget::memory("its description of itself", length.checked_mul(DESCRIBED)).map_err(over)?;
    let mut from = Compact::new(file.get_read(at)?.take(length));
    let mut last = 0;
    while let Some((id, kind)) = from.field(&mut last)? {
        Compact::<&[u8]>::expect(Of::File, id, kind)?;
        if (id, kind) == (2, LIST) { schema(&mut from)? } else { from.skip(kind, false, 1)? }
    }
    Ok(())
}

/// Goes through the groups of a schema, which stand in the file before what is in them.
fn schema(from: &mut Compact<impl Read>) -> Result<()> {
    let (kind, count) = from.list()?;
    if kind != STRUCT {
        return Err(damaged("its schema holds something else than columns"));
    }
    // Of every open group, the columns that are to come.
    let mut open: Vec<u64> = Vec::new();
    for left in (0..count).rev() {
        let mut numbers = Numbers::new();
        from.structure(Of::Element, 1, &mut numbers)?;
        let children = numbers.get(&(Of::Element, 5)).copied().unwrap_or(0);
        match u64::try_from(children) {
            Ok(children) if children <= left => open.push(children),
            _ => return Err(damaged("a group of its schema has more columns than there are")),
        }
        if open.len() > DEEPEST {
            return Err(damaged("groups of its schema lie too deep within each other"));
        }
        while let Some(0) = open.last() {
            open.pop();
            if let Some(parent) = open.last_mut() {
                *parent = parent.saturating_sub(1);
            }
        }
    }
    Ok(())
}
