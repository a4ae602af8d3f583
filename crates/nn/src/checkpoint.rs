//! What a model in training is, beside what follows from its recipe, its data and its key.

use crate::place::Place;

/// Values that are kept from one step to the next, where they lie.
#[derive(Debug)]
pub enum Kept<'a> {
    /// In single precision.
    Single(&'a mut [f32]),
    /// In double precision.
    Double(&'a mut [f64]),
}

/// Values of a checkpoint that were read back.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// In single precision.
    Single(Vec<f32>),
    /// In double precision.
    Double(Vec<f64>),
}

/// A model between two steps of its training: trained on from here, it has the same bits as without an interruption.
#[derive(Debug)]
pub struct Checkpoint<'a> {
    /// Where it stands.
    pub place: Place,
    /// What it keeps, by name: `arena` with parameters and running statistics, and what base and method add.
    pub kept: Vec<(String, Kept<'a>)>,
}

/// What keeps a checkpoint from being that of a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A place that its training does not have.
    #[error("is of step {done} of epoch {epoch}, which the recipe does not have")]
    Place {
        /// The epoch, from 0.
        epoch: usize,
        /// Steps of it.
        done: usize,
    },
    /// Values that are missing, or are not as many or of the type that they should be.
    #[error("lacks `{name}`, or has it in another size")]
    Values {
        /// Their name.
        name: String,
    },
}

impl Kept<'_> {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Single(own) => own.len(),
            Self::Double(own) => own.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn is_like(&self, values: &Values) -> bool {
        match (self, values) {
            (Self::Single(own), Values::Single(values)) => own.len() == values.len(),
            (Self::Double(own), Values::Double(values)) => own.len() == values.len(),
            _ => false,
        }
    }

    fn take(&mut self, values: &Values) {
        match (self, values) {
            (Self::Single(own), Values::Single(values)) => own.copy_from_slice(values),
            (Self::Double(own), Values::Double(values)) => own.copy_from_slice(values),
            _ => {}
        }
    }
}

impl Checkpoint<'_> {
    /// Puts what `read` has of each name in its place; nothing is changed where anything does not fit.
    pub(crate) fn fill(&mut self, mut read: impl FnMut(&str) -> Option<Values>) -> Result<(), Unfit> {
        let fitting = |(name, own): &(String, Kept<'_>)| {
            read(name).filter(|values| own.is_like(values)).ok_or_else(|| Unfit::Values { name: name.clone() })
        };
        let found = self.kept.iter().map(fitting).collect::<Result<Vec<_>, _>>()?;
        self.kept.iter_mut().zip(&found).for_each(|((_, own), values)| own.take(values));
        Ok(())
    }
}
