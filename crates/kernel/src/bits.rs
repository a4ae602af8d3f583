//! Counts over rows of bits, 64 to a word.

use crate::dispatch::dispatch;

/// Rows are handled in pieces whose counts stay in registers and the first-level cache.
const PIECE: usize = 512;

/// `counts[i] = sum over w of popcount(rows[w n + i] & column[w])`, n = `counts.len()`.
///
/// `rows` is word-major: word w of all n rows lies together, so that one instruction counts for several rows. Panics
/// unless `rows` holds n values per word of `column`, or when a count could exceed 65,535.
pub fn intersections(counts: &mut [u16], rows: &[u64], column: &[u64]) {
    let n = counts.len();
    assert_eq!(rows.len(), n * column.len(), "words of {n} rows for a column of {} words", column.len());
    assert!(column.len() < 1024, "{} bits may not fit a count of 16", 64 * column.len());
    dispatch(|| {
        let mut sums = [0u64; PIECE];
        for (piece, counts) in counts.chunks_mut(PIECE).enumerate() {
            let first = piece * PIECE;
            let sums = &mut sums[..counts.len()];
            sums.fill(0);
            for (w, &word) in column.iter().enumerate() {
                let rows = &rows[w * n + first..][..counts.len()];
                for (sum, row) in sums.iter_mut().zip(rows) {
                    *sum += u64::from((row & word).count_ones());
                }
            }
            for (count, sum) in counts.iter_mut().zip(sums) {
                *count = *sum as u16;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::intersections;

    #[test]
    fn counts_bit_by_bit_at_odd_sizes() {
        let mut state = 7u64;
        let mut word = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state ^ (state >> 29)
        };
        for (n, words) in [(0, 1), (1, 1), (7, 3), (513, 2), (1030, 5)] {
            let rows: Vec<u64> = (0..n * words).map(|_| word()).collect();
            let column: Vec<u64> = (0..words).map(|_| word()).collect();
            let mut counts = vec![9; n];
            intersections(&mut counts, &rows, &column);
            for (i, count) in counts.iter().enumerate() {
                let bit = |w: u64, b: usize| w >> b & 1;
                let wanted: u64 = (0..64 * words)
                    .map(|b| bit(rows[b / 64 * n + i], b % 64) & bit(column[b / 64], b % 64))
                    .sum();
                assert_eq!(u64::from(*count), wanted);
            }
        }
    }
}
