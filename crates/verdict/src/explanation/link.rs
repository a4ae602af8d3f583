//! Does memorization explain who is found?

use flatleak_explain::Memorization;
use flatleak_stats::{moments, student_t};

use crate::{Error, Estimate};

/// Soft memorization of a recipe from all blocks but one, for every block.
pub(crate) struct Links {
    without: Vec<Vec<f64>>,
}

impl Links {
    pub(crate) fn new(memorization: &Memorization) -> Self {
        Self { without: (0..memorization.units()).map(|b| memorization.without(b)).collect() }
    }

    /// Rank correlation over examples of memorization with the rate of right membership calls, block by block: a block's targets
    /// are set against memorization from all other blocks, so that nothing of the target explains its own exposure. `calls` holds
    /// one row of N rates per block. Mean over blocks with its 95 % interval; `None` where one side is constant.
    pub(crate) fn correlation(&self, calls: &[Vec<f64>]) -> Result<Option<Estimate>, Error> {
        let found: Vec<f64> =
            self.without.iter().zip(calls).filter_map(|(m, right)| moments::rank_correlation(m, right).ok()).collect();
        if found.len() < calls.len() {
            return Ok(None);
        }
        Ok(Some(student_t(&found, 0.95)?.into()))
    }
}
