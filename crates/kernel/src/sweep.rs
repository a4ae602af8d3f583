//! Passes over whole parameter arenas: what an optimizer step consists of.

use crate::dispatch::dispatch;

/// Partial sums of a reduction.
const LANES: usize = 32;

/// The constants of one base step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdStep {
    /// Learning rate.
    pub lr: f32,
    /// Momentum beta.
    pub momentum: f32,
    /// Nesterov's form.
    pub nesterov: bool,
    /// L2 coefficient lambda, added to the gradient.
    pub weight_decay: f32,
    /// The first step, at which the momentum buffer is set to d.
    pub first: bool,
}

/// What a base step descends along: a gradient, or `p gradient + q second`, summed as it is read.
#[derive(Clone, Copy, Debug)]
pub struct Direction<'a> {
    /// The gradient.
    pub gradient: &'a [f32],
    /// p, a second slice, q.
    pub beside: Option<(f32, &'a [f32], f32)>,
}

impl<'a> From<&'a [f32]> for Direction<'a> {
    fn from(gradient: &'a [f32]) -> Self {
        Self { gradient, beside: None }
    }
}

impl SgdStep {
    #[inline(always)]
    fn apply(self, w: &mut f32, b: &mut f32, g: f32) {
        let keep = if self.first { 0.0 } else { self.momentum };
        let d = g + self.weight_decay * *w;
        let velocity = keep * *b + d;
        *b = velocity;
        *w -= self.lr * if self.nesterov { d + self.momentum * velocity } else { velocity };
    }
}

/// One SGD step as PyTorch defines it: `d = g + lambda w`; `b = beta b + d` (first step `b = d`); Nesterov
/// uses `d + beta b`; `w -= lr (b or that)`. One pass over all slices.
pub fn sgd(w: &mut [f32], b: &mut [f32], along: Direction<'_>, step: SgdStep) {
    dispatch(
        #[inline(always)]
        || match along.beside {
            None => w.iter_mut().zip(b).zip(along.gradient).for_each(|((w, b), g)| step.apply(w, b, *g)),
            Some((p, second, q)) => {
                for (((w, b), g), h) in w.iter_mut().zip(b).zip(along.gradient).zip(second) {
                    step.apply(w, b, p * g + q * h);
                }
            }
        },
    );
}

/// `out = w + scale g`: the perturbed parameters of a sharpness-aware step. `w` itself is not touched, so
/// that restoring it is no arithmetic at all.
pub fn perturb(out: &mut [f32], w: &[f32], g: &[f32], scale: f32) {
    dispatch(
        #[inline(always)]
        || {
            for ((o, w), g) in out.iter_mut().zip(w).zip(g) {
                *o = w + scale * g;
            }
        },
    );
}

/// Squared Euclidean norm, accumulated in f64 over 32 fixed lanes.
pub fn squared_norm(g: &[f32]) -> f64 {
    dot(g, g)
}

/// Inner product of two slices of one length, accumulated in f64 over 32 fixed lanes.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    dispatch(
        #[inline(always)]
        || sum(a, b, |a, b| f64::from(a) * f64::from(b)),
    )
}

/// Adds `f` of every pair of values over 32 fixed lanes, value i in lane i mod 32.
#[inline(always)]
fn sum(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f64) -> f64 {
    let mut lanes = [0.0f64; LANES];
    let ((left, tail), (right, other)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in left.iter().zip(right) {
        for i in 0..LANES {
            lanes[i] += f(a[i], b[i]);
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(tail).zip(other) {
        *lane += f(*a, *b);
    }
    lanes.iter().sum()
}

/// `a . b` and `b . b` in one pass, with the bits of a pass for each.
pub fn dots(a: &[f32], b: &[f32]) -> (f64, f64) {
    dispatch(
        #[inline(always)]
        || {
            let (mut across, mut own) = ([0.0f64; LANES], [0.0f64; LANES]);
            let ((left, tail), (right, other)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
            for (a, b) in left.iter().zip(right) {
                for i in 0..LANES {
                    across[i] += f64::from(a[i]) * f64::from(b[i]);
                    own[i] += f64::from(b[i]) * f64::from(b[i]);
                }
            }
            for (i, (a, b)) in tail.iter().zip(other).enumerate() {
                across[i] += f64::from(*a) * f64::from(*b);
                own[i] += f64::from(*b) * f64::from(*b);
            }
            (across.iter().sum(), own.iter().sum())
        },
    )
}

/// Squared norm of `a - q b`, each difference rounded to f32.
pub fn squared_distance(a: &[f32], b: &[f32], q: f32) -> f64 {
    dispatch(
        #[inline(always)]
        || sum(a, b, |a, b| square(a - q * b)),
    )
}

#[inline(always)]
fn square(v: f32) -> f64 {
    f64::from(v) * f64::from(v)
}

/// `out = w + scale (g - sigma m)`, then `m = lambda m + (1 - lambda) g`, in one pass.
pub fn perturb_across(
    out: &mut [f32],
    (w, g): (&[f32], &[f32]),
    m: &mut [f32],
    scale: f32,
    (sigma, lambda): (f32, f32),
) {
    dispatch(
        #[inline(always)]
        || {
            for (((out, w), g), m) in out.iter_mut().zip(w).zip(g).zip(m) {
                *out = w + scale * (g - sigma * *m);
                *m = lambda * *m + (1.0 - lambda) * g;
            }
        },
    );
}

/// `out = a - q b`.
pub fn difference(out: &mut [f32], a: &[f32], b: &[f32], q: f32) {
    dispatch(
        #[inline(always)]
        || {
            for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                *out = a - q * b;
            }
        },
    );
}

/// `w += q (a - b)`.
pub fn add_difference(w: &mut [f32], a: &[f32], b: &[f32], q: f32) {
    dispatch(
        #[inline(always)]
        || {
            for ((w, a), b) in w.iter_mut().zip(a).zip(b) {
                *w += q * (a - b);
            }
        },
    );
}

/// `to *= q`.
pub fn scale(to: &mut [f32], q: f32) {
    dispatch(
        #[inline(always)]
        || to.iter_mut().for_each(|v| *v *= q),
    );
}

/// `to = p to + q from`.
pub fn mix(to: &mut [f32], p: f32, from: &[f32], q: f32) {
    dispatch(
        #[inline(always)]
        || {
            for (to, from) in to.iter_mut().zip(from) {
                *to = p * *to + q * from;
            }
        },
    );
}

/// Squared norm of `T g` with T = |w| + eta.
pub fn squared_norm_by_size(w: &[f32], g: &[f32], eta: f32) -> f64 {
    dispatch(
        #[inline(always)]
        || sum(w, g, |w, g| square((w.abs() + eta) * g)),
    )
}

/// `out = w + scale T^2 g`, T as in [`squared_norm_by_size`].
pub fn perturb_by_size(out: &mut [f32], w: &[f32], g: &[f32], eta: f32, scale: f32) {
    dispatch(
        #[inline(always)]
        || {
            for ((out, w), g) in out.iter_mut().zip(w).zip(g) {
                let size = w.abs() + eta;
                *out = w + scale * size * (size * g);
            }
        },
    );
}

/// The constants of one step of Adam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Learning rate.
    pub lr: f32,
    /// Decay of the mean, beta_1.
    pub beta1: f32,
    /// Decay of the mean square, beta_2.
    pub beta2: f32,
    /// What is added to the root.
    pub epsilon: f32,
    /// L2 coefficient, added to the gradient or, `decoupled`, taken off the parameters.
    pub weight_decay: f32,
    /// AdamW's decay.
    pub decoupled: bool,
    /// 1 - beta_1^t.
    pub correction1: f32,
    /// sqrt(1 - beta_2^t).
    pub correction2: f32,
}

impl AdamStep {
    #[inline(always)]
    fn apply(self, w: &mut f32, m: &mut f32, v: &mut f32, g: f32) {
        let (keep, l2) =
            if self.decoupled { (1.0 - self.lr * self.weight_decay, 0.0) } else { (1.0, self.weight_decay) };
        let (rate, inverse) = (self.lr / self.correction1, 1.0 / self.correction2);
        let d = g + l2 * *w;
        *m = self.beta1 * *m + (1.0 - self.beta1) * d;
        *v = self.beta2 * *v + (1.0 - self.beta2) * d * d;
        *w = keep * *w - rate * *m / (v.sqrt() * inverse + self.epsilon);
    }
}

/// One step of Adam (Kingma & Ba 2015, arXiv 1412.6980) or AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101) in PyTorch's form:
/// `m = beta_1 m + (1 - beta_1) g`, `v = beta_2 v + (1 - beta_2) g^2`, `w -= lr / (1 - beta_1^t) m / (sqrt(v) / sqrt(1 - beta_2^t) + eps)`.
/// The inner division is a multiplication by the inverse: divisions are what such a step waits for.
pub fn adam(w: &mut [f32], m: &mut [f32], v: &mut [f32], along: Direction<'_>, step: AdamStep) {
    dispatch(
        #[inline(always)]
        || match along.beside {
            None => {
                for (((w, m), v), g) in w.iter_mut().zip(m).zip(v).zip(along.gradient) {
                    step.apply(w, m, v, *g);
                }
            }
            Some((p, second, q)) => {
                for ((((w, m), v), g), h) in w.iter_mut().zip(m).zip(v).zip(along.gradient).zip(second) {
                    step.apply(w, m, v, p * g + q * h);
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norm_counts_the_tail_and_does_not_overflow() {
        let g = vec![1e30f32; 37];
        assert!((squared_norm(&g) / (37.0 * 1e60) - 1.0).abs() < 1e-6);
        assert_eq!(squared_norm(&[]), 0.0);
        assert_eq!(squared_norm(&[3.0, 4.0]), 25.0);
    }

    #[test]
    fn momentum_by_hand() {
        let (mut w, mut b) = ([1.0], [f32::MAX]);
        let mut step = SgdStep { lr: 0.5, momentum: 0.5, nesterov: false, weight_decay: 0.0, first: true };
        sgd(&mut w, &mut b, (&[1.0f32][..]).into(), step);
        assert_eq!((w, b), ([0.5], [1.0]));
        step.first = false;
        sgd(&mut w, &mut b, (&[1.0f32][..]).into(), step);
        assert_eq!((w, b), ([-0.25], [1.5]));
        step.nesterov = true;
        sgd(&mut w, &mut b, (&[0.0f32][..]).into(), step);
        assert_eq!((w, b), ([-0.4375], [0.75]));
    }

    #[test]
    fn fused_passes_are_the_passes_one_by_one() {
        // Values that f32 holds exactly, so that every order gives the same.
        let a: Vec<f32> = (0..75).map(|i| (i % 7) as f32 - 3.0).collect();
        let b: Vec<f32> = (0..75).map(|i| (i % 5) as f32 - 1.0).collect();
        assert_eq!(dots(&a, &b), (dot(&a, &b), squared_norm(&b)));
        let mut out = vec![0.0; 75];
        difference(&mut out, &a, &b, 2.0);
        assert!(out.iter().zip(&a).zip(&b).all(|((o, a), b)| *o == a - 2.0 * b));
        assert_eq!(squared_distance(&a, &b, 2.0), squared_norm(&out));
        let mut mean = b.clone();
        perturb_across(&mut out, (&a, &b), &mut mean, 0.5, (2.0, 0.25));
        for i in 0..75 {
            assert_eq!((out[i], mean[i]), (a[i] + 0.5 * (b[i] - 2.0 * b[i]), 0.25 * b[i] + 0.75 * b[i]));
        }
        let mut w = a.clone();
        add_difference(&mut w, &a, &b, 0.5);
        scale(&mut w, 2.0);
        assert!(w.iter().zip(&a).zip(&b).all(|((w, a), b)| *w == 3.0 * a - b));
        perturb_by_size(&mut out, &a, &b, 1.0, 0.5);
        let sizes: Vec<f32> = a.iter().zip(&b).map(|(a, b)| (a.abs() + 1.0) * b).collect();
        assert_eq!(squared_norm_by_size(&a, &b, 1.0), squared_norm(&sizes));
        assert!(out.iter().zip(&a).zip(&sizes).all(|((o, a), t)| *o == a + 0.5 * (a.abs() + 1.0) * t));
    }

    #[test]
    fn a_direction_is_summed_as_it_is_read() {
        let (g, h) = ([1.0f32, -2.0, 4.0], [0.5f32, 8.0, -1.0]);
        let sum: Vec<f32> = g.iter().zip(&h).map(|(g, h)| 2.0 * g + 0.5 * h).collect();
        let both = Direction { gradient: &g, beside: Some((2.0, &h, 0.5)) };
        let step = SgdStep { lr: 0.5, momentum: 0.5, nesterov: true, weight_decay: 0.25, first: false };
        let ([mut w, mut b], [mut w2, mut b2]) = ([[1.0f32, 2.0, 3.0]; 2], [[1.0f32, 2.0, 3.0]; 2]);
        sgd(&mut w, &mut b, both, step);
        sgd(&mut w2, &mut b2, (&sum[..]).into(), step);
        assert_eq!((w, b), (w2, b2));
        let step = AdamStep {
            lr: 0.5,
            beta1: 0.5,
            beta2: 0.25,
            epsilon: 1e-3,
            weight_decay: 0.5,
            decoupled: false,
            correction1: 0.5,
            correction2: 0.75,
        };
        let (mut v, mut v2) = ([1.0f32; 3], [1.0f32; 3]);
        adam(&mut w, &mut b, &mut v, both, step);
        adam(&mut w2, &mut b2, &mut v2, (&sum[..]).into(), step);
        assert_eq!((w, b, v), (w2, b2, v2));
    }
}
