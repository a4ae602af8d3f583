//! Walks over targets and their shadows.

use crate::Lineup;

/// Calls `f(block index, IN shadow values, OUT shadow values)` for every block and example and lays out what it
/// returns as one row of N per block.
///
/// `values` holds one row per seat. Each example's values are gathered and sorted once, upwards; leaving a block
/// out is a walk over the sorted list that skips its entries. This is where the time of permutation tests goes.
pub(crate) fn per_block<T, V: AsRef<[f64]>>(
    lineup: &Lineup<'_>,
    values: &[V],
    mut f: impl FnMut(usize, &[f64], &[f64]) -> T,
) -> Vec<Vec<T>> {
    let n = lineup.examples();
    let mut rows: Vec<Vec<T>> = lineup.blocks().iter().map(|_| Vec::with_capacity(n)).collect();
    let mut all_in: Vec<(f64, usize)> = Vec::new();
    let mut all_out = all_in.clone();
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for i in 0..n {
        all_in.clear();
        all_out.clear();
        for (seat, row) in lineup.seats.iter().zip(values) {
            let side = if seat.member[i] { &mut all_in } else { &mut all_out };
            side.push((row.as_ref()[i], seat.block));
        }
        for side in [&mut all_in, &mut all_out] {
            side.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        }
        for (at, &block) in lineup.blocks().iter().enumerate() {
            for (all, kept) in [(&all_in, &mut inside), (&all_out, &mut outside)] {
                kept.clear();
                kept.extend(all.iter().filter(|v| v.1 != block).map(|v| v.0));
            }
            rows[at].push(f(at, &inside, &outside));
        }
    }
    rows
}

/// Mean of the IN and of the OUT shadows for every block and example; `values` holds one row per seat.
///
/// Sums run over the shadows only: subtracting a block from a total would lose the small means.
pub(crate) fn side_means(lineup: &Lineup<'_>, values: &[Vec<f64>]) -> Vec<Vec<[f64; 2]>> {
    let n = lineup.examples();
    lineup
        .blocks()
        .iter()
        .map(|&block| {
            let (mut sums, mut counts) = (vec![[0.0; 2]; n], vec![[0.0; 2]; n]);
            for (seat, row) in lineup.seats.iter().zip(values).filter(|(s, _)| s.block != block) {
                for (((sum, count), v), m) in sums.iter_mut().zip(&mut counts).zip(row).zip(seat.member) {
                    let inside = f64::from(u8::from(*m));
                    sum[0] += inside * v;
                    sum[1] += (1.0 - inside) * v;
                    count[0] += inside;
                    count[1] += 1.0 - inside;
                }
            }
            sums.iter().zip(&counts).map(|(s, c)| [s[0] / c[0], s[1] / c[1]]).collect()
        })
        .collect()
}

/// The signals of the seats.
pub(crate) fn signals<'a>(lineup: &Lineup<'a>) -> Vec<&'a [f64]> {
    lineup.seats.iter().map(|s| s.values).collect()
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

/// The median of sorted values; of an even number the mean of the middle two. NaN for none.
pub(crate) fn median(sorted: &[f64]) -> f64 {
    let n = sorted.len();
    match n {
        0 => f64::NAN,
        _ if n % 2 == 1 => sorted[n / 2],
        _ => 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]),
    }
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
