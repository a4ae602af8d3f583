//! Confidence intervals over blocks.

use flatleak_stream::Stream;
use serde::{Deserialize, Serialize};
use statrs::function::beta::{beta_reg, inv_beta_reg};

use crate::error::{Error, check_finite};
use crate::moments::{mean, quantile_sorted, variance};
use crate::normal;

/// [`block_interval`] uses BCa from this many blocks on; below, BCa covers too little.
pub const BCA_FROM: usize = 64;

/// The fewest bootstrap draws that [`bca`] accepts.
const FEWEST_DRAWS: usize = 100;

/// An estimate with its limits, all in the unit of the input.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The estimate.
    pub mean: f64,
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

/// What [`jackknife`] returns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jackknife {
    /// The estimate with its limits.
    pub interval: Interval,
    /// The standard error behind them.
    pub standard_error: f64,
    /// Its degrees of freedom.
    pub degrees: f64,
}

pub(crate) fn check_level(level: f64) -> Result<(), Error> {
    if level > 0.0 && level < 1.0 { Ok(()) } else { Err(Error::Level { level }) }
}

fn check_blocks(what: &'static str, values: &[f64], level: f64) -> Result<(), Error> {
    check_level(level)?;
    if values.len() < 2 {
        return Err(Error::TooFew { what: "blocks", found: values.len(), needed: 2 });
    }
    check_finite(what, values)
}

/// The two-sided critical value of Student's t: P(|T| <= t) = level.
///
/// # Errors
/// Fewer than 1 degree of freedom, a level outside (0, 1).
pub fn student_t_critical(level: f64, degrees: f64) -> Result<f64, Error> {
    check_level(level)?;
    if degrees >= 1.0 {
        Ok(t_critical(level, degrees))
    } else {
        Err(Error::TooFew { what: "degrees of freedom", found: 0, needed: 1 })
    }
}

/// P(|T| > |t|) of Student's t.
pub(crate) fn t_two_sided(t: f64, degrees: f64) -> f64 {
    beta_reg(0.5 * degrees, 0.5, degrees / (degrees + t * t))
}

pub(crate) fn t_critical(level: f64, degrees: f64) -> f64 {
    // P(|T| > t) is the regularised incomplete beta function of (degrees/2, 1/2) at degrees/(degrees + t^2).
    let y = inv_beta_reg(0.5 * degrees, 0.5, 1.0 - level);
    (degrees * (1.0 - y) / y).sqrt()
}

/// Student's t interval for the mean of n independent blocks: mean -+ t_{n-1} s / sqrt(n), s with ddof 1
/// (Student 1908).
///
/// # Errors
/// Fewer than two blocks, a value that is not finite, a level outside (0, 1).
pub fn student_t(block_means: &[f64], level: f64) -> Result<Interval, Error> {
    check_blocks("block mean", block_means, level)?;
    let (n, centre) = (block_means.len() as f64, mean(block_means));
    let half = t_critical(level, n - 1.0) * (variance(block_means, 1) / n).sqrt();
    Ok(Interval { mean: centre, low: centre - half, high: centre + half })
}

/// [`student_t`] with the standard error behind it, s / sqrt(n).
///
/// # Errors
/// Those of [`student_t`].
pub fn mean_of_blocks(block_means: &[f64], level: f64) -> Result<Jackknife, Error> {
    let interval = student_t(block_means, level)?;
    let standard_error = (variance(block_means, 1) / block_means.len() as f64).sqrt();
    Ok(Jackknife { interval, standard_error, degrees: block_means.len() as f64 - 1.0 })
}

/// Bias-corrected and accelerated bootstrap interval for the mean of n independent blocks (Efron 1987).
///
/// Blocks are drawn with replacement `draws` times; the limits are those of [`bca_from_draws`] with the
/// jackknife acceleration, which for a mean is sum d^3 / (6 (sum d^2)^(3/2)) with d = x - mean. Blocks that are
/// all equal give an interval without width.
///
/// # Errors
/// Fewer than two blocks, a value that is not finite, a level outside (0, 1), fewer than 100 draws.
pub fn bca(block_means: &[f64], level: f64, draws: usize, stream: &mut Stream) -> Result<Interval, Error> {
    check_blocks("block mean", block_means, level)?;
    if draws < FEWEST_DRAWS {
        return Err(Error::TooFewDraws { draws, needed: FEWEST_DRAWS });
    }
    let (n, centre) = (block_means.len(), mean(block_means));
    let power = |k: i32| block_means.iter().map(|x| (x - centre).powi(k)).sum::<f64>();
    let spread = power(2);
    if spread == 0.0 {
        return Ok(Interval { mean: centre, low: centre, high: centre });
    }
    let acceleration = power(3) / (6.0 * spread * spread.sqrt());
    let mut means: Vec<f64> = (0..draws)
        .map(|_| (0..n).map(|_| block_means[stream.below(n as u32) as usize]).sum::<f64>() / n as f64)
        .collect();
    bca_from_draws(centre, acceleration, &mut means, level)
}

/// The BCa limits of an estimate from its bootstrap draws, which are sorted in place (Efron 1987).
///
/// With z0 = Phi^-1(share of draws below the estimate, ties half) and z = Phi^-1((1 -+ level) / 2), the limits
/// are the quantiles of the draws at Phi(z0 + (z0 + z) / (1 - acceleration (z0 + z))). The share is kept half a
/// draw away from 0 and 1.
///
/// # Errors
/// Fewer than 100 draws, a value that is not finite, a level outside (0, 1).
pub fn bca_from_draws(estimate: f64, acceleration: f64, draws: &mut [f64], level: f64) -> Result<Interval, Error> {
    check_level(level)?;
    check_finite("estimate or acceleration", &[estimate, acceleration])?;
    check_finite("bootstrap draw", draws)?;
    if draws.len() < FEWEST_DRAWS {
        return Err(Error::TooFewDraws { draws: draws.len(), needed: FEWEST_DRAWS });
    }
    draws.sort_unstable_by(f64::total_cmp);
    let below = draws.partition_point(|d| *d < estimate);
    let up_to = draws.partition_point(|d| *d <= estimate);
    let share = 0.5 * (below + up_to) as f64 / draws.len() as f64;
    let edge = 0.5 / draws.len() as f64;
    let bias = normal::quantile(share.clamp(edge, 1.0 - edge));
    let limit = |tail: f64| {
        let z = bias + normal::quantile(tail);
        // Past the pole of the formula the limit is the extreme draw.
        let stretch = (1.0 - acceleration * z).max(f64::MIN_POSITIVE);
        quantile_sorted(draws, normal::cdf(bias + z / stretch))
    };
    let tail = 0.5 * (1.0 - level);
    Ok(Interval { mean: estimate, low: limit(tail), high: limit(1.0 - tail) })
}

/// The interval for scores without shadows: [`student_t`] below [`BCA_FROM`] blocks, [`bca`] from there.
///
/// `draws` and `stream` are used by the second only.
///
/// # Errors
/// Those of the interval used.
pub fn block_interval(block_means: &[f64], level: f64, draws: usize, stream: &mut Stream) -> Result<Interval, Error> {
    if block_means.len() < BCA_FROM { student_t(block_means, level) } else { bca(block_means, level, draws, stream) }
}

/// Delete-one-block jackknife for scores whose targets share shadows (Tukey 1958; Efron & Stein 1981).
///
/// `leave_one_out` holds, for each of n blocks, the estimate without it, removed as targets and as shadows.
/// se^2 = (n - 1) / n sum (theta_-i - mean theta_-.)^2, which is conservative, and the limits are
/// estimate -+ t_{n-1} se. For the mean of independent blocks this is [`student_t`].
///
/// # Errors
/// Fewer than two blocks, a value that is not finite, a level outside (0, 1).
pub fn jackknife(estimate: f64, leave_one_out: &[f64], level: f64) -> Result<Jackknife, Error> {
    check_blocks("leave-one-out estimate", leave_one_out, level)?;
    check_finite("estimate", &[estimate])?;
    let degrees = leave_one_out.len() as f64 - 1.0;
    let standard_error = (degrees * variance(leave_one_out, 0)).sqrt();
    let half = t_critical(level, degrees) * standard_error;
    let interval = Interval { mean: estimate, low: estimate - half, high: estimate + half };
    Ok(Jackknife { interval, standard_error, degrees })
}

/// The difference `b - a` of two independent estimates with standard errors and degrees of freedom, and its limits by
/// Student's t with Welch's and Satterthwaite's degrees of freedom (Welch 1947). Each of `a`, `b` is (estimate, standard
/// error, degrees).
///
/// # Errors
/// A value that is not finite, fewer than 1 degree of freedom, a level outside (0, 1).
pub fn welch(a: (f64, f64, f64), b: (f64, f64, f64), level: f64) -> Result<Jackknife, Error> {
    welch_test(a, b, level).map(|(found, _)| found)
}

/// [`welch`] with the two-sided p-value of no difference, 1 where there is neither a difference nor an error.
///
/// # Errors
/// Those of [`welch`].
pub fn welch_test(a: (f64, f64, f64), b: (f64, f64, f64), level: f64) -> Result<(Jackknife, f64), Error> {
    check_level(level)?;
    check_finite("estimate, error or degrees of freedom", &[a.0, a.1, a.2, b.0, b.1, b.2])?;
    if a.2.min(b.2) < 1.0 {
        return Err(Error::TooFew { what: "degrees of freedom", found: a.2.min(b.2) as usize, needed: 1 });
    }
    let (va, vb) = (a.1 * a.1, b.1 * b.1);
    let difference = b.0 - a.0;
    let standard_error = (va + vb).sqrt();
    let spread = va * va / a.2 + vb * vb / b.2;
    let degrees = if spread > 0.0 { (va + vb) * (va + vb) / spread } else { a.2 + b.2 };
    let half = t_critical(level, degrees) * standard_error;
    let interval = Interval { mean: difference, low: difference - half, high: difference + half };
    let t = difference / standard_error;
    // 0 / 0 is no difference; with an error of 0 any other is infinitely many of them.
    let p = if t.is_nan() { 1.0 } else { t_two_sided(t, degrees) };
    Ok((Jackknife { interval, standard_error, degrees }, p))
}
