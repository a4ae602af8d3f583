//! The law of Student's t (Student 1908).

use statrs::function::beta::{beta_reg, inv_beta_reg};

use crate::error::{Error, check_level};

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
