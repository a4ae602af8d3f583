//! Means over the targets of a pool whose targets share shadows: their variance, intervals and tests.

use flatleak_results::Estimate as Interval;

use crate::error::{Error, check_finite, check_level};
use crate::moments::{mean, variance};
use crate::proportion::clopper_pearson;
use crate::t_law::{t_critical, t_two_sided};

/// Units below which there is no interval: nothing can be told of a variance from so few.
pub const FEWEST_UNITS: usize = 4;

/// Share of the largest unit below which a standard error is rounding.
const ROUNDING: f64 = 1e-13;

/// A measure of every unit, a block of models or a group of blocks, from all shadows, and again without the models of each other unit.
///
/// The estimate is the mean over units, which weigh equally. Its variance is V = max(V_blk, V_jack - J) (own; book/methods/statistics.md#variance):
/// V_blk, that of independent units, ignores that targets share shadows; V_jack, the delete-one jackknife over targets and shadows alike (Tukey
/// 1958), is too large by about J, the mean square of what single deletions do to single units.
///
/// ```
/// use flatleak_stats::{Range, Replicates};
/// let auc = Replicates::independent(vec![0.61, 0.58, 0.63, 0.60])?;
/// let interval = auc.interval(0.95, Range::Rate { of: 100.0 })?;
/// assert!((auc.estimate() - 0.605).abs() < 1e-12 && interval.low > 0.5);
/// # Ok::<(), flatleak_stats::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Replicates {
    /// D_b.
    whole: Vec<f64>,
    /// D_b^(-d) by deleted unit d and unit b, the entry b = d of no meaning; absent where units share nothing.
    deleted: Option<Vec<Vec<f64>>>,
    /// J is not taken off.
    jumps: bool,
}

/// Where a measure can lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// From 0 to 1. At exactly 0 or 1 the limits are those of Clopper & Pearson (1934) over so many trials, one target's members; elsewhere
    /// limits are taken on the logit scale.
    Rate {
        /// Trials.
        of: f64,
    },
    /// A difference of two rates, from -1 to 1.
    Difference,
    /// Any number.
    Real,
}

impl Replicates {
    /// From D_b, and D_b^(-d) by deleted unit.
    ///
    /// # Errors
    /// No unit; rows of another number of entries; an entry that counts and is not finite.
    pub fn new(whole: Vec<f64>, deleted: Vec<Vec<f64>>) -> Result<Self, Error> {
        let units = whole.len();
        check_finite("measure of a unit", &whole)?;
        if units == 0 {
            return Err(Error::TooFew { what: "units", found: 0, needed: 1 });
        }
        for (left, right) in deleted.iter().map(|row| (row.len(), units)).chain([(deleted.len(), units)]) {
            if left != right {
                return Err(Error::LengthMismatch { what: "measures with and without a unit", left, right });
            }
        }
        for (d, row) in deleted.iter().enumerate() {
            check_finite("measure of a unit without another", &row[..d])?;
            check_finite("measure of a unit without another", &row[d + 1..])?;
        }
        Ok(Self { whole, deleted: Some(deleted), jumps: false })
    }

    /// From D_b of units that share nothing, as where an attack has no shadows: V is V_blk.
    ///
    /// # Errors
    /// No unit, an entry that is not finite.
    pub fn independent(whole: Vec<f64>) -> Result<Self, Error> {
        check_finite("measure of a unit", &whole)?;
        if whole.is_empty() {
            return Err(Error::TooFew { what: "units", found: 0, needed: 1 });
        }
        Ok(Self { whole, deleted: None, jumps: false })
    }

    /// The same of a measure that jumps where shadows change, as thresholds do that are the best of few: J estimates the excess of the jackknife
    /// for measures that change smoothly, and is not taken off here (own; book/methods/statistics.md#measures-that-jump).
    #[must_use]
    pub fn jumping(self) -> Self {
        Self { jumps: true, ..self }
    }

    /// Number of units, B.
    pub fn units(&self) -> usize {
        self.whole.len()
    }

    /// Degrees of freedom, B - 1.
    pub fn degrees(&self) -> f64 {
        self.whole.len() as f64 - 1.0
    }

    /// Mean over units.
    pub fn estimate(&self) -> f64 {
        mean(&self.whole)
    }

    /// D_b.
    pub fn whole(&self) -> &[f64] {
        &self.whole
    }

    /// The estimate without a unit, as targets and as shadows.
    pub fn without(&self, unit: usize) -> f64 {
        let row = self.deleted.as_ref().map_or(&self.whole, |rows| &rows[unit]);
        let rest = row.iter().enumerate().filter(|(b, _)| *b != unit);
        rest.map(|(_, v)| v).sum::<f64>() / self.degrees()
    }

    /// The same of a f + b g, unit by unit, for measures f, g of paired pools.
    ///
    /// # Errors
    /// Another number of units.
    pub fn combine(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Result<Self, Error> {
        let (left, right) = (self.units(), other.units());
        if left != right {
            return Err(Error::LengthMismatch { what: "units of two pools", left, right });
        }
        let both = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| f(*a, *b)).collect::<Vec<f64>>();
        let deleted = match (&self.deleted, &other.deleted) {
            (None, None) => None,
            _ => {
                let row = |of: &Self, d: usize| of.deleted.as_ref().map_or(of.whole.clone(), |rows| rows[d].clone());
                Some((0..left).map(|d| both(&row(self, d), &row(other, d))).collect())
            }
        };
        Ok(Self { whole: both(&self.whole, &other.whole), deleted, jumps: self.jumps || other.jumps })
    }

    /// This less the other, unit by unit.
    ///
    /// # Errors
    /// Another number of units.
    pub fn minus(&self, other: &Self) -> Result<Self, Error> {
        self.combine(other, |a, b| a - b)
    }

    /// V, the variance of the estimate; 0 for a single unit, of which nothing is known, and for units that differ by rounding alone.
    pub fn variance(&self) -> f64 {
        let found = self.spread();
        let largest = self.whole.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
        if found.sqrt() <= ROUNDING * largest { 0.0 } else { found }
    }

    fn spread(&self) -> f64 {
        let b = self.units() as f64;
        if self.units() < 2 {
            return 0.0;
        }
        let blocks = variance(&self.whole, 1) / b;
        let Some(deleted) = &self.deleted else { return blocks };
        let left_out: Vec<f64> = (0..self.units()).map(|d| self.without(d)).collect();
        let jackknife = (b - 1.0) * variance(&left_out, 0);
        let of_unit = |(unit, own): (usize, &f64)| {
            let others = deleted.iter().enumerate().filter(|(d, _)| *d != unit);
            let shifts: Vec<f64> = others.map(|(_, row)| row[unit] - own).collect();
            variance(&shifts, 0) * shifts.len() as f64
        };
        let excess = self.whole.iter().enumerate().map(of_unit).sum::<f64>() / (b * (b - 1.0));
        blocks.max(if self.jumps { jackknife } else { jackknife - excess })
    }

    /// The square root of [`variance`](Self::variance).
    pub fn standard_error(&self) -> f64 {
        self.variance().sqrt()
    }

    /// The estimate with limits by Student's t on V with B - 1 degrees; below [`FEWEST_UNITS`] units the whole range of a rate or of a
    /// difference, because nothing is known.
    ///
    /// # Errors
    /// A level outside (0, 1); a single unit of any range but these.
    pub fn interval(&self, level: f64, range: Range) -> Result<Interval, Error> {
        if self.units() < FEWEST_UNITS {
            let mean = self.estimate();
            check_level(level)?;
            match range {
                Range::Rate { .. } => return Ok(Interval { mean, low: 0.0, high: 1.0 }),
                Range::Difference => return Ok(Interval { mean, low: -1.0, high: 1.0 }),
                Range::Real if self.units() < 2 => {
                    return Err(Error::TooFew { what: "blocks", found: self.units(), needed: 2 });
                }
                Range::Real => {}
            }
        }
        limits(self.estimate(), self.standard_error(), self.degrees(), level, range)
    }

    /// The two-sided p-value of "the estimate is `null`" by the same t: below 1 - level where the interval of a range without bounds excludes it.
    pub fn p_value(&self, null: f64) -> f64 {
        if self.units() < FEWEST_UNITS {
            return 1.0;
        }
        p_of(self.estimate() - null, self.standard_error(), self.degrees())
    }
}

/// Two-sided p-value of Student's t; 1 where the error is 0, of which nothing follows.
fn p_of(difference: f64, standard_error: f64, degrees: f64) -> f64 {
    if standard_error <= 0.0 {
        return 1.0;
    }
    t_two_sided(difference / standard_error, degrees)
}

/// Limits of an estimate with a standard error of so many degrees of freedom, inside the range.
///
/// # Errors
/// A level outside (0, 1), less than one degree of freedom, an estimate or error that is not finite.
pub fn limits(estimate: f64, standard_error: f64, degrees: f64, level: f64, range: Range) -> Result<Interval, Error> {
    check_level(level)?;
    check_finite("estimate or standard error", &[estimate, standard_error])?;
    if degrees < 1.0 {
        return Err(Error::TooFew { what: "degrees of freedom", found: degrees as usize, needed: 1 });
    }
    let half = t_critical(level, degrees) * standard_error;
    Ok(match range {
        Range::Rate { of } if estimate <= 0.0 || estimate >= 1.0 => {
            let n = of.round().max(1.0) as u64;
            let exact = clopper_pearson(if estimate <= 0.0 { 0 } else { n }, n, level)?;
            Interval { mean: estimate, ..exact }
        }
        Range::Rate { .. } => {
            let (centre, away) = (libm::log(estimate / (1.0 - estimate)), half / (estimate * (1.0 - estimate)));
            let inverse = |x: f64| 1.0 / (1.0 + libm::exp(-x));
            Interval { mean: estimate, low: inverse(centre - away), high: inverse(centre + away) }
        }
        Range::Difference => {
            Interval { mean: estimate, low: (estimate - half).max(-1.0), high: (estimate + half).min(1.0) }
        }
        Range::Real => Interval { mean: estimate, low: estimate - half, high: estimate + half },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variances_by_hand() {
        // Three units with D = 1, 2, 6: mean 3, V_blk = (4 + 1 + 9) / 6.
        let free = Replicates::independent(vec![1.0, 2.0, 6.0]).unwrap();
        assert!((free.variance() - 14.0 / 6.0).abs() < 1e-12);
        // Deletions that change nothing: V_jack is V_blk and J is 0.
        let same = Replicates::new(vec![1.0, 2.0, 6.0], vec![vec![1.0, 2.0, 6.0]; 3]).unwrap();
        assert!((same.variance() - free.variance()).abs() < 1e-12);
        // Deletions that shift units: without 0: (2, 7), mean 4.5; without 1: (0, 6), 3; without 2: (1, 3), 2.
        let rows = vec![vec![9.0, 2.0, 7.0], vec![0.0, 9.0, 6.0], vec![1.0, 3.0, 9.0]];
        let shifted = Replicates::new(vec![1.0, 2.0, 6.0], rows).unwrap();
        let jackknife = 2.0 / 3.0 * [4.5f64, 3.0, 2.0].iter().map(|t| (t - 9.5 / 3.0).powi(2)).sum::<f64>();
        // Shifts of unit 0: -1, 0; of unit 1: 0, 1; of unit 2: 1, 0. About their means each has squares of 1/2.
        let excess = 2.0 / 3.0 * 1.5 / 4.0;
        assert!((shifted.variance() - (jackknife - excess).max(14.0 / 6.0)).abs() < 1e-12);
        assert_eq!((shifted.without(0), shifted.without(1), shifted.without(2)), (4.5, 3.0, 2.0));
    }

    /// .3 - .1 and .4 - .2 are the same difference, and not the same double.
    #[test]
    fn differences_that_differ_by_rounding_have_no_spread() {
        let (a, b) = (vec![0.3, 0.4, 0.7, 0.9], vec![0.1, 0.2, 0.5, 0.7]);
        let found = Replicates::independent(a).unwrap().minus(&Replicates::independent(b).unwrap()).unwrap();
        assert!(variance(&found.whole, 1) > 0.0, "these doubles differ");
        assert_eq!((found.variance(), found.p_value(0.0)), (0.0, 1.0));
        let small = Replicates::independent(vec![1e-9, 1.1e-9, 0.9e-9, 1e-9]).unwrap();
        assert!(small.variance() > 0.0 && small.p_value(0.0) < 0.001);
    }

    #[test]
    fn interval_and_p_are_one_t() {
        let r = Replicates::independent(vec![0.02, 0.05, -0.01, 0.04, 0.03]).unwrap();
        for level in [0.5, 0.9, 0.95, 0.99] {
            let i = r.interval(level, Range::Real).unwrap();
            assert_eq!(r.p_value(0.0) < 1.0 - level, i.low > 0.0, "{level}");
        }
        let at = r.interval(1.0 - r.p_value(0.0), Range::Real).unwrap();
        assert!(at.low.abs() < 1e-9);
    }

    #[test]
    fn rates_stay_inside_and_few_units_say_nothing() {
        let high = Replicates::independent(vec![0.99, 1.0, 0.97, 1.0]).unwrap();
        let i = high.interval(0.95, Range::Rate { of: 50.0 }).unwrap();
        assert!(i.low > 0.5 && i.high < 1.0 && i.low < 0.97);
        let none = Replicates::independent(vec![0.0; 5]).unwrap();
        let i = none.interval(0.95, Range::Rate { of: 50.0 }).unwrap();
        assert!(i.low == 0.0 && (i.high - (1.0 - 0.025f64.powf(0.02))).abs() < 1e-9);
        let few = Replicates::independent(vec![0.5, 0.6, 0.7]).unwrap();
        let i = few.interval(0.95, Range::Rate { of: 50.0 }).unwrap();
        assert_eq!((i.low, i.high, few.p_value(0.5)), (0.0, 1.0, 1.0));
        assert!(Replicates::new(vec![0.5; 3], vec![vec![0.5; 2]; 3]).is_err());
        assert!(Replicates::new(vec![0.5; 2], vec![vec![f64::NAN, 1.0], vec![1.0, f64::NAN]]).is_ok());
        assert!(Replicates::new(vec![0.5; 2], vec![vec![0.5, f64::NAN], vec![1.0, f64::NAN]]).is_err());
    }
}
