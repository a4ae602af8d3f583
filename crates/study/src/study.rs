//! A resolved study.

use std::collections::HashSet;

use flatleak_nn::{Architecture, QUERIES, Recipe};
use flatleak_results::Relevant;

use crate::error::Error;

/// Recipes that a study may have: a sweep over five lists of five values.
pub(crate) const MOST_RECIPES: usize = 1 << 12;
/// Levels of noise that a study may have.
const MOST_NOISE: usize = 16;

/// A resolved study: every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// Name, part of the default output folder.
    pub name: String,
    /// Root seed of every random stream.
    pub seed: u64,
    /// Models per recipe.
    pub models: usize,
    /// Data sets, by name or path.
    pub data: Vec<String>,
    /// Pool examples; all where absent.
    pub pool: Option<usize>,
    /// Held-out examples; all where absent.
    pub test: Option<usize>,
    /// Views of every example that attacks see: 1, 2, 18 or 50.
    pub queries: usize,
    /// Deviations of the noise on held-out inputs under which accuracy is measured too, in units of the inputs' own; none by default.
    pub noise: Vec<f64>,
    /// Smallest differences that matter, fixed before results are seen. No model depends on them.
    pub relevant: Relevant,
    /// The network.
    pub architecture: Architecture,
    /// The recipes; the first is the baseline.
    pub recipes: Vec<Recipe>,
}

/// The data set of the default study.
pub const DEFAULT_DATA: &str = "fashion-mnist-small";

/// Pool examples of it where the study does not say: half of them train a model.
pub const DEFAULT_POOL: usize = 1600;

impl Study {
    /// Refuses what cannot run: sizes, duplicate names, values out of range.
    ///
    /// # Errors
    /// The first thing that is wrong, with its value.
    pub fn check(&self) -> Result<(), Error> {
        self.check_sizes()?;
        self.check_noise()?;
        self.relevant.check()?;
        if self.recipes.is_empty() {
            return Err(Error::NoRecipe);
        }
        if self.recipes.len() > MOST_RECIPES {
            return Err(Error::Recipes { found: self.recipes.len(), most: MOST_RECIPES });
        }
        for (i, recipe) in self.recipes.iter().enumerate() {
            recipe.check()?;
            if self.recipes[..i].iter().any(|r| r.name == recipe.name) {
                return Err(Error::RecipeTwice { name: recipe.name.clone() });
            }
        }
        Ok(())
    }

    fn check_sizes(&self) -> Result<(), Error> {
        let fail = |key, value: usize, expected| Err(Error::Value { key, value: value as f64, expected });
        if self.models < 6 || !self.models.is_multiple_of(2) || self.models > 10_000 {
            return fail("models", self.models, "an even number from 6 to 10000 is needed");
        }
        if self.seed > i64::MAX as u64 {
            return Err(Error::Seed(self.seed));
        }
        if self.data.is_empty() {
            return Err(Error::NoData);
        }
        let mut seen = HashSet::new();
        if let Some(name) = self.data.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(Error::DataTwice { name: name.clone() });
        }
        if let Some(pool) = self.pool.filter(|n| *n < 20) {
            return fail("pool", pool, "at least 20 examples are needed");
        }
        if self.test == Some(0) {
            return fail("test", 0, "at least 1 held-out example is needed");
        }
        if !QUERIES.contains(&self.queries) {
            return fail("queries", self.queries, "1, 2, 18 and 50 are known");
        }
        Ok(())
    }

    fn check_noise(&self) -> Result<(), Error> {
        if self.noise.len() > MOST_NOISE {
            return Err(Error::NoiseLevels { found: self.noise.len(), most: MOST_NOISE });
        }
        let wrong = |i: usize| {
            let level = self.noise[i];
            !(level > 0.0 && level <= 1000.0) || self.noise[..i].contains(&level)
        };
        match (0..self.noise.len()).find(|i| wrong(*i)) {
            Some(i) => {
                let expected = "different deviations above 0 and up to 1000 are needed";
                Err(Error::Value { key: "noise", value: self.noise[i], expected })
            }
            None => Ok(()),
        }
    }

    /// The same study on one of its data sets.
    #[must_use]
    pub fn on(&self, data: &str) -> Self {
        let default = (data == DEFAULT_DATA).then_some(DEFAULT_POOL);
        Self { data: vec![data.to_owned()], pool: self.pool.or(default), ..self.clone() }
    }

    /// Keeps the named recipes, in the order given.
    ///
    /// # Errors
    /// A name that the study does not have.
    pub fn select(&mut self, names: &[String]) -> Result<(), Error> {
        let find = |name: &String| {
            let known = || self.recipes.iter().map(|r| r.name.clone()).collect();
            let found = self.recipes.iter().find(|r| r.name == *name);
            found.cloned().ok_or_else(|| Error::UnknownRecipe { name: name.clone(), known: known() })
        };
        let picked = names.iter().map(find).collect::<Result<_, _>>()?;
        self.recipes = picked;
        Ok(())
    }
}
