//! Arrow IPC without a look at its values: that no piece claims more than the file can hold.
//!
//! `arrow-ipc` allocates what a file says before it reads it. An allocation that fails ends the program, so every claim is looked at first.

use std::io::{Read, Seek, SeekFrom};

use arrow_ipc::{Message, root_as_footer, root_as_message};

use super::error::RecordError;
use crate::budget::{Account, Budget};

/// First bytes of a file; Feather of version 2 is the same.
const MAGIC: &[u8] = b"ARROW1";
/// First bytes of a stream, and of every message.
const CONTINUED: [u8; 4] = [0xff; 4];
/// Bytes before the first message of a file.
const START: u64 = 8;
/// Most bytes that say what a piece is.
const MOST_WORDS: u64 = 1 << 24;
/// Most bytes of the list of all pieces.
const MOST_LIST: u64 = 1 << 28;

/// A buffer among the values behind a message.
struct Piece {
    at: u64,
    length: u64,
    /// Its first bytes say what it unpacks to.
    packed: bool,
}

/// The buffers of a message, of which several may be the same bytes.
fn pieces(message: &Message<'_>) -> Vec<Piece> {
    let batch =
        message.header_as_record_batch().or_else(|| message.header_as_dictionary_batch().and_then(|d| d.data()));
    let packed = batch.is_some_and(|batch| batch.compression().is_some());
    let buffers = batch.and_then(|batch| batch.buffers()).into_iter().flatten();
    let piece = |at, length| Some(Piece { at: u64::try_from(at).ok()?, length: u64::try_from(length).ok()?, packed });
    buffers.filter_map(|b| piece(b.offset(), b.length())).collect()
}

/// How the messages are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// In a file that ends with a list of them.
    File,
    /// One behind the other.
    Stream,
}

/// Looks at what all messages claim; how many rows there are comes back too.
pub(super) fn check(file: &mut (impl Read + Seek)) -> Result<(Kept, u64), RecordError> {
    let size = file.seek(SeekFrom::End(0))?;
    let mut magic = [0; 6];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut magic).map_err(|_| RecordError::Short)?;
    // A dictionary stays for all that come behind it.
    let mut kept = Account::new(Budget::now(), "its dictionaries");
    let mut rows = 0u64;
    if magic == MAGIC {
        for (at, values) in blocks(file, size)? {
            // The list says a second time where the values begin, and is believed by those who read it.
            match step(file, at, size)? {
                Some(step) if step.values == values => {
                    kept.spend(step.kept)?;
                    rows = rows.saturating_add(step.rows);
                }
                _ => return Err(RecordError::Damaged),
            }
        }
        return Ok((Kept::File, rows));
    }
    let mut at = 0;
    while let Some(step) = step(file, at, size)? {
        at = step.end;
        kept.spend(step.kept)?;
        rows = rows.saturating_add(step.rows);
    }
    Ok((Kept::Stream, rows))
}

/// Where the messages of a file and their values are, by the list at its end: what stands before them differs between writers.
fn blocks(file: &mut (impl Read + Seek), size: u64) -> Result<Vec<(u64, u64)>, RecordError> {
    let mut end = [0; 10];
    let before = size.checked_sub(10).filter(|before| *before >= START).ok_or(RecordError::Short)?;
    file.seek(SeekFrom::Start(before))?;
    file.read_exact(&mut end)?;
    let ([a, b, c, d, ..], true) = (end, end.ends_with(MAGIC)) else {
        return Err(RecordError::Short);
    };
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    let at = before.checked_sub(length).ok_or(RecordError::Short)?;
    if length > MOST_LIST {
        return Err(RecordError::Claim { found: length, most: MOST_LIST });
    }
    let mut words = vec![0; length as usize];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut words).map_err(|_| RecordError::Short)?;
    let footer = root_as_footer(&words).map_err(|_| RecordError::Damaged)?;
    let all = footer.dictionaries().into_iter().flatten().chain(footer.recordBatches().into_iter().flatten());
    all.map(|block| {
        let [start, words, values] =
            [block.offset(), i64::from(block.metaDataLength()), block.bodyLength()].map(u64::try_from);
        let (Ok(start), Ok(words), Ok(values)) = (start, words, values) else {
            return Err(RecordError::Damaged);
        };
        let behind = start.checked_add(words).ok_or(RecordError::Short)?;
        let end = behind.checked_add(values).filter(|end| *end <= size);
        end.map(|_| (start, behind)).ok_or(RecordError::Short)
    })
    .collect()
}

/// A message that claims no more than there is.
struct Step {
    /// Where its values begin.
    values: u64,
    /// Where they end.
    end: u64,
    /// Bytes of a dictionary, unpacked; none of what is read and forgotten.
    kept: u64,
    /// Rows that it says to hold.
    rows: u64,
}

/// The message at `at`, or nothing at the end.
fn step(file: &mut (impl Read + Seek), at: u64, size: u64) -> Result<Option<Step>, RecordError> {
    let word = |file: &mut dyn Read| {
        let mut four = [0; 4];
        file.read_exact(&mut four).map_err(|_| RecordError::Short)?;
        Ok::<_, RecordError>(four)
    };
    file.seek(SeekFrom::Start(at))?;
    let (mut length, mut behind) = (word(file)?, at + 4);
    if length == CONTINUED {
        (length, behind) = (word(file)?, at + 8);
    }
    let length = u64::from(u32::from_le_bytes(length));
    if length == 0 {
        return Ok(None);
    }
    let body = behind + length;
    if body > size {
        return Err(RecordError::Short);
    }
    if length > MOST_WORDS {
        return Err(RecordError::Claim { found: length, most: MOST_WORDS });
    }
    let mut words = vec![0; length as usize];
    file.read_exact(&mut words).map_err(|_| RecordError::Short)?;
    let message = root_as_message(&words).map_err(|_| RecordError::Damaged)?;
    let values = u64::try_from(message.bodyLength()).map_err(|_| RecordError::Damaged)?;
    let end = body.checked_add(values).filter(|end| *end <= size).ok_or(RecordError::Short)?;
    let budget = Budget::now();
    let mut claimed = values;
    budget.memory("a piece of it", Some(claimed))?;
    for Piece { at, length, packed } in pieces(&message) {
        claimed =
            claimed.saturating_add(if packed { unpacked(file, body.saturating_add(at), length)? } else { length });
        budget.memory("a piece of it", Some(claimed))?;
    }
    let kept = if message.header_as_dictionary_batch().is_some() { claimed } else { 0 };
    let rows = message.header_as_record_batch().map_or(Ok(0), |batch| u64::try_from(batch.length()));
    let rows = rows.map_err(|_| RecordError::Damaged)?;
    Ok(Some(Step { values: body, end, kept, rows }))
}

/// What a packed buffer says that it unpacks to.
fn unpacked(file: &mut (impl Read + Seek), at: u64, length: u64) -> Result<u64, RecordError> {
    let mut eight = [0; 8];
    if length < 8 {
        return Ok(length);
    }
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut eight).map_err(|_| RecordError::Short)?;
    // -1 says that the buffer is not packed after all.
    Ok(u64::try_from(i64::from_le_bytes(eight)).unwrap_or(length))
}
