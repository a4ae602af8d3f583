//! The standard normal distribution.

use statrs::function::erf::erfc_inv;

/// Phi(z), the share of a standard normal below `z`, as erfc(-z / sqrt 2) / 2.
///
/// Relative accuracy is kept in the lower tail, down to about z = -37; for the upper tail use `cdf(-z)`.
pub fn cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The density, exp(-z^2 / 2) / sqrt(2 pi).
pub fn density(z: f64) -> f64 {
    libm::exp(-0.5 * z * z) * 0.398_942_280_401_432_7
}

/// The inverse of [`cdf`]: -infinity at 0, infinity at 1, NaN outside [0, 1].
pub fn quantile(p: f64) -> f64 {
    if (0.0..=1.0).contains(&p) { -std::f64::consts::SQRT_2 * erfc_inv(2.0 * p) } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantile_inverts_cdf_in_both_tails() {
        for z in [-30.0, -8.0, -1.96, -1e-9, 0.0, 0.3, 2.0, 5.0] {
            assert!((quantile(cdf(z)) - z).abs() <= 1e-9 * (1.0 + f64::abs(z)), "{z}");
        }
        assert_eq!(quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(quantile(1.0), f64::INFINITY);
        assert!(quantile(1.1).is_nan() && quantile(f64::NAN).is_nan());
    }
}
