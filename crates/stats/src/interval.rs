//! Confidence intervals over blocks.

use flatleak_results::Estimate as Interval;

use crate::error::{Error, check_finite, check_level};
use crate::moments::{mean, variance};
use crate::replicates::{Range, limits};
use crate::student::Student;
use crate::t_law::t_critical;

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

fn check_blocks(what: &'static str, values: &[f64], level: f64) -> Result<(), Error> {
    check_level(level)?;
    if values.len() < 2 {
        return Err(Error::TooFew { what: "blocks", found: values.len(), needed: 2 });
    }
    check_finite(what, values)
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
