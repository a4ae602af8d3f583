//! One summary over several studies.

use flatleak_results::Estimate as Interval;

use crate::error::check_level;
use crate::error::{Error, check_finite};
use crate::t_law::{t_critical, t_two_sided};

/// A random-effects summary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomEffects {
    /// The mean effect with its limits.
    pub interval: Interval,
    /// The standard error behind them, of as many degrees of freedom as there are studies, less one.
    pub standard_error: f64,
    /// Variance between studies, tau^2.
    pub between: f64,
    /// Share of the variance that is between studies, I^2 = max(0, (Q - (k - 1)) / Q).
    pub heterogeneity: f64,
    /// Two-sided p-value of the mean effect.
    pub p_value: f64,
}

/// Random-effects mean of k study effects with their standard errors.
///
/// tau^2 by DerSimonian & Laird (1986): max(0, (Q - (k - 1)) / (sum w - sum w^2 / sum w)) with w = 1 / se^2 and Q the
/// weighted squared deviation from the weighted mean. Limits and p by Hartung & Knapp (2001) on t_{k-1}, their variance factor
/// sum w* (y - mean)^2 / (k - 1) never taken below 1 (Rover et al. 2015), so that few studies that happen to agree do not give a
/// narrower interval than their own errors allow (book/methods/statistics.md#several-data-sets).
///
/// # Errors
/// Fewer than two studies, different lengths, a value that is not finite, a standard error that is 0 or so small that its weight is not finite: such
/// a study would decide the mean alone, and none can be estimated.
pub fn random_effects(effects: &[f64], errors: &[f64], level: f64) -> Result<RandomEffects, Error> {
    check_level(level)?;
    if effects.len() != errors.len() {
        let (left, right) = (effects.len(), errors.len());
        return Err(Error::LengthMismatch { what: "effects and standard errors", left, right });
    }
    if effects.len() < 2 {
        return Err(Error::TooFew { what: "studies", found: effects.len(), needed: 2 });
    }
    check_finite("effect", effects)?;
    let inverse: Vec<f64> = errors.iter().map(|e| 1.0 / (e * e)).collect();
    check_finite("inverse variance of a study", &inverse)?;
    check_finite("sum of inverse variances", &[inverse.iter().sum()])?;
    let degrees = effects.len() as f64 - 1.0;
    let (_, q) = weighted(effects, &inverse);
    // sum w - sum w^2 / sum w, over pairs.
    let spare = over_pairs(&inverse, |_, _| 1.0);
    let between = ((q - degrees) / spare).max(0.0);
    let heterogeneity = if q > 0.0 { ((q - degrees) / q).max(0.0) } else { 0.0 };
    let weights: Vec<f64> = errors.iter().map(|e| 1.0 / (e * e + between)).collect();
    let (mean, spread) = weighted(effects, &weights);
    let error = ((spread / degrees).max(1.0) / weights.iter().sum::<f64>()).sqrt();
    check_finite("standard error of the mean of studies", &[between, mean, error])?;
    let half = t_critical(level, degrees) * error;
    let p_value = t_two_sided(mean / error, degrees);
    let interval = Interval { mean, low: mean - half, high: mean + half };
    Ok(RandomEffects { interval, standard_error: error, between, heterogeneity, p_value })
}

/// Weighted mean and weighted squared deviation from it. Deviations from a mean that one weight decides are rounding, times that weight: they are
/// taken over pairs.
fn weighted(values: &[f64], weights: &[f64]) -> (f64, f64) {
    let sum: f64 = weights.iter().sum();
    let mean = values.iter().zip(weights).map(|(v, w)| v * (w / sum)).sum::<f64>();
    (mean, 0.5 * over_pairs(weights, |i, j| (values[i] - values[j]) * (values[i] - values[j])))
}

/// Sum over ordered pairs of two studies of w_i w_j f(i, j) / sum w. Weights may differ by more than a double holds.
fn over_pairs(weights: &[f64], f: impl Fn(usize, usize) -> f64) -> f64 {
    let sum: f64 = weights.iter().sum();
    let of = |i: usize| {
        let others = (0..weights.len()).filter(|j| *j != i);
        others.map(|j| weights[i].min(weights[j]) * (weights[i].max(weights[j]) / sum) * f(i, j)).sum::<f64>()
    };
    (0..weights.len()).map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of `tests/make_meta.py` (numpy and scipy).
    #[test]
    fn agrees_with_numpy() {
        let found =
            random_effects(&[0.10, 0.30, 0.35, 0.65, 0.45, 0.15], &[0.17, 0.21, 0.13, 0.16, 0.19, 0.11], 0.95).unwrap();
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-10, "{a} {b}");
        close(found.between, BETWEEN);
        close(found.heterogeneity, HETEROGENEITY);
        close(found.interval.mean, MEAN);
        close(found.interval.low, LOW);
        close(found.interval.high, HIGH);
        close(found.p_value, P);
    }

    #[test]
    fn equal_studies_keep_their_own_error() {
        let found = random_effects(&[1.0, 1.0], &[0.5, 0.5], 0.95).unwrap();
        // No spread between them: se^2 = .25 / 2, and t with one degree of freedom is 12.7062047364.
        assert!((found.interval.high - 1.0 - 12.706_204_736_174_7 * 0.125f64.sqrt()).abs() < 1e-8);
        assert_eq!((found.between, found.heterogeneity), (0.0, 0.0));
        assert!(random_effects(&[1.0], &[1.0], 0.95).is_err());
        assert!(random_effects(&[1.0, 2.0], &[1.0, 0.0], 0.95).is_err());
    }

    /// One study with an error of rounding beside studies with errors of their own (values of decimal arithmetic of 60 digits in `tests/make_meta.py`).
    #[test]
    fn errors_of_rounding_leave_a_mean() {
        let found = random_effects(&[0.0125, 0.03, -0.01], &[1e-17, 0.01, 0.02], 0.95).unwrap();
        assert!(found.interval.low.is_finite() && found.interval.high.is_finite() && found.interval.low < 0.0125);
        assert!(found.p_value > 0.0 && found.p_value < 1.0, "{found:?}");
        let wanted = [
            ("between", found.between, TINY[0]),
            ("mean", found.interval.mean, TINY[1]),
            ("p", found.p_value, TINY[2]),
        ];
        for (what, a, b) in wanted {
            assert!((a - b).abs() < 1e-9, "{what}: {a} {b}");
        }
        for errors in [[1e-17; 2], [1e-17, 0.01], [1e-150, 0.01], [1e-17, 1e-150]] {
            for effects in [[0.0125, 0.0125], [0.0125, 0.02], [0.0, 0.0], [-1.0, 1.0]] {
                let found = random_effects(&effects, &errors, 0.95).unwrap();
                let all =
                    [found.interval.mean, found.interval.low, found.interval.high, found.between, found.heterogeneity];
                assert!(
                    all.iter().all(|v| v.is_finite()) && (0.0..=1.0).contains(&found.p_value),
                    "{effects:?} {errors:?} {found:?}"
                );
            }
        }
        for error in [0.0, 1e-200, f64::NAN, f64::MIN_POSITIVE] {
            assert!(random_effects(&[0.1, 0.2], &[0.01, error], 0.95).is_err(), "{error}");
        }
    }

    const TINY: [f64; 3] = [0.000_093_125, 0.015_007_087_576_674_693, 0.213_966_506_986_113_28];
    const BETWEEN: f64 = 0.017_891_622_407_389;
    const HETEROGENEITY: f64 = 0.431_290_185_590_349;
    const MEAN: f64 = 0.321_170_468_673_316;
    const LOW: f64 = 0.104_766_747_020_463;
    const HIGH: f64 = 0.537_574_190_326_169;
    const P: f64 = 0.012_435_544_119_179;
}
