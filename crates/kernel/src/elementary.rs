//! Exponential and logarithm of f64, with the same bits on every machine and in every loop.
//!
//! They are branch-free sums and products without fused multiply-adds: a loop over them under [`in_vectors`] becomes vectors of 2, 4 or 8
//! values, and a single call gives the same bits as the loop. `libm`, which agrees within the errors that each function names, takes one
//! value at a time.
//!
//! ```
//! use flatleak_kernel::elementary::{exp, in_vectors, log};
//! let mut values = [0.0, 1.0, -2.5];
//! in_vectors(#[inline(always)] || values.iter_mut().for_each(|v| *v = exp(*v)));
//! assert_eq!(values[0], 1.0);
//! assert!((log(values[2]) + 2.5).abs() < 1e-15);
//! ```

use crate::dispatch::dispatch;

/// ln 2 to 33 bits, whose products with whole numbers of up to 20 bits are exact, and the rest.
const LN_2: [f64; 2] = [f64::from_bits(0x3fe6_2e42_fee0_0000), f64::from_bits(0x3dea_39ef_3579_3c76)];

/// 1.5 * 2^52: adding it rounds to an integer, which then stands in the lowest bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// 1 / k!, from k = 13 down to 2.
const FACTORIALS: [f64; 12] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    1.0 / 2.0,
];

/// 2 / k, from k = 23 down to 3 by twos.
const ODD: [f64; 11] = [
    2.0 / 23.0,
    2.0 / 21.0,
    2.0 / 19.0,
    2.0 / 17.0,
    2.0 / 15.0,
    2.0 / 13.0,
    2.0 / 11.0,
    2.0 / 9.0,
    2.0 / 7.0,
    2.0 / 5.0,
    2.0 / 3.0,
];

/// Bits of the square root of 1/2, rounded.
const ROOT: u64 = 0x3fe6_a09e_667f_3bcd;

/// Bits of 1.
const ONE: u64 = 0x3ff0_0000_0000_0000;

const MANTISSA: u64 = (1 << 52) - 1;

/// Runs loops compiled for the vectors of this machine. `op` and what it calls have to be `#[inline(always)]`, or the loops stay scalar.
/// Results have the same bits on every machine, because nothing is fused and no sum is put in another order.
#[inline]
pub fn in_vectors<T>(op: impl FnOnce() -> T) -> T {
    dispatch(op)
}

/// 2^k for a whole number k between -1022 and 1023.
#[inline(always)]
fn power(k: f64) -> f64 {
    f64::from_bits(((k + ROUND).to_bits() << 52).wrapping_add(ONE))
}

/// e^x, to 3e-16 of its value where that is a normal number, and to 5e-324 below; 0 and infinity beyond, NaN of NaN.
///
/// e^x = 2^k e^r with k the nearest integer to x / ln 2 and r the rest in two steps (Cody & Waite 1980). The Taylor polynomial of degree 13
/// misses e^r by at most 5e-18 for |r| <= ln 2 / 2.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    // A comparison with NaN is false: it is not replaced.
    let x = if x < -746.0 { -746.0 } else { x };
    let x = if x > 710.0 { 710.0 } else { x };
    let k = (x * std::f64::consts::LOG2_E + ROUND) - ROUND;
    let r = (x - k * LN_2[0]) - k * LN_2[1];
    let mut p = FACTORIALS[0];
    for c in &FACTORIALS[1..] {
        p = p * r + c;
    }
    let value = 1.0 + (r + r * r * p);
    // In two steps, or the scale itself would leave the range.
    let half = (0.5 * k + ROUND) - ROUND;
    value * power(half) * power(k - half)
}

/// ln x, to 3e-16 of its value; -infinity at 0, NaN below.
///
/// x = 2^k m with m between the roots of 1/2 and 2, f = m - 1, s = f / (2 + f): ln m = 2 artanh s by its series
/// (Abramowitz & Stegun 4.1.27), put as f less a correction, because f is exact.
#[inline(always)]
pub fn log(x: f64) -> f64 {
    let is_small = x < f64::MIN_POSITIVE;
    let scaled = if is_small { x * 18_014_398_509_481_984.0 } else { x };
    let shifted = scaled.to_bits().wrapping_add(ONE - ROOT);
    // The exponent as a number: it stands in the lowest bits of 2^52.
    let exponent = f64::from_bits((shifted >> 52) | 0x4330_0000_0000_0000) - 4_503_599_627_370_496.0;
    let k = exponent - if is_small { 1023.0 + 54.0 } else { 1023.0 };
    let f = f64::from_bits((shifted & MANTISSA) + ROOT) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let mut series = ODD[0];
    for c in &ODD[1..] {
        series = series * z + c;
    }
    let half = 0.5 * f * f;
    let found = k * LN_2[0] - ((half - (s * (half + z * series) + k * LN_2[1])) - f);
    let found = if x > 0.0 { found } else { f64::NAN };
    let found = if x == 0.0 { f64::NEG_INFINITY } else { found };
    if x == f64::INFINITY { x } else { found }
}

/// ln(1 + x), to 5e-16 of its value; -infinity at -1, NaN below.
///
/// ln(1 + x) = ln u + c / u with u = 1 + x rounded and c what the rounding lost.
#[inline(always)]
pub fn log_1p(x: f64) -> f64 {
    let u = 1.0 + x;
    let lost = if x.abs() < 1.0 { x - (u - 1.0) } else { 1.0 - (u - x) };
    let found = log(u) + lost / u;
    if u > 0.0 && u < f64::INFINITY { found } else { log(u) }
}

/// p = 1 / (1 + e^-x).
#[inline(always)]
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + exp(-x))
}

/// ln(1 / (1 + e^-x)), exact in both tails.
#[inline(always)]
pub fn log_sigmoid(x: f64) -> f64 {
    let below = if x < 0.0 { x } else { 0.0 };
    let found = below - log_1p(exp(-x.abs()));
    if x.is_nan() { x } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits of a function in a loop of vectors, after the loop and single calls were seen to agree.
    fn values(f: impl Fn(f64) -> f64 + Copy, x: &[f64]) -> Vec<f64> {
        let mut out = x.to_vec();
        in_vectors(
            #[inline(always)]
            || out.iter_mut().for_each(|v| *v = f(*v)),
        );
        for (x, y) in x.iter().zip(&out) {
            assert_eq!(f(*x).to_bits(), y.to_bits(), "{x}");
        }
        out
    }

    fn worst(x: &[f64], found: &[f64], wanted: impl Fn(f64) -> f64) -> f64 {
        let error = |(x, y): (&f64, &f64)| {
            let right = wanted(*x);
            if *y == right { 0.0 } else { ((y - right) / right).abs() }
        };
        x.iter().zip(found).map(error).fold(0.0, f64::max)
    }

    #[test]
    fn agree_with_libm_everywhere() {
        let exponents: Vec<f64> = (-708_000..709_000).map(|i| f64::from(i) * 1.000_1e-3).collect();
        let found = worst(&exponents, &values(exp, &exponents), libm::exp);
        assert!(found < 3e-16, "exp {found:e}");
        // From the least number to the largest, and closely around 1.
        let wide = (-10_700..10_239).map(|i| libm::exp2(f64::from(i) * 0.1 + 0.03));
        let close = (-400_000..400_000).map(|i| 1.0 + f64::from(i) * 1.234_5e-6);
        let arguments: Vec<f64> = wide.chain(close).filter(|x| *x > 0.0).collect();
        let found = worst(&arguments, &values(log, &arguments), libm::log);
        assert!(found < 3e-16, "log {found:e}");
        let around: Vec<f64> = (0..400_000)
            .map(|i| (f64::from(i % 2) * 2.0 - 1.0) * libm::exp2(-f64::from(i) * 2.5e-3))
            .filter(|x| *x > -1.0)
            .collect();
        let found = worst(&around, &values(log_1p, &around), libm::log1p);
        assert!(found < 5e-16, "log_1p {found:e}");
    }

    #[test]
    fn edges_are_those_of_the_functions() {
        let x = [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -745.0, 709.78, 1000.0];
        let e = values(exp, &x);
        assert_eq!(e[..4], [1.0, 1.0, f64::INFINITY, 0.0]);
        assert!(e[4].is_nan() && e[5] == libm::exp(-745.0) && e[6].is_finite() && e[7] == f64::INFINITY);
        let l = values(log, &[0.0, -0.0, 1.0, f64::INFINITY, -1.0, f64::NAN, f64::NEG_INFINITY, 5e-324]);
        assert_eq!(l[..4], [f64::NEG_INFINITY, f64::NEG_INFINITY, 0.0, f64::INFINITY]);
        assert!(l[4..7].iter().all(|v| v.is_nan()) && (l[7] / libm::log(5e-324) - 1.0).abs() < 3e-16);
        let p = values(log_1p, &[0.0, -1.0, f64::INFINITY, -2.0, f64::NAN, 1e-300, 1e300]);
        assert_eq!(p[..3], [0.0, f64::NEG_INFINITY, f64::INFINITY]);
        assert!(p[3].is_nan() && p[4].is_nan() && p[5] == 1e-300 && (p[6] / libm::log(1e300) - 1.0).abs() < 3e-16);
    }

    #[test]
    fn logistic_tails_are_exact() {
        let x = [-1000.0, -40.0, -1.0, 0.0, 1.0, 40.0, 700.0, f64::NEG_INFINITY, f64::INFINITY];
        let wanted = |x: f64| if x < 0.0 { x - libm::log1p(libm::exp(x)) } else { -libm::log1p(libm::exp(-x)) };
        assert!(worst(&x, &values(log_sigmoid, &x), wanted) < 5e-16);
        assert!(worst(&x, &values(sigmoid, &x), |x| 1.0 / (1.0 + libm::exp(-x))) < 5e-16);
        assert!(log_sigmoid(f64::NAN).is_nan());
    }
}
