//! Examples as a reader found them, before any scaling.

use crate::error::{Error, Part};
use crate::remark::Remark;
use crate::shape::Shape;

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

/// Examples before scaling; what a reader hands to [`Dataset::from_raw`](crate::Dataset::from_raw).
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
    /// Examples without groups, counted from 0.
    pub(crate) fn new(values: Values, labels: Vec<u32>) -> Self {
        let ids = (0..labels.len() as u32).collect();
        Self { values, labels, groups: None, ids }
    }

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

    /// Refuses what [`Dataset::from_raw`](crate::Dataset::from_raw) cannot take.
    pub(crate) fn check(&self, name: &str, part: Part, features: usize, classes: usize) -> Result<(), Error> {
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
}

/// One split as read, before any subset.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) shape: Shape,
    pub(crate) raw: Raw,
    /// Names of the groups, where it has any.
    pub(crate) groups: Vec<String>,
    /// Names of the classes, where the source has any.
    pub(crate) classes: Option<Vec<String>>,
    /// File of each example by its id, where each has one of its own; else empty.
    pub(crate) files: Vec<String>,
    /// What is worth saying of how it was read.
    pub(crate) remarks: Vec<Remark>,
}

impl Whole {
    /// A split without groups.
    pub(crate) fn new(shape: Shape, raw: Raw) -> Self {
        Self { shape, raw, groups: Vec::new(), classes: None, files: Vec::new(), remarks: Vec::new() }
    }

    /// The examples at `positions`, each below their number.
    pub(crate) fn select(&self, positions: &[u32]) -> Self {
        let raw = self.raw.select(positions, self.shape.features());
        let (groups, classes, remarks) = (self.groups.clone(), self.classes.clone(), self.remarks.clone());
        Self { shape: self.shape, raw, groups, classes, files: self.files.clone(), remarks }
    }
}
