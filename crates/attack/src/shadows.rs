//! Walks over targets and their shadows.

use crate::Lineup;

/// Calls `f(example, IN shadow values, OUT shadow values)` for every block and example and lays out what it
/// returns as one row of N per block. Values come in the order of the lineup; `f` may reorder them.
pub(crate) fn per_block<T>(lineup: &Lineup<'_>, mut f: impl FnMut(usize, &mut [f64], &mut [f64]) -> T) -> Vec<Vec<T>> {
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    lineup
        .blocks()
        .iter()
        .map(|&block| {
            let shadows = lineup.shadows(block);
            (0..lineup.examples())
                .map(|i| {
                    inside.clear();
                    outside.clear();
                    for s in &shadows {
                        if s.member[i] { inside.push(s.values[i]) } else { outside.push(s.values[i]) }
                    }
                    f(i, &mut inside, &mut outside)
                })
                .collect()
        })
        .collect()
}

/// Scores of every seat from what its block's row holds: `f(target's value, block row entry)`.
pub(crate) fn score_seats<T>(lineup: &Lineup<'_>, rows: &[Vec<T>], f: impl Fn(f64, &T, usize) -> f64) -> Vec<Vec<f64>> {
    lineup
        .seats
        .iter()
        .map(|seat| {
            // Every seat's block is among the lineup's.
            let at = lineup.blocks().binary_search(&seat.block).unwrap_or(0);
            seat.values.iter().zip(&rows[at]).map(|(&v, entry)| f(v, entry, at)).collect()
        })
        .collect()
}

/// The median; of an even number the mean of the middle two. NaN for none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    let n = values.len();
    if n == 0 {
        return f64::NAN;
    }
    values.sort_unstable_by(f64::total_cmp);
    if n % 2 == 1 { values[n / 2] } else { 0.5 * (values[n / 2 - 1] + values[n / 2]) }
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation about the mean, ddof 0, plus the 1e-30 that keeps it from 0.
pub(crate) fn deviation(values: &[f64]) -> f64 {
    let centre = mean(values);
    (values.iter().map(|v| (v - centre) * (v - centre)).sum::<f64>() / values.len() as f64).sqrt() + FLOOR
}

pub(crate) const FLOOR: f64 = 1e-30;
