//! Whether the outputs of every model stand in one order of examples (book/methods/plausibility.md#doubted).

use flatleak_pool::Pool;

use super::fit::{FEWEST, Fit, looked_at};
use super::outputs::SURE;
use super::tally::{OfModel, Tally};

/// By how much outputs are surer than they are right where that is no accident.
pub(super) const TOO_SURE: f64 = 0.25;
/// Share of predictions by which the frequencies of classes differ from those of labels where a model learnt nothing.
pub(super) const SKEWED: f64 = 0.2;
/// Standard deviations within which something is an accident.
const ACCIDENT: f64 = 3.0;
/// -log of a probability that is no accident.
pub(super) const NO_ACCIDENT: f64 = 13.8;
/// Accuracy that no model has to reach: the best do not tell how much worse another may be.
const HIGH: f64 = 0.9;
/// Examples below which no order is told of single values.
const FEWEST_EXAMPLES: usize = 50;
/// How many times as wide as those of the rest the values of a model may be and still be such.
const AS_WIDE: f64 = 1.5;

/// Models that are as good as guessing and sure of themselves where the rest are right.
pub(super) fn guessing(tally: &Tally, fit: Option<&Fit>) -> Vec<usize> {
    let all = tally.models();
    let rises = |k: usize| fit.is_some_and(|fit| fit.own[k] > SURE);
    let guesses: Vec<bool> = all.iter().enumerate().map(|(k, of)| guesses(of) && !rises(k)).collect();
    let rest = all.iter().zip(&guesses).filter(|(_, guesses)| !**guesses).map(|(of, _)| of);
    let (right, seen) = rest.fold((0, 0), |sum, of| (sum.0 + of.right, sum.1 + of.seen));
    let wanted = (right as f64 / seen.max(1) as f64).min(HIGH);
    let surely = |of: &OfModel| {
        let accuracy = of.accuracy();
        accuracy < wanted && of.seen as f64 * divergence(accuracy, wanted) > NO_ACCIDENT
    };
    (0..all.len()).filter(|k| guesses[*k] && surely(&all[*k])).collect()
}

/// Whether predictions have nothing to do with labels, and yet are sure and of every class as often as it is there.
fn guesses(of: &OfModel) -> bool {
    let (accuracy, n) = (of.accuracy(), of.seen as f64);
    let by_chance = of.by_chance + ACCIDENT * (of.by_chance * (1.0 - of.by_chance) / n).sqrt();
    of.seen > 0 && accuracy <= by_chance && of.confidence / n > accuracy + TOO_SURE && of.skew < SKEWED
}

/// Kullback-Leibler divergence of two shares, which bounds how likely the first is under the second (Chernoff).
pub(super) fn divergence(found: f64, wanted: f64) -> f64 {
    let part = |p: f64, q: f64| if p > 0.0 { p * libm::log(p / q) } else { 0.0 };
    part(found, wanted) + part(1.0 - found, 1.0 - wanted)
}

/// Models of single values that have nothing in common with the most of them, which have much in common, over examples.
pub(super) fn apart(pool: &Pool) -> Vec<usize> {
    let n = pool.examples();
    if pool.pool.len() < FEWEST || n < FEWEST_EXAMPLES || pool.pool.iter().any(|s| s.phi.len() != n) {
        return Vec::new();
    }
    let all: Vec<Spread> = (0..pool.pool.len()).map(|k| Spread::new(pool, k)).collect();
    if all.iter().any(|s| s.width <= 0.0) {
        return Vec::new();
    }
    let each = (all[0].values.len() as f64 - 3.0).sqrt();
    let of = |a: usize, b: usize| {
        let r: f64 = all[a].values.iter().zip(&all[b].values).map(|(x, y)| x * y).sum();
        each * libm::atanh(r.clamp(-0.999_999, 0.999_999))
    };
    let table: Vec<Vec<f64>> = (0..all.len()).map(|a| (0..a).map(|b| of(a, b)).collect()).collect();
    let z = |a: usize, b: usize| if a > b { table[a][b] } else { table[b][a] };
    let group = groups(all.len(), z);
    let size = |of: usize| group.iter().filter(|g| **g == of).count();
    let Some(most) = (0..all.len()).map(|k| group[k]).max_by_key(|g| (size(*g), all.len() - g)) else {
        return Vec::new();
    };
    let rest: Vec<usize> = (0..all.len()).filter(|k| group[*k] == most).collect();
    if 2 * rest.len() < all.len() || median(&rest, z) < 2.0 * SURE {
        return Vec::new();
    }
    let fits = |k: &usize| all[*k].is_among(&rest, &all) && rest.iter().all(|r| z(*k, *r).abs() < ACCIDENT + 1.0);
    (0..all.len()).filter(|k| group[*k] != most && fits(k)).collect()
}

/// The median over pairs.
fn median(of: &[usize], z: impl Fn(usize, usize) -> f64) -> f64 {
    let pairs = of.iter().enumerate().flat_map(|(at, a)| of[..at].iter().map(move |b| (*a, *b)));
    let mut all: Vec<f64> = pairs.map(|(a, b)| z(a, b)).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(0.0)
}

/// By model, the first of those that it is joined with by models that surely go together.
fn groups(models: usize, z: impl Fn(usize, usize) -> f64) -> Vec<usize> {
    let mut group: Vec<usize> = (0..models).collect();
    for a in 0..models {
        for b in 0..a {
            let (low, high) = (group[a].min(group[b]), group[a].max(group[b]));
            if low != high && z(a, b) > SURE {
                group.iter_mut().filter(|g| **g == high).for_each(|g| *g = low);
            }
        }
    }
    group
}

/// phi of one model.
struct Spread {
    /// Of each side less its mean, of length 1, over the examples that are looked at.
    values: Vec<f64>,
    mean: f64,
    width: f64,
}

impl Spread {
    fn new(pool: &Pool, model: usize) -> Self {
        let (phi, row) = (&pool.pool[model].phi, pool.membership.row(model));
        let examples = looked_at(pool.pool.len(), phi.len());
        let mut sums = [(0.0, 0.0); 2];
        for &i in &examples {
            let side = &mut sums[usize::from(row[i])];
            *side = (side.0 + f64::from(phi[i]), side.1 + 1.0);
        }
        let means = sums.map(|(sum, n)| sum / f64::max(n, 1.0));
        let mut values: Vec<f64> = examples.iter().map(|&i| f64::from(phi[i]) - means[usize::from(row[i])]).collect();
        let length = values.iter().map(|v| v * v).sum::<f64>().sqrt();
        let n = values.len() as f64;
        if length > 0.0 {
            values.iter_mut().for_each(|v| *v /= length);
        }
        Self { values, mean: (sums[0].0 + sums[1].0) / n, width: length / n.sqrt() }
    }

    /// Whether mean and width are such as those of other models: the values are theirs, and a model that learnt otherwise has others.
    fn is_among(&self, rest: &[usize], all: &[Self]) -> bool {
        let ends = |of: fn(&Self) -> f64| {
            let each = || rest.iter().map(|k| of(&all[*k]));
            (each().fold(f64::INFINITY, f64::min), each().fold(f64::NEG_INFINITY, f64::max))
        };
        let ((low, high), (narrow, wide)) = (ends(|s| s.mean), ends(|s| s.width));
        let near = 0.5 * narrow;
        (low - near..=high + near).contains(&self.mean) && (narrow / AS_WIDE..=AS_WIDE * wide).contains(&self.width)
    }
}
