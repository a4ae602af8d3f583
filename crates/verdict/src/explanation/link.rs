//! Does memorization explain who is found? (own; book/methods/explanation.md#link)

use std::borrow::Cow;
use std::sync::OnceLock;

use crate::error::Error;
use flatleak_explain::{Memorization, Unit};
use flatleak_pool::{BlockId, Rows, UnitId};
use flatleak_results::Estimate;
use flatleak_stats::{Ordered, Range, Replicates};

use crate::explanation::subject::Explained;
use crate::judge::Judge;

/// What memorization says of a recipe's examples.
pub(crate) struct Links {
    memorization: Memorization,
    /// Examples of the pool whose memorization is known.
    examples: Vec<usize>,
    /// By unit of the attacks, what memorization leaves out.
    units: Vec<Vec<Unit>>,
    /// Memorization without each pair of units, and without one alone, in order: every attack is set against all of them. Empty where that
    /// would be more than [`KEPT`].
    ordered: Vec<OnceLock<Ordered>>,
}

/// Values that are kept in order, at most: 120 MiB.
const KEPT: usize = 10 << 20;

impl Links {
    /// `memorization` is that of what is explained of the judge's pool.
    pub(crate) fn new(memorization: Memorization, explained: &Explained<'_>, judge: &Judge<'_>) -> Self {
        let m = judge.membership();
        let own = &explained.pool.membership;
        let of_unit = |blocks: &[BlockId]| {
            let models = (0..own.models()).filter(|&k| blocks.contains(&m.block(explained.models[k])));
            let mut units: Vec<Unit> = models.map(|k| Unit::of(own, k)).collect();
            units.dedup();
            units
        };
        let units: Vec<Vec<Unit>> = judge.units().iter().map(of_unit).collect();
        let pairs = units.len() * (units.len() + 1) / 2;
        let kept = if pairs * explained.examples.len() <= KEPT { pairs } else { 0 };
        let ordered = (0..kept).map(|_| OnceLock::new()).collect();
        Self { memorization, examples: explained.examples.clone(), units, ordered }
    }

    /// Memorization without a unit and perhaps another, in order.
    fn without(&self, unit: UnitId, other: Option<UnitId>) -> Cow<'_, Ordered> {
        let (first, last) = other.map_or((unit, unit), |other| (unit.min(other), unit.max(other)));
        let (first, last) = (first.index(), last.index());
        let found = || {
            let gone = [self.units[first].as_slice(), &self.units[last]].concat();
            Ordered::new(&self.memorization.without_all(&gone))
        };
        match self.ordered.get(last * (last + 1) / 2 + first) {
            Some(kept) => Cow::Borrowed(kept.get_or_init(found)),
            None => Cow::Owned(found()),
        }
    }

    /// By unit, the rank correlation over examples of memorization with the rate of right membership calls: a unit's targets are set against
    /// memorization from all other models, so that nothing of the target explains its own exposure. `None` where one side is constant.
    ///
    /// `calls` holds one row of N rates per unit; those of `deleted`, whose models then enter memorization nowhere, are passed over.
    pub(crate) fn correlations(&self, calls: Rows<'_>, deleted: Option<UnitId>) -> Vec<Option<f64>> {
        let of = |(unit, right): (usize, &[f64])| {
            let unit = UnitId::new(unit);
            if Some(unit) == deleted {
                return None;
            }
            let right: Vec<f64> = self.examples.iter().map(|&i| right[i]).collect();
            self.without(unit, deleted).rank_correlation(&right)
        };
        calls.into_iter().enumerate().map(of).collect()
    }

    /// Mean of the correlations over units with its interval; `None` where one of them is unknown.
    ///
    /// # Errors
    /// When a statistic cannot be computed.
    pub(crate) fn estimate(
        &self,
        whole: Vec<Option<f64>>,
        deleted: Vec<Vec<Option<f64>>>,
    ) -> Result<Option<Estimate>, Error> {
        let Some(whole) = whole.into_iter().collect::<Option<Vec<f64>>>() else { return Ok(None) };
        if whole.len() < 2 {
            return Ok(None);
        }
        let row = |(unit, found): (usize, Vec<Option<f64>>)| {
            found
                .into_iter()
                .enumerate()
                .map(|(u, v)| if u == unit { Some(0.0) } else { v })
                .collect::<Option<Vec<f64>>>()
        };
        let Some(deleted) = deleted.into_iter().enumerate().map(row).collect() else { return Ok(None) };
        Ok(Some(Replicates::new(whole, deleted)?.interval(0.95, Range::Difference)?))
    }
}
