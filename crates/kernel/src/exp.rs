//! The exponential function in vectors, with the same bits on every machine.

use pulp::Simd;

/// 1.5 * 2^23: adding it rounds to an integer, which then stands in the lowest bits.
const ROUND: f32 = 12_582_912.0;

/// exp(x) for x <= 0, to 1.2e-7 of its value; below -87 it is exp(-87), about 1.6e-38. NaN stays NaN.
///
/// exp(x) = 2^k exp(r) with k the nearest integer to x / ln 2, r the rest in two steps (Cody & Waite 1980), exp(r) by its Taylor polynomial of
/// degree 7, whose error is at most 5.2e-9 for |r| <= ln 2 / 2.
#[inline(always)]
pub(crate) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let splat = |v| simd.splat_f32s(v);
    // A comparison with NaN is false: it is not replaced.
    let x = simd.select_f32s(simd.less_than_f32s(x, splat(-87.0)), splat(-87.0), x);
    let shifted = simd.mul_add_f32s(x, splat(std::f32::consts::LOG2_E), splat(ROUND));
    let k = simd.sub_f32s(shifted, splat(ROUND));
    // ln 2 as a number of 11 bits, whose multiples are exact, and the rest.
    let r = simd.mul_add_f32s(k, splat(-0.693_359_4), x);
    let r = simd.mul_add_f32s(k, splat(2.121_944_4e-4), r);
    let mut p = splat(1.0 / 5040.0);
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = simd.mul_add_f32s(p, r, splat(c));
    }
    let exponent = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    let scale = simd.transmute_f32s_u32s(simd.add_u32s(exponent, simd.splat_u32s(127 << 23)));
    simd.mul_f32s(p, scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::simd;
    use crate::vector::{load, store};

    struct Map<'a>(&'a mut [f32]);

    impl pulp::WithSimd for Map<'_> {
        type Output = ();

        fn with_simd<S: Simd>(self, simd: S) {
            for at in (0..self.0.len()).step_by(S::F32_LANES) {
                let lanes = S::F32_LANES.min(self.0.len() - at);
                let value = exp(simd, load(simd, self.0, at, lanes));
                store(simd, self.0, at, lanes, value);
            }
        }
    }

    #[test]
    fn agrees_with_the_reference_down_to_the_smallest_normal_numbers() {
        let x: Vec<f32> = (0..=870_000).map(|i| -i as f32 * 1e-4).collect();
        let mut y = x.clone();
        simd(Map(&mut y));
        let worst =
            x.iter().zip(&y).map(|(x, y)| (f64::from(*y) / libm::exp(f64::from(*x)) - 1.0).abs()).fold(0.0, f64::max);
        assert!(worst < 1.2e-7, "{worst:e}");
        let mut edges = [0.0, -0.0, f32::NEG_INFINITY, f32::NAN, -88.0];
        simd(Map(&mut edges));
        assert_eq!(edges[..2], [1.0, 1.0]);
        assert!(edges[2] > 0.0 && edges[2] < 2e-38 && edges[4] == edges[2] && edges[3].is_nan());
    }
}
