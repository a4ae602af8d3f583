//! Tensors that know what they depend on.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use flatleak_data::files;
use flatleak_disk::{Creation, create, replace};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors, View};

use crate::error::Error;

/// Publishes an artefact. What is there already and differs is damaged or stale: whoever works in the folder looked at it first.
fn publish(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if create(path, bytes)? == Creation::Other {
        replace(path, bytes)?;
    }
    Ok(())
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
pub(crate) fn write_tensors(path: &Path, tensors: &[Tensor], identity: &str) -> Result<(), Error> {
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
    publish(path, &steady(bytes)?)
}

/// The same tensors with the header's names in order: the library leaves them in the order of a hash map, which differs from run to run.
fn steady(bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
    const LENGTH: usize = 8;
    let failed = |e: serde_json::Error| Error::Encode { what: "tensors", source: e.into() };
    let length = bytes.first_chunk::<LENGTH>().map_or(0, |n| u64::from_le_bytes(*n)) as usize;
    let (head, body) = bytes.split_at(LENGTH + length);
    let mut header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&head[LENGTH..]).map_err(failed)?;
    if let Some(metadata) = header.get_mut("__metadata__") {
        let sorted: BTreeMap<String, serde_json::Value> = serde_json::from_value(metadata.take()).map_err(failed)?;
        *metadata = serde_json::to_value(sorted).map_err(failed)?;
    }
    let mut text = serde_json::to_vec(&header).map_err(failed)?;
    // Blanks at the end align what follows.
    text.resize(length, b' ');
    Ok([&head[..LENGTH], &text, body].concat())
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

pub(crate) fn checksum<'a, V: View + 'a>(tensors: impl Iterator<Item = (&'a str, &'a V)>) -> String {
    let mut parts: Vec<_> = tensors.collect();
    parts.sort_by_key(|(name, _)| *name);
    let mut hasher = blake3::Hasher::new();
    for (name, view) in parts {
        hasher.update(format!("{name} {:?} {:?}\n", view.dtype(), view.shape()).as_bytes());
        hasher.update(&view.data());
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn equal_tensors_have_equal_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let tensors: Vec<Tensor> = (0..12)
            .map(|k| Tensor::of_f32(format!("layer.{k}"), vec![2, k + 1], &vec![k as f32; 2 * (k + 1)]))
            .collect();
        let write = |name: &str| {
            let path = dir.path().join(name);
            write_tensors(&path, &tensors, "of this").unwrap();
            assert_eq!(read_tensors(&path, "of this").unwrap().unwrap().len(), 12);
            fs::read(path).unwrap()
        };
        let first = write("0");
        assert!((1..8).all(|k| write(&k.to_string()) == first));
        assert!(read_tensors(&dir.path().join("0"), "of that").unwrap().is_none());
    }
}
