//! Confidence intervals over blocks.

use serde::{Deserialize, Serialize};
use statrs::function::beta::{beta_reg, inv_beta_reg};

use crate::error::{Error, check_finite};
use crate::moments::{mean, variance};
use crate::replicates::{Range, limits};
use crate::student::Student;

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

/// The difference `b - a` of two independent estimates with its limits by Student's t with Satterthwaite's degrees of freedom (Welch 1947).
///
/// # Errors
/// A value that is not finite, fewer than 1 degree of freedom, a level outside (0, 1).
pub fn welch(a: Student, b: Student, level: f64) -> Result<Jackknife, Error> {
    check_finite("degrees of freedom", &[a.degrees, b.degrees])?;
    let found = b.plus(-1.0, &a);
    let interval = limits(found.mean, found.standard_error, found.degrees, level, Range::Real)?;
    Ok(Jackknife { interval, standard_error: found.standard_error, degrees: found.degrees })
}
