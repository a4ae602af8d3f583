//! Softmax cross-entropy, and what defences put in its place.

use pulp::{Simd, WithSimd};

use crate::dispatch::simd;
use crate::exp::exp;
use crate::vector::{load, store};

/// What the loss compares predictions with.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Objective {
    /// The labels: -log p_y.
    #[default]
    CrossEntropy,
    /// A distribution t per example, and a reward beta for spread: -sum t log p - beta H(p).
    Soft(Soft),
    /// RelaxLoss (Chen et al. 2022, arXiv 2207.05801, algorithm 1): the batch's mean cross entropy L is brought to `level`. From it upwards
    /// descent on L; below, ascent, or, where `flatten` is set, descent on the cross entropy with the targets p_y (at most `upper`) for the
    /// label and (1 - that) / (C - 1) elsewhere, held constant.
    Relaxed {
        /// The level, alpha.
        level: f64,
        /// Highest target of a label.
        upper: f32,
        /// Odd epochs, counted from 1.
        flatten: bool,
    },
}

/// Targets that are no labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Soft {
    /// Weight of the label.
    pub own: f32,
    /// Weight of every other class.
    pub rest: f32,
    /// beta.
    pub entropy: f32,
    /// Further labels, one per example, and a weight that is added to theirs.
    pub second: Option<(Vec<u32>, f32)>,
}

/// Turns logits `[B, C]` into the gradient of the mean loss in place, `(softmax(z) - onehot(y)) / B` for cross entropy, and returns that
/// loss, summed in f64. `losses` (B) receives the cross entropy of every example, whatever the objective.
pub fn gradient(logits: &mut [f32], labels: &[u32], classes: usize, objective: &Objective, losses: &mut [f64]) -> f64 {
    match objective {
        Objective::CrossEntropy => cross_entropy(logits, labels, classes, losses),
        Objective::Soft(soft) => {
            let second = soft.second.as_ref();
            let target = |i: usize, _: &[f32]| Target {
                own: soft.own,
                rest: soft.rest,
                second: second.map(|(labels, weight)| (labels[i] as usize, *weight)),
            };
            soft_cross_entropy(logits, labels, classes, soft.entropy, losses, target)
        }
        Objective::Relaxed { level, upper, flatten } => {
            let mean = mean_loss(logits, labels, classes, losses);
            if mean < *level && *flatten {
                let target = |i: usize, p: &[f32]| {
                    let own = p[labels[i] as usize].min(*upper);
                    Target { own, rest: (1.0 - own) / (classes - 1) as f32, second: None }
                };
                return soft_cross_entropy(logits, labels, classes, 0.0, losses, target);
            }
            cross_entropy(logits, labels, classes, losses);
            if mean < *level {
                logits.iter_mut().for_each(|g| *g = -*g);
                return -mean;
            }
            mean
        }
    }
}

/// Turns the row into softmax probabilities and returns log p_y of its label.
fn softmax(row: &mut [f32], label: usize) -> f64 {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let at_label = row[label] - top;
    simd(Exponentials { row, top });
    let sum = row.iter().sum::<f32>();
    row.iter_mut().for_each(|z| *z /= sum);
    f64::from(at_label) - libm::log(f64::from(sum))
}

fn mean_loss(logits: &[f32], labels: &[u32], classes: usize, losses: &mut [f64]) -> f64 {
    for ((row, &label), loss) in logits.chunks_exact(classes).zip(labels).zip(losses.iter_mut()) {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = row.iter().map(|z| libm::exp(f64::from(z - top))).sum();
        *loss = libm::log(sum) - f64::from(row[label as usize] - top);
    }
    losses[..labels.len()].iter().sum::<f64>() / labels.len() as f64
}

struct Target {
    own: f32,
    rest: f32,
    second: Option<(usize, f32)>,
}

/// Cross entropy with the target of each example and its probabilities, less `beta` times their entropy.
fn soft_cross_entropy(
    logits: &mut [f32],
    labels: &[u32],
    classes: usize,
    beta: f32,
    losses: &mut [f64],
    target: impl Fn(usize, &[f32]) -> Target,
) -> f64 {
    let scale = 1.0 / labels.len() as f32;
    let mut total = 0.0;
    for (i, (row, &label)) in logits.chunks_exact_mut(classes).zip(labels).enumerate() {
        let y = label as usize;
        let top = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let all = top + libm::log(row.iter().map(|z| libm::exp(f64::from(*z) - top)).sum());
        let log_p: Vec<f64> = row.iter().map(|z| f64::from(*z) - all).collect();
        softmax(row, y);
        let Target { own, rest, second } = target(i, row);
        let entropy: f64 = -log_p.iter().map(|l| libm::exp(*l) * l).sum::<f64>();
        losses[i] = -log_p[y];
        total -= f64::from(beta) * entropy;
        for (j, (g, l)) in row.iter_mut().zip(&log_p).enumerate() {
            let more = second.filter(|(other, _)| *other == j).map_or(0.0, |(_, weight)| weight);
            let t = if j == y { own } else { rest } + more;
            total -= f64::from(t) * l;
            *g = scale * (*g - t + beta * *g * (*l + entropy) as f32);
        }
    }
    total / labels.len() as f64
}

/// Turns logits `[B, C]` into the gradient of the mean loss, `(softmax(z) - onehot(y)) / B`, in place.
///
/// Returns the mean loss `-1/B sum log softmax(z)_y`, summed in f64.
fn cross_entropy(logits: &mut [f32], labels: &[u32], classes: usize, losses: &mut [f64]) -> f64 {
    let scale = 1.0 / labels.len() as f32;
    let mut total = 0.0;
    for ((row, &label), loss) in logits.chunks_exact_mut(classes).zip(labels).zip(losses) {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let at_label = row[label as usize] - top;
        simd(Exponentials { row, top });
        let sum = row.iter().sum::<f32>();
        *loss = libm::log(f64::from(sum)) - f64::from(at_label);
        total += *loss;
        let inverse = scale / sum;
        for z in row.iter_mut() {
            *z *= inverse;
        }
        row[label as usize] -= scale;
    }
    total / labels.len() as f64
}

/// `z = exp(z - top)`.
struct Exponentials<'a> {
    row: &'a mut [f32],
    top: f32,
}

impl WithSimd for Exponentials<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { row, top } = self;
        let n = row.len();
        for at in (0..n).step_by(S::F32_LANES) {
            let lanes = S::F32_LANES.min(n - at);
            let z = simd.sub_f32s(load(simd, row, at, lanes), simd.splat_f32s(top));
            store(simd, row, at, lanes, exp(simd, z));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradient_is_the_finite_difference_and_large_logits_are_safe() {
        let z = [0.3f32, -1.2, 2.0, 500.0, 499.0, -500.0];
        let labels = [1, 0];
        let mut grad = z;
        let loss = cross_entropy(&mut grad, &labels, 3, &mut [0.0; 2]);
        let exact = |z: &[f64]| {
            z.chunks(3)
                .zip(labels)
                .map(|(r, y)| {
                    let top = r.iter().copied().fold(f64::MIN, f64::max);
                    r.iter().map(|v| (v - top).exp()).sum::<f64>().ln() + top - r[y as usize]
                })
                .sum::<f64>()
                / 2.0
        };
        let z64: Vec<f64> = z.iter().map(|&v| f64::from(v)).collect();
        assert!((loss - exact(&z64)).abs() < 1e-6);
        for i in 0..6 {
            let (mut up, mut down) = (z64.clone(), z64.clone());
            up[i] += 1e-4;
            down[i] -= 1e-4;
            let numeric = (exact(&up) - exact(&down)) / 2e-4;
            assert!((numeric - f64::from(grad[i])).abs() < 1e-6, "{i}");
        }
    }
}
