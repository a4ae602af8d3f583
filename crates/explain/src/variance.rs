//! How widely outputs spread, over examples and over models. The two are different things under one name: the first says how alike
//! the examples look to one model, the second how much a model's view of one example depends on what else it was trained on
//! (book/methods/explanation.md#variances).

use flatleak_pool::{Membership, Pool, Rows, Signal};
use flatleak_results::Over;
use flatleak_stats::{Jackknife, Student, jackknife, mean_of_blocks, moments, welch};

use crate::Error;
use crate::sides::Side;

/// One variance of a pool with what its error needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Variance {
    value: f64,
    /// Over examples: one value per unit. Over models: the value without each unit.
    units: Vec<f64>,
    over: Over,
}

impl Variance {
    /// The variance of `signal` over members (`member`) or non-members. Over examples with ddof 0: these are all there are; over
    /// models with ddof 1: they are a sample.
    ///
    /// # Errors
    /// An example with fewer than three models on that side, when over models: one is deleted for the error.
    pub fn new(pool: &Pool, signal: Signal, member: bool, over: Over) -> Result<Self, Error> {
        let (membership, rows) = (&pool.membership, pool.rows(signal)?);
        match over {
            Over::Examples => {
                let units = over_examples(membership, rows.rows(), member);
                Ok(Self { value: moments::mean(&units), units, over })
            }
            Over::Models => over_models(membership, rows.rows(), member),
        }
    }

    /// The variance with its 95 % interval: Student's t over units, or the delete-one-unit jackknife.
    ///
    /// # Errors
    /// Fewer than two units.
    pub fn estimate(&self) -> Result<Jackknife, Error> {
        self.compare(self.value, &self.units)
    }

    /// The paired difference `self - baseline`; both must come from one design.
    ///
    /// # Errors
    /// Fewer than two units.
    pub fn difference(&self, baseline: &Self) -> Result<Jackknife, Error> {
        let units: Vec<f64> = self.units.iter().zip(&baseline.units).map(|(b, a)| b - a).collect();
        self.compare(self.value - baseline.value, &units)
    }

    /// The difference `self - baseline` of pools with different memberships (Welch).
    ///
    /// # Errors
    /// Fewer than two units.
    pub fn unpaired_difference(&self, baseline: &Self) -> Result<Jackknife, Error> {
        let side = |v: &Self| -> Result<Student, Error> {
            let standard_error = v.estimate()?.standard_error;
            Ok(Student { mean: v.value, standard_error, degrees: v.units.len() as f64 - 1.0 })
        };
        Ok(welch(side(baseline)?, side(self)?, 0.95)?)
    }

    fn compare(&self, value: f64, units: &[f64]) -> Result<Jackknife, Error> {
        match self.over {
            Over::Models => Ok(jackknife(value, units, 0.95)?),
            Over::Examples => Ok(mean_of_blocks(units, 0.95)?),
        }
    }
}

/// Per block, the mean over its models of the variance over their examples on one side.
fn over_examples(membership: &Membership, rows: Rows<'_>, member: bool) -> Vec<f64> {
    membership.block_means(|k| moments::variance(&membership.side(k, &rows[k], member), 0))
}

fn over_models(membership: &Membership, rows: Rows<'_>, member: bool) -> Result<Variance, Error> {
    let n = membership.examples();
    // Taken from the example's mean over all models first: sums of squares lose less that way.
    let mut centre = vec![0.0; n];
    for row in rows {
        centre.iter_mut().zip(row).for_each(|(c, v)| *c += v / rows.len() as f64);
    }
    let mut sums = vec![Side::default(); n];
    for (k, row) in rows.into_iter().enumerate() {
        for (i, m) in membership.row(k).iter().enumerate() {
            if *m == member {
                sums[i] = sums[i].plus(row[i] - centre[i], 1.0);
            }
        }
    }
    if let Some(example) = sums.iter().position(|s| s.count < 3.0) {
        let on = sums[example].count as usize;
        let (inside, outside) = if member { (on, rows.len() - on) } else { (rows.len() - on, on) };
        return Err(Error::OneSided { example, inside, outside, needed: 3 });
    }
    let mean = |sums: &[Side]| sums.iter().map(|s| s.variance()).sum::<f64>() / n as f64;
    let units = membership
        .by_block()
        .iter()
        .map(|models| {
            let mut rest = sums.clone();
            for &k in models {
                for (i, m) in membership.row(k).iter().enumerate() {
                    if *m == member {
                        rest[i] = rest[i].plus(rows[k][i] - centre[i], -1.0);
                    }
                }
            }
            mean(&rest)
        })
        .collect();
    Ok(Variance { value: mean(&sums), units, over: Over::Models })
}
