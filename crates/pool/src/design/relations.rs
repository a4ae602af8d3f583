//! Models of one class that are related.

use statrs::distribution::{DiscreteCDF, Hypergeometric};

use super::classes;
use super::counts::{counts, informative};
use super::groups::Groups;
use crate::rows::Rows;

/// Correlation beyond what chance and the estimated rates explain, from which on two models are no shadows of each other.
const CORRELATED: f64 = 0.25;
/// The same in standard errors of independent rows.
const SIGNIFICANT: f64 = 4.5;
/// One tail of a normal law beyond them.
const TAIL: f64 = 3.398e-6;
/// Mean square of a centred row below which it does not vary but for rounding.
const CONSTANT: f64 = 1e-9;

/// Joins the models of a class that are related, in `first`: exact groups, and those whose rows are correlated.
///
/// Every example is centred by its own rate, or idle examples would make independent rows look alike. The rates are estimated from the rows
/// themselves, which shifts the correlation of independent ones to -1/(M - 1) and leaves that of pairs where it is. What is expected under
/// independence of the groups is taken off before the correlation is judged (own; book/methods/membership.md#correlated-rows): -1/(M - 1) taken off
/// everywhere would link some rows in a third of all pools of three pairs over 1,000 examples.
pub(super) fn join(first: &mut [usize], models: &[usize], rows: Rows<'_, bool>) {
    let informative = informative(rows, models);
    let groups = Groups::new(rows, models, &informative);
    for (at, &model) in models.iter().enumerate() {
        classes::join(first, models[groups.first(at)], model);
    }
    let examples: Vec<usize> = (0..informative.len()).filter(|&i| informative[i]).collect();
    let (m, n) = (models.len() as f64, examples.len() as f64);
    let held = counts(rows, models);
    let rates: Vec<f64> = examples.iter().map(|&i| held[i] as f64 / m).collect();
    let (sum, square) = (rates.iter().sum::<f64>(), rates.iter().map(|p| p * p).sum::<f64>());
    let centred: Vec<Option<Centred>> =
        models.iter().map(|&k| Centred::new(&rows[k], &examples, &rates, sum, square)).collect();
    let surplus: f64 = (0..models.len()).map(|at| groups.surplus(at)).sum();
    let variance = |at: usize| 1.0 - 2.0 * groups.surplus(at) / m + surplus / (m * m);
    let limit = CORRELATED.max(SIGNIFICANT / n.sqrt());
    for a in 0..models.len() {
        for b in a + 1..models.len() {
            let (Some(x), Some(y)) = (&centred[a], &centred[b]) else { continue };
            let (va, vb) = (variance(a), variance(b));
            // Two whole partitions are unrelated, whatever a few large or small sets have in common.
            let partitions = groups.surplus(a) == 0.0 && groups.surplus(b) == 0.0;
            if groups.together(a, b) || partitions || va <= 0.0 || vb <= 0.0 {
                continue;
            }
            let expected = (surplus / (m * m) - (groups.surplus(a) + groups.surplus(b)) / m) / (va * vb).sqrt();
            let far = |r: f64| (r - expected).abs() > limit && x.is_improbable(y, r > expected);
            if x.correlation(y, square).is_some_and(far) {
                classes::join(first, models[a], models[b]);
            }
        }
    }
}

/// A row of which each example's rate was taken off, in the counts that correlations are made of.
struct Centred {
    bits: Vec<u64>,
    /// Sum of the rates over its members.
    rates: f64,
    mean: f64,
    /// Sum of squares about the mean.
    squares: f64,
    examples: f64,
}

impl Centred {
    /// `None` for a row of all or of nothing: it would vary with the rates alone.
    fn new(row: &[bool], examples: &[usize], rates: &[f64], sum: f64, square: f64) -> Option<Self> {
        let mut bits = vec![0u64; examples.len().div_ceil(64)];
        let (mut members, mut own) = (0.0, 0.0);
        for (at, (_, rate)) in examples.iter().zip(rates).enumerate().filter(|(_, (i, _))| row[**i]) {
            bits[at / 64] |= 1 << (at % 64);
            (members, own) = (members + 1.0, own + rate);
        }
        let n = examples.len() as f64;
        if members == 0.0 || members == n {
            return None;
        }
        let mean = (members - sum) / n;
        Some(Self { bits, rates: own, mean, squares: members - 2.0 * own + square - n * mean * mean, examples: n })
    }

    /// Whether as many common examples, or more, or as few, or fewer, are less probable than [`SIGNIFICANT`] errors, of rows of these sizes: the
    /// overlap of sparse rows is skewed, so that errors alone would link them by chance.
    fn is_improbable(&self, other: &Self, more: bool) -> bool {
        let size = |bits: &Vec<u64>| bits.iter().map(|w| u64::from(w.count_ones())).sum::<u64>();
        let both: u64 = self.bits.iter().zip(&other.bits).map(|(a, b)| u64::from((a & b).count_ones())).sum();
        let law = Hypergeometric::new(self.examples as u64, size(&self.bits), size(&other.bits));
        let tail = law.map_or(0.0, |law| match (more, both) {
            (true, 0) => 1.0,
            (true, both) => law.sf(both - 1),
            (false, both) => law.cdf(both),
        });
        tail < TAIL
    }

    /// Pearson's correlation; `None` where a row does not vary. `square` is the sum of the squared rates.
    fn correlation(&self, other: &Self, square: f64) -> Option<f64> {
        let both: u32 = self.bits.iter().zip(&other.bits).map(|(a, b)| (a & b).count_ones()).sum();
        let product = f64::from(both) - self.rates - other.rates + square - self.examples * self.mean * other.mean;
        let least = CONSTANT * self.examples;
        (self.squares > least && other.squares > least).then(|| product / (self.squares * other.squares).sqrt())
    }
}
