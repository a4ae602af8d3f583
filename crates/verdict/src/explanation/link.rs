//! Does memorization explain who is found? (own; book/methods/explanation.md#link)

use crate::error::Error;
use flatleak_explain::Memorization;
use flatleak_pool::Rows;
use flatleak_results::Estimate;
use flatleak_stats::{Range, Replicates, moments};

use crate::explanation::subject::Explained;
use crate::judge::Judge;

/// What memorization says of a recipe's examples.
pub(crate) struct Links {
    memorization: Memorization,
    /// Examples of the pool whose memorization is known.
    examples: Vec<usize>,
    /// By unit of the attacks, what memorization leaves out: blocks where these are its units, else models.
    units: Vec<Vec<usize>>,
}

impl Links {
    /// `memorization` is that of what is explained of the judge's pool.
    pub(crate) fn new(memorization: Memorization, explained: &Explained<'_>, judge: &Judge<'_>) -> Self {
        let m = judge.membership();
        let own = &explained.pool.membership;
        let of_unit = |blocks: &Vec<usize>| {
            let models = (0..own.models()).filter(|&k| blocks.contains(&m.block(explained.models[k])));
            let mut units: Vec<usize> = models.map(|k| if own.is_complementary() { own.block(k) } else { k }).collect();
            units.dedup();
            units
        };
        Self { memorization, examples: explained.examples.clone(), units: judge.units().iter().map(of_unit).collect() }
    }

    /// By unit, the rank correlation over examples of memorization with the rate of right membership calls: a unit's targets are set against
    /// memorization from all other models, so that nothing of the target explains its own exposure. `None` where one side is constant.
    ///
    /// `calls` holds one row of N rates per unit; those of `deleted`, whose models then enter memorization nowhere, are passed over.
    pub(crate) fn correlations(&self, calls: Rows<'_>, deleted: Option<usize>) -> Vec<Option<f64>> {
        let gone: &[usize] = deleted.map_or(&[], |unit| &self.units[unit]);
        let of = |(unit, right): (usize, &[f64])| {
            if Some(unit) == deleted {
                return None;
            }
            let rest = self.memorization.without_all(&[&self.units[unit], gone].concat());
            let known = rest.iter().zip(self.examples.iter().map(|&i| right[i]));
            let (x, y): (Vec<f64>, Vec<f64>) = known.filter(|(m, r)| m.is_finite() && !r.is_nan()).unzip();
            moments::rank_correlation(&x, &y).ok()
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
