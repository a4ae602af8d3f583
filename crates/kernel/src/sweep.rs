//! Passes over whole parameter arenas: what an optimizer step consists of.

use crate::dispatch::dispatch;

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

/// One SGD step as PyTorch defines it: `d = g + lambda w`; `b = beta b + d` (first step `b = d`); Nesterov
/// uses `d + beta b`; `w -= lr (b or that)`. One pass over the three slices.
pub fn sgd(w: &mut [f32], b: &mut [f32], g: &[f32], step: SgdStep) {
    let SgdStep { lr, momentum, nesterov, weight_decay, first } = step;
    let keep = if first { 0.0 } else { momentum };
    dispatch(
        #[inline(always)]
        || {
            for ((w, b), g) in w.iter_mut().zip(b.iter_mut()).zip(g) {
                let d = g + weight_decay * *w;
                let velocity = keep * *b + d;
                *b = velocity;
                *w -= lr * if nesterov { d + momentum * velocity } else { velocity };
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
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    dispatch(
        #[inline(always)]
        || {
            let mut lanes = [0.0f64; 32];
            let (left, right) = (a.chunks_exact(32), b.chunks_exact(32));
            let (tail, other) = (left.remainder(), right.remainder());
            for (a, b) in left.zip(right) {
                for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
                    *lane += f64::from(*a) * f64::from(*b);
                }
            }
            for ((lane, a), b) in lanes.iter_mut().zip(tail).zip(other) {
                *lane += f64::from(*a) * f64::from(*b);
            }
            lanes.iter().sum()
        },
    )
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

/// `out = T g` with T = |w| + eta where `weight` is 1, and 1 where it is 0: gradients in the scale of their parameters.
pub fn scale_by_size(out: &mut [f32], w: &[f32], weight: &[f32], g: &[f32], eta: f32) {
    dispatch(
        #[inline(always)]
        || {
            for (((out, w), weight), g) in out.iter_mut().zip(w).zip(weight).zip(g) {
                *out = (weight * (w.abs() + eta) + (1.0 - weight)) * g;
            }
        },
    );
}

/// `out = w + scale T t`, T as in [`scale_by_size`] and t what that gave.
pub fn perturb_by_size(out: &mut [f32], w: &[f32], weight: &[f32], t: &[f32], eta: f32, scale: f32) {
    dispatch(
        #[inline(always)]
        || {
            for (((out, w), weight), t) in out.iter_mut().zip(w).zip(weight).zip(t) {
                *out = w + scale * (weight * (w.abs() + eta) + (1.0 - weight)) * t;
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

/// One step of Adam (Kingma & Ba 2015, arXiv 1412.6980) or AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101) as PyTorch orders it:
/// `m = beta_1 m + (1 - beta_1) g`, `v = beta_2 v + (1 - beta_2) g^2`, `w -= lr / (1 - beta_1^t) m / (sqrt(v) / sqrt(1 - beta_2^t) + eps)`.
pub fn adam(w: &mut [f32], m: &mut [f32], v: &mut [f32], g: &[f32], step: AdamStep) {
    let AdamStep { lr, beta1, beta2, epsilon, weight_decay, decoupled, correction1, correction2 } = step;
    let (keep, l2) = if decoupled { (1.0 - lr * weight_decay, 0.0) } else { (1.0, weight_decay) };
    let rate = lr / correction1;
    dispatch(
        #[inline(always)]
        || {
            for (((w, m), v), g) in w.iter_mut().zip(m.iter_mut()).zip(v.iter_mut()).zip(g) {
                let d = g + l2 * *w;
                *m = beta1 * *m + (1.0 - beta1) * d;
                *v = beta2 * *v + (1.0 - beta2) * d * d;
                *w = keep * *w - rate * *m / (v.sqrt() / correction2 + epsilon);
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
        sgd(&mut w, &mut b, &[1.0], step);
        assert_eq!((w, b), ([0.5], [1.0]));
        step.first = false;
        sgd(&mut w, &mut b, &[1.0], step);
        assert_eq!((w, b), ([-0.25], [1.5]));
        step.nesterov = true;
        sgd(&mut w, &mut b, &[0.0], step);
        assert_eq!((w, b), ([-0.4375], [0.75]));
    }
}
