//! Softmax cross-entropy.

use pulp::{Simd, WithSimd};

use crate::dispatch::simd;
use crate::exp::exp;
use crate::vector::{load, store};

/// Turns logits `[B, C]` into the gradient of the mean loss, `(softmax(z) - onehot(y)) / B`, in place.
///
/// Returns the mean loss `-1/B sum log softmax(z)_y`, summed in f64.
pub fn cross_entropy(logits: &mut [f32], labels: &[u32], classes: usize) -> f64 {
    let scale = 1.0 / labels.len() as f32;
    let mut total = 0.0;
    for (row, &label) in logits.chunks_exact_mut(classes).zip(labels) {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let at_label = row[label as usize] - top;
        simd(Exponentials { row, top });
        let sum = row.iter().sum::<f32>();
        total += libm::log(f64::from(sum)) - f64::from(at_label);
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
        let loss = cross_entropy(&mut grad, &labels, 3);
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
