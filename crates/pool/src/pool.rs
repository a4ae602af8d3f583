//! The pool that every analysis reads.

use flatleak_results::Doubt;

use crate::error::Error;
use crate::membership::Membership;
use crate::rows::Matrix;
use crate::signal::Signal;
use crate::signals::Signals;
use crate::views::Views;

/// Groups of examples that the data set knows: sub-populations, noisy labels, coarse classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// Names, by number.
    pub names: Vec<String>,
    /// Group of each pool example, (N).
    pub pool: Vec<u32>,
    /// Group of each held-out example, (T).
    pub test: Vec<u32>,
}

/// What is known of the examples beside the models' outputs, for attacks that expect different outputs of different examples.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// Features of each example.
    pub width: usize,
    /// (N, width).
    pub pool: Vec<f32>,
    /// (T, width).
    pub test: Vec<f32>,
}

/// How often models are right on held-out examples with normal noise on their inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct NoiseAccuracy {
    /// Deviations of the noise in units of the inputs', (L).
    pub levels: Vec<f64>,
    /// Accuracy of each model at each level, (M, L).
    pub accuracy: Matrix,
}

/// Everything that analyses read about one recipe on one data set.
///
/// Axes: M models, N pool examples, T held-out examples.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Recipe name.
    pub recipe: String,
    /// Who was trained on what, (M, N).
    pub membership: Membership,
    /// Where each pool example stands in its source, (N).
    pub ids: Vec<u32>,
    /// Labels of the pool, (N), where they are known.
    pub labels: Option<Vec<u32>>,
    /// Labels of the held-out examples, (T), where they are known.
    pub test_labels: Option<Vec<u32>>,
    /// Known groups of examples, where the data has any.
    pub groups: Option<Groups>,
    /// Per model, signals of the pool examples.
    pub pool: Vec<Signals>,
    /// Per model, signals of the held-out examples.
    pub test: Vec<Signals>,
    /// The same two for every further view of the examples, beyond the plain one.
    pub views: Views,
    /// Features of the examples, where any were given.
    pub features: Option<Features>,
    /// Accuracy under noise, where it was measured.
    pub noise: Option<NoiseAccuracy>,
    /// Why its outputs may not be what they are said to be.
    pub doubts: Vec<Doubt>,
}

impl Pool {
    /// A pool of so many models' signals on its examples, which are counted from 0; all else that can be known of it is set over that:
    /// `Pool { groups, ..Pool::new(recipe, membership, labels, signals)? }`.
    ///
    /// # Errors
    /// Labels, models or signals that are not as many as the membership has.
    pub fn new(
        recipe: impl Into<String>,
        membership: Membership,
        labels: impl Into<Option<Vec<u32>>>,
        pool: Vec<Signals>,
    ) -> Result<Self, Error> {
        let (models, examples) = (membership.models(), membership.examples());
        let labels = labels.into();
        let labelled = labels.iter().map(|l| ("the array of labels", l.len(), examples));
        let signals = pool.iter().map(|s| ("an array of signals", s.len(), examples));
        for (what, found, expected) in labelled.chain([("the list of models", pool.len(), models)]).chain(signals) {
            if found != expected {
                return Err(Error::Size { what, found, expected });
            }
        }
        Ok(Self {
            recipe: recipe.into(),
            membership,
            ids: (0..examples as u32).collect(),
            labels,
            test_labels: None,
            groups: None,
            pool,
            test: Vec::new(),
            views: Views::default(),
            features: None,
            noise: None,
            doubts: Vec::new(),
        })
    }

    /// Number of pool examples, N.
    pub fn examples(&self) -> usize {
        self.membership.examples()
    }

    /// Number of held-out examples, T.
    pub fn held_out(&self) -> usize {
        self.test.first().map_or(0, Signals::len)
    }

    /// Number of views, Q.
    pub fn queries(&self) -> usize {
        1 + self.views.len()
    }

    /// The values of one signal under one query, 0 the plain view, (M, N), or (M, T) of held-out examples.
    ///
    /// # Errors
    /// A view that cannot be read back from where it is kept.
    pub fn query_rows(&self, query: usize, held_out: bool, signal: Signal) -> Result<Matrix, Error> {
        match query.checked_sub(1) {
            None if held_out => self.test_rows(signal),
            None => self.rows(signal),
            Some(view) => self.views.rows(view, held_out, signal),
        }
    }

    /// Whether the models' outputs hold this signal: an imported pool may know no more than who was right.
    pub fn offers(&self, signal: Signal) -> bool {
        let n = self.examples();
        self.pool.iter().all(|s| s.holds(signal, n))
    }

    /// The pool of some of its examples, in their order.
    #[must_use]
    pub fn of_examples(&self, examples: &[usize]) -> Self {
        let of = |all: &[Signals]| all.iter().map(|s| s.select(examples)).collect::<Vec<_>>();
        let words = |all: &[u32]| examples.iter().map(|&i| all[i]).collect::<Vec<_>>();
        Self {
            recipe: self.recipe.clone(),
            membership: self.membership.of_examples(examples),
            ids: words(&self.ids),
            labels: self.labels.as_deref().map(words),
            test_labels: self.test_labels.clone(),
            groups: self.groups.as_ref().map(|g| Groups { pool: words(&g.pool), ..g.clone() }),
            pool: of(&self.pool),
            test: self.test.clone(),
            views: self.views.of_examples(examples),
            features: self.features.as_ref().map(|f| Features {
                pool: examples.iter().flat_map(|&i| f.pool[i * f.width..(i + 1) * f.width].iter().copied()).collect(),
                ..f.clone()
            }),
            noise: self.noise.clone(),
            doubts: self.doubts.clone(),
        }
    }

    /// The pool of some of its models, in their order.
    #[must_use]
    pub fn select(&self, models: &[usize]) -> Self {
        let pick = |all: &[Signals]| models.iter().filter_map(|&m| all.get(m).cloned()).collect::<Vec<_>>();
        Self {
            recipe: self.recipe.clone(),
            membership: self.membership.select(models),
            ids: self.ids.clone(),
            labels: self.labels.clone(),
            test_labels: self.test_labels.clone(),
            groups: self.groups.clone(),
            pool: pick(&self.pool),
            test: pick(&self.test),
            views: self.views.select(models),
            features: self.features.clone(),
            noise: self.noise.as_ref().map(|n| {
                let measured: Vec<usize> = models.iter().copied().filter(|&m| m < n.accuracy.len()).collect();
                NoiseAccuracy { accuracy: n.accuracy.rows().select(&measured), levels: n.levels.clone() }
            }),
            doubts: self.doubts.clone(),
        }
    }

    /// The values of one signal in f64, (M, N); (M, 0) where the outputs do not hold it.
    ///
    /// # Errors
    /// Models of which some hold it and some do not.
    pub fn rows(&self, signal: Signal) -> Result<Matrix, Error> {
        Matrix::from_rows(self.pool.iter().map(|s| s.values(signal)))
    }

    /// The values of one signal on the held-out examples, (M, T).
    ///
    /// # Errors
    /// Models of which some hold it and some do not.
    pub fn test_rows(&self, signal: Signal) -> Result<Matrix, Error> {
        Matrix::from_rows(self.test.iter().map(|s| s.values(signal)))
    }

    /// Which models are right about which held-out example, 0 or 1, (M, T).
    ///
    /// # Errors
    /// Models with outputs on different numbers of them.
    pub fn test_correct(&self) -> Result<Matrix<u8>, Error> {
        Matrix::from_rows(self.test.iter().map(|s| &s.correct))
    }
}
