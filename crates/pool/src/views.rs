//! Further views of the examples, kept wherever there is room.

use std::fmt::Debug;
use std::sync::Arc;

use crate::error::{Error, ViewError};
use crate::rows::Matrix;
use crate::signal::Signal;
use crate::signals::Signals;

/// Keeps the signals of views, in memory or elsewhere.
pub trait Keeper: Debug + Send + Sync {
    /// How many views there are.
    fn views(&self) -> usize;

    /// Signals of one model under one view; of those stored, at least what `wanted` is derived from.
    ///
    /// # Errors
    /// What keeps them from being read.
    fn load(&self, view: usize, held_out: bool, model: usize, wanted: Signal) -> Result<Signals, ViewError>;
}

/// In memory: per view, pool and held-out signals per model.
impl Keeper for Vec<[Vec<Signals>; 2]> {
    fn views(&self) -> usize {
        self.len()
    }

    fn load(&self, view: usize, held_out: bool, model: usize, _: Signal) -> Result<Signals, ViewError> {
        let found = self.get(view).and_then(|v| v[usize::from(held_out)].get(model));
        found.cloned().ok_or(ViewError::Absent { model })
    }
}

/// The views beyond the plain one. One is read at a time: all of them at once would be many times the pool.
#[derive(Clone, Debug, Default)]
pub struct Views {
    keeper: Option<Arc<dyn Keeper>>,
    /// Models with signals on the pool and on held-out examples.
    models: [Vec<usize>; 2],
    /// Pool examples that take part; all where absent.
    examples: Option<Arc<[usize]>>,
}

impl Views {
    /// The views of `keeper`, which has signals of `models` models on the pool and of `tested` on held-out examples.
    pub fn new(keeper: Arc<dyn Keeper>, models: usize, tested: usize) -> Self {
        Self { keeper: Some(keeper), models: [(0..models).collect(), (0..tested).collect()], examples: None }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keeper.as_ref().map_or(0, |k| k.views())
    }

    /// Whether the plain view is the only one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values of one signal under one view, (M, N), or (M, T) of held-out examples.
    ///
    /// # Errors
    /// A view that cannot be read.
    pub fn rows(&self, view: usize, held_out: bool, signal: Signal) -> Result<Matrix, Error> {
        let Some(keeper) = &self.keeper else { return Ok(Matrix::default()) };
        let load = |&model: &usize| {
            let found = keeper.load(view, held_out, model, signal);
            let found = found.map_err(|reason| Error::View { view: view + 1, reason })?;
            let all = found.values(signal);
            Ok(match &self.examples {
                Some(kept) if !held_out => kept.iter().map(|&i| all[i]).collect(),
                _ => all,
            })
        };
        let rows: Vec<Vec<f64>> = self.models[usize::from(held_out)].iter().map(load).collect::<Result<_, Error>>()?;
        Matrix::from_rows(rows)
    }

    /// Those of some pool examples, in their order.
    pub(crate) fn of_examples(&self, examples: &[usize]) -> Self {
        let kept = match &self.examples {
            Some(before) => examples.iter().map(|&i| before[i]).collect(),
            None => examples.into(),
        };
        Self { examples: Some(kept), ..self.clone() }
    }

    /// Those of some models, in their order.
    pub(crate) fn select(&self, models: &[usize]) -> Self {
        let pick = |all: &Vec<usize>| models.iter().filter_map(|&m| all.get(m).copied()).collect();
        Self { models: self.models.each_ref().map(pick), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_of_some_models_and_examples() {
        let of = |k: u8| Signals::from_correct((0..4).map(|i| k * 10 + i).collect());
        let kept = vec![[vec![of(0), of(1), of(2)], vec![of(3)]], [vec![of(4), of(5), of(6)], vec![of(7)]]];
        let views = Views::new(Arc::new(kept), 3, 1);
        assert_eq!((views.len(), Views::default().len()), (2, 0));
        let rows = |v: &Views, held_out| v.rows(1, held_out, Signal::Correct).unwrap();
        assert_eq!(&rows(&views, false)[2], [60.0, 61.0, 62.0, 63.0]);
        let some = views.select(&[2, 0]).of_examples(&[3, 1, 0]).of_examples(&[2, 0]);
        assert_eq!(rows(&some, false).values(), [60.0, 63.0, 40.0, 43.0]);
        assert_eq!(rows(&some, true).values(), [70.0, 71.0, 72.0, 73.0]);
        assert!(views.rows(2, false, Signal::Correct).unwrap_err().to_string().contains("view 3"));
    }
}
