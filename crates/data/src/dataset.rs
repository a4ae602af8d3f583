//! The data set as training and reports see it.

use crate::error::{Error, Part};
use crate::normalisation::Scaling;
use crate::raw::Raw;
use crate::remark::Remark;
use crate::shape::Shape;

/// Examples with their labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// (examples, features), row-major, channel-first, normalised.
    pub x: Vec<f32>,
    /// Class of each example.
    pub y: Vec<u32>,
    /// Group of each example, an index into [`Dataset::groups`], where the data has groups.
    pub groups: Option<Vec<u32>>,
    /// Index of each example in its source file.
    pub ids: Vec<u32>,
}

impl Split {
    /// Number of examples.
    pub fn len(&self) -> usize {
        self.y.len()
    }

    /// Whether there is no example.
    pub fn is_empty(&self) -> bool {
        self.y.is_empty()
    }

    /// The values of example `i`.
    ///
    /// # Panics
    /// If `i` is not below [`Split::len`], as slices do.
    pub fn row(&self, i: usize) -> &[f32] {
        let features = self.x.len() / self.len().max(1);
        &self.x[i * features..(i + 1) * features]
    }
}

/// A data set before scaling; what [`Dataset::from_raw`] takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// Size of one example.
    pub shape: Shape,
    /// Number of classes.
    pub classes: usize,
    /// Names of the groups; empty where there are none.
    pub groups: Vec<String>,
    /// The examples that members and non-members are drawn from.
    pub pool: Raw,
    /// Held-out examples.
    pub test: Raw,
}

/// A classification data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The name it was asked for by.
    pub name: String,
    /// Size of one example.
    pub shape: Shape,
    /// Number of classes: the largest label of the source, either split and before any subset, plus 1.
    pub classes: usize,
    /// How values became inputs, learnt on the pool.
    pub scaling: Scaling,
    /// Names of the groups, in the order of their numbers; empty where the data has none.
    pub groups: Vec<String>,
    /// Names of the classes, in the order of their numbers, where the source has any. They do not enter the digest.
    pub class_names: Option<Vec<String>>,
    /// Files of the source by the ids of examples, of the pool and of the test set, where each example has a file of its own; else empty.
    pub files: [Vec<String>; 2],
    /// What is worth saying of how it was read.
    pub remarks: Vec<Remark>,
    /// The examples that members and non-members are drawn from.
    pub pool: Split,
    /// Held-out examples, never trained on.
    pub test: Split,
}

impl Dataset {
    /// Scales both splits by what the pool alone shows.
    ///
    /// # Errors
    /// An empty split, vectors that do not fit each other, a value that is not finite, a label not below `classes`, or a
    /// pool with fewer than two classes.
    pub fn from_raw(name: impl Into<String>, parts: Parts) -> Result<Self, Error> {
        let name = name.into();
        let Parts { shape, classes, groups, pool, test } = parts;
        pool.check(&name, Part::Pool, shape.features(), classes)?;
        test.check(&name, Part::Test, shape.features(), classes)?;
        if pool.labels.windows(2).all(|pair| pair[0] == pair[1]) {
            return Err(Error::OneClass { name });
        }
        let scaling = Scaling::measure(&pool.values, shape.features());
        let scaled = |raw: Raw| Split { x: scaling.apply(raw.values), y: raw.labels, groups: raw.groups, ids: raw.ids };
        let (pool, test) = (scaled(pool), scaled(test));
        let (class_names, files, remarks) = (None, Default::default(), Vec::new());
        Ok(Self { name, shape, classes, scaling, groups, class_names, files, remarks, pool, test })
    }

    /// The name of a class, or its number where it has none.
    pub fn class_name(&self, class: usize) -> String {
        self.class_names.as_ref().and_then(|names| names.get(class).cloned()).unwrap_or_else(|| class.to_string())
    }

    /// Where pool example `i` stands in its source: its file, or its row counted from 1.
    ///
    /// # Panics
    /// If `i` is not below the pool's length, as slices do.
    pub fn place(&self, i: usize) -> String {
        let id = self.pool.ids[i];
        self.files[0].get(id as usize).cloned().unwrap_or_else(|| format!("row {}", u64::from(id) + 1))
    }

    /// Example `i` of one of this data set's splits as bytes, channel-first, for pictures; `None` for tables.
    ///
    /// # Panics
    /// If `i` is not below the split's length, as slices do.
    pub fn pixels(&self, split: &Split, i: usize) -> Option<Vec<u8>> {
        let Scaling::Pixels(normalisation) = &self.scaling else { return None };
        Some(split.row(i).iter().map(|&value| normalisation.invert(value)).collect())
    }

    /// BLAKE3 over shape, classes, and the labels and values of both splits: the data's part of a study's
    /// identity. Name, ids and the way they were read do not enter.
    ///
    /// Layout: the text `flatleak-data/1`, then channels, height, width, classes as 64-bit integers, then
    /// per split (pool, test) the number of examples (64 bits), labels (32 bits each) and normalised values
    /// (f32 bits) and, where there are any, groups (32 bits each); all little-endian.
    pub fn digest(&self) -> [u8; 32] {
        *self.hash().as_bytes()
    }

    /// [`Dataset::digest`] as 64 hexadecimal digits.
    pub fn digest_hex(&self) -> String {
        self.hash().to_hex().to_string()
    }

    fn hash(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"flatleak-data/1");
        let shape = self.shape;
        for size in [shape.channels, shape.height, shape.width, self.classes] {
            hasher.update(&(size as u64).to_le_bytes());
        }
        for split in [&self.pool, &self.test] {
            hasher.update(&(split.len() as u64).to_le_bytes());
            words(&mut hasher, split.y.iter().copied());
            words(&mut hasher, split.x.iter().map(|value| value.to_bits()));
            if let Some(groups) = &split.groups {
                words(&mut hasher, groups.iter().copied());
            }
        }
        hasher.finalize()
    }
}

/// Hashes words through a buffer: one call per word would be many times slower.
fn words(hasher: &mut blake3::Hasher, words: impl Iterator<Item = u32>) {
    const FULL: usize = 1 << 16;
    let mut buffer = Vec::with_capacity(FULL);
    for word in words {
        buffer.extend_from_slice(&word.to_le_bytes());
        if buffer.len() >= FULL {
            hasher.update(&buffer);
            buffer.clear();
        }
    }
    hasher.update(&buffer);
}

#[cfg(test)]
#[path = "dataset_tests.rs"]
mod tests;
