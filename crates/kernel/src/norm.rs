//! Batch normalisation (Ioffe & Szegedy 2015, arXiv 1502.03167) and group normalisation (Wu & He 2018, arXiv 1803.08494).
//!
//! x, y `[P, C]` with P the pixels of all images of a batch, channels-last; gamma, beta `[C]`.
//! y = (x - mean) / sqrt(var + 1e-5) gamma + beta, with the biased variance, as PyTorch has it. A ReLU may be joined to batch norm. At these
//! sizes memory is what costs: the backward pass works in place and needs the input alone, from which it computes again which
//! outputs were positive. Sums run over blocks of pixels in f32, four at a time, and are added up with compensation, in an order that no vector width changes.

use pulp::{Simd, WithSimd};

use crate::dispatch::simd;
use crate::vector::{load, store};

/// What is added to a variance before its root is taken.
pub const EPSILON: f64 = 1e-5;

/// Rows whose sums are kept in registers before they join the totals.
const BLOCK: usize = 64;

/// Values of workspace per channel that [`batch_forward`] and [`batch_backward`] need.
pub const WORKSPACE: usize = 9;

/// Means and variances over P, and y = max(0, norm) where `relu`, else the norm.
///
/// `statistics` `[2, C]` receives mean and 1 / sqrt(var + epsilon), which the backward pass reads; `moments` `[2, C]` mean and biased
/// variance, from which running statistics are made.
#[allow(clippy::too_many_arguments, reason = "the operands of one kernel")]
pub fn batch_forward(
    y: &mut [f32],
    x: &[f32],
    (gamma, beta): (&[f32], &[f32]),
    statistics: &mut [f32],
    moments: &mut [f32],
    workspace: &mut [f32],
    relu: bool,
) {
    let channels = gamma.len();
    let (totals, scaled) = workspace[..WORKSPACE * channels].split_at_mut(4 * channels);
    let (shift, scaled) = scaled.split_at_mut(channels);
    let rows = (x.len() / channels) as f64;
    let (mean, scale) = statistics[..2 * channels].split_at_mut(channels);
    // Distances from the mean of the first pixels: a single one may be the only one that is not 0, and squares from there would lose the
    // variance.
    shift.fill(0.0);
    let first = x.len().min(BLOCK * channels);
    for row in x[..first].chunks_exact(channels) {
        shift.iter_mut().zip(row).for_each(|(s, v)| *s += v);
    }
    shift.iter_mut().for_each(|s| *s /= (first / channels) as f32);
    simd(Sums { totals, a: x, b: None, shift, positive: None, channels });
    let (slope, offset) = scaled.split_at_mut(channels);
    for c in 0..channels {
        let [sum, square] =
            [0, 2].map(|k| f64::from(totals[k * channels + c]) + f64::from(totals[(k + 1) * channels + c]));
        let m = sum / rows;
        let v = square / rows - m * m;
        // NaN is not below 0 and stays, so that a diverging model is seen.
        let v = if v < 0.0 { 0.0 } else { v };
        let (m, inverse) = (m + f64::from(shift[c]), 1.0 / (v + EPSILON).sqrt());
        (moments[c], moments[channels + c]) = (m as f32, v as f32);
        (mean[c], scale[c]) = (m as f32, inverse as f32);
    }
    line(slope, offset, (gamma, beta), (mean, scale));
    simd(Affine { y, x, slope, offset, channels, relu });
}

/// The norm as slope x + offset, from the statistics as they are kept: both passes must agree on the sign of every output.
fn line(slope: &mut [f32], offset: &mut [f32], (gamma, beta): (&[f32], &[f32]), (mean, scale): (&[f32], &[f32])) {
    for c in 0..gamma.len() {
        slope[c] = scale[c] * gamma[c];
        offset[c] = beta[c] - mean[c] * slope[c];
    }
}

/// With running statistics instead of the batch's: mean and variance `[C]` each.
pub fn batch_evaluate(
    y: &mut [f32],
    x: &[f32],
    (gamma, beta): (&[f32], &[f32]),
    (mean, variance): (&[f32], &[f32]),
    workspace: &mut [f32],
    relu: bool,
) {
    let channels = gamma.len();
    let (slope, offset) = workspace[..2 * channels].split_at_mut(channels);
    for c in 0..channels {
        slope[c] = (f64::from(gamma[c]) / (f64::from(variance[c]) + EPSILON).sqrt()) as f32;
        offset[c] = beta[c] - mean[c] * slope[c];
    }
    simd(Affine { y, x, slope, offset, channels, relu });
}

/// Turns `dy` into `dx` and writes `dgamma` and `dbeta`; `statistics` are those of the forward pass on the same `x`. Where `relu` was
/// joined and the output was not positive, dy counts as 0.
///
/// With h = (x - mean) scale: dbeta = sum dy, dgamma = sum dy h, dx = gamma scale (dy - dbeta / P - h dgamma / P).
pub fn batch_backward(
    dy: &mut [f32],
    (dgamma, dbeta): (&mut [f32], &mut [f32]),
    x: &[f32],
    (gamma, beta): (&[f32], &[f32]),
    statistics: &[f32],
    workspace: &mut [f32],
    relu: bool,
) {
    let channels = gamma.len();
    let (mean, scale) = statistics[..2 * channels].split_at(channels);
    let rows = (x.len() / channels) as f64;
    let (totals, rest) = workspace.split_at_mut(4 * channels);
    let (slope, rest) = rest.split_at_mut(channels);
    let (offset, rest) = rest.split_at_mut(channels);
    line(slope, offset, (gamma, beta), (mean, scale));
    let positive = relu.then_some((&*slope, &*offset));
    simd(Sums { totals, a: dy, b: Some(x), shift: mean, positive, channels });
    for c in 0..channels {
        let [sum, product] =
            [0, 2].map(|k| f64::from(totals[k * channels + c]) + f64::from(totals[(k + 1) * channels + c]));
        dbeta[c] = sum as f32;
        dgamma[c] = (product * f64::from(scale[c])) as f32;
    }
    let (by_dy, rest) = rest.split_at_mut(channels);
    let (by_x, rest) = rest.split_at_mut(channels);
    let constant = &mut rest[..channels];
    for c in 0..channels {
        // dx = a dy + b x + d, worked out in f64.
        let (a, s) = (f64::from(gamma[c]) * f64::from(scale[c]), f64::from(scale[c]));
        let b = -a * f64::from(dgamma[c]) * s / rows;
        by_dy[c] = a as f32;
        by_x[c] = b as f32;
        constant[c] = (-a * f64::from(dbeta[c]) / rows - b * f64::from(mean[c])) as f32;
    }
    simd(InputGradient { dy, x, positive, by_dy, by_x, constant, channels });
}

/// running <- (1 - momentum) running + momentum (batch's), the variance with P / (P - 1), as PyTorch has it (momentum .1 there).
pub fn track(running: &mut [f32], moments: &[f32], rows: usize, momentum: f32) {
    let channels = moments.len() / 2;
    let unbiased = rows as f32 / (rows as f32 - 1.0).max(1.0);
    for (c, (to, from)) in running.iter_mut().zip(moments).enumerate() {
        let from = if c < channels { *from } else { from * unbiased };
        *to = (1.0 - momentum) * *to + momentum * from;
    }
}

/// Column sums over all rows, high and low parts `[4, C]`: without `b` of d = a - shift and of d^2, with it of a and of a (b - shift).
/// With `positive`, a slope and an offset, a counts as 0 where slope b + offset is not positive.
struct Sums<'a> {
    totals: &'a mut [f32],
    a: &'a [f32],
    b: Option<&'a [f32]>,
    shift: &'a [f32],
    positive: Option<(&'a [f32], &'a [f32])>,
    channels: usize,
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { totals, a, b, shift, positive, channels } = self;
        let rows = a.len() / channels;
        let zero = simd.splat_f32s(0.0);
        totals[..4 * channels].fill(0.0);
        for first in (0..rows).step_by(BLOCK) {
            let last = rows.min(first + BLOCK);
            for channel in (0..channels).step_by(S::F32_LANES) {
                let lanes = S::F32_LANES.min(channels - channel);
                let middle = load(simd, shift, channel, lanes);
                let bend = positive.map(|(slope, offset)| [slope, offset].map(|v| load(simd, v, channel, lanes)));
                let (mut sums, mut products) = ([zero; 4], [zero; 4]);
                let mut row = first;
                while row < last {
                    for k in 0..4.min(last - row) {
                        let at = (row + k) * channels + channel;
                        let mut value = load(simd, a, at, lanes);
                        let Some(b) = b else {
                            let d = simd.sub_f32s(value, middle);
                            sums[k] = simd.add_f32s(sums[k], d);
                            products[k] = simd.add_f32s(products[k], simd.mul_f32s(d, d));
                            continue;
                        };
                        let input = load(simd, b, at, lanes);
                        if let Some([slope, offset]) = bend {
                            let y = simd.add_f32s(simd.mul_f32s(input, slope), offset);
                            value = simd.select_f32s(simd.less_than_f32s(zero, y), value, zero);
                        }
                        let d = simd.sub_f32s(input, middle);
                        sums[k] = simd.add_f32s(sums[k], value);
                        products[k] = simd.add_f32s(products[k], simd.mul_f32s(value, d));
                    }
                    row += 4;
                }
                for (k, four) in [sums, products].into_iter().enumerate() {
                    let s = simd.add_f32s(simd.add_f32s(four[0], four[1]), simd.add_f32s(four[2], four[3]));
                    // Two-sum: what the total loses goes to its low part (Knuth 1969).
                    let (high, low) = (2 * k * channels + channel, (2 * k + 1) * channels + channel);
                    let (total, rest) = (load(simd, totals, high, lanes), load(simd, totals, low, lanes));
                    let t = simd.add_f32s(total, s);
                    let z = simd.sub_f32s(t, total);
                    let lost = simd.add_f32s(simd.sub_f32s(total, simd.sub_f32s(t, z)), simd.sub_f32s(s, z));
                    store(simd, totals, high, lanes, t);
                    store(simd, totals, low, lanes, simd.add_f32s(rest, lost));
                }
            }
        }
    }
}

/// y = slope x + offset, or its positive part.
struct Affine<'a> {
    y: &'a mut [f32],
    x: &'a [f32],
    slope: &'a [f32],
    offset: &'a [f32],
    channels: usize,
    relu: bool,
}

impl WithSimd for Affine<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { y, x, slope, offset, channels, relu } = self;
        let zero = simd.splat_f32s(0.0);
        // Some rows at a time: columns of a whole batch would touch each page many times.
        for (y, x) in y.chunks_mut(BLOCK * channels).zip(x.chunks(BLOCK * channels)) {
            for channel in (0..channels).step_by(S::F32_LANES) {
                let lanes = S::F32_LANES.min(channels - channel);
                let (a, b) = (load(simd, slope, channel, lanes), load(simd, offset, channel, lanes));
                let mut at = channel;
                while at < x.len() {
                    let mut v = simd.add_f32s(simd.mul_f32s(load(simd, x, at, lanes), a), b);
                    if relu {
                        // NaN is not below 0 and stays.
                        v = simd.select_f32s(simd.less_than_f32s(v, zero), zero, v);
                    }
                    store(simd, y, at, lanes, v);
                    at += channels;
                }
            }
        }
    }
}

/// dy = by_dy dy + by_x x + constant, dy masked as in [`Sums`].
struct InputGradient<'a> {
    dy: &'a mut [f32],
    x: &'a [f32],
    positive: Option<(&'a [f32], &'a [f32])>,
    by_dy: &'a [f32],
    by_x: &'a [f32],
    constant: &'a [f32],
    channels: usize,
}

impl WithSimd for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { dy, x, positive, by_dy, by_x, constant, channels } = self;
        let zero = simd.splat_f32s(0.0);
        for (dy, x) in dy.chunks_mut(BLOCK * channels).zip(x.chunks(BLOCK * channels)) {
            for channel in (0..channels).step_by(S::F32_LANES) {
                let lanes = S::F32_LANES.min(channels - channel);
                let [a, b, d] = [by_dy, by_x, constant].map(|v| load(simd, v, channel, lanes));
                let bend = positive.map(|(slope, offset)| [slope, offset].map(|v| load(simd, v, channel, lanes)));
                let mut at = channel;
                while at < x.len() {
                    let (mut g, input) = (load(simd, dy, at, lanes), load(simd, x, at, lanes));
                    if let Some([slope, offset]) = bend {
                        let y = simd.add_f32s(simd.mul_f32s(input, slope), offset);
                        g = simd.select_f32s(simd.less_than_f32s(zero, y), g, zero);
                    }
                    let rest = simd.add_f32s(simd.mul_f32s(input, b), d);
                    store(simd, dy, at, lanes, simd.add_f32s(simd.mul_f32s(g, a), rest));
                    at += channels;
                }
            }
        }
    }
}

/// Group normalisation of `images` images: channels in `groups` of equal size, each normalised over its own channels and pixels.
/// `statistics` `[images, groups, 2]` receives mean and scale.
pub fn group_forward(
    y: &mut [f32],
    x: &[f32],
    (gamma, beta): (&[f32], &[f32]),
    statistics: &mut [f32],
    (images, groups): (usize, usize),
) {
    let (channels, size) = (gamma.len(), x.len() / images);
    let width = channels / groups;
    for image in 0..images {
        let (x, y) = (&x[image * size..][..size], &mut y[image * size..][..size]);
        for group in 0..groups {
            let columns = group * width..(group + 1) * width;
            let values = || x.chunks_exact(channels).flat_map(|row| &row[columns.clone()]).map(|v| f64::from(*v));
            let n = (size / groups) as f64;
            let mean = values().sum::<f64>() / n;
            let scale = 1.0 / (values().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n + EPSILON).sqrt();
            statistics[2 * (image * groups + group)..][..2].copy_from_slice(&[mean as f32, scale as f32]);
            for (y, x) in y.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
                for c in columns.clone() {
                    y[c] = (x[c] - mean as f32) * scale as f32 * gamma[c] + beta[c];
                }
            }
        }
    }
}

/// Writes `dx`, `dgamma` and `dbeta` of [`group_forward`].
pub fn group_backward(
    dx: &mut [f32],
    (dgamma, dbeta): (&mut [f32], &mut [f32]),
    (x, dy): (&[f32], &[f32]),
    gamma: &[f32],
    statistics: &[f32],
    (images, groups): (usize, usize),
) {
    let (channels, size) = (gamma.len(), x.len() / images);
    let width = channels / groups;
    dgamma.fill(0.0);
    dbeta.fill(0.0);
    for image in 0..images {
        let (x, dy) = (&x[image * size..][..size], &dy[image * size..][..size]);
        let dx = &mut dx[image * size..][..size];
        for group in 0..groups {
            let columns = group * width..(group + 1) * width;
            let [mean, scale] = [0, 1].map(|k| statistics[2 * (image * groups + group) + k]);
            let (mut sum, mut product) = (0f64, 0f64);
            for (x, dy) in x.chunks_exact(channels).zip(dy.chunks_exact(channels)) {
                for c in columns.clone() {
                    let h = (x[c] - mean) * scale;
                    dbeta[c] += dy[c];
                    dgamma[c] += dy[c] * h;
                    sum += f64::from(dy[c] * gamma[c]);
                    product += f64::from(dy[c] * gamma[c] * h);
                }
            }
            let n = (size / groups) as f64;
            let (sum, product) = ((sum / n) as f32, (product / n) as f32);
            let rows = dx.chunks_exact_mut(channels).zip(x.chunks_exact(channels)).zip(dy.chunks_exact(channels));
            for ((dx, x), dy) in rows {
                for c in columns.clone() {
                    let h = (x[c] - mean) * scale;
                    dx[c] = scale * (dy[c] * gamma[c] - sum - h * product);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flatleak_stream::{Purpose, Stream};

    /// In f64, value by value, over the rows and channels that share their statistics.
    fn naive(
        x: &[f32],
        dy: &[f32],
        gamma: &[f32],
        beta: &[f32],
        share: impl Fn(usize) -> usize,
        sets: usize,
    ) -> [Vec<f64>; 4] {
        let channels = gamma.len();
        let f = |v: f32| f64::from(v);
        let (mut n, mut mean, mut var) = (vec![0.0; sets], vec![0.0; sets], vec![0.0; sets]);
        (0..x.len()).for_each(|i| (n[share(i)] += 1.0, mean[share(i)] += f(x[i])).0);
        (0..sets).for_each(|s| mean[s] /= n[s]);
        (0..x.len()).for_each(|i| var[share(i)] += (f(x[i]) - mean[share(i)]).powi(2));
        let scale: Vec<f64> = (0..sets).map(|s| 1.0 / (var[s] / n[s] + EPSILON).sqrt()).collect();
        let h = |i: usize| (f(x[i]) - mean[share(i)]) * scale[share(i)];
        let y = (0..x.len()).map(|i| h(i) * f(gamma[i % channels]) + f(beta[i % channels])).collect();
        let (mut dg, mut db) = (vec![0.0; channels], vec![0.0; channels]);
        let (mut a, mut b) = (vec![0.0; sets], vec![0.0; sets]);
        for i in 0..x.len() {
            dg[i % channels] += f(dy[i]) * h(i);
            db[i % channels] += f(dy[i]);
            a[share(i)] += f(dy[i]) * f(gamma[i % channels]);
            b[share(i)] += f(dy[i]) * f(gamma[i % channels]) * h(i);
        }
        let dx = (0..x.len())
            .map(|i| {
                let s = share(i);
                scale[s] * (f(dy[i]) * f(gamma[i % channels]) - a[s] / n[s] - h(i) * b[s] / n[s])
            })
            .collect();
        [y, dx, dg, db]
    }

    fn close(got: &[f32], want: &[f64], what: &str) {
        for (g, w) in got.iter().zip(want) {
            assert!((f64::from(*g) - w).abs() < 2e-5 * (1.0 + w.abs()), "{what}: {g} {w}");
        }
    }

    #[test]
    fn both_norms_agree_with_the_naive_ones() {
        let mut s = Stream::new(9, Purpose::Simulation, 0, 0);
        for (images, pixels, channels, groups) in [(3, 5, 6, 3), (2, 100, 20, 4), (7, 1, 33, 1), (2, 9, 16, 16)] {
            // A large common part shows sums that lose digits.
            let x: Vec<f32> = (0..images * pixels * channels).map(|_| (30.0 + s.normal()) as f32).collect();
            let dy: Vec<f32> = x.iter().map(|_| s.normal() as f32).collect();
            let (gamma, beta): (Vec<f32>, Vec<f32>) =
                (0..channels).map(|_| (s.normal() as f32, s.normal() as f32)).unzip();
            let (mut y, mut dx) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
            let (mut dg, mut db) = (vec![f32::NAN; channels], vec![f32::NAN; channels]);
            let mut work = vec![f32::NAN; WORKSPACE * channels];
            let (mut stats, mut moments) = (vec![f32::NAN; 2 * channels], vec![f32::NAN; 2 * channels]);
            batch_forward(&mut y, &x, (&gamma, &beta), &mut stats, &mut moments, &mut work, false);
            dx.copy_from_slice(&dy);
            batch_backward(&mut dx, (&mut dg, &mut db), &x, (&gamma, &beta), &stats, &mut work, false);
            let [wy, wdx, wdg, wdb] = naive(&x, &dy, &gamma, &beta, |i| i % channels, channels);
            close(&y, &wy, "batch y");
            close(&dx, &wdx, "batch dx");
            close(&dg, &wdg, "dgamma");
            close(&db, &wdb, "dbeta");
            let (mean, variance) = moments.split_at(channels);
            batch_evaluate(&mut dx, &x, (&gamma, &beta), (mean, variance), &mut work, false);
            close(&dx, &wy, "evaluation with the batch's own statistics");
            // With a ReLU: the same as one behind the norm.
            let (mut joined, mut behind) = (vec![f32::NAN; x.len()], y.clone());
            batch_forward(&mut joined, &x, (&gamma, &beta), &mut stats, &mut moments, &mut work, true);
            crate::activation::relu_forward(&mut behind);
            assert_eq!(joined, behind);
            let mut masked = dy.clone();
            crate::activation::relu_backward(&mut masked, &behind);
            dx.copy_from_slice(&dy);
            batch_backward(&mut dx, (&mut dg, &mut db), &x, (&gamma, &beta), &stats, &mut work, true);
            let (mut dg2, mut db2) = (dg.clone(), db.clone());
            batch_backward(&mut masked, (&mut dg2, &mut db2), &x, (&gamma, &beta), &stats, &mut work, false);
            assert_eq!((&dx, &dg, &db), (&masked, &dg2, &db2));

            let mut stats = vec![f32::NAN; 2 * images * groups];
            group_forward(&mut y, &x, (&gamma, &beta), &mut stats, (images, groups));
            group_backward(&mut dx, (&mut dg, &mut db), (&x, &dy), &gamma, &stats, (images, groups));
            let share = |i: usize| i / (pixels * channels) * groups + i % channels / (channels / groups);
            let [wy, wdx, wdg, wdb] = naive(&x, &dy, &gamma, &beta, share, images * groups);
            close(&y, &wy, "group y");
            close(&dx, &wdx, "group dx");
            close(&dg, &wdg, "group dgamma");
            close(&db, &wdb, "group dbeta");
        }
    }

    #[test]
    fn sparse_channels_keep_their_variance_and_nan_is_seen() {
        // One value at the very first pixel, nothing elsewhere: variance v^2 / P (1 - 1 / P).
        let rows = 1 << 17;
        let mut x = vec![0f32; rows];
        (x[0], x[70]) = (1.7, 0.0);
        let (mut y, mut stats, mut moments, mut work) = (vec![0.0; rows], [0.0; 2], [0.0; 2], [0.0; WORKSPACE]);
        batch_forward(&mut y, &x, (&[1.0], &[0.0]), &mut stats, &mut moments, &mut work, false);
        let wanted = 1.7f64 * 1.7 / rows as f64;
        assert!((f64::from(moments[1]) / wanted - 1.0).abs() < 1e-3, "{} {wanted}", moments[1]);
        x[9] = f32::MAX;
        x[10] = -f32::MAX;
        batch_forward(&mut y, &x, (&[1.0], &[0.0]), &mut stats, &mut moments, &mut work, false);
        assert!(!y[5].is_finite() || !moments[1].is_finite(), "{} {}", y[5], moments[1]);
    }

    #[test]
    fn running_statistics_by_hand() {
        let mut running = [1.0, 2.0];
        track(&mut running, &[3.0, 4.0], 5, 0.5);
        assert_eq!(running, [2.0, 0.5 * 2.0 + 0.5 * 4.0 * 1.25]);
    }
}
