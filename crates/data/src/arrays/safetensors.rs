//! Tensors of safetensors files.

use std::io::{ErrorKind, Read, Seek, SeekFrom};

use ::safetensors::tensor::Metadata;

use crate::arrays::element::Kind;
use crate::arrays::error::ArrayError;
use crate::arrays::npy::MAX_AXES;
use crate::arrays::stream::Values;
use crate::budget;

/// Most bytes of a header.
pub(crate) const MAX_HEADER: u64 = 1 << 24;

fn damaged(e: std::io::Error) -> ArrayError {
    match e.kind() {
        ErrorKind::UnexpectedEof => ArrayError::HeaderCut,
        _ => ArrayError::Io(e),
    }
}

/// The names of the tensors.
pub(crate) fn names(file: impl Read + Seek) -> Result<Vec<String>, ArrayError> {
    Ok(header(file)?.1.tensors().into_keys().collect())
}

/// The length of the header, and what it says; the file is left behind it.
fn header(mut file: impl Read) -> Result<(u64, Metadata), ArrayError> {
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(damaged)?;
    let length = u64::from_le_bytes(length);
    let mut header = Vec::new();
    // A name takes a hundred bytes of tables or more, and at least ten of text.
    budget::memory("its header", length.checked_mul(16))?;
    file.by_ref().take(length).read_to_end(&mut header).map_err(damaged)?;
    // The crate's own reader wants the whole file in memory; its type of the header does not.
    Ok((length, serde_json::from_slice(&header).map_err(ArrayError::NotTensors)?))
}

/// The tensor called `name`, or the only one, read front to back.
pub(crate) fn stream<'a>(mut file: impl Read + Seek + 'a, name: &str) -> Result<Values<'a>, ArrayError> {
    let (length, metadata) = header(&mut file)?;
    let names: Vec<String> = metadata.tensors().into_keys().collect();
    let chosen = match names.as_slice() {
        [only] => only.as_str(),
        _ => name,
    };
    let info = metadata.info(chosen).ok_or_else(|| ArrayError::choice(name, &names))?;
    let kind = Kind::of_tensor(info.dtype).ok_or_else(|| ArrayError::Type { dtype: format!("{:?}", info.dtype) })?;
    if info.shape.len() > MAX_AXES {
        return Err(ArrayError::Axes { found: info.shape.len(), most: MAX_AXES });
    }
    let (shape, (from, to)) = (info.shape.clone(), info.data_offsets);
    let needed = shape.iter().try_fold(kind.size(), |n, s| n.checked_mul(*s));
    if needed.is_none() || to.checked_sub(from) != needed {
        return Err(ArrayError::Span { name: chosen.into(), shape, from, to });
    }
    file.seek(SeekFrom::Start((8 + length).saturating_add(from as u64))).map_err(damaged)?;
    Values::new(shape, kind, Box::new(file))
}
