//! Held-out examples sorted into buckets by what one half of the blocks says about them, and judged by the other half.

use flatleak_pool::Membership;

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
                Some(membership.block_means(of_model))
            })
            .collect()
    }

    /// How much more `gain` is in the two lowest buckets than in the two highest among examples of equal difficulty, by block.
    ///
    /// `difficulty` holds, per half, one value for each held-out example, measured by that half; examples are compared within ten
    /// strata of it, and a stratum with a examples of the low and b of the high buckets weighs a b / (a + b). Difficulty measured by some
    /// models is not difficulty: within a stratum the low buckets may still be harder, and a recipe that mends every error alike would
    /// seem to gain there. So `level`, the baseline's success as the *judging* half sees it, corrects each comparison: the difference in
    /// gain, less the slope of gain over level (of a parabola through all strata) times the difference in level (own). `None` where no stratum has
    /// both.
    pub fn contrast(
        &self,
        membership: &Membership,
        difficulty: [&[Option<f64>]; 2],
        gain: impl Fn(usize, usize) -> f64,
        level: impl Fn(usize, usize) -> f64,
    ) -> Option<Vec<f64>> {
        let half = self.half_of(membership.models());
        let mut comparisons: [Vec<Comparable>; 2] = [Vec::new(), Vec::new()];
        for (h, to) in comparisons.iter_mut().enumerate() {
            let judges = self.halves.models(h);
            let over = |examples: &[usize], value: &dyn Fn(usize, usize) -> f64| {
                let sum: f64 =
                    judges.iter().flat_map(|&k| examples.iter().map(move |&j| (k, j))).map(|(k, j)| value(k, j)).sum();
                sum / (judges.len() * examples.len()) as f64
            };
            let (made, hard) = (&self.made_by[1 - h], buckets(difficulty[1 - h], STRATA));
            let strata: Vec<Vec<usize>> = (0..STRATA)
                .map(|s| (0..made.len()).filter(|&j| hard[j] == s).collect::<Vec<_>>())
                .filter(|s| !s.is_empty())
                .collect();
            let points: Vec<_> = strata.iter().map(|s| (over(s, &level), over(s, &gain), s.len() as f64)).collect();
            let slopes = slopes(&points);
            for (at, stratum) in strata.iter().enumerate() {
                let pick = |wanted: std::ops::Range<usize>| {
                    stratum.iter().copied().filter(|&j| wanted.contains(&made[j])).collect::<Vec<_>>()
                };
                let (low, high) = (pick(0..2), pick(3..BUCKETS));
                let (a, b) = (low.len() as f64, high.len() as f64);
                if a * b > 0.0 {
                    to.push(Comparable { low, high, weight: a * b / (a + b), slope: slopes[at] });
                }
            }
        }
        if comparisons.iter().any(Vec::is_empty) {
            return None;
        }
        let of_model = |k: usize| {
            let difference = |c: &Comparable, value: &dyn Fn(usize, usize) -> f64| {
                let mean =
                    |examples: &[usize]| examples.iter().map(|&j| value(k, j)).sum::<f64>() / examples.len() as f64;
                mean(&c.low) - mean(&c.high)
            };
            let mine = &comparisons[half[k]];
            let weight: f64 = mine.iter().map(|c| c.weight).sum();
            let corrected = |c: &Comparable| difference(c, &gain) - c.slope * difference(c, &level);
            mine.iter().map(|c| c.weight * corrected(c)).sum::<f64>() / weight
        };
        Some(membership.block_means(of_model))
    }
}

/// Strata of difficulty.
const STRATA: usize = 10;

/// Spread of levels below which they are taken for equal: no slope is read from noise.
const LEVEL: f64 = 0.02;

/// Slope of gain over level at every point (level, gain, weight): of the weighted parabola through all of them, or the line through fewer than
/// four. A ridge of [`LEVEL`] holds it at 0 where levels hardly differ.
fn slopes(points: &[(f64, f64, f64)]) -> Vec<f64> {
    let weight: f64 = points.iter().map(|p| p.2).sum();
    let mean = |f: &dyn Fn(&(f64, f64, f64)) -> f64| points.iter().map(|p| p.2 * f(p)).sum::<f64>() / weight;
    let centre = mean(&|p| p.0);
    let x = |p: &(f64, f64, f64)| p.0 - centre;
    let (xx, y) = (mean(&|p| x(p) * x(p)), mean(&|p| p.1));
    // Second column: what of x^2 is neither constant nor x.
    let tilt = mean(&|p| x(p).powi(3)) / (xx + LEVEL * LEVEL);
    let bend = |p: &(f64, f64, f64)| x(p) * x(p) - xx - tilt * x(p);
    let linear = mean(&|p| x(p) * (p.1 - y)) / (xx + LEVEL * LEVEL);
    let square = mean(&|p| bend(p) * bend(p)) + LEVEL.powi(4);
    let curved = if points.len() < 4 { 0.0 } else { mean(&|p| bend(p) * (p.1 - y - linear * x(p))) / square };
    points.iter().map(|p| linear + curved * (2.0 * x(p) - tilt)).collect()
}

/// Examples of equal difficulty in the low and in the high buckets.
struct Comparable {
    low: Vec<usize>,
    high: Vec<usize>,
    weight: f64,
    /// Gain per level of success.
    slope: f64,
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
    fn slopes_of_a_parabola_and_none_of_noise() {
        let at = |x: f64| (x, 0.3 * (1.0 - x) + 0.2 * x * x, 7.0);
        let points: Vec<_> = (0..10).map(|i| at(0.1 * f64::from(i))).collect();
        for (found, p) in slopes(&points).iter().zip(&points) {
            assert!((found - (0.4 * p.0 - 0.3)).abs() < 5e-3, "{found} at {}", p.0);
        }
        let noise: Vec<_> = (0..10).map(|i| (0.5 + 1e-3 * f64::from(i % 3), f64::from(i % 2), 5.0)).collect();
        assert!(slopes(&noise).iter().all(|s| s.abs() < 0.5), "{:?}", slopes(&noise));
        assert!(slopes(&[(0.4, 0.1, 3.0)])[0].abs() < 1e-12);
    }

    #[test]
    fn buckets_are_of_equal_size_and_ties_stay_together() {
        let values: Vec<Option<f64>> = (0..10).map(|i| Some(f64::from(9 - i))).chain([None]).collect();
        assert_eq!(buckets(&values, 5), [4, 4, 3, 3, 2, 2, 1, 1, 0, 0, 5]);
        let tied = [Some(1.0), Some(1.0), Some(1.0), Some(2.0)];
        assert_eq!(buckets(&tied, 2), [0, 0, 0, 1]);
        assert_eq!(buckets(&[None, None], 5), [5, 5]);
    }
}
