//! An estimate whose error is Student's, and what follows from it: limits, p-values, sums of independent ones.

use flatleak_results::Estimate as Interval;

use crate::error::Error;
use crate::replicates::{FEWEST_UNITS, Range, Replicates, limits};
use crate::t_law::t_two_sided;

/// An estimate, its standard error and the error's degrees of freedom. Intervals at any level and p-values are one t: a p-value is below
/// 1 - level exactly where the interval at that level excludes the null.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Student {
    /// The estimate.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Degrees of freedom of that error.
    pub degrees: f64,
}

/// Degrees of freedom below which nothing is said.
const FEWEST: f64 = (FEWEST_UNITS - 1) as f64;

impl From<&Replicates> for Student {
    fn from(of: &Replicates) -> Self {
        Self { mean: of.estimate(), standard_error: of.standard_error(), degrees: of.degrees() }
    }
}

impl Student {
    /// self + c other, for independent estimates: V + c^2 V', with Satterthwaite's degrees (Satterthwaite 1946).
    #[must_use]
    pub fn plus(&self, c: f64, other: &Self) -> Self {
        let (va, vb) = (self.standard_error * self.standard_error, c * c * other.standard_error * other.standard_error);
        let spread = va * va / self.degrees + vb * vb / other.degrees;
        let fewest = self.degrees.min(other.degrees);
        // Of a side with too few units nothing is known, however many the other has.
        let degrees = if spread > 0.0 && fewest >= FEWEST { (va + vb) * (va + vb) / spread } else { fewest };
        Self { mean: self.mean + c * other.mean, standard_error: (va + vb).sqrt(), degrees }
    }

    /// candidate - c baseline: unit by unit where both are `paired` and have as many units, else of independent estimates.
    ///
    /// # Errors
    /// None that measures which could be made into [`Replicates`] give.
    pub fn contrast(candidate: &Replicates, c: f64, baseline: &Replicates, paired: bool) -> Result<Self, Error> {
        Ok(match paired && candidate.units() == baseline.units() {
            true => Self::from(&candidate.combine(baseline, |candidate, baseline| candidate - c * baseline)?),
            false => Self::from(candidate).plus(-c, &Self::from(baseline)),
        })
    }

    /// The estimate moved by a number that is known.
    #[must_use]
    pub fn shifted(&self, by: f64) -> Self {
        Self { mean: self.mean + by, ..*self }
    }

    /// Whether there are units enough for limits.
    pub fn has_enough_units(&self) -> bool {
        self.degrees >= FEWEST
    }

    /// Whether there are units enough for limits, and a variance that can be believed: that of several units which differ from the null by the
    /// same amount to the last bit says nothing.
    pub fn says_something(&self) -> bool {
        self.has_enough_units() && (self.standard_error > 0.0 || self.mean == 0.0)
    }

    /// Limits of a difference of two rates; from -1 to 1 where nothing is known.
    ///
    /// # Errors
    /// A level outside (0, 1), an estimate or error that is not finite.
    pub fn difference(&self, level: f64) -> Result<Interval, Error> {
        if !self.says_something() {
            return Ok(Interval { mean: self.mean, low: -1.0, high: 1.0 });
        }
        limits(self.mean, self.standard_error, self.degrees, level, Range::Difference)
    }

    /// Limits without bounds; none of them is finite where nothing is known.
    ///
    /// # Errors
    /// A level outside (0, 1), an estimate or error that is not finite.
    pub fn real(&self, level: f64) -> Result<Interval, Error> {
        if !self.says_something() {
            return Ok(Interval { mean: self.mean, low: f64::NEG_INFINITY, high: f64::INFINITY });
        }
        limits(self.mean, self.standard_error, self.degrees, level, Range::Real)
    }

    /// Limits of a rate in [0, 1], taken on the logit scale; `of` are the trials behind a rate of exactly 0 or 1. From 0 to 1 where nothing is known.
    ///
    /// # Errors
    /// A level outside (0, 1), an estimate or error that is not finite.
    pub fn rate(&self, level: f64, of: f64) -> Result<Interval, Error> {
        let still = self.standard_error == 0.0 && self.mean > 0.0 && self.mean < 1.0;
        if !self.has_enough_units() || still {
            return Ok(Interval { mean: self.mean, low: 0.0, high: 1.0 });
        }
        limits(self.mean, self.standard_error, self.degrees, level, Range::Rate { of })
    }

    /// Two-sided p-value of "the estimate is 0"; 1 where nothing is known, or where there is neither an estimate nor an error.
    pub fn p_value(&self) -> f64 {
        let t = self.mean / self.standard_error;
        if !self.says_something() || self.standard_error == 0.0 || t.is_nan() {
            return 1.0;
        }
        t_two_sided(t, self.degrees)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_independent_estimates_are_welchs() {
        let a = Student { mean: 0.6, standard_error: 0.02, degrees: 7.0 };
        let b = Student { mean: 0.65, standard_error: 0.03, degrees: 15.0 };
        let found = b.plus(-1.0, &a);
        // scipy: stats.ttest_ind_from_stats(.65, .03 * 4, 16, .6, .02 * sqrt(8), 8, equal_var=False).pvalue; df by Satterthwaite
        assert!(
            (found.p_value() - P).abs() < 1e-9 && (found.degrees - DEGREES).abs() < 1e-9,
            "{} {}",
            found.p_value(),
            found.degrees
        );
        // A factor scales the variance by its square.
        let scaled = b.plus(-1.1, &a);
        assert!((scaled.standard_error - (0.0009f64 + 1.21 * 0.0004).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn interval_and_p_are_one_t_at_every_level() {
        let d = Student { mean: 0.02, standard_error: 0.009, degrees: 7.0 };
        let p = d.p_value();
        for level in [0.5, 0.9, 0.95, 0.975, 0.99] {
            assert_eq!(d.difference(level).unwrap().low > 0.0, p < 1.0 - level, "{level}");
        }
    }

    #[test]
    fn what_says_nothing_is_open() {
        let few = Student { mean: 0.2, standard_error: 0.01, degrees: 2.0 };
        let still = Student { mean: 0.2, standard_error: 0.0, degrees: 7.0 };
        for none in [few, still] {
            let i = none.difference(0.95).unwrap();
            assert_eq!((i.low, i.high, none.p_value()), (-1.0, 1.0, 1.0));
        }
        // One side with too few units is not made up for by the other.
        let many = Student { mean: 0.5, standard_error: 0.05, degrees: 30.0 };
        assert!(!many.plus(-1.0, &few).says_something());
        let whole = still.rate(0.95, 100.0).unwrap();
        assert_eq!((whole.low, whole.high), (0.0, 1.0));
        let same = Student { mean: 0.0, standard_error: 0.0, degrees: 7.0 };
        let i = same.difference(0.95).unwrap();
        assert_eq!((i.low, i.high, same.p_value()), (0.0, 0.0, 1.0));
    }

    const P: f64 = 0.17941720681300163;
    const DEGREES: f64 = 21.988847583643118;
}
