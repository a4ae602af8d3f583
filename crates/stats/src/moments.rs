//! Moments and quantiles of a slice.
//!
//! What has no value (the mean of nothing, a variance with no degrees of freedom) is NaN here, as in NumPy;
//! callers that write results test for it.

use crate::error::Error;

/// sum(x) / n; NaN for an empty slice.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// sum((x - mean)^2) / (n - ddof), in two passes; NaN unless n > ddof.
///
/// `ddof` is 1 for the unbiased estimate from a sample, 0 for the variance of the values themselves.
pub fn variance(values: &[f64], ddof: usize) -> f64 {
    if values.len() <= ddof {
        return f64::NAN;
    }
    let centre = mean(values);
    values.iter().map(|x| (x - centre) * (x - centre)).sum::<f64>() / (values.len() - ddof) as f64
}

/// The square root of [`variance`].
pub fn standard_deviation(values: &[f64], ddof: usize) -> f64 {
    variance(values, ddof).sqrt()
}

/// The middle value, or the mean of the two middle values; NaN for an empty slice.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// [`median`] of values that may be put in another order: no copy, and no full sort. NaN for none.
pub fn median_in_place(values: &mut [f64]) -> f64 {
    let n = values.len();
    if n == 0 {
        return f64::NAN;
    }
    let (below, middle, _) = values.select_nth_unstable_by(n / 2, f64::total_cmp);
    match below.iter().copied().max_by(f64::total_cmp) {
        Some(last) if n.is_multiple_of(2) => last + 0.5 * (*middle - last),
        _ => *middle,
    }
}

/// The `q`-quantile of unsorted values; see [`quantile_sorted`].
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    quantile_sorted(&sorted, q)
}

/// The `q`-quantile of ascending values, linear between order statistics at position (n - 1) q.
///
/// This is type 7 of Hyndman & Fan 1996, the default of NumPy and R. `q` is clamped to [0, 1]; the result is
/// NaN for an empty slice or a NaN `q`.
pub fn quantile_sorted(sorted: &[f64], q: f64) -> f64 {
    if sorted.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    let position = (sorted.len() - 1) as f64 * q.clamp(0.0, 1.0);
    let below = position.floor() as usize;
    let fraction = position - below as f64;
    let low = sorted[below];
    // Without this test an infinite neighbour of weight 0 would make the result NaN.
    if fraction == 0.0 { low } else { low + fraction * (sorted[below + 1] - low) }
}

/// Pearson's correlation, cov(x, y) / (sd(x) sd(y)) (Pearson 1895), clamped to [-1, 1].
///
/// # Errors
/// Different lengths, fewer than two pairs, a value that is not finite, or a side without spread.
pub fn correlation(x: &[f64], y: &[f64]) -> Result<f64, Error> {
    if x.len() != y.len() {
        return Err(Error::LengthMismatch { what: "values to correlate", left: x.len(), right: y.len() });
    }
    if x.len() < 2 {
        return Err(Error::TooFew { what: "pairs of values", found: x.len(), needed: 2 });
    }
    for side in [x, y] {
        crate::error::check_finite("value", side)?;
        if side.iter().all(|v| *v == side[0]) {
            return Err(Error::Constant { what: "values of one side" });
        }
    }
    let (mean_x, mean_y) = (mean(x), mean(y));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        let (dx, dy) = (a - mean_x, b - mean_y);
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    Ok((xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_of_the_definitions() {
        assert!(mean(&[]).is_nan() && variance(&[1.0], 1).is_nan() && median(&[]).is_nan());
        assert_eq!(variance(&[1.0], 0), 0.0);
        assert_eq!(variance(&[1.0, 3.0], 1), 2.0);
        assert_eq!(variance(&[1.0, 3.0], 0), 1.0);
        assert_eq!(median(&[4.0, 1.0, 3.0]), 3.0);
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(quantile(&[0.0, 1.0, f64::INFINITY], 0.5), 1.0);
        assert_eq!(quantile(&[0.0, 10.0], 0.25), 2.5);
        assert_eq!(quantile(&[0.0, 10.0], 7.0), 10.0);
    }

    #[test]
    fn correlation_of_lines_and_its_errors() {
        assert_eq!(correlation(&[1.0, 2.0, 4.0], &[-2.0, -4.0, -8.0]), Ok(-1.0));
        assert_eq!(correlation(&[1.0, 2.0, 3.0], &[1.0, 0.0, 1.0]), Ok(0.0));
        assert!(matches!(correlation(&[1.0], &[1.0]), Err(Error::TooFew { .. })));
        assert!(matches!(correlation(&[1.0, 2.0], &[1.0]), Err(Error::LengthMismatch { .. })));
        assert!(matches!(correlation(&[1.0, 2.0], &[0.1, 0.1]), Err(Error::Constant { .. })));
        assert!(matches!(correlation(&[1.0, f64::NAN], &[0.1, 0.2]), Err(Error::NotFinite { .. })));
    }
}
