//! Values of many examples in order, and medians without a block.

#![allow(
    clippy::needless_range_loop,
    reason = "lanes of several arrays are walked at once, in loops that become vectors"
)]

use flatleak_kernel::elementary::in_vectors;

use crate::tile::{Lanes, Mask, TOGETHER};

/// Values of which a network of comparisons sorts an example's; more are sorted lane by lane.
const MOST: usize = 256;

/// One value where a mask is all ones, the other where it is 0.
#[inline(always)]
fn either(mask: u64, one: f64, other: f64) -> f64 {
    f64::from_bits(one.to_bits() & mask | other.to_bits() & !mask)
}

/// Comparisons that sort so many values, whatever these are (Batcher's merge exchange, Knuth 1998, algorithm 5.2.2M).
fn comparisons(n: usize) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    let top = n.next_power_of_two() / 2;
    let mut p = top;
    while p > 0 {
        let (mut q, mut r, mut d) = (top, 0, p);
        loop {
            out.extend((0..n.saturating_sub(d)).filter(|i| i & p == r).map(|i| (i, i + d)));
            if q == p {
                break;
            }
            (d, r) = (q - p, p);
            q /= 2;
        }
        p /= 2;
    }
    out
}

/// The values of one side of some examples, a lane each.
#[derive(Default)]
pub(crate) struct Column {
    /// Rows, ascending in every lane once sorted; infinite where there is none.
    rows: Vec<Lanes>,
    /// Comparisons for the last numbers of rows.
    networks: Vec<(usize, Vec<(usize, usize)>)>,
    /// Values by lane.
    counts: [usize; TOGETHER],
    middle: Middle,
}

/// What medians are read off, by lane.
#[derive(Default)]
struct Middle {
    /// The median of all.
    whole: Lanes,
    /// The middle two of all but one value where that lies above them, and each one's follower, which takes its place otherwise.
    low: [Lanes; 2],
    high: [Lanes; 2],
}

/// Seats of one block with what they have on a side.
pub(crate) type Own<'t> = (&'t Lanes, &'t Mask);

impl Column {
    /// Takes the values of all blocks, given as their seats. Seats of one block that are never on this side at once share a row.
    pub(crate) fn fill<'t>(&mut self, members: &[Vec<usize>], seat: impl Fn(usize) -> Own<'t>) {
        self.rows.clear();
        self.counts = [0; TOGETHER];
        for seats in members {
            let mut used = [u64::MAX; TOGETHER];
            for (values, mask) in seats.iter().map(|&k| seat(k)) {
                if used.iter().zip(mask).any(|(a, b)| a & b != 0) {
                    self.rows.push([f64::INFINITY; TOGETHER]);
                    used = [0; TOGETHER];
                }
                let Some(row) = self.rows.last_mut() else { continue };
                for e in 0..TOGETHER {
                    row[e] = either(mask[e], values[e], row[e]);
                    self.counts[e] += (mask[e] & 1) as usize;
                    used[e] |= mask[e];
                }
            }
        }
        self.sort();
        self.look();
    }

    fn sort(&mut self) {
        let n = self.rows.len();
        if n > MOST {
            let mut lane = vec![0.0; n];
            for e in 0..TOGETHER {
                lane.iter_mut().zip(&self.rows).for_each(|(v, row)| *v = row[e]);
                lane.sort_unstable_by(f64::total_cmp);
                lane.iter().zip(&mut self.rows).for_each(|(v, row)| row[e] = *v);
            }
            return;
        }
        let at = self.networks.iter().position(|(of, _)| *of == n).unwrap_or_else(|| {
            self.networks.push((n, comparisons(n)));
            self.networks.len() - 1
        });
        let (rows, network) = (&mut self.rows, &self.networks[at].1);
        in_vectors(
            #[inline(always)]
            || {
                for &(a, b) in network {
                    let (mut low, mut high) = (rows[a], rows[b]);
                    for e in 0..TOGETHER {
                        // The bits in which they differ, where they have to change places: no branch, and no choice that could become one.
                        let (x, y) = (low[e].to_bits(), high[e].to_bits());
                        let changed = (x ^ y) & if high[e] < low[e] { u64::MAX } else { 0 };
                        (low[e], high[e]) = (f64::from_bits(x ^ changed), f64::from_bits(y ^ changed));
                    }
                    (rows[a], rows[b]) = (low, high);
                }
            },
        );
    }

    /// Looks up what medians are read off.
    fn look(&mut self) {
        let at = |place: usize, e: usize| self.rows.get(place).map_or(f64::NAN, |row| row[e]);
        for (e, &n) in self.counts.iter().enumerate() {
            let middle = |n: usize| if n == 0 { [usize::MAX - 1; 2] } else { [(n - 1) / 2, n / 2] };
            let [low, high] = middle(n);
            self.middle.whole[e] = 0.5 * (at(low, e) + at(high, e));
            let [low, high] = middle(n.saturating_sub(1));
            for k in 0..2 {
                (self.middle.low[k][e], self.middle.high[k][e]) = (at(low + k, e), at(high + k, e));
            }
        }
    }

    /// The medians of what is left without a block, given its seats; of an even number the mean of the middle two, NaN for none.
    ///
    /// A value that goes lets all behind it move up by one place. It is found by its value: of equal ones it does not matter which goes.
    #[inline(always)]
    pub(crate) fn medians<'t>(&self, own: impl Iterator<Item = Own<'t>> + Clone, out: &mut Lanes) {
        let (mut value, mut mask, mut twice) = ([0.0; TOGETHER], [0u64; TOGETHER], 0);
        for (values, own) in own.clone() {
            for e in 0..TOGETHER {
                twice |= mask[e] & own[e];
                value[e] = either(own[e], values[e], value[e]);
                mask[e] |= own[e];
            }
        }
        let Middle { whole, low, high } = &self.middle;
        for e in 0..TOGETHER {
            let (v, [a, b], [c, d]) = (value[e], [low[0][e], low[1][e]], [high[0][e], high[1][e]]);
            let (first, second) = (if v <= a { b } else { a }, if v <= c { d } else { c });
            out[e] = either(mask[e], 0.5 * (first + second), whole[e]);
        }
        if twice != 0 {
            (0..TOGETHER).for_each(|e| out[e] = self.without(own.clone(), e));
        }
    }

    /// The median of one lane without a block that has several values there.
    fn without<'t>(&self, own: impl Iterator<Item = Own<'t>>, e: usize) -> f64 {
        let mut gone: Vec<f64> = own.filter(|(_, mask)| mask[e] != 0).map(|(values, _)| values[e]).collect();
        gone.sort_unstable_by(f64::total_cmp);
        let n = self.counts[e] - gone.len();
        let at = |place: usize| {
            let moved = gone.iter().fold(place, |place, v| place + usize::from(*v <= self.rows[place][e]));
            self.rows[moved][e]
        };
        if n == 0 { f64::NAN } else { 0.5 * (at((n - 1) / 2) + at(n / 2)) }
    }
}

#[cfg(test)]
mod tests {
    use flatleak_stream::{Purpose, Stream};

    use super::*;

    /// The median of what is left, by a sort of it.
    fn median(mut rest: Vec<f64>) -> f64 {
        rest.sort_by(f64::total_cmp);
        match rest.len() {
            0 => f64::NAN,
            n => 0.5 * (rest[(n - 1) / 2] + rest[n / 2]),
        }
    }

    #[test]
    fn medians_are_those_of_what_is_left() {
        let mut stream = Stream::new(9, Purpose::Simulation, 0, 0);
        let mut column = Column::default();
        for case in 0..60 {
            // One block of several models among single ones and pairs, values that are tied or infinite, more rows than a network sorts.
            let seats = if case == 7 { 700 } else { 1 + stream.below(40) as usize };
            let members: Vec<Vec<usize>> = match case % 3 {
                0 => (0..seats).map(|k| vec![k]).collect(),
                1 => (0..seats).step_by(2).map(|k| (k..seats.min(k + 2)).collect()).collect(),
                _ => vec![(0..seats / 2).collect(), (seats / 2..seats).collect()],
            };
            let values: Vec<Lanes> = (0..seats)
                .map(|_| {
                    std::array::from_fn(|e| match e % 3 {
                        0 => stream.normal(),
                        1 => f64::from(stream.below(4)),
                        _ => [f64::INFINITY, f64::NEG_INFINITY, 1.0, 2.0][stream.below(4) as usize],
                    })
                })
                .collect();
            let masks: Vec<Mask> =
                (0..seats).map(|_| std::array::from_fn(|_| if stream.coin() { u64::MAX } else { 0 })).collect();
            column.fill(&members, |k| (&values[k], &masks[k]));
            for own in &members {
                let mut found = [0.0; TOGETHER];
                column.medians(own.iter().map(|&k| (&values[k], &masks[k])), &mut found);
                for e in 0..TOGETHER {
                    let is_left = |k: &usize| masks[*k][e] != 0 && !own.contains(k);
                    let wanted = median((0..seats).filter(is_left).map(|k| values[k][e]).collect());
                    let same = found[e] == wanted || found[e].is_nan() && wanted.is_nan();
                    assert!(same, "case {case}, lane {e}: {} {wanted}", found[e]);
                }
            }
        }
    }
}
