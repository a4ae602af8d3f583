//! Batch normalisation (Ioffe & Szegedy 2015, arXiv 1502.03167) and group normalisation (Wu & He 2018, arXiv 1803.08494).
//!
//! x, y `[P, C]` with P the pixels of all images of a batch, channels-last; gamma, beta `[C]`.
//! y = (x - mean) / sqrt(var + 1e-5) gamma + beta, with the biased variance, as PyTorch has it. The backward passes need the input,
//! not the output. Sums run over pixels in blocks whose f32 sums are added up in f64.

use pulp::NullaryFnOnce;

use crate::dispatch::dispatch;

/// What is added to a variance before its root is taken.
pub const EPSILON: f64 = 1e-5;

/// Rows whose sums are kept in f32 before they join the f64 totals.
const BLOCK: usize = 64;

/// Values of workspace per channel that [`batch_forward`] and [`batch_backward`] need.
pub const WORKSPACE: usize = 6;

/// Means and variances over P, and the scale and shift that they amount to.
///
/// `statistics` `[2, C]` receives mean and 1 / sqrt(var + epsilon), which the backward pass reads; `moments` `[2, C]` mean and biased
/// variance, from which running statistics are made.
pub fn batch_forward(
    y: &mut [f32],
    x: &[f32],
    (gamma, beta): (&[f32], &[f32]),
    statistics: &mut [f32],
    moments: &mut [f32],
    workspace: &mut [f32],
) {
    let channels = gamma.len();
    let (block, scaled) = workspace[..WORKSPACE * channels].split_at_mut(4 * channels);
    let rows = (x.len() / channels) as f64;
    let (mean, scale) = statistics[..2 * channels].split_at_mut(channels);
    let (moment, variance) = moments[..2 * channels].split_at_mut(channels);
    // Two passes: a variance from sums of squares would lose what is left of a large mean.
    dispatch(ColumnSums { out: mean, block, a: x, b: None, shift: None, channels });
    mean.iter_mut().zip(moment.iter_mut()).for_each(|(m, to)| {
        *m = (f64::from(*m) / rows) as f32;
        *to = *m;
    });
    dispatch(ColumnSums { out: variance, block, a: x, b: None, shift: Some(mean), channels });
    let (slope, offset) = scaled[..2 * channels].split_at_mut(channels);
    for c in 0..channels {
        let v = f64::from(variance[c]) / rows;
        variance[c] = v as f32;
        scale[c] = (1.0 / (v + EPSILON).sqrt()) as f32;
        slope[c] = scale[c] * gamma[c];
        offset[c] = beta[c] - mean[c] * slope[c];
    }
    dispatch(Affine { y, x, slope, offset, channels });
}

/// With running statistics instead of the batch's: mean and variance `[C]` each.
pub fn batch_evaluate(
    y: &mut [f32],
    x: &[f32],
    (gamma, beta): (&[f32], &[f32]),
    (mean, variance): (&[f32], &[f32]),
    workspace: &mut [f32],
) {
    let channels = gamma.len();
    let (slope, offset) = workspace[..2 * channels].split_at_mut(channels);
    for c in 0..channels {
        slope[c] = (f64::from(gamma[c]) / (f64::from(variance[c]) + EPSILON).sqrt()) as f32;
        offset[c] = beta[c] - mean[c] * slope[c];
    }
    dispatch(Affine { y, x, slope, offset, channels });
}

/// Writes `dx`, `dgamma` and `dbeta`; `statistics` are those of the forward pass on the same `x`.
///
/// With h = (x - mean) scale: dbeta = sum dy, dgamma = sum dy h, dx = gamma scale (dy - dbeta / P - h dgamma / P).
pub fn batch_backward(
    dx: &mut [f32],
    (dgamma, dbeta): (&mut [f32], &mut [f32]),
    (x, dy): (&[f32], &[f32]),
    gamma: &[f32],
    statistics: &[f32],
    workspace: &mut [f32],
) {
    let channels = gamma.len();
    let (block, scaled) = workspace[..WORKSPACE * channels].split_at_mut(3 * channels);
    let rows = (x.len() / channels) as f64;
    let (mean, scale) = statistics[..2 * channels].split_at(channels);
    dispatch(ColumnSums { out: dbeta, block, a: dy, b: None, shift: None, channels });
    dispatch(ColumnSums { out: dgamma, block, a: dy, b: Some((x, mean)), shift: None, channels });
    let (slope, rest) = scaled.split_at_mut(channels);
    let (by_x, offset) = rest.split_at_mut(channels);
    for c in 0..channels {
        dgamma[c] *= scale[c];
        // dx = a dy + b x + d, worked out in f64.
        let (a, s) = (f64::from(gamma[c]) * f64::from(scale[c]), f64::from(scale[c]));
        let b = -a * f64::from(dgamma[c]) * s / rows;
        slope[c] = a as f32;
        by_x[c] = b as f32;
        offset[c] = (-a * f64::from(dbeta[c]) / rows - b * f64::from(mean[c])) as f32;
    }
    dispatch(InputGradient { dx, x, dy, slope, by_x, offset, channels });
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

/// `out[c]` = sum over rows of a, of (a - shift)^2, or of a (b - mean).
struct ColumnSums<'a> {
    out: &'a mut [f32],
    /// Two values per channel: a block's f32 sums and, in the bits of the others, nothing else.
    block: &'a mut [f32],
    a: &'a [f32],
    b: Option<(&'a [f32], &'a [f32])>,
    shift: Option<&'a [f32]>,
    channels: usize,
}

impl NullaryFnOnce for ColumnSums<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { out, block, a, b, shift, channels } = self;
        // High and low halves of a total: their sum carries what f64 would.
        let (sums, rest) = block.split_at_mut(channels);
        let (low, _) = rest.split_at_mut(channels);
        out.fill(0.0);
        low.fill(0.0);
        for (n, a) in a.chunks(BLOCK * channels).enumerate() {
            sums.fill(0.0);
            match (b, shift) {
                (Some((b, mean)), _) => {
                    let b = &b[n * BLOCK * channels..][..a.len()];
                    for (a, b) in a.chunks_exact(channels).zip(b.chunks_exact(channels)) {
                        for (((s, a), b), m) in sums.iter_mut().zip(a).zip(b).zip(mean) {
                            *s += a * (b - m);
                        }
                    }
                }
                (None, Some(shift)) => {
                    for a in a.chunks_exact(channels) {
                        for ((s, a), m) in sums.iter_mut().zip(a).zip(shift) {
                            let d = a - m;
                            *s += d * d;
                        }
                    }
                }
                (None, None) => {
                    for a in a.chunks_exact(channels) {
                        for (s, a) in sums.iter_mut().zip(a) {
                            *s += a;
                        }
                    }
                }
            }
            // Compensated (Neumaier 1974) in its branchless form, two-sum.
            for ((total, low), s) in out.iter_mut().zip(low.iter_mut()).zip(sums.iter()) {
                let t = *total + s;
                let z = t - *total;
                *low += (*total - (t - z)) + (s - z);
                *total = t;
            }
        }
        out.iter_mut().zip(low).for_each(|(total, low)| *total += *low);
    }
}

/// y = slope x + offset.
struct Affine<'a> {
    y: &'a mut [f32],
    x: &'a [f32],
    slope: &'a [f32],
    offset: &'a [f32],
    channels: usize,
}

impl NullaryFnOnce for Affine<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (y, x) in self.y.chunks_exact_mut(self.channels).zip(self.x.chunks_exact(self.channels)) {
            for (((y, x), a), b) in y.iter_mut().zip(x).zip(self.slope).zip(self.offset) {
                *y = x * a + b;
            }
        }
    }
}

/// dx = slope dy + by_x x + offset.
struct InputGradient<'a> {
    dx: &'a mut [f32],
    x: &'a [f32],
    dy: &'a [f32],
    slope: &'a [f32],
    by_x: &'a [f32],
    offset: &'a [f32],
    channels: usize,
}

impl NullaryFnOnce for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let c = self.channels;
        let rows = self.dx.chunks_exact_mut(c).zip(self.x.chunks_exact(c)).zip(self.dy.chunks_exact(c));
        for ((dx, x), dy) in rows {
            let constants = self.slope.iter().zip(self.by_x).zip(self.offset);
            for (((dx, x), dy), ((a, b), d)) in dx.iter_mut().zip(x).zip(dy).zip(constants) {
                *dx = a * dy + (b * x + d);
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
            batch_forward(&mut y, &x, (&gamma, &beta), &mut stats, &mut moments, &mut work);
            batch_backward(&mut dx, (&mut dg, &mut db), (&x, &dy), &gamma, &stats, &mut work);
            let [wy, wdx, wdg, wdb] = naive(&x, &dy, &gamma, &beta, |i| i % channels, channels);
            close(&y, &wy, "batch y");
            close(&dx, &wdx, "batch dx");
            close(&dg, &wdg, "dgamma");
            close(&db, &wdb, "dbeta");
            let (mean, variance) = moments.split_at(channels);
            batch_evaluate(&mut dx, &x, (&gamma, &beta), (mean, variance), &mut work);
            close(&dx, &wy, "evaluation with the batch's own statistics");

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
    fn running_statistics_by_hand() {
        let mut running = [1.0, 2.0];
        track(&mut running, &[3.0, 4.0], 5, 0.5);
        assert_eq!(running, [2.0, 0.5 * 2.0 + 0.5 * 4.0 * 1.25]);
    }
}
