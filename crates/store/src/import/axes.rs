//! Which axis of an array is which.

use flatleak_data::ArrayError;
use flatleak_data::values::{Source, Values};

use super::given::Given;
use crate::problem::{ImportError, OutputsError};

/// What an array looks like, before its values are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) shape: Vec<usize>,
    /// NumPy's name of the type.
    pub(super) dtype: String,
    pub(super) is_text: bool,
}

impl Look {
    pub(super) fn new(from: Source<'_>, name: &str) -> Result<Self, ArrayError> {
        from.with(name, |found| {
            Ok(Self { shape: found.shape().to_vec(), dtype: found.dtype(), is_text: found.is_text() })
        })
    }

    /// That the array is of no shape that is wanted.
    pub(super) fn unfit(&self, wanted: &'static str) -> OutputsError {
        OutputsError::Shape { found: self.shape.clone(), dtype: self.dtype.clone(), wanted }
    }
}

/// Sizes of an array of outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) models: usize,
    pub(super) examples: usize,
    pub(super) queries: usize,
    /// Values per query: one per class, or one.
    pub(super) columns: usize,
    /// Examples stand before models in the file.
    pub(super) swapped: bool,
}

/// What else is known of the sizes of a pool.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    /// Models.
    pub(super) models: Option<usize>,
    /// Examples, by their labels or otherwise.
    pub(super) examples: Option<usize>,
    /// Both axes of the membership, in either order.
    pub(super) mask: Option<[usize; 2]>,
}

/// Most values of one example: views times classes.
const MOST_PER_EXAMPLE: usize = 1 << 20;

impl Sizes {
    /// The sizes of an array of outputs, by its shape and what else is known. Examples before models are taken where nothing else fits.
    ///
    /// # Errors
    /// Shapes that no pool has; sizes that do not fit what else is known; two readings that both fit.
    pub(super) fn new(given: Given, look: &Look, known: Known) -> Result<Self, ImportError> {
        let shape = look.shape.as_slice();
        let (first, second, queries, columns) = match *shape {
            [a, b] => (a, b, 1, 1),
            [a, b, c] if given.has_classes() => (a, b, 1, c),
            [a, b, q, c] if given.has_classes() => (a, b, q, c),
            [a, b, q] => (a, b, q, 1),
            _ => return Err(look.unfit(given.shapes()).into()),
        };
        if first == 0 || second == 0 || queries.checked_mul(columns).is_none_or(|n| n == 0 || n > MOST_PER_EXAMPLE) {
            return Err(OutputsError::PerExample { found: shape.to_vec(), most: MOST_PER_EXAMPLE }.into());
        }
        let of = |models, examples, swapped| Self { models, examples, queries, columns, swapped };
        let (plain, swapped) = (of(first, second, false), of(second, first, true));
        match (known.fits(plain), known.fits(swapped) && first != second) {
            (true, false) => Ok(plain),
            (false, true) => Ok(swapped),
            (true, true) => known.likelier(plain, swapped),
            (false, false) => Err(known.misfit(given, plain)),
        }
    }
}

impl Known {
    fn fits(&self, sizes: Sizes) -> bool {
        let both = [sizes.models, sizes.examples];
        self.models.is_none_or(|m| m == sizes.models)
            && self.examples.is_none_or(|n| n == sizes.examples)
            && self.mask.is_none_or(|mask| mask == both || mask == [both[1], both[0]])
    }

    /// Of two readings that fit, that in which the membership stands as it should, if it has fewer models than examples.
    fn likelier(&self, plain: Sizes, swapped: Sizes) -> Result<Sizes, ImportError> {
        let few = |sizes: Sizes| sizes.models <= sizes.examples;
        let upright = |sizes: &Sizes| self.mask.is_none_or(|mask| mask == [sizes.models, sizes.examples]);
        match [plain, swapped].into_iter().find(upright) {
            Some(found) if few(found) => Ok(found),
            _ => Err(OutputsError::TwoWays { first: plain.models, second: plain.examples }.into()),
        }
    }

    fn misfit(&self, given: Given, found: Sizes) -> ImportError {
        let mask = self.mask.map(|[a, b]| format!("membership is ({a}, {b})"));
        let labels = self.examples.map(|n| format!("there are {n} labels"));
        let models = self.models.map(|m| format!("there are {m} models"));
        let others = [mask, labels, models].into_iter().flatten().collect::<Vec<_>>().join(" and ");
        OutputsError::Sizes { kind: given.name(), first: found.models, second: found.examples, others }.into()
    }
}

/// The sizes of one model's outputs, whose array lacks the axis of models, or has one of size 1 in the place of it or behind the examples, as
/// layouts differ: (N, C), (N, Q, C), (N, 1, Q, C). All models have those of the first.
pub(super) fn of_one(found: &Values<'_>, examples: usize, first: &mut Option<Sizes>) -> Result<Sizes, ImportError> {
    let wrong = || OutputsError::Shape {
        found: found.shape().to_vec(),
        dtype: found.dtype(),
        wanted: "(N, C), (N, Q, C) or (N, 1, Q, C) with one row for each label",
    };
    let (n, queries, columns) = match *found.shape() {
        [n, c] => (n, 1, c),
        [n, q, c] if n == examples => (n, q, c),
        [1, n, c] => (n, 1, c),
        [n, 1, q, c] | [1, n, q, c] => (n, q, c),
        _ => return Err(wrong().into()),
    };
    if n != examples || n * queries * columns == 0 {
        return Err(wrong().into());
    }
    let sizes = Sizes { models: 1, examples, queries, columns, swapped: false };
    let expected = *first.get_or_insert(sizes);
    if expected.columns != columns {
        return Err(OutputsError::Classes { found: found.shape().to_vec(), expected: expected.columns }.into());
    }
    if expected.queries != queries {
        return Err(
            OutputsError::Views { found: queries, other: "the first model has", expected: expected.queries }.into()
        );
    }
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(shape: &[usize]) -> Look {
        Look { shape: shape.to_vec(), dtype: "<f4".into(), is_text: false }
    }

    #[test]
    fn axes_are_told_by_labels_and_membership() {
        let of = |shape: &[usize], examples, mask| {
            let found = Sizes::new(Given::Logits, &look(shape), Known { models: None, examples, mask })?;
            Ok::<_, ImportError>((found.models, found.examples, found.swapped))
        };
        // (M, N, C) and (N, M, C), by either.
        assert_eq!(of(&[16, 400, 4], Some(400), None).unwrap(), (16, 400, false));
        assert_eq!(of(&[400, 16, 4], Some(400), None).unwrap(), (16, 400, true));
        assert_eq!(of(&[400, 16, 4], Some(400), Some([400, 16])).unwrap(), (16, 400, true));
        assert_eq!(of(&[400, 16], None, Some([16, 400])).unwrap(), (16, 400, true));
        assert_eq!(of(&[16, 16, 4], Some(16), Some([16, 16])).unwrap(), (16, 16, false));
        // 150 models and 5 examples, or 5 models and 150: nothing tells.
        let two = of(&[150, 5], None, Some([150, 5])).unwrap_err().to_string();
        assert!(two.contains("150 models and 5 examples") && two.contains("5 models and 150 examples"), "{two}");
        assert_eq!(of(&[150, 5, 3], Some(5), Some([150, 5])).unwrap(), (150, 5, false));
        let none = of(&[16, 401, 4], Some(400), Some([16, 400])).unwrap_err().to_string();
        assert!(none.contains("(16, 401)") && none.contains("membership is (16, 400)") && none.contains("400 labels"));
        assert!(of(&[16], None, None).unwrap_err().to_string().contains("<f4"));
        assert!(of(&[0, 3, 2], None, None).is_err());
    }
}
