//! ReLU and tanh, in place: the backward passes need only the output. GELU, whose backward pass needs the input.

use pulp::{Simd, WithSimd};

use crate::dispatch::{dispatch, simd};
use crate::exp::exp;
use crate::vector::{load, store};

/// `y = max(y, 0)`; NaN stays NaN, so that a diverging model is seen.
pub fn relu_forward(y: &mut [f32]) {
    dispatch(
        #[inline(always)]
        || {
            for v in y {
                *v = if *v < 0.0 { 0.0 } else { *v };
            }
        },
    );
}

/// `dy = dy` where the output was positive, 0 elsewhere (the subgradient at 0 is 0, as in PyTorch).
pub fn relu_backward(dy: &mut [f32], y: &[f32]) {
    dispatch(
        #[inline(always)]
        || {
            for (d, v) in dy.iter_mut().zip(y) {
                *d = if *v > 0.0 { *d } else { 0.0 };
            }
        },
    );
}

/// `y = tanh(y)`, to 2e-7.
pub fn tanh_forward(y: &mut [f32]) {
    simd(Tanh(y));
}

struct Tanh<'a>(&'a mut [f32]);

impl WithSimd for Tanh<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let n = self.0.len();
        let mut at = 0;
        while at < n {
            let lanes = S::F32_LANES.min(n - at);
            let y = tanh(simd, load(simd, self.0, at, lanes));
            store(simd, self.0, at, lanes, y);
            at += S::F32_LANES;
        }
    }
}

/// `dy = dy (1 - y^2)` with y the output.
pub fn tanh_backward(dy: &mut [f32], y: &[f32]) {
    dispatch(
        #[inline(always)]
        || {
            for (d, v) in dy.iter_mut().zip(y) {
                *d *= 1.0 - v * v;
            }
        },
    );
}

/// `y = x Phi(x)`, Phi the normal distribution (Hendrycks & Gimpel 2016, arXiv 1606.08415), exact as PyTorch's default.
pub fn gelu_forward(y: &mut [f32], x: &[f32]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = x * normal(*x);
    }
}

/// `dx = dy (Phi(x) + x phi(x))`.
pub fn gelu_backward(dx: &mut [f32], dy: &[f32], x: &[f32]) {
    for ((dx, dy), x) in dx.iter_mut().zip(dy).zip(x) {
        let density =
            libm::expf(-0.5 * x * x) * (0.5 * std::f32::consts::FRAC_2_SQRT_PI * std::f32::consts::FRAC_1_SQRT_2);
        *dx = dy * (normal(*x) + x * density);
    }
}

fn normal(x: f32) -> f32 {
    0.5 * libm::erfcf(-x * std::f32::consts::FRAC_1_SQRT_2)
}

/// `x *= mask`: dropout and its gradient alike; the mask holds 0 and 1 / (1 - p).
pub fn masked(x: &mut [f32], mask: &[f32]) {
    dispatch(
        #[inline(always)]
        || {
            for (x, m) in x.iter_mut().zip(mask) {
                *x *= m;
            }
        },
    );
}

/// `y += x`.
pub fn add(y: &mut [f32], x: &[f32]) {
    dispatch(
        #[inline(always)]
        || {
            for (y, x) in y.iter_mut().zip(x) {
                *y += x;
            }
        },
    );
}

/// `tanh|x| = (1 - e) / (1 + e)` with `e = exp(-2|x|)`; below 1/4 the odd Taylor series keeps the relative precision.
#[inline(always)]
fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let splat = |v| simd.splat_f32s(v);
    let bits = simd.transmute_u32s_f32s(x);
    let a = simd.transmute_f32s_u32s(simd.and_u32s(bits, simd.splat_u32s(i32::MAX as u32)));
    let e = exp(simd, simd.mul_f32s(a, splat(-2.0)));
    let large = simd.div_f32s(simd.sub_f32s(splat(1.0), e), simd.add_f32s(splat(1.0), e));
    let s = simd.mul_f32s(a, a);
    let mut small = splat(62.0 / 2835.0);
    for c in [-17.0 / 315.0, 2.0 / 15.0, -1.0 / 3.0, 1.0] {
        small = simd.mul_add_f32s(small, s, splat(c));
    }
    let y = simd.select_f32s(simd.less_than_f32s(a, splat(0.25)), simd.mul_f32s(small, a), large);
    // The sign of x, -0 and NaN included.
    let sign = simd.and_u32s(bits, simd.splat_u32s(1 << 31));
    simd.transmute_f32s_u32s(simd.or_u32s(simd.transmute_u32s_f32s(y), sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tanh_is_close_to_the_reference_everywhere() {
        let mut y: Vec<f32> = (-400_000..=400_000).map(|i| i as f32 * 5e-5).collect();
        let x = y.clone();
        tanh_forward(&mut y);
        let worst =
            x.iter().zip(&y).map(|(x, y)| (libm::tanh(f64::from(*x)) - f64::from(*y)).abs()).fold(0.0, f64::max);
        assert!(worst < 2e-7, "{worst:e}");
        let mut edge = [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -0.0, 1e-30];
        tanh_forward(&mut edge);
        assert_eq!(edge[0], 1.0);
        assert_eq!(edge[1], -1.0);
        assert!(edge[2].is_nan());
        assert!(edge[3] == 0.0 && edge[3].is_sign_negative());
        assert_eq!(edge[4], 1e-30);
    }

    #[test]
    fn gelu_is_the_definition_and_its_gradient_the_difference() {
        let x: Vec<f32> = (-600..=600).map(|i| i as f32 * 0.01).collect();
        let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        gelu_forward(&mut y, &x);
        gelu_backward(&mut dx, &vec![1.0; x.len()], &x);
        let exact = |v: f64| v * 0.5 * libm::erfc(-v * std::f64::consts::FRAC_1_SQRT_2);
        for ((x, y), d) in x.iter().zip(&y).zip(&dx) {
            let v = f64::from(*x);
            assert!((exact(v) - f64::from(*y)).abs() < 1e-6);
            let slope = (exact(v + 1e-5) - exact(v - 1e-5)) / 2e-5;
            assert!((slope - f64::from(*d)).abs() < 1e-6, "{x}: {slope} {d}");
        }
    }

    #[test]
    fn relu_keeps_nan_and_blocks_gradient_at_zero() {
        let mut y = [-1.0, 0.0, 2.0, f32::NAN];
        relu_forward(&mut y);
        assert_eq!(y[..3], [0.0, 0.0, 2.0]);
        assert!(y[3].is_nan());
        let mut d = [1.0; 3];
        relu_backward(&mut d, &y[..3]);
        assert_eq!(d, [0.0, 0.0, 1.0]);
    }
}
