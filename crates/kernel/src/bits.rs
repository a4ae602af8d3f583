//! Counts over rows of bits, 64 to a word, and what is asked of many such counts.

use pulp::NullaryFnOnce;

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
    dispatch(Intersections { counts, rows, column });
}

// Not closures: the call of a long one is not inlined where the instruction set is known, and it stays narrow.
struct Intersections<'a> {
    counts: &'a mut [u16],
    rows: &'a [u64],
    column: &'a [u64],
}

impl NullaryFnOnce for Intersections<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { counts, rows, column } = self;
        let n = counts.len();
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
    }
}

/// `table[c]` becomes the number of counts equal to c. Panics when a count has no place in the table.
pub fn histogram(table: &mut [u32], counts: &[u16]) {
    table.fill(0);
    let size = table.len();
    // Four tables, so that equal neighbours need not wait for each other.
    let mut lanes = vec![0u32; 4 * size];
    let (first, rest) = lanes.split_at_mut(size);
    let (second, rest) = rest.split_at_mut(size);
    let (third, fourth) = rest.split_at_mut(size);
    let (fours, tail) = counts.as_chunks::<4>();
    for [a, b, c, d] in fours {
        first[usize::from(*a)] += 1;
        second[usize::from(*b)] += 1;
        third[usize::from(*c)] += 1;
        fourth[usize::from(*d)] += 1;
    }
    for count in tail {
        first[usize::from(*count)] += 1;
    }
    for (i, to) in table.iter_mut().enumerate() {
        *to = first[i] + second[i] + third[i] + fourth[i];
    }
}

/// Appends the positions of all counts of at least `least`, upwards.
pub fn positions_at_least(positions: &mut Vec<u32>, counts: &[u16], least: u16) {
    dispatch(Positions { positions, counts, least });
}

struct Positions<'a> {
    positions: &'a mut Vec<u32>,
    counts: &'a [u16],
    least: u16,
}

impl NullaryFnOnce for Positions<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (piece, counts) in self.counts.chunks(64).enumerate() {
            // Most pieces have none: one pass without branches says so.
            if counts.iter().fold(0, |top: u16, c| top.max(*c)) >= self.least {
                let first = (piece * 64) as u32;
                self.positions.extend((first..).zip(counts).filter(|(_, c)| **c >= self.least).map(|(i, _)| i));
            }
        }
    }
}

/// Number of counts of at least `least` among those whose `mask` is 1. Panics unless there is a mask for each; masks other than 0 and 1
/// give nonsense.
pub fn masked_at_least(counts: &[u16], mask: &[u16], least: u16) -> usize {
    assert_eq!(counts.len(), mask.len(), "a mask for every count");
    dispatch(Masked { counts, mask, least })
}

struct Masked<'a> {
    counts: &'a [u16],
    mask: &'a [u16],
    least: u16,
}

impl NullaryFnOnce for Masked<'_> {
    type Output = usize;

    #[inline(always)]
    fn call(self) -> usize {
        let mut sum = 0;
        // No piece can overflow its 16-bit sum.
        for (counts, mask) in self.counts.chunks(1 << 15).zip(self.mask.chunks(1 << 15)) {
            let part: u16 = counts.iter().zip(mask).map(|(c, m)| u16::from(*c >= self.least) & m).sum();
            sum += usize::from(part);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_tabled_found_and_masked() {
        let counts: Vec<u16> = (0..70_001u32).map(|i| (i * i % 251) as u16).collect();
        let mut table = vec![7; 251];
        histogram(&mut table, &counts);
        for (c, n) in table.iter().enumerate() {
            assert_eq!(*n as usize, counts.iter().filter(|v| usize::from(**v) == c).count());
        }
        let mut found = vec![9];
        positions_at_least(&mut found, &counts, 250);
        let wanted: Vec<u32> = (0..70_001).filter(|i| counts[*i as usize] >= 250).collect();
        assert_eq!((found[0], &found[1..]), (9, wanted.as_slice()));
        let mask: Vec<u16> = (0..70_001).map(|i| u16::from(i % 3 == 0)).collect();
        let some = (0..70_001).filter(|i| counts[*i] >= 100 && i % 3 == 0).count();
        assert_eq!(masked_at_least(&counts, &mask, 100), some);
        assert_eq!(masked_at_least(&counts, &vec![1; 70_001], 0), 70_001);
    }

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
                let wanted: u64 =
                    (0..64 * words).map(|b| bit(rows[b / 64 * n + i], b % 64) & bit(column[b / 64], b % 64)).sum();
                assert_eq!(u64::from(*count), wanted);
            }
        }
    }
}
