//! Which of many recipes leak least: as a set, not as one name.

use crate::error::Error;
use flatleak_stats::Student;

/// Which of k candidates stay in the set "cannot be told from the best": i leaves if it exceeds some j at one-sided level alpha / (k - 1)
/// (multiple comparisons with the best, Hsu 1984, by pairwise errors of their own). This protects a recipe that is named beforehand; under many
/// equals some recipe leaves far more often than one that was named (book/methods/words.md#sets-of-recipes). `difference(i, j)` is that of i less j.
pub(crate) fn cannot_be_told(
    k: usize,
    alpha: f64,
    difference: &dyn Fn(usize, usize) -> Result<Student, Error>,
) -> Result<Vec<bool>, Error> {
    if k < 2 {
        return Ok(vec![true; k]);
    }
    // Both tails of a two-sided interval at this level are one-sided tests at alpha / (k - 1).
    let level = 1.0 - 2.0 * alpha / (k as f64 - 1.0);
    let mut stays = vec![true; k];
    for (i, stays) in stays.iter_mut().enumerate() {
        for j in (0..k).filter(|j| *j != i) {
            let d = difference(i, j)?;
            if d.mean > 0.0 && d.difference(level)?.low > 0.0 {
                *stays = false;
                break;
            }
        }
    }
    Ok(stays)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exceeds_another_leaves_and_ties_stay() {
        let means = [0.60, 0.61, 0.70, 0.605];
        let difference = |error: f64| {
            move |i: usize, j: usize| Ok(Student { mean: means[i] - means[j], standard_error: error, degrees: 15.0 })
        };
        assert_eq!(cannot_be_told(4, 0.025, &difference(0.01)).unwrap(), [true, true, false, true]);
        assert_eq!(cannot_be_told(4, 0.025, &difference(0.001)).unwrap(), [true, false, false, false]);
        assert_eq!(cannot_be_told(4, 0.025, &difference(0.1)).unwrap(), [true; 4]);
        assert_eq!(cannot_be_told(1, 0.025, &difference(0.1)).unwrap(), [true]);
        // t_(1 - .025 / 3) on 15 degrees is 2.694: R, qt(1 - .025 / 3, 15).
        let edge = |t: f64| {
            move |i: usize, j: usize| {
                let up = if i == 0 && j == 1 { t } else { 0.0 };
                Ok(Student { mean: up, standard_error: 1.0, degrees: 15.0 })
            }
        };
        assert!(cannot_be_told(4, 0.025, &edge(0.99)).unwrap()[0]);
    }
}
