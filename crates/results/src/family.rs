//! What errors a document may make, and among how many statements they are shared (book/methods/words.md#levels).

use serde::{Deserialize, Serialize};

use crate::relevant::Relevant;

/// Errors that a document may make (own; book/methods/words.md#levels).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Family {
    /// Smallest relevant differences.
    pub relevant: Relevant,
    /// Comparisons of the whole document: every pair that it names, on each data set; a summary over data sets is one more.
    pub comparisons: usize,
    /// Pools of the whole document.
    pub pools: usize,
    /// Recipes that the study's claims are about, on each data set.
    pub claimed: usize,
    /// Error of each of its families: words, sets, claims. Less at a look at a growing pool.
    pub alpha: f64,
}

impl Default for Family {
    fn default() -> Self {
        Self::new(Relevant::default(), 0, 0, 0)
    }
}

impl Family {
    /// Error of each family.
    pub const ALPHA: f64 = 0.05;

    /// The families of a document of so many comparisons, pools and claimed recipes, 5 % each.
    pub fn new(relevant: Relevant, comparisons: usize, pools: usize, claimed: usize) -> Self {
        Self { relevant, comparisons, pools, claimed, alpha: Self::ALPHA }
    }

    /// The level of the interval on which one of the four claims about one recipe rests.
    pub fn claims(&self) -> f64 {
        1.0 - self.alpha / (4 * self.claimed.max(1)) as f64
    }

    /// The level of each of `points` simultaneous intervals of a comparison.
    pub fn words(&self, points: usize) -> f64 {
        1.0 - self.alpha / (points.max(1) * self.comparisons.max(1)) as f64
    }

    /// The level of each of `points` simultaneous intervals of a pool.
    pub fn guessing(&self, points: usize) -> f64 {
        1.0 - self.alpha / (points.max(1) * self.pools.max(1)) as f64
    }
}
