//! What a number of blocks can tell, and how many would be needed.

use flatleak_results::Needed;
use statrs::distribution::{ChiSquared, ContinuousCDF};

use crate::error::{Error, check_level};
use crate::replicates::FEWEST_UNITS;
use crate::t_law::t_critical;

/// More blocks than this are out of reach.
const MOST_BLOCKS: usize = 5000;

/// The quantile of Student's t with `degrees` that power `power` asks for: P(T <= t) = power.
fn one_sided(power: f64, degrees: f64) -> f64 {
    t_critical(2.0 * power - 1.0, degrees)
}

/// The smallest true difference that a two-sided test at 1 - `level` finds with 80 % power: (t_level + t_.8) se, in the unit of
/// `standard_error`.
///
/// # Errors
/// A level outside (0, 1); fewer than 1 degree of freedom.
pub fn smallest_detectable(standard_error: f64, degrees: f64, level: f64) -> Result<f64, Error> {
    check_level(level)?;
    if degrees < 1.0 {
        return Err(Error::TooFew { what: "degrees of freedom", found: 0, needed: 1 });
    }
    Ok((t_critical(level, degrees) + one_sided(0.8, degrees)) * standard_error)
}

/// Blocks B' at which a difference of `delta` is excluded with 80 % power where there is none, (t_level + t_.9) se sqrt(B / B') <= delta on
/// B' - 1 degrees: both limits must lie inside. To detect a true difference of `delta` never takes more. The range comes from the 95 % chi-square
/// limits of se^2, on B - 1 degrees, and the number itself from its upper 60 % limit (own; book/methods/statistics.md#planning): an error that a
/// pilot finds too small costs more power than one too large gains, and V varies more than a chi-square does. The difference that was observed
/// plays no part: under no difference at all that would promise an end in half of all cases.
///
/// # Errors
/// A level outside (0, 1), fewer than [`FEWEST_UNITS`] blocks.
pub fn blocks_needed(standard_error: f64, blocks: usize, delta: f64, level: f64) -> Result<Needed, Error> {
    check_level(level)?;
    if blocks < FEWEST_UNITS {
        return Err(Error::TooFew { what: "blocks", found: blocks, needed: FEWEST_UNITS });
    }
    let degrees = blocks as f64 - 1.0;
    let enough = |se: f64, b: usize| {
        let d = b as f64 - 1.0;
        (t_critical(level, d) + one_sided(0.9, d)) * se * (blocks as f64 / b as f64).sqrt() <= delta
    };
    let solve = |se: f64| {
        if !(se.is_finite() && delta > 0.0 && enough(se, MOST_BLOCKS)) {
            return None;
        }
        let (mut low, mut high) = (FEWEST_UNITS - 1, MOST_BLOCKS);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if enough(se, middle) { high = middle } else { low = middle }
        }
        Some(high)
    };
    let limit = |p: f64| {
        let chi = ChiSquared::new(degrees).map_or(degrees, |c| c.inverse_cdf(p));
        standard_error * (degrees / chi).sqrt()
    };
    Ok(Needed { about: solve(limit(0.4)), low: solve(limit(0.975)), high: solve(limit(0.025)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_enough_and_one_less_is_not() {
        for (se, blocks, delta, level) in [(0.006, 16, 0.01, 0.975), (0.004, 8, 0.01, 0.95), (0.02, 32, 0.03, 0.9875)] {
            let found = blocks_needed(se, blocks, delta, level).unwrap();
            let b = found.about.unwrap();
            let degrees = blocks as f64 - 1.0;
            let wide = se * (degrees / ChiSquared::new(degrees).unwrap().inverse_cdf(0.4)).sqrt();
            let reach = |b: usize| {
                let d = b as f64 - 1.0;
                (t_critical(level, d) + t_critical(0.8, d)) * wide * (blocks as f64 / b as f64).sqrt()
            };
            assert!(reach(b) <= delta && reach(b - 1) > delta);
            assert!(found.low.unwrap() < b && b < found.high.unwrap());
        }
    }

    #[test]
    fn values_of_scipy() {
        // scipy 1.16: se = .0075 * sqrt(15 / chi2.ppf(q, 15)), q = .4, .975, .025; f = lambda b: (t.ppf(1 - .025 / 2, b - 1) + t.ppf(.9, b - 1)) * se *
        // sqrt(16 / b); the first b with f(b) <= .01
        let found = blocks_needed(0.0075, 16, 0.01, 0.975).unwrap();
        assert_eq!(found, Needed { about: Some(131), low: Some(64), high: Some(270) });
        // (t.ppf(.975, 15) + t.ppf(.8, 15)) * .01
        assert!((smallest_detectable(0.01, 15.0, 0.95).unwrap() - 0.029_976_945_187).abs() < 1e-10);
    }

    #[test]
    fn what_is_out_of_reach_is_none() {
        let found = blocks_needed(0.5, 16, 0.001, 0.95).unwrap();
        assert_eq!((found.about, found.low, found.high), (None, None, None));
        assert_eq!(blocks_needed(0.0, 8, 0.01, 0.95).unwrap().about, Some(FEWEST_UNITS));
        assert!(blocks_needed(0.01, 3, 0.01, 0.95).is_err());
        assert_eq!(Needed { about: Some(5), low: None, high: Some(9) }.times(2).high, Some(18));
    }
}
