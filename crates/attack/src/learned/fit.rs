//! Ridge logistic regression, and what it becomes without some of its rows.

/// Distance from the mean, in deviations, at which a feature is cut off: saturated models put out values far from all others.
const CLIP: f64 = 5.0;

/// Weight of the penalty, per row: it keeps features that say the same from cancelling.
const RIDGE: f64 = 3e-5;

/// Newton steps at most; some eight are needed.
const STEPS: usize = 50;

/// Largest step at which the fit has converged.
const TOLERANCE: f64 = 1e-8;

/// Rows of features with who is a member, and the unit that each can be left out with.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    /// Features of a row.
    pub(super) width: usize,
    values: Vec<f32>,
    member: Vec<bool>,
    unit: Vec<u32>,
}

impl Rows {
    pub(super) fn new(width: usize) -> Self {
        Self { width, values: Vec::new(), member: Vec::new(), unit: Vec::new() }
    }

    pub(super) fn push(&mut self, features: &[f64], member: bool, unit: usize) {
        self.values.extend(features.iter().map(|v| *v as f32));
        self.member.push(member);
        self.unit.push(unit as u32);
    }

    fn iter(&self) -> impl Iterator<Item = (&[f32], bool, usize)> {
        let rows = self.values.chunks_exact(self.width.max(1)).zip(&self.member).zip(&self.unit);
        rows.map(|((x, m), u)| (x, *m, *u as usize))
    }
}

/// Features about their mean, in deviations, cut off at [`CLIP`].
#[derive(Clone, Debug)]
struct Scale {
    mean: Vec<f64>,
    /// Inverse deviations; 0 where a feature does not vary.
    inverse: Vec<f64>,
}

impl Scale {
    fn new(rows: &Rows) -> Self {
        let n = rows.member.len().max(1) as f64;
        let mut mean = vec![0.0; rows.width];
        for (x, ..) in rows.iter() {
            mean.iter_mut().zip(x).for_each(|(m, v)| *m += f64::from(*v));
        }
        mean.iter_mut().for_each(|m| *m /= n);
        let mut squares = vec![0.0; rows.width];
        for (x, ..) in rows.iter() {
            squares
                .iter_mut()
                .zip(x)
                .zip(&mean)
                .for_each(|((s, v), m)| *s += (f64::from(*v) - m) * (f64::from(*v) - m));
        }
        let inverse = |(s, m): (&f64, &f64)| {
            let deviation = (s / n).sqrt();
            if deviation > 1e-9 * (1.0 + m.abs()) { 1.0 / deviation } else { 0.0 }
        };
        let inverse = squares.iter().zip(&mean).map(inverse).collect();
        Self { mean, inverse }
    }

    /// Feature `k` of a row, ready for the fit.
    fn of(&self, k: usize, value: f64) -> f64 {
        ((value - self.mean[k]) * self.inverse[k]).clamp(-CLIP, CLIP)
    }
}

/// A fitted regression.
#[derive(Clone, Debug)]
pub(super) struct Regression {
    scale: Scale,
    /// One weight per feature, and the intercept.
    weights: Vec<f64>,
    /// By unit, the weights without its rows.
    without: Vec<Vec<f64>>,
}

/// Gradient and Hessian (upper triangle, row-major) of the negative log-likelihood of some rows.
#[derive(Clone)]
struct Slopes {
    gradient: Vec<f64>,
    hessian: Vec<f64>,
}

impl Slopes {
    fn zero(p: usize) -> Self {
        Self { gradient: vec![0.0; p], hessian: vec![0.0; p * p] }
    }

    fn add(&mut self, x: &[f64], error: f64, weight: f64) {
        let p = x.len();
        for (a, xa) in x.iter().enumerate() {
            self.gradient[a] += error * xa;
            let weighted = weight * xa;
            let row = &mut self.hessian[a * p + a..(a + 1) * p];
            row.iter_mut().zip(&x[a..]).for_each(|(h, xb)| *h += weighted * xb);
        }
    }

    fn minus(&self, other: &Self) -> Self {
        let less = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect();
        Self { gradient: less(&self.gradient, &other.gradient), hessian: less(&self.hessian, &other.hessian) }
    }
}

impl Regression {
    /// Minimises -log-likelihood + RIDGE n |w|^2 / 2 by Newton's steps, the intercept free of the penalty; n is the number of rows.
    ///
    /// Without the rows of a unit the weights are those of one Newton step from here (own; METHODS section 10): w + (H - H_u)^-1 g_u, which
    /// costs one solution where a fit anew costs ten passes, and moves as the fit does to second order.
    pub(super) fn fit(rows: &Rows, units: usize) -> Self {
        let scale = Scale::new(rows);
        let p = rows.width + 1;
        let mut weights = vec![0.0; p];
        let penalty = RIDGE * rows.member.len() as f64;
        let mut x = vec![0.0; p];
        for _ in 0..STEPS {
            let mut all = Slopes::zero(p);
            for (row, member, _) in rows.iter() {
                let (error, weight) = slope(&scale, row, member, &weights, &mut x);
                all.add(&x, error, weight);
            }
            penalise(&mut all, &weights, penalty);
            let Some(step) = solve(&all.hessian, &all.gradient) else { break };
            // A full step from far away may overshoot; it is halved until it is no longer than 4 deviations of the score.
            let size = step.iter().map(|s| s.abs()).fold(0.0, f64::max);
            let share = if size > 4.0 { 4.0 / size } else { 1.0 };
            weights.iter_mut().zip(&step).for_each(|(w, s)| *w -= share * s);
            if size < TOLERANCE {
                break;
            }
        }
        let mut by_unit = vec![Slopes::zero(p); units];
        let mut all = Slopes::zero(p);
        for (row, member, unit) in rows.iter() {
            let (error, weight) = slope(&scale, row, member, &weights, &mut x);
            by_unit[unit].add(&x, error, weight);
        }
        for own in &by_unit {
            all.gradient.iter_mut().zip(&own.gradient).for_each(|(a, b)| *a += b);
            all.hessian.iter_mut().zip(&own.hessian).for_each(|(a, b)| *a += b);
        }
        penalise(&mut all, &weights, penalty);
        let without = by_unit
            .iter()
            .map(|own| {
                let rest = all.minus(own);
                let step = solve(&rest.hessian, &rest.gradient).unwrap_or_else(|| vec![0.0; p]);
                weights.iter().zip(step).map(|(w, s)| w - s).collect()
            })
            .collect();
        Self { scale, weights, without }
    }

    /// The log-odds of a row, from all training rows or without those of a unit.
    pub(super) fn log_odds(&self, features: &[f64], without: Option<usize>) -> f64 {
        let weights = without.map_or(&self.weights, |unit| &self.without[unit]);
        let sum: f64 =
            features.iter().enumerate().map(|(k, v)| weights[k] * self.scale.of(k, f64::from(*v as f32))).sum();
        sum + weights[features.len()]
    }
}

/// Fills `x` with a row, 1 at its end; p - member, and p (1 - p), p the probability of membership.
fn slope(scale: &Scale, row: &[f32], member: bool, weights: &[f64], x: &mut [f64]) -> (f64, f64) {
    for (k, (to, v)) in x.iter_mut().zip(row).enumerate() {
        *to = scale.of(k, f64::from(*v));
    }
    x[row.len()] = 1.0;
    let odds: f64 = x.iter().zip(weights).map(|(x, w)| x * w).sum();
    let p = 1.0 / (1.0 + libm::exp(-odds));
    (p - f64::from(u8::from(member)), p * (1.0 - p))
}

fn penalise(slopes: &mut Slopes, weights: &[f64], penalty: f64) {
    let p = weights.len();
    for k in 0..p - 1 {
        slopes.gradient[k] += penalty * weights[k];
        slopes.hessian[k * p + k] += penalty;
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
            rows.push(&x, member, i % units);
        }
        rows
    }

    #[test]
    fn the_gradient_vanishes_at_the_fit_and_weights_are_those_that_made_it() {
        let rows = made(20_000, 10);
        let found = Regression::fit(&rows, 10);
        let mut all = Slopes::zero(3);
        let mut x = vec![0.0; 3];
        for (row, member, _) in rows.iter() {
            let (error, weight) = slope(&found.scale, row, member, &found.weights, &mut x);
            all.add(&x, error, weight);
        }
        penalise(&mut all, &found.weights, RIDGE * 20_000.0);
        assert!(all.gradient.iter().all(|g| g.abs() < 1e-6), "{:?}", all.gradient);
        // In units of the features' deviations, 1 and 2.
        for (w, wanted) in found.weights.iter().zip([0.8, -1.0, 0.3]) {
            assert!((w - wanted).abs() < 0.06, "{:?}", found.weights);
        }
    }

    #[test]
    fn one_step_without_a_unit_is_nearly_a_fit_without_it() {
        let rows = made(4000, 8);
        let found = Regression::fit(&rows, 8);
        let mut rest = Rows::new(2);
        for (x, member, unit) in rows.iter().filter(|r| r.2 != 3) {
            rest.push(&[f64::from(x[0]), f64::from(x[1])], member, unit);
        }
        let anew = Regression::fit(&rest, 8);
        // On one scale: weights per unit of a feature.
        let slopes = |r: &Regression, w: &[f64]| [w[0] * r.scale.inverse[0], w[1] * r.scale.inverse[1]];
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
        let (found, plain) = (Regression::fit(&rows, 4), Regression::fit(&made(3000, 4), 4));
        let odds = found.log_odds(&[0.5, 0.5, 7.0, 2.0], None);
        assert!((odds - plain.log_odds(&[0.5, 2.0], None)).abs() < 1e-3);
        assert!(found.without.iter().flatten().all(|w| w.is_finite()));
    }
}
