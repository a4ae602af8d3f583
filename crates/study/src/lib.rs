//! The study file: what is compared, on what data, with how many models.
//!
//! [`Study::parse`] reads TOML in which every key has a default and an unknown key is an error that names the
//! nearest known one; [`Study::default`] is the main job. [`Study::identity`] is what a trained model depends on.
//!
//! ```
//! let study = flatleak_study::Study::parse("models = 8\n[train]\nepochs = 2").unwrap();
//! assert_eq!((study.models, study.recipes[1].name.as_str(), study.recipes[1].epochs), (8, "sgd-2x", 4));
//! ```

mod error;
mod file;
mod identity;

pub use error::Error;
use flatleak_nn::{Architecture, QUERIES, Recipe};
use flatleak_results::Relevant;

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

impl Default for Study {
    fn default() -> Self {
        // The empty file is valid: `parse` of it is pinned by a test.
        Self::parse("").unwrap_or_else(|_| Self {
            name: String::new(),
            seed: 0,
            models: 0,
            data: Vec::new(),
            pool: None,
            test: None,
            queries: 1,
            noise: Vec::new(),
            relevant: Relevant::default(),
            architecture: Architecture { name: String::new(), layers: Vec::new() },
            recipes: Vec::new(),
        })
    }
}

impl Study {
    /// Refuses what cannot run: sizes, duplicate names, values out of range.
    ///
    /// # Errors
    /// The first thing that is wrong, with its value.
    pub fn check(&self) -> Result<(), Error> {
        let fail = |text: String| Err(Error::Invalid(text));
        if self.models < 6 || !self.models.is_multiple_of(2) || self.models > 10_000 {
            return fail(format!("models = {}, but an even number from 6 to 10000 is needed", self.models));
        }
        if self.data.is_empty() {
            return fail("data = [] names no data set".into());
        }
        if let Some((_, name)) = self.data.iter().enumerate().find(|(i, n)| self.data[..*i].contains(n)) {
            return fail(format!("data names `{name}` twice"));
        }
        if self.pool.is_some_and(|n| n < 20) {
            return fail(format!("pool = {}, but at least 20 examples are needed", self.pool.unwrap_or(0)));
        }
        if self.test == Some(0) {
            return fail("test = 0, but at least 1 held-out example is needed".into());
        }
        if !QUERIES.contains(&self.queries) {
            return fail(format!("queries = {}, but 1, 2, 18 and 50 are known", self.queries));
        }
        if self.noise.len() > 16 {
            return fail(format!("noise has {} levels; at most 16 are possible", self.noise.len()));
        }
        for (i, level) in self.noise.iter().enumerate() {
            if !(*level > 0.0 && *level <= 1000.0) || self.noise[..i].contains(level) {
                return fail(format!("noise = {level}, but different deviations above 0 and up to 1000 are needed"));
            }
        }
        if let Err(e) = self.relevant.check() {
            return fail(format!("relevant: {e}"));
        }
        if self.recipes.is_empty() {
            return fail("no recipe: give at least one [[recipe]]".into());
        }
        for (i, recipe) in self.recipes.iter().enumerate() {
            recipe.check()?;
            if self.recipes[..i].iter().any(|r| r.name == recipe.name) {
                return fail(format!("two recipes are named `{}`", recipe.name));
            }
        }
        Ok(())
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
        let known: Vec<&str> = self.recipes.iter().map(|r| r.name.as_str()).collect();
        let mut picked = Vec::new();
        for name in names {
            let found = self.recipes.iter().find(|r| r.name == *name);
            picked.push(
                found.cloned().ok_or_else(|| {
                    Error::Invalid(format!("no recipe `{name}`; the study has: {}", known.join(", ")))
                })?,
            );
        }
        self.recipes = picked;
        Ok(())
    }
}
