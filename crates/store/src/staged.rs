//! Data that are laid down with a run, so that a worker needs nothing but the run.
//!
//! Values of which there are no more than 256 different ones, as those of pictures, are one byte each and a table; others are f32. Both are
//! exact: what is read back has the digest of what was written.

use std::collections::{BTreeMap, HashMap};

use flatleak_data::{Dataset, Normalisation, Scaling, Shape, Split};
use safetensors::Dtype;

use crate::artefact::{Tensor, Tensors, encoded, f32_bytes, f32_values, f64_values, whole};
use crate::error::Error;

/// Different values that a byte tells apart.
const BYTE: usize = 256;

/// The name of data of this digest in a run.
pub fn staged_name(digest: &str) -> String {
    format!("data/{digest}")
}

/// A data set as the bytes of a safetensors file.
///
/// # Errors
/// Arrays that cannot be encoded.
pub fn stage(data: &Dataset) -> Result<Vec<u8>, Error> {
    let words = |name: String, values: &[u32]| Tensor {
        name,
        dtype: Dtype::U32,
        shape: vec![values.len()],
        bytes: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    };
    let doubles = |name: &str, values: &[f64]| Tensor {
        name: name.to_owned(),
        dtype: Dtype::F64,
        shape: vec![values.len()],
        bytes: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    };
    let sizes = [data.shape.channels, data.shape.height, data.shape.width, data.classes].map(|n| n as u32);
    let mut list = vec![words("sizes".into(), &sizes)];
    let table = table(data);
    if let Some(table) = &table {
        let mut values: Vec<(u8, u32)> = table.iter().map(|(bits, at)| (*at, *bits)).collect();
        values.sort_unstable();
        let values: Vec<f32> = values.into_iter().map(|(_, bits)| f32::from_bits(bits)).collect();
        list.push(Tensor::of_f32("values".into(), vec![values.len()], &values));
    }
    for (name, split) in [("pool", &data.pool), ("test", &data.test)] {
        let shape = vec![split.len(), data.shape.features()];
        let at = format!("{name}.x");
        list.push(match &table {
            Some(table) => {
                let bytes = split.x.iter().map(|v| table.get(&v.to_bits()).copied().unwrap_or(0)).collect();
                Tensor { name: at, dtype: Dtype::U8, shape, bytes }
            }
            None => Tensor { name: at, dtype: Dtype::F32, shape, bytes: f32_bytes(&split.x) },
        });
        list.push(words(format!("{name}.y"), &split.y));
        list.push(words(format!("{name}.ids"), &split.ids));
        list.extend(split.groups.as_ref().map(|groups| words(format!("{name}.groups"), groups)));
    }
    let scaling = match &data.scaling {
        Scaling::Pixels(normalisation) => {
            list.push(doubles("scaling", &[normalisation.mean, normalisation.std]));
            "pixels"
        }
        Scaling::Columns { mean, std } => {
            list.push(doubles("scaling", &[mean.as_slice(), std].concat()));
            "columns"
        }
        Scaling::Binary => "binary",
    };
    let json = |names: &Vec<String>| serde_json::to_string(names).map_err(|e| Error::encode("names")(e.into()));
    let groups = json(&data.groups)?;
    let classes = data.class_names.as_ref().map(json).transpose()?.unwrap_or_default();
    let files = serde_json::to_string(&data.files).map_err(|e| Error::encode("names")(e.into()))?;
    let said = [
        ("name", data.name.as_str()),
        ("scaling", scaling),
        ("groups", &groups),
        ("class_names", &classes),
        ("files", &files),
    ];
    encoded(&list, &said)
}

/// The data set of this digest from the bytes of its file.
///
/// # Errors
/// A file that is damaged or holds other data.
pub fn load_staged(bytes: &[u8], digest: &str) -> Result<Dataset, Error> {
    let wrong = || Error::Staged { name: staged_name(digest) };
    let data = whole(bytes).and_then(|(tensors, said)| dataset(&tensors, &said)).ok_or_else(wrong)?;
    (data.digest_hex() == digest).then_some(data).ok_or_else(wrong)
}

/// A byte for every value, by its bits, where there are few of them.
fn table(data: &Dataset) -> Option<HashMap<u32, u8>> {
    let mut seen = BTreeMap::new();
    for value in data.pool.x.iter().chain(&data.test.x) {
        seen.insert(value.to_bits(), ());
        if seen.len() > BYTE {
            return None;
        }
    }
    Some(seen.into_keys().zip(0..=u8::MAX).collect())
}

fn dataset(tensors: &Tensors, said: &HashMap<String, String>) -> Option<Dataset> {
    let bytes = |name: &str| tensors.get(name).map(|(_, bytes)| bytes.as_slice());
    let words = |name: &str| Some(bytes(name)?.as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect());
    let sizes: Vec<u32> = words("sizes")?;
    let &[channels, height, width, classes] = sizes.as_slice() else { return None };
    let shape = Shape { channels: channels as usize, height: height as usize, width: width as usize };
    let values = bytes("values").map(f32_values);
    let split = |name: &str| {
        let x = bytes(&format!("{name}.x"))?;
        let x: Vec<f32> = match &values {
            Some(values) => x.iter().map(|at| values.get(usize::from(*at)).copied()).collect::<Option<_>>()?,
            None => f32_values(x),
        };
        let y: Vec<u32> = words(&format!("{name}.y"))?;
        (x.len() == y.len() * shape.features()).then_some(())?;
        Some(Split { x, y, groups: words(&format!("{name}.groups")), ids: words(&format!("{name}.ids"))? })
    };
    let numbers = bytes("scaling").map_or(Vec::new(), f64_values);
    let scaling = match (said.get("scaling")?.as_str(), numbers.as_slice()) {
        ("pixels", &[mean, std]) => Scaling::Pixels(Normalisation { mean, std }),
        ("columns", all) => {
            let (mean, std) = all.split_at(all.len() / 2);
            Scaling::Columns { mean: mean.to_vec(), std: std.to_vec() }
        }
        ("binary", _) => Scaling::Binary,
        _ => return None,
    };
    let names = |key: &str| said.get(key).and_then(|text| serde_json::from_str::<Vec<String>>(text).ok());
    Some(Dataset {
        name: said.get("name")?.clone(),
        shape,
        classes: classes as usize,
        scaling,
        groups: names("groups")?,
        class_names: names("class_names"),
        files: said.get("files").and_then(|text| serde_json::from_str(text).ok())?,
        remarks: Vec::new(),
        pool: split("pool")?,
        test: split("test")?,
    })
}

#[cfg(test)]
mod tests {
    use flatleak_data::{Request, open};

    use super::*;

    #[test]
    fn data_are_read_back_as_they_were() {
        // Pictures, numbers that a table has no room for, and groups.
        for (name, is_small) in [("fashion-mnist-small", true), ("letter", true), ("subpopulations+clusters=3", false)]
        {
            let mut data = open(&Request { pool: Some(60), test: Some(20), ..Request::new(name) }).unwrap();
            data.files = [(0..60).map(|i| format!("{i}.png")).collect(), Vec::new()];
            let bytes = stage(&data).unwrap();
            let values = (data.pool.x.len() + data.test.x.len()) * if is_small { 1 } else { 4 };
            assert!(bytes.len() < values + 8_000, "{name}: {} bytes", bytes.len());
            let digest = data.digest_hex();
            let found = load_staged(&bytes, &digest).unwrap();
            assert_eq!(found, Dataset { remarks: Vec::new(), ..data });
            assert!(load_staged(&bytes, "of other data").is_err());
            let mut damaged = bytes.clone();
            *damaged.last_mut().unwrap() ^= 1;
            let error = load_staged(&damaged, &digest).unwrap_err().to_string();
            assert_eq!(error, format!("data/{digest} is damaged or of other data"));
        }
    }
}
