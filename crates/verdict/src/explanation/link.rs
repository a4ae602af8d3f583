//! Does memorization explain who is found?

use flatleak_explain::Memorization;
use flatleak_stats::moments;

/// What memorization says of a recipe's examples.
pub(crate) struct Links {
    memorization: Memorization,
}

impl Links {
    pub(crate) fn new(memorization: Memorization) -> Self {
        Self { memorization }
    }

    /// Rank correlation over examples of memorization with the rate of right membership calls, block by block: a block's targets are set
    /// against memorization from all other blocks, so that nothing of the target explains its own exposure. Mean over blocks.
    ///
    /// `calls` holds one row of N rates per block, without those of `deleted`, whose models then enter memorization nowhere. `None` where one
    /// side is constant.
    pub(crate) fn correlation(&self, calls: &[Vec<f64>], deleted: &[usize]) -> Option<f64> {
        let blocks = (0..self.memorization.units()).filter(|b| !deleted.contains(b));
        let found: Vec<f64> = blocks
            .zip(calls)
            .map(|(block, right)| {
                let rest = self.memorization.without_all(&[&[block], deleted].concat());
                moments::rank_correlation(&rest, right).ok()
            })
            .collect::<Option<_>>()?;
        (!found.is_empty()).then(|| moments::mean(&found))
    }
}
