//! Confidence intervals for proportions.

use statrs::function::beta::inv_beta_reg;

use crate::error::Error;
use crate::interval::{Interval, check_level};
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
