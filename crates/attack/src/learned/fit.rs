//! Ridge logistic regression on features and some of their products, and what it becomes without some of its rows.

#![allow(
    clippy::needless_range_loop,
    reason = "lanes of several arrays are walked at once, in loops that become vectors"
)]

use flatleak_kernel::elementary::{in_vectors, log_sigmoid, sigmoid};
use flatleak_pool::UnitId;

/// Distance from the mean, in deviations, at which a feature is cut off: saturated models put out values far from all others.
const CLIP: f64 = 5.0;

/// Weight of the penalty, per row: it keeps features that say nearly the same from cancelling.
const RIDGE: f64 = 1e-5;

/// Newton steps at most; between 4 and 18 were needed on all pools tried.
const STEPS: usize = 40;

/// Largest change of a weight at which the fit has converged.
const TOLERANCE: f64 = 1e-6;

/// Rows that are added to sums at once.
const TOGETHER: usize = 8;

/// Columns of a vector of doubles.
const VECTOR: usize = 4;

/// Rows of features with who is a member, and the unit that each can be left out with.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    /// Features of a row.
    width: usize,
    values: Vec<f32>,
    member: Vec<bool>,
    unit: Vec<UnitId>,
}

impl Rows {
    pub(super) fn new(width: usize) -> Self {
        Self { width, values: Vec::new(), member: Vec::new(), unit: Vec::new() }
    }

    pub(super) fn push(&mut self, features: &[f64], member: bool, unit: UnitId) {
        self.values.extend(features.iter().map(|v| *v as f32));
        self.member.push(member);
        self.unit.push(unit);
    }

    fn iter(&self) -> impl Iterator<Item = (&[f32], bool, UnitId)> {
        let rows = self.values.chunks_exact(self.width.max(1)).zip(&self.member).zip(&self.unit);
        rows.map(|((x, m), u)| (x, *m, *u))
    }

    fn len(&self) -> f64 {
        self.member.len().max(1) as f64
    }
}

/// Columns about their mean, in deviations, cut off at [`CLIP`].
#[derive(Clone, Debug)]
struct Scale {
    mean: Vec<f64>,
    /// Inverse deviations; 0 where a column does not vary.
    inverse: Vec<f64>,
}

impl Scale {
    /// `fill` writes the columns of a row.
    fn new(rows: &Rows, width: usize, mut fill: impl FnMut(&[f32], &mut [f64])) -> Self {
        let n = rows.len();
        let (mut mean, mut squares, mut x) = (vec![0.0; width], vec![0.0; width], vec![0.0; width]);
        for (row, ..) in rows.iter() {
            fill(row, &mut x);
            mean.iter_mut().zip(&x).for_each(|(m, v)| *m += v);
        }
        mean.iter_mut().for_each(|m| *m /= n);
        for (row, ..) in rows.iter() {
            fill(row, &mut x);
            squares.iter_mut().zip(&x).zip(&mean).for_each(|((s, v), m)| *s += (v - m) * (v - m));
        }
        let inverse = |(s, m): (&f64, &f64)| {
            let deviation = (s / n).sqrt();
            if deviation > 1e-6 * (1.0 + m.abs()) { 1.0 / deviation } else { 0.0 }
        };
        let inverse = squares.iter().zip(&mean).map(inverse).collect();
        Self { mean, inverse }
    }

    fn apply(&self, x: &mut [f64]) {
        for ((v, mean), inverse) in x.iter_mut().zip(&self.mean).zip(&self.inverse) {
            *v = ((*v - mean) * inverse).clamp(-CLIP, CLIP);
        }
    }
}

/// From features to what is weighted: the features on their scale, products of these on theirs, and 1.
#[derive(Clone, Debug)]
struct Columns {
    features: Scale,
    products: Vec<(usize, usize)>,
    of_products: Scale,
}

impl Columns {
    fn new(rows: &Rows, products: &[(usize, usize)]) -> Self {
        let plain = |row: &[f32], x: &mut [f64]| x.iter_mut().zip(row).for_each(|(x, v)| *x = f64::from(*v));
        let features = Scale::new(rows, rows.width, plain);
        let mut base = vec![0.0; rows.width];
        let of_products = Scale::new(rows, products.len(), |row, x| {
            plain(row, &mut base);
            features.apply(&mut base);
            x.iter_mut().zip(products).for_each(|(x, (a, b))| *x = base[*a] * base[*b]);
        });
        Self { features, products: products.to_vec(), of_products }
    }

    fn len(&self) -> usize {
        self.features.mean.len() + self.products.len() + 1
    }

    /// The columns of all rows, in single precision as the features are.
    fn of(&self, rows: &Rows) -> Vec<f32> {
        let mut x = vec![0.0; self.len()];
        let mut out = Vec::with_capacity(rows.member.len() * x.len());
        for (row, ..) in rows.iter() {
            self.fill(row.iter().map(|v| f64::from(*v)), &mut x);
            out.extend(x.iter().map(|v| *v as f32));
        }
        out
    }

    fn fill(&self, row: impl Iterator<Item = f64>, x: &mut [f64]) {
        let width = self.features.mean.len();
        x.iter_mut().zip(row).for_each(|(x, v)| *x = v);
        let (base, rest) = x.split_at_mut(width);
        self.features.apply(base);
        let (products, one) = rest.split_at_mut(self.products.len());
        products.iter_mut().zip(&self.products).for_each(|(x, (a, b))| *x = base[*a] * base[*b]);
        self.of_products.apply(products);
        one[0] = 1.0;
    }
}

/// A fitted regression.
#[derive(Clone, Debug)]
pub(super) struct Regression {
    columns: Columns,
    weights: Vec<f64>,
    /// By unit, the weights without its rows.
    without: Vec<Vec<f64>>,
}

/// Value, gradient and Hessian (upper triangle, row-major) of the penalised negative log-likelihood of some rows.
#[derive(Clone)]
struct Slopes {
    loss: f64,
    gradient: Vec<f64>,
    hessian: Vec<f64>,
}

impl Slopes {
    fn zero(p: usize) -> Self {
        Self { loss: 0.0, gradient: vec![0.0; p], hessian: vec![0.0; p * p] }
    }

    /// Of some rows of columns, each with whether it is a member's.
    ///
    /// [`TOGETHER`] rows are added at once, so that the Hessian is read and written once for them, and a row of it in whole vectors.
    #[inline(always)]
    fn new(rows: &[f32], member: &[bool], weights: &[f64]) -> Self {
        let p = weights.len();
        let stride = p.next_multiple_of(VECTOR);
        let (mut loss, mut gradient, mut hessian) = (0.0, vec![0.0; p], vec![0.0; p * stride]);
        let mut columns = vec![0.0; TOGETHER * stride];
        for (rows, member) in rows.chunks(TOGETHER * p).zip(member.chunks(TOGETHER)) {
            for (x, row) in columns.chunks_exact_mut(stride).zip(rows.chunks_exact(p)) {
                for (x, v) in x.iter_mut().zip(row) {
                    *x = f64::from(*v);
                }
            }
            // Rows that are not there are those of the last time, and weigh nothing.
            let (mut errors, mut curvature) = ([0.0; TOGETHER], [0.0; TOGETHER]);
            for (r, (x, member)) in columns.chunks_exact(stride).zip(member).enumerate() {
                let odds: f64 = x.iter().zip(weights).map(|(x, w)| x * w).sum();
                let q = sigmoid(odds);
                // log(1 + exp(odds)) - y odds, without overflow.
                loss -= log_sigmoid(if *member { odds } else { -odds });
                (errors[r], curvature[r]) = (q - f64::from(u8::from(*member)), q * (1.0 - q));
            }
            for a in 0..p {
                let mut weighted = [0.0; TOGETHER];
                for r in 0..TOGETHER {
                    let x = columns[r * stride + a];
                    gradient[a] += errors[r] * x;
                    weighted[r] = curvature[r] * x;
                }
                let first = a / VECTOR * VECTOR;
                let row = &mut hessian[a * stride + first..(a + 1) * stride];
                for (at, h) in row.chunks_exact_mut(VECTOR).enumerate() {
                    for r in 0..TOGETHER {
                        let x = &columns[r * stride + first + at * VECTOR..][..VECTOR];
                        for k in 0..VECTOR {
                            h[k] += weighted[r] * x[k];
                        }
                    }
                }
            }
        }
        let hessian = hessian.chunks_exact(stride).flat_map(|row| row[..p].iter().copied()).collect();
        Self { loss, gradient, hessian }
    }

    fn with(&mut self, other: &Self) {
        self.loss += other.loss;
        self.gradient.iter_mut().zip(&other.gradient).for_each(|(a, b)| *a += b);
        self.hessian.iter_mut().zip(&other.hessian).for_each(|(a, b)| *a += b);
    }

    fn minus(&self, other: &Self) -> Self {
        let less = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        Self {
            loss: self.loss - other.loss,
            gradient: less(&self.gradient, &other.gradient),
            hessian: less(&self.hessian, &other.hessian),
        }
    }

    /// Adds the penalty on all weights but the last, the intercept's.
    fn penalise(&mut self, weights: &[f64], penalty: f64) {
        let p = weights.len();
        for (k, weight) in weights.iter().enumerate().take(p - 1) {
            self.loss += 0.5 * penalty * weight * weight;
            self.gradient[k] += penalty * weight;
            self.hessian[k * p + k] += penalty;
        }
        // A column that does not vary has no curvature of its own.
        (0..p).for_each(|k| self.hessian[k * p + k] += 1e-7 * penalty);
    }
}

impl Regression {
    /// Minimises -log-likelihood + RIDGE n |w|^2 / 2 by Newton's steps, halved where they would overshoot, the intercept free of the penalty; n
    /// is the number of rows. `products` are pairs of features by place.
    ///
    /// Without the rows of a unit the weights are those of one Newton step from here (own; book/methods/strongest.md#deletions):
    /// w - (H - H_u)^-1 (g - g_u), which costs one solution where a fit anew costs ten passes, and moves as the fit does to second order.
    ///
    /// `start` are the weights of a fit to similar rows, from which this one begins: it ends where it would from 0, in a third of the steps.
    pub(super) fn fit(rows: &Rows, products: &[(usize, usize)], units: usize, start: Option<&Self>) -> Self {
        let columns = Columns::new(rows, products);
        let p = columns.len();
        let penalty = RIDGE * rows.len();
        let mut of_unit = vec![(Vec::new(), Vec::new()); units];
        for ((row, member), unit) in columns.of(rows).chunks_exact(p).zip(&rows.member).zip(&rows.unit) {
            let (own, members) = &mut of_unit[unit.index()];
            own.extend_from_slice(row);
            members.push(*member);
        }
        // Of every unit, and of all rows with the penalty.
        let slopes = |weights: &[f64]| {
            let of = |(own, members): &(Vec<f32>, Vec<bool>)| {
                in_vectors(
                    #[inline(always)]
                    || Slopes::new(own, members, weights),
                )
            };
            let by_unit: Vec<Slopes> = of_unit.iter().map(of).collect();
            let mut all = Slopes::zero(p);
            by_unit.iter().for_each(|own| all.with(own));
            all.penalise(weights, penalty);
            (all, by_unit)
        };
        let mut weights = start.map_or(vec![0.0; p], |start| start.weights.clone());
        let (mut at, mut by_unit) = slopes(&weights);
        for _ in 0..STEPS {
            let Some(step) = solve(&at.hessian, &at.gradient) else { break };
            let mut share = 1.0;
            let (next, found) = loop {
                let next: Vec<f64> = weights.iter().zip(&step).map(|(w, s)| w - share * s).collect();
                let found = slopes(&next);
                if found.0.loss <= at.loss + 1e-9 * rows.len() || share < 1e-4 {
                    break (next, found);
                }
                share *= 0.5;
            };
            let moved = step.iter().map(|s| (share * s).abs()).fold(0.0, f64::max);
            (weights, (at, by_unit)) = (next, found);
            if moved < TOLERANCE {
                break;
            }
        }
        let without = by_unit
            .iter()
            .map(|own| {
                let rest = at.minus(own);
                let step = solve(&rest.hessian, &rest.gradient).unwrap_or_else(|| vec![0.0; p]);
                weights.iter().zip(step).map(|(w, s)| w - s).collect()
            })
            .collect();
        Self { columns, weights, without }
    }

    /// The log-odds of a row, from all training rows or without those of a unit. `x` is room to work in.
    pub(super) fn log_odds(&self, features: &[f64], without: Option<UnitId>, x: &mut Vec<f64>) -> f64 {
        let weights = without.map_or(&self.weights, |unit| &self.without[unit.index()]);
        x.resize(weights.len(), 0.0);
        // As in training, in single precision.
        self.columns.fill(features.iter().map(|v| f64::from(*v as f32)), x);
        x.iter().zip(weights).map(|(x, w)| x * w).sum()
    }
}

/// Solves H x = g by Cholesky; H symmetric, its upper triangle given. `None` where it is not positive definite.
fn solve(hessian: &[f64], gradient: &[f64]) -> Option<Vec<f64>> {
    let p = gradient.len();
    // U with U'U = H, row by row.
    let mut u = hessian.to_vec();
    for a in 0..p {
        let diagonal = u[a * p + a];
        if diagonal.is_nan() || diagonal <= 0.0 {
            return None;
        }
        let root = diagonal.sqrt();
        u[a * p + a..(a + 1) * p].iter_mut().for_each(|v| *v /= root);
        for b in a + 1..p {
            let factor = u[a * p + b];
            for c in b..p {
                u[b * p + c] -= factor * u[a * p + c];
            }
        }
    }
    let mut x = gradient.to_vec();
    for a in 0..p {
        x[a] /= u[a * p + a];
        for b in a + 1..p {
            x[b] -= u[a * p + b] * x[a];
        }
    }
    for a in (0..p).rev() {
        for b in a + 1..p {
            x[a] -= u[a * p + b] * x[b];
        }
        x[a] /= u[a * p + a];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use flatleak_stream::{Purpose, Stream};

    use super::*;

    fn made(n: usize, units: usize) -> Rows {
        let mut stream = Stream::new(5, Purpose::Simulation, 0, 0);
        let mut rows = Rows::new(2);
        for i in 0..n {
            let x = [stream.normal(), 3.0 + 2.0 * stream.normal()];
            let odds = 0.8 * x[0] - 0.5 * (x[1] - 3.0) + 0.3;
            let member = stream.uniform(0.0, 1.0) < 1.0 / (1.0 + libm::exp(-odds));
            rows.push(&x, member, UnitId::new(i % units));
        }
        rows
    }

    #[test]
    fn the_gradient_vanishes_at_the_fit_and_weights_are_those_that_made_it() {
        let rows = made(20_000, 10);
        let found = Regression::fit(&rows, &[(0, 1)], 10, None);
        let mut all = Slopes::new(&found.columns.of(&rows), &rows.member, &found.weights);
        all.penalise(&found.weights, RIDGE * 20_000.0);
        assert!(all.gradient.iter().all(|g| g.abs() < 1e-2), "{:?}", all.gradient);
        // In units of the features' deviations, 1 and 2; the product says nothing.
        for (w, wanted) in found.weights.iter().zip([0.8, -1.0, 0.0, 0.3]) {
            assert!((w - wanted).abs() < 0.06, "{:?}", found.weights);
        }
    }

    #[test]
    fn one_step_without_a_unit_is_nearly_a_fit_without_it() {
        let rows = made(4000, 8);
        let found = Regression::fit(&rows, &[], 8, None);
        let mut rest = Rows::new(2);
        for (x, member, unit) in rows.iter().filter(|r| r.2 != UnitId::new(3)) {
            rest.push(&[f64::from(x[0]), f64::from(x[1])], member, unit);
        }
        let anew = Regression::fit(&rest, &[], 8, Some(&found));
        // On one scale: weights per unit of a feature.
        let slopes = |r: &Regression, w: &[f64]| {
            let inverse = &r.columns.features.inverse;
            [w[0] * inverse[0], w[1] * inverse[1]]
        };
        let (step, fit) = (slopes(&found, &found.without[3]), slopes(&anew, &anew.weights));
        let moved = slopes(&found, &found.weights);
        for k in 0..2 {
            assert!((step[k] - fit[k]).abs() < 0.1 * (moved[k] - fit[k]).abs(), "{step:?} {fit:?} {moved:?}");
        }
    }

    #[test]
    fn constant_and_doubled_features_do_no_harm() {
        let mut rows = Rows::new(4);
        for (x, member, unit) in made(3000, 4).iter() {
            let x = [f64::from(x[0]), f64::from(x[0]), 7.0, f64::from(x[1])];
            rows.push(&x, member, unit);
        }
        let (found, plain) = (Regression::fit(&rows, &[], 4, None), Regression::fit(&made(3000, 4), &[], 4, None));
        let odds = found.log_odds(&[0.5, 0.5, 7.0, 2.0], None, &mut Vec::new());
        assert!((odds - plain.log_odds(&[0.5, 2.0], None, &mut Vec::new())).abs() < 1e-3);
        assert!(found.without.iter().flatten().all(|w| w.is_finite()));
    }

    #[test]
    fn separable_rows_end_in_a_finite_fit() {
        let mut rows = Rows::new(1);
        for i in 0..400 {
            rows.push(&[f64::from(i) - 199.5], i >= 200, UnitId::new(i as usize % 4));
        }
        let found = Regression::fit(&rows, &[(0, 0)], 4, None);
        let odds = |x: f64| found.log_odds(&[x], None, &mut Vec::new());
        assert!(odds(50.0).is_finite() && odds(50.0) > 3.0 && odds(-50.0) < -3.0, "{} {}", odds(50.0), odds(-50.0));
    }
}
