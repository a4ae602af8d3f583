//! Whether each model's outputs fit its own row of the membership, or another model's (book/methods/plausibility.md#doubted).

use flatleak_pool::{Membership, Pool, Signals};

use super::outputs::SURE;

/// Examples that are looked at, at most.
const LOOKED_AT: usize = 4096;
/// Models times rows times examples that are looked at, at most.
pub(super) const MOST: usize = 1 << 29;
/// Models below which nothing is said of one of them.
pub(super) const FEWEST: usize = 4;

/// How surely outputs rise with a row of the membership.
pub(super) struct Fit {
    /// By model, z of its own row.
    pub(super) own: Vec<f64>,
    /// By model, the row that its outputs surely rise with where its own does not have the example.
    pub(super) other: Vec<Option<usize>>,
}

/// Examples that are looked at where every model is set beside every other, evenly over the pool.
pub(super) fn looked_at(models: usize, examples: usize) -> Vec<usize> {
    let most = (MOST / (models * models).max(1)).clamp(1, LOOKED_AT);
    (0..examples).step_by(examples.div_ceil(most).max(1)).collect()
}

/// The fit of every model; `None` where there are too few, or labels alone are known.
pub(super) fn fit(pool: &Pool) -> Option<Fit> {
    let (m, n) = (&pool.membership, pool.examples());
    let alike = pool.pool.iter().all(|s| s.phi.len() == n && !s.says_labels_alone());
    if pool.pool.len() < FEWEST || !alike {
        return None;
    }
    let examples = looked_at(pool.pool.len(), n);
    let sides = Sides::new(pool, &examples);
    // As many questions are asked as there are pairs of models.
    let sure = (SURE * SURE + 4.0 * libm::log(m.models() as f64)).sqrt();
    let of = |model: usize| {
        let ranks = sides.ranks(&pool.pool[model], m.row(model), &examples);
        let own = z(ranks.iter().map(|&(i, v)| (v, m.row(model)[i])));
        let rises = |row: usize| z(differing(m, model, row, &ranks));
        let other = (0..m.models()).filter(|row| *row != model).map(|row| (rises(row), row));
        let best = other.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(z, _)| *z > sure);
        (own, best.map(|(_, row)| row))
    };
    let (own, other) = (0..m.models()).map(of).unzip();
    Some(Fit { own, other })
}

/// Ranks of the examples that one of two rows has and the other has not, with whether the second has them.
fn differing(m: &Membership, model: usize, row: usize, ranks: &[(usize, f64)]) -> impl Iterator<Item = (f64, bool)> {
    let (own, other) = (m.row(model), m.row(row));
    ranks.iter().filter(move |(i, _)| own[*i] != other[*i]).map(move |&(i, v)| (v, other[i]))
}

/// By example that is looked at, sums of phi and numbers of models, of those that were trained on it and of the others.
struct Sides(Vec<[(f64, f64); 2]>);

impl Sides {
    fn new(pool: &Pool, examples: &[usize]) -> Self {
        let mut all = vec![[(0.0, 0.0); 2]; examples.len()];
        for (model, signals) in pool.pool.iter().enumerate() {
            let row = pool.membership.row(model);
            for (sides, &i) in all.iter_mut().zip(examples) {
                let side = &mut sides[usize::from(row[i])];
                *side = (side.0 + f64::from(signals.phi[i]), side.1 + 1.0);
            }
        }
        Self(all)
    }

    /// How far a model's phi lies above the middle between the other models' two sides, as ranks, by example that has both sides.
    fn ranks(&self, signals: &Signals, row: &[bool], examples: &[usize]) -> Vec<(usize, f64)> {
        let beyond = |(sides, &i): (&[(f64, f64); 2], &usize)| {
            let phi = f64::from(signals.phi[i]);
            let mut rest = *sides;
            let own = &mut rest[usize::from(row[i])];
            *own = (own.0 - phi, own.1 - 1.0);
            let [(out, k), (inside, n)] = rest;
            (k > 0.5 && n > 0.5).then(|| (i, phi - 0.5 * (out / k + inside / n)))
        };
        ranked(self.0.iter().zip(examples).filter_map(beyond).collect())
    }
}

/// Values by their ranks, tied ones by the middle of theirs.
fn ranked(mut all: Vec<(usize, f64)>) -> Vec<(usize, f64)> {
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut first = 0;
    while first < all.len() {
        let tied = all[first..].iter().take_while(|v| v.1 == all[first].1).count();
        let rank = first as f64 + 0.5 * (tied as f64 - 1.0);
        all[first..first + tied].iter_mut().for_each(|v| v.1 = rank);
        first += tied;
    }
    all
}

/// By how many standard deviations, over exchanges of the sides, the values of one side lie above the others; 0 where nothing tells.
fn z(values: impl Iterator<Item = (f64, bool)>) -> f64 {
    let (mut n, mut k, mut own, mut sum, mut squares) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (v, side) in values {
        (n, sum, squares) = (n + 1.0, sum + v, squares + v * v);
        if side {
            (k, own) = (k + 1.0, own + v);
        }
    }
    let variance = k * (n - k) / (n * (n - 1.0)) * (squares - sum * sum / n);
    if variance > 0.0 { (own - k * sum / n) / variance.sqrt() } else { 0.0 }
}
