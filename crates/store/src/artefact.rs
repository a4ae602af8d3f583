//! Tensors that know what they depend on.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use flatleak_data::files;
use flatleak_disk::{Creation, create, replace};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors, View};

use crate::error::Error;

/// What becomes of a whole artefact of the same identity that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rival {
    /// It is not what the study wants: the new one takes its place.
    Stale,
    /// It was made by the engine, which gives the same bits everywhere: other bits are an error.
    Ours,
    /// It was made by a command of others, which need not do the same twice: the first stays.
    Theirs,
}

/// Publishes the bytes of an artefact. What is there already and differs is damaged, stale, or a rival's: `rival` says which of a whole one.
pub(crate) fn adopt(
    path: &Path,
    bytes: &[u8],
    identity: &str,
    rival: impl FnOnce() -> Result<Rival, Error>,
) -> Result<Creation, Error> {
    let created = create(path, bytes)?;
    if created != Creation::Other {
        return Ok(created);
    }
    let Some(there) = read_tensors(path, identity)? else {
        replace(path, bytes)?;
        return Ok(Creation::Other);
    };
    match rival()? {
        Rival::Theirs => return Ok(Creation::Same),
        Rival::Stale => {}
        Rival::Ours if agree(&there, &tensors(bytes, identity).unwrap_or_default()) => {}
        Rival::Ours => return Err(Error::BitsDiffer(path.to_owned())),
    }
    replace(path, bytes)?;
    Ok(Creation::Other)
}

/// Whether tensors of the same name and shape have the same bytes: programs of one engine may keep more or fewer of them.
fn agree(one: &Tensors, other: &Tensors) -> bool {
    one.iter().all(|(name, (shape, bytes))| other.get(name).is_none_or(|(s, b)| s != shape || b == bytes))
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

/// Writes tensors with their identity and a checksum over names, types, shapes and bytes. [`Creation::Other`] took the place of something that was
/// damaged or stale.
pub(crate) fn write_tensors(
    path: &Path,
    tensors: &[Tensor],
    identity: &str,
    rival: impl FnOnce() -> Result<Rival, Error>,
) -> Result<Creation, Error> {
    adopt(path, &encoded(tensors, &[("identity", identity)])?, identity, rival)
}

/// The bytes of a file with these tensors, a checksum of them, and what else is to be said.
pub(crate) fn encoded(tensors: &[Tensor], said: &[(&str, &str)]) -> Result<Vec<u8>, Error> {
    let encode = |e: safetensors::SafeTensorError| Error::Encode { what: "tensors", source: e.into() };
    let views = tensors
        .iter()
        .map(|t| TensorView::new(t.dtype, t.shape.clone(), &t.bytes).map(|v| (t.name.as_str(), v)).map_err(encode))
        .collect::<Result<Vec<_>, _>>()?;
    let checksum = checksum(views.iter().map(|(n, v)| (*n, v)));
    let stated = [("format", "pt"), ("checksum", checksum.as_str())];
    let metadata = stated.iter().chain(said).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(encode)?;
    steady(bytes)
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
    Ok(tensors(&bytes, identity))
}

/// The tensors of a file; `None` where it is damaged or depends on something else.
fn tensors(bytes: &[u8], identity: &str) -> Option<Tensors> {
    let (tensors, said) = whole(bytes)?;
    (said.get("identity").is_some_and(|own| own == identity)).then_some(tensors)
}

/// The tensors of a file, and what is said beside them; `None` where it is damaged.
pub(crate) fn whole(bytes: &[u8]) -> Option<(Tensors, HashMap<String, String>)> {
    let (_, header) = SafeTensors::read_metadata(bytes).ok()?;
    let file = SafeTensors::deserialize(bytes).ok()?;
    let said = header.metadata().clone().unwrap_or_default();
    let views = file.tensors();
    let is_whole = said.get("checksum").is_some_and(|sum| *sum == checksum(views.iter().map(|(n, v)| (n.as_str(), v))));
    is_whole.then(|| (views.into_iter().map(|(n, v)| (n, (v.shape().to_vec(), v.data().to_vec()))).collect(), said))
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
    let mut bytes = vec![0; 4 * values.len()];
    bytes.as_chunks_mut::<4>().0.iter_mut().zip(values).for_each(|(to, v)| *to = v.to_le_bytes());
    bytes
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
            write_tensors(&path, &tensors, "of this", || Ok(Rival::Ours)).unwrap();
            assert_eq!(read_tensors(&path, "of this").unwrap().unwrap().len(), 12);
            fs::read(path).unwrap()
        };
        let first = write("0");
        assert!((1..8).all(|k| write(&k.to_string()) == first));
        assert!(read_tensors(&dir.path().join("0"), "of that").unwrap().is_none());
    }

    #[test]
    fn of_rivals_the_first_stays_or_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let named = |name: &str, value: f32| Tensor::of_f32(name.into(), vec![1], &[value]);
        let write = |tensors: &[Tensor], rival| write_tensors(&path, tensors, "i", || Ok(rival));
        let value = |name: &str| f32_values(&read_tensors(&path, "i").unwrap().unwrap()[name].1)[0];
        assert_eq!(write(&[named("w", 1.0)], Rival::Ours).unwrap(), Creation::New);
        assert_eq!(write(&[named("w", 1.0)], Rival::Ours).unwrap(), Creation::Same);
        let refused = write(&[named("w", 2.0)], Rival::Ours).unwrap_err();
        assert!(matches!(&refused, Error::BitsDiffer(p) if *p == path), "{refused}");
        assert_eq!((write(&[named("w", 2.0)], Rival::Theirs).unwrap(), value("w")), (Creation::Same, 1.0));
        // More of the same is no other.
        assert_eq!(write(&[named("w", 1.0), named("v", 3.0)], Rival::Ours).unwrap(), Creation::Other);
        assert_eq!((write(&[named("w", 2.0)], Rival::Stale).unwrap(), value("w")), (Creation::Other, 2.0));
        fs::write(&path, "damaged").unwrap();
        assert_eq!((write(&[named("w", 4.0)], Rival::Ours).unwrap(), value("w")), (Creation::Other, 4.0));
    }
}
