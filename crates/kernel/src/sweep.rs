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
    dispatch(
        #[inline(always)]
        || {
            let mut lanes = [0.0f64; 32];
            let chunks = g.chunks_exact(32);
            let rest = chunks.remainder();
            for chunk in chunks {
                for (lane, v) in lanes.iter_mut().zip(chunk) {
                    let v = f64::from(*v);
                    *lane += v * v;
                }
            }
            for (lane, v) in lanes.iter_mut().zip(rest) {
                *lane += f64::from(*v) * f64::from(*v);
            }
            lanes.iter().sum()
        },
    )
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
