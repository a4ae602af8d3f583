//! How many models would settle a comparison.

use crate::normal;

/// More models per recipe than this are reported as out of reach.
const MOST_MODELS: f64 = 10_000.0;

/// z_.975 + z_.80, the distance in standard errors at which a two-sided 5 % test has 80 % power (Cohen 1988).
fn resolving_distance() -> f64 {
    normal::quantile(0.975) + normal::quantile(0.8)
}

/// The smallest true difference that a two-sided 5 % test finds with 80 % power: (z_.975 + z_.80) se, about
/// 2.80 standard errors. In the unit of `standard_error`.
pub fn smallest_detectable(standard_error: f64) -> f64 {
    resolving_distance() * standard_error
}

/// Total models per recipe, a multiple of `block`, that give 80 % power at the observed difference.
///
/// `standard_error` belongs to the difference between two recipes of `models` models each and is taken to
/// shrink with 1/sqrt(models), so that the answer is models ((z_.975 + z_.80) se / difference)^2, rounded up
/// (normal approximation, two-sided 5 %). It is below `models` where the difference is already resolved, and
/// never less than one block.
///
/// `None` when the difference is below its standard error, when more than 10,000 models would be needed, or
/// when the input is not finite or has no models or an empty block.
pub fn models_needed(difference: f64, standard_error: f64, models: usize, block: usize) -> Option<usize> {
    let usable = difference.is_finite() && standard_error.is_finite() && standard_error >= 0.0;
    if !usable || models == 0 || block == 0 || difference == 0.0 || difference.abs() < standard_error {
        return None;
    }
    let ratio = smallest_detectable(standard_error) / difference.abs();
    let blocks = (models as f64 * ratio * ratio / block as f64).ceil().max(1.0);
    let total = blocks * block as f64;
    (total <= MOST_MODELS).then_some(total as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needed_models_resolve_the_difference_and_one_block_less_does_not() {
        for (difference, se, models, block) in [(0.01, 0.006, 32, 2), (-0.02, 0.0123, 64, 4), (0.3, 0.07, 16, 2)] {
            let needed = models_needed(difference, se, models, block).unwrap();
            let at = |m: usize| smallest_detectable(se * (models as f64 / m as f64).sqrt());
            assert_eq!(needed % block, 0);
            assert!(at(needed) <= f64::abs(difference));
            assert!(at(needed - block) > f64::abs(difference));
        }
    }

    #[test]
    fn known_values() {
        // 7.848879734 is (z_.975 + z_.80)^2.
        assert!((smallest_detectable(1.0).powi(2) - 7.848_879_734_349_088).abs() < 1e-12);
        assert_eq!(models_needed(0.01, 0.01, 32, 2), Some(252));
        assert_eq!(models_needed(0.01, 0.0, 32, 2), Some(2));
    }

    #[test]
    fn what_cannot_be_answered_is_none() {
        assert_eq!(models_needed(0.009, 0.01, 32, 2), None);
        assert_eq!(models_needed(0.01, 0.01, 1272, 2), Some(9984));
        assert_eq!(models_needed(0.01, 0.01, 1276, 2), None);
        assert_eq!(models_needed(0.0, 0.0, 32, 2), None);
        assert_eq!(models_needed(f64::NAN, 0.01, 32, 2), None);
        assert_eq!(models_needed(0.01, f64::NAN, 32, 2), None);
        assert_eq!(models_needed(0.01, -0.01, 32, 2), None);
        assert_eq!(models_needed(0.01, 0.01, 0, 2), None);
        assert_eq!(models_needed(0.01, 0.01, 32, 0), None);
    }
}
