//! Atomic files, and tensors that know what they depend on.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use flatleak_data::files;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::error::Error;
use crate::fault::pause_point;

/// Writes `bytes` to a temporary name beside `path`, syncs and renames. `kind` names the pause points.
///
/// # Errors
/// When the file system fails; no half file is left.
pub fn write_atomic(path: &Path, bytes: &[u8], kind: &str) -> Result<(), Error> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = Path::new(&temporary);
    let write = || {
        let mut file = File::create(temporary)?;
        let (head, tail) = bytes.split_at(bytes.len() / 2);
        file.write_all(head)?;
        pause_point(&format!("{kind}-write"));
        file.write_all(tail)?;
        file.sync_all()
    };
    write().map_err(|source| {
        // Half a file is worth nothing; should removing fail too, the next run overwrites it.
        let _ = fs::remove_file(temporary);
        Error::Io { action: "cannot write", path: path.to_owned(), source }
    })?;
    pause_point(&format!("{kind}-rename"));
    fs::rename(temporary, path).map_err(Error::io("cannot rename to", path))
}

/// A tensor to be written.
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    /// Little-endian values.
    pub(crate) bytes: Vec<u8>,
}

impl Tensor {
    /// One of single precision.
    pub(crate) fn of_f32(name: String, shape: Vec<usize>, values: &[f32]) -> Self {
        Self { name, dtype: Dtype::F32, shape, bytes: f32_bytes(values) }
    }
}

/// Writes tensors with their identity and a checksum over names, types, shapes and bytes.
pub(crate) fn write_tensors(path: &Path, tensors: &[Tensor], identity: &str, kind: &str) -> Result<(), Error> {
    let encode = |e: safetensors::SafeTensorError| Error::Encode { what: "tensors", source: e.into() };
    let views = tensors
        .iter()
        .map(|t| TensorView::new(t.dtype, t.shape.clone(), &t.bytes).map(|v| (t.name.as_str(), v)).map_err(encode))
        .collect::<Result<Vec<_>, _>>()?;
    let checksum = checksum(views.iter().map(|(n, v)| (*n, v)));
    let metadata = HashMap::from([
        ("format".to_owned(), "pt".to_owned()),
        ("identity".to_owned(), identity.to_owned()),
        ("checksum".to_owned(), checksum),
    ]);
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(encode)?;
    write_atomic(path, &bytes, kind)
}

/// Tensors by name: shape and bytes.
pub(crate) type Tensors = HashMap<String, (Vec<usize>, Vec<u8>)>;

/// Reads tensors back; `None` when the file is absent, damaged or depends on something else.
pub(crate) fn read_tensors(path: &Path, identity: &str) -> Result<Option<Tensors>, Error> {
    let bytes = match files::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io("cannot read", path)(e)),
    };
    let Ok((_, header)) = SafeTensors::read_metadata(&bytes) else { return Ok(None) };
    let Ok(file) = SafeTensors::deserialize(&bytes) else { return Ok(None) };
    let stated = |key: &str| header.metadata().as_ref().and_then(|m| m.get(key).cloned()).unwrap_or_default();
    let views = file.tensors();
    if stated("identity") != identity || stated("checksum") != checksum(views.iter().map(|(n, v)| (n.as_str(), v))) {
        return Ok(None);
    }
    Ok(Some(views.into_iter().map(|(n, v)| (n, (v.shape().to_vec(), v.data().to_vec()))).collect()))
}

fn checksum<'a>(tensors: impl Iterator<Item = (&'a str, &'a TensorView<'a>)>) -> String {
    let mut parts: Vec<_> = tensors.collect();
    parts.sort_by_key(|(name, _)| *name);
    let mut hasher = blake3::Hasher::new();
    for (name, view) in parts {
        hasher.update(format!("{name} {:?} {:?}\n", view.dtype(), view.shape()).as_bytes());
        hasher.update(view.data());
    }
    hasher.finalize().to_hex().to_string()
}

/// Little-endian bytes of f32 values.
pub(crate) fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// f32 values from little-endian bytes.
pub(crate) fn f32_values(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

/// f64 values from little-endian bytes.
pub(crate) fn f64_values(bytes: &[u8]) -> Vec<f64> {
    bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect()
}
