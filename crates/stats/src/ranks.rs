//! Ranks, and their correlation.

use crate::error::{Error, check_finite};
use crate::moments::correlation;

/// Spearman's rank correlation: [`correlation`] of the ranks, equal values sharing the mean of theirs (Spearman 1904).
///
/// # Errors
/// Those of [`correlation`].
pub fn rank_correlation(x: &[f64], y: &[f64]) -> Result<f64, Error> {
    for side in [x, y] {
        check_finite("value", side)?;
    }
    correlation(&ranks(x), &ranks(y))
}

/// Ranks from 1, ties sharing their mean.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut out = vec![0.0; values.len()];
    let mut first = 0;
    for tied in order.chunk_by(|a, b| values[*a] == values[*b]) {
        // Positions first + 1 to first + n have the mean first + (n + 1) / 2.
        let rank = first as f64 + (tied.len() as f64 + 1.0) / 2.0;
        tied.iter().for_each(|&i| out[i] = rank);
        first += tied.len();
    }
    out
}

/// Values put in order once, to be correlated by rank with many others that take few values.
///
/// ```
/// use flatleak_stats::{Ordered, rank_correlation};
/// let (x, y) = ([0.3, 0.1, 0.3, 0.9], [1.0, 0.0, 0.5, 0.5]);
/// assert_eq!(Ordered::new(&x).rank_correlation(&y), rank_correlation(&x, &y).ok());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Ordered {
    values: Vec<f64>,
    /// Where the finite values stand, ascending; twice that, and 1 more for the last of equal values.
    order: Vec<u64>,
}

/// Distinct values of the other side that are told apart.
const FEW: usize = 64;

/// No class: nothing is known there.
const NONE: u8 = FEW as u8;

/// Values of one side among which the other's are counted.
struct Classes {
    /// Twice the rank less its mean, by class; 0 of [`NONE`].
    ranks: [f64; FEW + 1],
    /// Values in each class.
    counts: [usize; FEW],
    /// By place.
    of: Vec<u8>,
}

/// Finds the class of a value: the bits are spread over slots, of which each remembers the class that it held last.
struct Finder {
    distinct: Vec<f64>,
    slots: [u8; 256],
}

impl Finder {
    /// `None` where there are too many values.
    fn class(&mut self, value: f64) -> Option<u8> {
        // -0 + 0 is 0. The golden ratio's bits spread neighbours apart.
        let slot = &mut self.slots[((value + 0.0).to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize];
        if self.distinct.get(usize::from(*slot)) != Some(&value) {
            let at = self.distinct.iter().position(|d| *d == value).unwrap_or_else(|| {
                self.distinct.push(value);
                self.distinct.len() - 1
            });
            if at == FEW {
                return None;
            }
            *slot = at as u8;
        }
        Some(*slot)
    }
}

impl Ordered {
    /// Puts values in order; those that are not finite are left out of every correlation.
    pub fn new(values: &[f64]) -> Self {
        let mut places: Vec<usize> = (0..values.len()).filter(|&i| values[i].is_finite()).collect();
        places.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]));
        let is_last = |at: usize| places.get(at + 1).is_none_or(|next| values[*next] != values[places[at]]);
        let order = places.iter().enumerate().map(|(at, &i)| 2 * i as u64 + u64::from(is_last(at))).collect();
        Self { values: values.to_vec(), order }
    }

    /// [`rank_correlation`] with as many others, over those places where both are known: the others are NaN where they are not. `None`
    /// where fewer than two are known, or one side is constant, or another is infinite.
    ///
    /// Sums of ranks are sums of halves, which f64 holds exactly, so that their order does not matter.
    pub fn rank_correlation(&self, other: &[f64]) -> Option<f64> {
        let Some(Classes { ranks, counts, of }) = self.classes(other) else {
            let known = self.values.iter().zip(other).filter(|(v, o)| v.is_finite() && !o.is_nan());
            let (x, y): (Vec<f64>, Vec<f64>) = known.unzip();
            return rank_correlation(&x, &y).ok();
        };
        let n: usize = counts.iter().sum();
        let (mut xx, mut xy, mut first) = (0.0, 0.0, 0);
        let (mut tied, mut sum) = (0usize, 0.0);
        for entry in &self.order {
            let class = of[(entry / 2) as usize];
            tied += usize::from(class != NONE);
            sum += ranks[usize::from(class)];
            if entry % 2 == 1 {
                // Twice the rank, first + (tied + 1) / 2, less twice its mean, (n + 1) / 2.
                let rank = (2 * first + tied) as f64 - n as f64;
                (xx, xy) = (xx + tied as f64 * rank * rank, xy + rank * sum);
                first += tied;
                (tied, sum) = (0, 0.0);
            }
        }
        let yy: f64 = counts.iter().zip(&ranks).map(|(count, rank)| *count as f64 * rank * rank).sum();
        let found = (0.25 * xy) / ((0.25 * xx).sqrt() * (0.25 * yy).sqrt());
        (n >= 2 && xx > 0.0 && yy > 0.0).then(|| found.clamp(-1.0, 1.0))
    }

    /// The others by class, where they have few values, all of them finite.
    fn classes(&self, other: &[f64]) -> Option<Classes> {
        let mut finder = Finder { distinct: Vec::new(), slots: [NONE; 256] };
        let mut found = Classes { ranks: [0.0; FEW + 1], counts: [0; FEW], of: vec![NONE; other.len()] };
        for ((of, known), v) in found.of.iter_mut().zip(&self.values).zip(other) {
            if known.is_finite() && !v.is_nan() {
                *of = finder.class(*v).filter(|_| v.is_finite())?;
                found.counts[usize::from(*of)] += 1;
            }
        }
        let n: usize = found.counts.iter().sum();
        let (distinct, counts) = (&finder.distinct, &found.counts);
        for (rank, (value, own)) in found.ranks.iter_mut().zip(distinct.iter().zip(counts)) {
            let below: usize = distinct.iter().zip(counts).filter(|(d, _)| *d < value).map(|(_, c)| c).sum();
            *rank = (2 * below + own) as f64 - n as f64;
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use flatleak_stream::{Purpose, Stream};

    use super::*;

    #[test]
    fn ranks_share_ties() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, -0.0, 0.0]), [4.5, 3.0, 4.5, 1.5, 1.5]);
        // scipy.stats.spearmanr([1, 2, 2, 4, 7, -3], [1, 3, 2, 4, 4, 4])
        let found = rank_correlation(&[1.0, 2.0, 2.0, 4.0, 7.0, -3.0], &[1.0, 3.0, 2.0, 4.0, 4.0, 4.0]).unwrap();
        assert!((found - 0.369_624_662_180_218_5).abs() < 1e-14);
        assert!((rank_correlation(&[1.0, 2.0, 3.0], &[1.0, 8.0, 27.0]).unwrap() - 1.0).abs() < 1e-15);
        assert!(rank_correlation(&[1.0, f64::NAN], &[1.0, 2.0]).is_err());
    }

    #[test]
    fn values_in_order_give_the_same_bits() {
        let mut stream = Stream::new(6, Purpose::Simulation, 0, 0);
        for case in 0..200 {
            let n = 2 + stream.below(200) as usize;
            let few = 1 + stream.below(if case % 5 == 0 { 200 } else { 4 });
            let x: Vec<f64> = (0..n)
                .map(|_| match (case % 3, stream.below(9)) {
                    (0, _) => stream.normal(),
                    (1, 0) => f64::NAN,
                    _ => f64::from(stream.below(7)) - 3.0,
                })
                .collect();
            let y: Vec<f64> = (0..n)
                .map(|_| if case % 4 == 0 && stream.coin() { f64::NAN } else { f64::from(stream.below(few)) / 3.0 })
                .collect();
            let (a, b): (Vec<f64>, Vec<f64>) = x.iter().zip(&y).filter(|(a, b)| a.is_finite() && !b.is_nan()).unzip();
            assert_eq!(Ordered::new(&x).rank_correlation(&y), rank_correlation(&a, &b).ok(), "case {case}");
        }
        assert_eq!(Ordered::new(&[1.0, 2.0]).rank_correlation(&[1.0, f64::INFINITY]), None);
    }
}
