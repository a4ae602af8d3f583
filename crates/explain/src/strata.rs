//! Held-out examples sorted into buckets by what one half of the blocks says about them, and judged by the other half.

use flatleak_pool::Membership;
use flatleak_stats::moments;

use crate::halves::Halves;

/// Number of buckets.
pub const BUCKETS: usize = 5;

/// Buckets of the T held-out examples, one assignment per half of the blocks. The models of a half are judged in the buckets that
/// the other half made, so that nothing decides on a bucket and is measured in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Strata {
    /// Per half that made it: bucket of each held-out example, [`BUCKETS`] for those without a value.
    made_by: [Vec<usize>; 2],
    /// Per half: its models.
    halves: Halves,
}

impl Strata {
    /// Buckets of equal size from one value per held-out example and half (lowest values in bucket 0); examples without a value
    /// form bucket [`BUCKETS`]. Equal values share a bucket, so that sizes may differ.
    pub fn new(halves: &Halves, values: [&[Option<f64>]; 2]) -> Self {
        Self { made_by: values.map(|v| buckets(v, BUCKETS)), halves: halves.clone() }
    }

    /// The half that each model belongs to, by model.
    fn half_of(&self, models: usize) -> Vec<usize> {
        let mut out = vec![0; models];
        self.halves.models(1).iter().for_each(|&k| out[k] = 1);
        out
    }

    /// Number of held-out examples in each bucket and in none, mean over the two assignments.
    pub fn sizes(&self) -> Vec<f64> {
        let count = |b: usize| self.made_by.iter().flatten().filter(|v| **v == b).count() as f64 / 2.0;
        (0..=BUCKETS).map(count).collect()
    }

    /// Mean over each bucket of one value per model and held-out example, by bucket and block: (BUCKETS + 1, blocks). `None` where a
    /// bucket is empty in either assignment.
    pub fn means(&self, membership: &Membership, value: impl Fn(usize, usize) -> f64) -> Vec<Option<Vec<f64>>> {
        let half = self.half_of(membership.models());
        (0..=BUCKETS)
            .map(|bucket| {
                let inside: [Vec<usize>; 2] = [0, 1].map(|h| {
                    let made: &Vec<usize> = &self.made_by[1 - h];
                    (0..made.len()).filter(|&j| made[j] == bucket).collect()
                });
                if inside.iter().any(Vec::is_empty) {
                    return None;
                }
                let of_model = |k: usize| {
                    let examples = &inside[half[k]];
                    examples.iter().map(|&j| value(k, j)).sum::<f64>() / examples.len() as f64
                };
                Some(
                    membership
                        .by_block()
                        .iter()
                        .map(|b| b.iter().map(|&k| of_model(k)).sum::<f64>() / b.len() as f64)
                        .collect(),
                )
            })
            .collect()
    }

    /// How much more `value` is in the two lowest buckets than in the two highest among examples of equal difficulty, by block.
    ///
    /// `difficulty` holds, per half, one value for each held-out example. Examples are compared within ten strata of it; a stratum
    /// with a examples of the low and b of the high buckets weighs a b / (a + b). `None` where no stratum has both.
    pub fn contrast(
        &self,
        membership: &Membership,
        difficulty: [&[Option<f64>]; 2],
        value: impl Fn(usize, usize) -> f64,
    ) -> Option<Vec<f64>> {
        let half = self.half_of(membership.models());
        let comparisons: [Vec<Comparable>; 2] = [0, 1].map(|h| {
            let (made, hard) = (&self.made_by[1 - h], buckets(difficulty[1 - h], 10));
            (0..10)
                .filter_map(|stratum| {
                    let pick = |wanted: std::ops::Range<usize>| {
                        let mine = |j: &usize| hard[*j] == stratum && wanted.contains(&made[*j]);
                        (0..made.len()).filter(mine).collect::<Vec<_>>()
                    };
                    let (low, high) = (pick(0..2), pick(3..BUCKETS));
                    let (a, b) = (low.len() as f64, high.len() as f64);
                    (a * b > 0.0).then(|| Comparable { low, high, weight: a * b / (a + b) })
                })
                .collect()
        });
        if comparisons.iter().any(Vec::is_empty) {
            return None;
        }
        let of_model = |k: usize| {
            let mean = |examples: &[usize]| examples.iter().map(|&j| value(k, j)).sum::<f64>() / examples.len() as f64;
            let mine = &comparisons[half[k]];
            let weight: f64 = mine.iter().map(|c| c.weight).sum();
            mine.iter().map(|c| c.weight * (mean(&c.low) - mean(&c.high))).sum::<f64>() / weight
        };
        let blocks = membership.by_block();
        Some(blocks.iter().map(|b| moments::mean(&b.iter().map(|&k| of_model(k)).collect::<Vec<_>>())).collect())
    }
}

/// Examples of equal difficulty in the low and in the high buckets.
struct Comparable {
    low: Vec<usize>,
    high: Vec<usize>,
    weight: f64,
}

/// Bucket of each value among `many` of equal size, ties together; `many` for those without a value.
fn buckets(values: &[Option<f64>], many: usize) -> Vec<usize> {
    let mut sorted: Vec<f64> = values.iter().flatten().copied().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len().max(1);
    let place = |v: f64| {
        // The middle of the ranks that share the value.
        let (from, to) = (sorted.partition_point(|s| *s < v), sorted.partition_point(|s| *s <= v));
        ((from + to) * many / (2 * n)).min(many - 1)
    };
    values.iter().map(|v| v.map_or(many, place)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_of_equal_size_and_ties_stay_together() {
        let values: Vec<Option<f64>> = (0..10).map(|i| Some(f64::from(9 - i))).chain([None]).collect();
        assert_eq!(buckets(&values, 5), [4, 4, 3, 3, 2, 2, 1, 1, 0, 0, 5]);
        let tied = [Some(1.0), Some(1.0), Some(1.0), Some(2.0)];
        assert_eq!(buckets(&tied, 2), [0, 0, 0, 1]);
        assert_eq!(buckets(&[None, None], 5), [5, 5]);
    }
}
