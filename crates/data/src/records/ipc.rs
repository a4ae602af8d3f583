//! Arrow IPC without a look at its values: that no piece claims more than the file can hold.
//!
//! `arrow-ipc` allocates what a file says before it reads it. An allocation that fails ends the program, so every claim is looked at first.

use std::io::{Read, Seek, SeekFrom};

use arrow_ipc::{Message, root_as_message};

use super::error::RecordError;

/// First bytes of a file; Feather of version 2 is the same.
const MAGIC: &[u8] = b"ARROW1";
/// First bytes of a stream, and of every message.
const CONTINUED: [u8; 4] = [0xff; 4];
/// Where the stream within a file begins.
const START: u64 = 8;
/// Most bytes of a piece, unpacked.
const MOST: u64 = 1 << 32;
/// Most bytes that say what a piece is.
const MOST_WORDS: u64 = 1 << 24;

/// Positions of the packed buffers within the values behind a message.
fn packed(message: &Message<'_>) -> Vec<u64> {
    let batch =
        message.header_as_record_batch().or_else(|| message.header_as_dictionary_batch().and_then(|d| d.data()));
    let Some(batch) = batch.filter(|batch| batch.compression().is_some()) else {
        return Vec::new();
    };
    let buffers = batch.buffers().into_iter().flatten().filter(|b| b.length() >= 8);
    buffers.filter_map(|b| u64::try_from(b.offset()).ok()).collect()
}

/// Walks over the messages of a file or stream. Where they begin comes back.
pub(super) fn check(file: &mut (impl Read + Seek)) -> Result<u64, RecordError> {
    let size = file.seek(SeekFrom::End(0))?;
    let mut magic = [0; 6];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut magic).map_err(|_| RecordError::Short)?;
    let start = if magic == MAGIC {
        file.seek(SeekFrom::Start(size.saturating_sub(MAGIC.len() as u64)))?;
        file.read_exact(&mut magic)?;
        if magic != MAGIC || size < 2 * START {
            return Err(RecordError::Short);
        }
        START
    } else {
        0
    };
    let mut at = start;
    while let Some(next) = step(file, at, size)? {
        at = next;
    }
    Ok(start)
}

/// Where the message behind the one at `at` begins, or nothing at the end.
fn step(file: &mut (impl Read + Seek), at: u64, size: u64) -> Result<Option<u64>, RecordError> {
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
    if length > MOST_WORDS {
        return Err(RecordError::Claim { found: length, most: MOST_WORDS });
    }
    let body = behind + length;
    if body > size {
        return Err(RecordError::Short);
    }
    let mut words = vec![0; length as usize];
    file.read_exact(&mut words).map_err(|_| RecordError::Short)?;
    let message = root_as_message(&words).map_err(|_| RecordError::Damaged)?;
    let values = u64::try_from(message.bodyLength()).map_err(|_| RecordError::Damaged)?;
    let end = body.checked_add(values).filter(|end| *end <= size).ok_or(RecordError::Short)?;
    let mut claimed = 0u64;
    for offset in packed(&message) {
        let mut eight = [0; 8];
        file.seek(SeekFrom::Start(body.saturating_add(offset)))?;
        file.read_exact(&mut eight).map_err(|_| RecordError::Short)?;
        // -1 says that the buffer is not packed after all.
        let own = u64::try_from(i64::from_le_bytes(eight)).unwrap_or(0);
        claimed = claimed.saturating_add(own);
        if claimed > MOST {
            return Err(RecordError::Claim { found: claimed, most: MOST });
        }
    }
    Ok(Some(end))
}
