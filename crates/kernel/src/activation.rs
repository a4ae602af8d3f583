//! ReLU and tanh, in place: the backward passes need only the output.

use crate::dispatch::dispatch;

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

/// `y = tanh(y)`.
pub fn tanh_forward(y: &mut [f32]) {
    dispatch(
        #[inline(always)]
        || {
            for v in y {
                *v = tanh(*v);
            }
        },
    );
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

/// tanh to 2e-7 absolute. `tanh|x| = (1 - e) / (1 + e)` with `e = exp(-2|x|)` by range reduction and a
/// degree-7 Taylor polynomial; below 1/4 the odd Taylor series keeps the relative precision.
/// Written without branches so that it vectorises, and without the platform's libm so that its bits do
/// not depend on the platform.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    let a = x.abs();
    // exp(-2a) = 2^-k exp(r), |r| <= ln2/2; beyond 20 the result is 1 to the last bit.
    let t = (-2.0 * a.min(20.0)) * std::f32::consts::LOG2_E;
    let k = (t - 0.5) as i32; // t <= 0: truncation towards zero of t - 1/2 rounds to nearest
    let r = (t - k as f32) * std::f32::consts::LN_2;
    let p = 1.0
        + r * (1.0
            + r * (0.5
                + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0)))))));
    let e = p * f32::from_bits(((127 + k) as u32) << 23);
    let large = (1.0 - e) / (1.0 + e);
    let s = a * a;
    let small = a * (1.0 + s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * (62.0 / 2835.0)))));
    let y = if a < 0.25 { small } else { large };
    // NaN fails the comparison and comes out of `large` through `min` as a number; put it back.
    if x.is_nan() { x } else { y.copysign(x) }
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
