//! Confidence intervals for proportions.

use flatleak_results::Estimate as Interval;
use statrs::function::beta::inv_beta_reg;

use crate::error::{Error, check_level};
use crate::normal;

fn check_counts(successes: u64, trials: u64, level: f64) -> Result<(), Error> {
    check_level(level)?;
    if trials == 0 || successes > trials { Err(Error::Counts { successes, trials }) } else { Ok(()) }
}

/// Exact interval for a proportion (Clopper & Pearson 1934): the beta quantiles B(a/2; k, n - k + 1) and
/// B(1 - a/2; k + 1, n - k) with a = 1 - level, and 0 or 1 at the ends. It covers at least `level`.
///
/// # Errors
/// No trials, more successes than trials, a level outside (0, 1).
pub fn clopper_pearson(successes: u64, trials: u64, level: f64) -> Result<Interval, Error> {
    check_counts(successes, trials, level)?;
    let (k, n, tail) = (successes as f64, trials as f64, 0.5 * (1.0 - level));
    // At the ends the quantiles have closed forms, exact where the series converges slowly.
    let end = libm::log(tail) / n;
    let low = match successes {
        0 => 0.0,
        _ if successes == trials => libm::exp(end),
        _ => inv_beta_reg(k, n - k + 1.0, tail),
    };
    let high = match successes {
        0 => -libm::expm1(end),
        _ if successes == trials => 1.0,
        _ => inv_beta_reg(k + 1.0, n - k, 1.0 - tail),
    };
    Ok(Interval { mean: k / n, low, high })
}

/// Score interval for a proportion (Wilson 1927): (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n).
/// Narrower than [`clopper_pearson`]; it covers `level` on average over proportions.
///
/// # Errors
/// No trials, more successes than trials, a level outside (0, 1).
pub fn wilson(successes: u64, trials: u64, level: f64) -> Result<Interval, Error> {
    check_counts(successes, trials, level)?;
    let n = trials as f64;
    let p = successes as f64 / n;
    let z = normal::quantile(0.5 * (1.0 + level));
    let share = z * z / n;
    let half = z * (p * (1.0 - p) / n + 0.25 * share / n).sqrt();
    let limit = |side: f64| ((p + 0.5 * share + side * half) / (1.0 + share)).clamp(0.0, 1.0);
    Ok(Interval { mean: p, low: limit(-1.0), high: limit(1.0) })
}

/// Interval for the difference of two proportions in matched pairs (Bonett & Price 2012): of `pairs` pairs, `plus` have
/// success in the first alone and `minus` in the second alone. With one imagined pair of each kind added,
/// p = (plus + 1)/(n + 2) and q = (minus + 1)/(n + 2), the limits are p - q -+ z sqrt((p + q - (p - q)^2)/(n + 2)). It has a
/// width even where all pairs agree. `mean` is the plain difference (plus - minus)/n, which lies inside.
///
/// # Errors
/// No pairs, more than there are, a level outside (0, 1).
pub fn matched_difference(plus: u64, minus: u64, pairs: u64, level: f64) -> Result<Interval, Error> {
    check_counts(plus + minus, pairs, level)?;
    let n = pairs as f64 + 2.0;
    let (p, q) = ((plus as f64 + 1.0) / n, (minus as f64 + 1.0) / n);
    let error = ((p + q - (p - q) * (p - q)) / n).sqrt();
    Ok(about(p - q, error, (plus as f64 - minus as f64) / pairs as f64, level))
}

/// Interval for the difference p - q of two independent proportions (Agresti & Caffo 2000): one success and one failure are added
/// to either, then z sqrt(p(1-p)/n + q(1-q)/m) on both sides. `mean` is the plain difference.
///
/// # Errors
/// A side without trials, more successes than trials, a level outside (0, 1).
pub fn independent_difference(first: (u64, u64), second: (u64, u64), level: f64) -> Result<Interval, Error> {
    check_counts(first.0, first.1, level)?;
    check_counts(second.0, second.1, level)?;
    let side = |(k, n): (u64, u64)| {
        let (k, n) = (k as f64 + 1.0, n as f64 + 2.0);
        (k / n, k / n * (1.0 - k / n) / n)
    };
    let ((p, vp), (q, vq)) = (side(first), side(second));
    let plain = first.0 as f64 / first.1 as f64 - second.0 as f64 / second.1 as f64;
    Ok(about(p - q, (vp + vq).sqrt(), plain, level))
}

fn about(centre: f64, error: f64, mean: f64, level: f64) -> Interval {
    let half = normal::quantile(0.5 * (1.0 + level)) * error;
    // The shrunken centre may leave an extreme difference outside by a hair.
    Interval { mean, low: (centre - half).max(-1.0).min(mean), high: (centre + half).min(1.0).max(mean) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out from the formulas with Python's statistics.NormalDist.
    #[test]
    fn differences_by_hand() {
        let close = |found: Interval, wanted: [f64; 3]| {
            for (f, w) in [found.mean, found.low, found.high].into_iter().zip(wanted) {
                assert!((f - w).abs() < 1e-9, "{found:?}");
            }
        };
        close(matched_difference(9, 2, 16, 0.95).unwrap(), [0.4375, 0.039_808_703_799, 0.737_969_073_978]);
        close(matched_difference(0, 0, 8, 0.95).unwrap(), [0.0, -0.277_180_764_870, 0.277_180_764_870]);
        close(independent_difference((7, 10), (1, 10), 0.95).unwrap(), [0.6, 0.160_000_801_100, 0.839_999_198_900]);
        assert!(matched_difference(5, 4, 8, 0.95).is_err() && independent_difference((1, 1), (0, 0), 0.95).is_err());
    }
}
