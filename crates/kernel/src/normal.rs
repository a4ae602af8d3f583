//! Normal noise from random bits, with the same bits on every machine.

use std::f32::consts::{FRAC_PI_2, LN_2};

use crate::dispatch::dispatch;

/// `to += scale z`, z independent standard normal numbers by Box and Muller's transform, in f32: value i of the first half takes its radius
/// from word i and its angle from word i of the second half of `bits`, its partner in the second half of `to` the same. Numbers beyond
/// 6.8 do not occur, where one in 10^11 would.
///
/// Panics where there are fewer words than values, an odd number of values rounded up.
pub fn add(to: &mut [f32], scale: f32, bits: &[u32]) {
    let (n, half) = (to.len(), to.len().div_ceil(2));
    let (radii, angles) = bits[..2 * half].split_at(half);
    dispatch(
        #[inline(always)]
        || {
            let (first, second) = to.split_at_mut(half);
            let pairs = n - half;
            for (((a, b), r), t) in first[..pairs].iter_mut().zip(second).zip(radii).zip(angles) {
                let (x, y) = pair(*r, *t);
                *a += scale * x;
                *b += scale * y;
            }
            if pairs < half {
                first[pairs] += scale * pair(radii[pairs], angles[pairs]).0;
            }
        },
    );
}

/// Two independent standard normal numbers.
#[inline(always)]
fn pair(radius: u32, angle: u32) -> (f32, f32) {
    // The middle of one of 2^32 intervals, so that 0 does not occur.
    let u = (radius as f32 + 0.5) * (1.0 / 4_294_967_296.0);
    let r = (-2.0 * ln(u)).sqrt();
    // The nearest quarter turn, and the rest of at most an eighth.
    let quarter = angle.wrapping_add(1 << 29) >> 30;
    let rest = angle.wrapping_sub(quarter << 30) as i32;
    let x = rest as f32 * (FRAC_PI_2 / 1_073_741_824.0);
    let (sin, cos) = (sin(x), cos(x));
    let (c, s) = if quarter & 1 == 0 { (cos, sin) } else { (-sin, cos) };
    let sign = if quarter & 2 == 0 { r } else { -r };
    (sign * c, sign * s)
}

/// ln x for x in (0, 1], to 2e-7 of its value: x = 2^e m with m between the roots of 1/2 and 2, ln m = 2 artanh((m - 1) / (m + 1)) by its series.
#[inline(always)]
fn ln(x: f32) -> f32 {
    const ROOT: i32 = 0x3f35_04f3;
    let shifted = x.to_bits() as i32 - ROOT;
    let (e, m) = (shifted >> 23, f32::from_bits(((shifted & 0x007f_ffff) + ROOT) as u32));
    let s = (m - 1.0) / (m + 1.0);
    let q = s * s;
    let series = q * (2.0 / 3.0 + q * (2.0 / 5.0 + q * (2.0 / 7.0 + q * (2.0 / 9.0))));
    e as f32 * LN_2 + (2.0 * s + s * series)
}

/// sin x for |x| <= pi / 4, by its Taylor polynomial of degree 9.
#[inline(always)]
fn sin(x: f32) -> f32 {
    let q = x * x;
    x + x * q * (-1.0 / 6.0 + q * (1.0 / 120.0 + q * (-1.0 / 5040.0 + q * (1.0 / 362_880.0))))
}

/// cos x likewise, of degree 10.
#[inline(always)]
fn cos(x: f32) -> f32 {
    let q = x * x;
    1.0 + q * (-0.5 + q * (1.0 / 24.0 + q * (-1.0 / 720.0 + q * (1.0 / 40320.0 - q * (1.0 / 3_628_800.0)))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flatleak_stream::{Purpose, Stream};

    fn words(n: usize) -> Vec<u32> {
        let mut bits = vec![0; n];
        Stream::new(5, Purpose::Simulation, 0, 0).fill(&mut bits);
        bits
    }

    #[test]
    fn agrees_with_the_transform_in_double_precision() {
        let mut bits = words(200_000);
        // The ends of both ranges, and the borders of quarters.
        bits[..6].copy_from_slice(&[0, u32::MAX, 1, 1 << 31, 7, u32::MAX - 1]);
        bits[100_000..100_006].copy_from_slice(&[0, 1 << 29, (1 << 29) - 1, 3 << 29, u32::MAX, 7 << 29]);
        let mut z = vec![0.0; 200_000];
        add(&mut z, 1.0, &bits);
        for i in 0..100_000 {
            let u = (f64::from(bits[i]) + 0.5) / 4_294_967_296.0;
            let radius = (-2.0 * u.ln()).sqrt();
            let angle = std::f64::consts::TAU * f64::from(bits[100_000 + i]) / 4_294_967_296.0;
            // Near 1 the radius is as coarse as f32: 3.4e-4 at most.
            let allowed = if u > 0.999 { 4e-4 } else { 2e-6 };
            for (found, wanted) in [(z[i], radius * angle.cos()), (z[100_000 + i], radius * angle.sin())] {
                assert!((f64::from(found) - wanted).abs() < allowed, "{i}: {found}, not {wanted}");
            }
        }
    }

    #[test]
    fn follows_the_normal_distribution_and_does_not_move() {
        let n = 400_001;
        let mut z = vec![0.0f32; n];
        add(&mut z, 1.0, &words(n + 1));
        assert_eq!(format!("{:?}", &z[..3]), GOLDEN);
        z.sort_by(f32::total_cmp);
        let cdf = |v: f32| 0.5 * libm::erfc(-f64::from(v) / std::f64::consts::SQRT_2);
        let gap = z.iter().enumerate().map(|(i, v)| (cdf(*v) - (i as f64 + 0.5) / n as f64).abs()).fold(0.0, f64::max);
        // Kolmogorov's bound at 1 in 1,000.
        assert!(gap < 1.95 / (n as f64).sqrt(), "{gap}");
        let kurtosis = z.iter().map(|v| f64::from(*v).powi(4)).sum::<f64>() / n as f64;
        assert!((kurtosis - 3.0).abs() < 0.06, "{kurtosis}");
    }
    const GOLDEN: &str = "[0.4494054, 0.51529694, -0.70025045]";

    #[test]
    fn halves_are_independent_and_noise_is_added() {
        let mut z = vec![1.0f32; 100_000];
        add(&mut z, 2.0, &words(100_000));
        let (a, b) = z.split_at(50_000);
        let product: f64 = a.iter().zip(b).map(|(a, b)| f64::from((a - 1.0) * (b - 1.0))).sum::<f64>() / 50_000.0;
        let mean = z.iter().map(|v| f64::from(*v)).sum::<f64>() / 1e5;
        assert!(product.abs() < 4.0 * 3.3 / 50_000f64.sqrt() && (mean - 1.0).abs() < 0.02, "{product} {mean}");
    }
}
