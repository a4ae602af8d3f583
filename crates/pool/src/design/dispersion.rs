//! Whether the numbers of models per example are draws (own; book/methods/membership.md#kinds-of-design).

use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Tail below which they are not.
const LEVEL: f64 = 1e-6;

/// How the numbers of models per example spread, beside what independent rows give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dispersion {
    /// Less: they were fixed.
    Under,
    /// As draws at one rate per row.
    Chance,
    /// More: the examples' rates differ.
    Over,
}

/// Judges `numbers`, how many of the rows hold each informative example; `rates` are the rows' shares of these examples.
///
/// Under independence the number is a sum of coins, one per row, given that neither none nor all hold the example, because others are not
/// informative. The coins' log-odds are the rows' own but for one shift, which gives the sum the mean that is seen (own). The sum of squared
/// deviations over the variance is judged as chi-square.
pub(super) fn judge(numbers: &[usize], rates: &[f64]) -> Dispersion {
    let rows = rates.len();
    let inner: Vec<f64> = numbers.iter().filter(|&&k| k > 0 && k < rows).map(|&k| k as f64).collect();
    let Some(first) = numbers.first() else { return Dispersion::Chance };
    if numbers.iter().all(|k| k == first) {
        return Dispersion::Under;
    }
    let n = inner.len() as f64;
    let mean = inner.iter().sum::<f64>() / n;
    let Some(variance) = (inner.len() > 1).then(|| variance_at(mean, rates)).flatten() else {
        return Dispersion::Chance;
    };
    let chi2 = inner.iter().map(|k| (k - mean) * (k - mean)).sum::<f64>() / variance;
    match ChiSquared::new(n - 1.0) {
        Ok(law) if law.cdf(chi2) < LEVEL => Dispersion::Under,
        Ok(law) if law.sf(chi2) < LEVEL => Dispersion::Over,
        _ => Dispersion::Chance,
    }
}

/// Mean and variance of the number of heads, given that there is one and a tail, of coins with these log-odds, all shifted.
fn truncated(log_odds: &[f64], shift: f64) -> (f64, f64) {
    let mut law = vec![0.0; log_odds.len() + 1];
    law[0] = 1.0;
    for (seen, odds) in log_odds.iter().enumerate() {
        let p = 1.0 / (1.0 + libm::exp(-odds - shift));
        for k in (0..=seen).rev() {
            law[k + 1] += p * law[k];
            law[k] *= 1.0 - p;
        }
    }
    let mut sums = [0.0; 3];
    for (k, mass) in law.iter().enumerate().take(log_odds.len()).skip(1) {
        let k = k as f64;
        sums = [sums[0] + mass, sums[1] + mass * k, sums[2] + mass * k * k];
    }
    let mean = sums[1] / sums[0];
    (mean, sums[2] / sums[0] - mean * mean)
}

/// The variance of the law with this mean, by bisection of the shift; `None` where it does not vary.
fn variance_at(mean: f64, rates: &[f64]) -> Option<f64> {
    // Rows of all or of nothing are certain.
    let odds = |p: &f64| libm::log(p.clamp(1e-6, 1.0 - 1e-6) / (1.0 - p.clamp(1e-6, 1.0 - 1e-6)));
    let log_odds: Vec<f64> = rates.iter().map(odds).collect();
    let (mut low, mut high) = (-20.0, 20.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if truncated(&log_odds, middle).0 < mean { low = middle } else { high = middle }
    }
    Some(truncated(&log_odds, 0.5 * (low + high)).1).filter(|v| *v > 1e-9)
}

#[cfg(test)]
mod tests {
    use flatleak_stream::{Purpose, Stream};

    use super::*;

    #[test]
    fn draws_at_one_rate_are_told_from_fixed_numbers_and_from_two_rates() {
        let mut stream = Stream::new(3, Purpose::Simulation, 0, 0);
        let mut draw = |rate: u32, rows: usize| (0..rows).filter(|_| stream.below(100) < rate).count();
        for rows in [6, 12, 40] {
            for rate in [10, 30, 50, 90] {
                let one: Vec<usize> = (0..300).map(|_| draw(rate, rows)).filter(|k| *k > 0 && *k < rows).collect();
                let share = one.iter().sum::<usize>() as f64 / (one.len() * rows) as f64;
                assert_eq!(judge(&one, &vec![share; rows]), Dispersion::Chance, "{rate} % of {rows}");
            }
            let two: Vec<usize> = (0..400).map(|i| draw(if i % 2 == 0 { 20 } else { 80 }, rows)).collect();
            assert_eq!(judge(&two, &vec![0.5; rows]), Dispersion::Over);
            assert_eq!(judge(&[rows / 2; 100], &vec![0.5; rows]), Dispersion::Under);
            // Rows of a tenth and of nine tenths: less spread than at one rate, and still independent.
            let half = rows / 2;
            let sizes: Vec<usize> = (0..1000).map(|_| draw(10, half) + draw(90, rows - half)).collect();
            let rates: Vec<f64> = (0..rows).map(|k| if k < half { 0.1 } else { 0.9 }).collect();
            assert_eq!(judge(&sizes, &rates), Dispersion::Chance, "two sizes of {rows}");
        }
        // All but one fixed; between 3 and 5 of 8.
        let mut stray = vec![4; 200];
        stray[7] = 2;
        assert_eq!(judge(&stray, &[0.5; 8]), Dispersion::Under);
        let near: Vec<usize> = (0..200).map(|i| 3 + i % 3).collect();
        assert_eq!(judge(&near, &[0.5; 8]), Dispersion::Under);
    }

    #[test]
    fn the_truncated_law_by_hand() {
        // Of three even coins: 1 or 2 heads with equal mass. Of coins with odds 1 and 3: one head for certain.
        let (mean, variance) = truncated(&[0.0; 3], 0.0);
        assert!((mean - 1.5).abs() < 1e-12 && (variance - 0.25).abs() < 1e-12);
        assert_eq!(truncated(&[0.0, 1.0], 0.3).0, 1.0);
        assert_eq!(variance_at(1.0, &[0.5, 0.5]), None);
        // Odds 1, 1, 3: one head has mass (1 + 1 + 3) / 16, two heads (1 + 3 + 3) / 16.
        let (mean, _) = truncated(&[0.0, 0.0, libm::log(3.0)], 0.0);
        assert!((mean - 19.0 / 12.0).abs() < 1e-12);
    }
}
