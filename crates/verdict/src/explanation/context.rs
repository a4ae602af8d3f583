//! What every part of an explanation reads.

use flatleak_attack::Attack;
use flatleak_pool::Pool;
use flatleak_results::{Difference, LinkResult, Pairing, RecipeResult};
use flatleak_stats::Jackknife;

use crate::comparison;
use crate::table::Scored;

/// What every part reads.
pub(crate) struct Context<'a> {
    pub(crate) dataset: &'a str,
    pub(crate) seed: u64,
    pub(crate) workers: usize,
    /// Whether influence is swept.
    pub(crate) influence: bool,
    /// Recipes that the claims are about.
    pub(crate) claimed: Vec<String>,
    /// Level of the interval on which one claim about one recipe rests.
    pub(crate) claim_level: f64,
}

/// Two recipes to compare.
pub(crate) struct Pair<'a> {
    pub(crate) baseline: &'a Pool,
    pub(crate) candidate: &'a Pool,
    /// Model by model, both were trained on the same examples.
    pub(crate) paired: bool,
}

impl<'a> Pair<'a> {
    pub(crate) fn new(baseline: &'a Pool, candidate: &'a Pool) -> Self {
        Self { baseline, candidate, paired: comparison::share_examples(baseline, candidate) }
    }

    pub(crate) fn pairing(&self) -> Pairing {
        comparison::Sides::new(self.baseline, self.candidate).pairing
    }
}

/// One recipe's part of what the attacks gave.
pub(crate) struct Attacked<'a> {
    pub(crate) result: Option<&'a RecipeResult>,
    pub(crate) scored: &'a [(Attack, Scored)],
    pub(crate) links: &'a [LinkResult],
    /// Where the examples of the pool that is explained stand in the one that was attacked.
    pub(crate) examples: Vec<usize>,
}

/// A difference as results have it.
pub(crate) fn difference(found: Jackknife) -> Difference {
    Difference { estimate: found.interval, standard_error: found.standard_error, degrees: Some(found.degrees) }
}
