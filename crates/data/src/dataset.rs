//! The data set as training and reports see it.

use std::fmt;

use crate::error::{Error, Part};
use crate::normalisation::Scaling;

/// Size of one example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Colour channels, 1 for grey.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Shape {
    /// Values in one example: channels x height x width.
    pub const fn features(&self) -> usize {
        self.channels.saturating_mul(self.height).saturating_mul(self.width)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.channels, self.height, self.width)
    }
}

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

/// Values as a reader found them.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Grey or colour levels, 0 to 255.
    Pixels(Vec<u8>),
    /// Columns of a table, each with a scale of its own.
    Table(Vec<f32>),
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Pixels(v) => v.len(),
            Self::Table(v) => v.len(),
        }
    }

    fn select(&self, positions: &[u32], features: usize) -> Self {
        fn rows<T: Copy>(from: &[T], positions: &[u32], features: usize) -> Vec<T> {
            positions.iter().flat_map(|&p| from[p as usize * features..][..features].iter().copied()).collect()
        }
        match self {
            Self::Pixels(v) => Self::Pixels(rows(v, positions, features)),
            Self::Table(v) => Self::Table(rows(v, positions, features)),
        }
    }
}

/// Examples before scaling; what a reader hands to [`Dataset::from_raw`].
#[derive(Clone, Debug, PartialEq)]
pub struct Raw {
    /// (examples, features), row-major, channel-first.
    pub values: Values,
    /// Class of each example.
    pub labels: Vec<u32>,
    /// Group of each example, where the data has groups.
    pub groups: Option<Vec<u32>>,
    /// Index of each example in its source file.
    pub ids: Vec<u32>,
}

impl Raw {
    /// The examples at `positions`, in that order. Each position must be below the number of examples.
    pub(crate) fn select(&self, positions: &[u32], features: usize) -> Self {
        let pick = |from: &[u32]| positions.iter().map(|&p| from[p as usize]).collect();
        Self {
            values: self.values.select(positions, features),
            labels: pick(&self.labels),
            groups: self.groups.as_deref().map(pick),
            ids: pick(&self.ids),
        }
    }

    fn check(&self, name: &str, part: Part, features: usize, classes: usize) -> Result<(), Error> {
        let examples = self.labels.len();
        if examples == 0 {
            return Err(Error::Empty { name: name.into(), part });
        }
        let grouped = self.groups.as_ref().is_none_or(|g| g.len() == examples);
        let values = self.values.len();
        if features == 0 || self.ids.len() != examples || !grouped || examples.checked_mul(features) != Some(values) {
            return Err(Error::Inconsistent {
                name: name.into(),
                part,
                values,
                labels: examples,
                ids: self.ids.len(),
                features,
            });
        }
        if let Values::Table(table) = &self.values
            && let Some(at) = table.iter().position(|v| !v.is_finite())
        {
            return Err(Error::NotFinite { name: name.into(), part, index: at / features, column: at % features });
        }
        let outside = |&(_, &label): &(usize, &u32)| label as usize >= classes;
        match self.labels.iter().enumerate().find(outside) {
            Some((index, &label)) => Err(Error::Label { name: name.into(), part, index, label, classes }),
            None => Ok(()),
        }
    }

    fn scale(self, scaling: &Scaling) -> Split {
        let x = scaling.apply(self.values);
        Split { x, y: self.labels, groups: self.groups, ids: self.ids }
    }
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
    pub fn from_raw(
        name: impl Into<String>,
        shape: Shape,
        classes: usize,
        groups: Vec<String>,
        (pool, test): (Raw, Raw),
    ) -> Result<Self, Error> {
        let name = name.into();
        pool.check(&name, Part::Pool, shape.features(), classes)?;
        test.check(&name, Part::Test, shape.features(), classes)?;
        if pool.labels.iter().all(|label| *label == pool.labels[0]) {
            return Err(Error::OneClass { name });
        }
        let scaling = Scaling::measure(&pool.values, shape.features());
        let (pool, test) = (pool.scale(&scaling), test.scale(&scaling));
        Ok(Self { name, shape, classes, scaling, groups, pool, test })
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
