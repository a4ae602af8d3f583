//! The data set as training and reports see it.

use std::fmt;

use crate::error::{Error, Part};
use crate::normalisation::Normalisation;

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

/// Examples as bytes, before normalisation; what a reader hands to [`Dataset::from_pixels`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pixels {
    /// (examples, features), row-major, channel-first.
    pub bytes: Vec<u8>,
    /// Class of each example.
    pub labels: Vec<u32>,
    /// Index of each example in its source file.
    pub ids: Vec<u32>,
}

impl Pixels {
    /// The examples at `positions`, in that order. Each position must be below the number of examples.
    pub(crate) fn select(&self, positions: &[u32], features: usize) -> Self {
        let mut bytes = Vec::with_capacity(positions.len() * features);
        for &position in positions {
            let start = position as usize * features;
            bytes.extend_from_slice(&self.bytes[start..start + features]);
        }
        let pick = |from: &[u32]| positions.iter().map(|&p| from[p as usize]).collect();
        Self { bytes, labels: pick(&self.labels), ids: pick(&self.ids) }
    }

    fn check(&self, name: &str, part: Part, features: usize, classes: usize) -> Result<(), Error> {
        let examples = self.labels.len();
        if examples == 0 {
            return Err(Error::Empty { name: name.into(), part });
        }
        if features == 0 || self.ids.len() != examples || examples.checked_mul(features) != Some(self.bytes.len()) {
            return Err(Error::Inconsistent {
                name: name.into(),
                part,
                values: self.bytes.len(),
                labels: examples,
                ids: self.ids.len(),
                features,
            });
        }
        let outside = |&(_, &label): &(usize, &u32)| label as usize >= classes;
        match self.labels.iter().enumerate().find(outside) {
            Some((index, &label)) => Err(Error::Label { name: name.into(), part, index, label, classes }),
            None => Ok(()),
        }
    }

    fn normalise(self, normalisation: Normalisation) -> Split {
        let mut table = [0f32; 256];
        for (byte, value) in (0..=255u8).zip(&mut table) {
            *value = normalisation.apply(byte);
        }
        Split { x: self.bytes.iter().map(|&b| table[usize::from(b)]).collect(), y: self.labels, ids: self.ids }
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
    /// How bytes became inputs, learnt on the pool.
    pub normalisation: Normalisation,
    /// The examples that members and non-members are drawn from.
    pub pool: Split,
    /// Held-out examples, never trained on.
    pub test: Split,
}

impl Dataset {
    /// Normalises both splits by the mean and standard deviation of the pool's pixels.
    ///
    /// # Errors
    /// An empty split, vectors that do not fit each other, a label not below `classes`, or a pool with
    /// fewer than two classes.
    pub fn from_pixels(
        name: impl Into<String>,
        shape: Shape,
        classes: usize,
        pool: Pixels,
        test: Pixels,
    ) -> Result<Self, Error> {
        let name = name.into();
        pool.check(&name, Part::Pool, shape.features(), classes)?;
        test.check(&name, Part::Test, shape.features(), classes)?;
        if pool.labels.iter().all(|label| *label == pool.labels[0]) {
            return Err(Error::OneClass { name });
        }
        let normalisation = Normalisation::measure(&pool.bytes);
        Ok(Self {
            name,
            shape,
            classes,
            normalisation,
            pool: pool.normalise(normalisation),
            test: test.normalise(normalisation),
        })
    }

    /// Example `i` of one of this data set's splits as bytes, channel-first, for pictures.
    ///
    /// # Panics
    /// If `i` is not below the split's length, as slices do.
    pub fn pixels(&self, split: &Split, i: usize) -> Vec<u8> {
        let row = split.row(i).iter();
        row.map(|&value| self.normalisation.invert(value)).collect()
    }

    /// BLAKE3 over shape, classes, and the labels and values of both splits: the data's part of a study's
    /// identity. Name, ids and the way they were read do not enter.
    ///
    /// Layout: the text `flatleak-data/1`, then channels, height, width, classes as 64-bit integers, then
    /// per split (pool, test) the number of examples (64 bits), labels (32 bits each) and normalised values
    /// (f32 bits); all little-endian.
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
