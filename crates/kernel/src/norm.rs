//! Batch normalisation (Ioffe & Szegedy 2015, arXiv 1502.03167) and group normalisation (Wu & He 2018, arXiv 1803.08494).
//!
//! x, y `[P, C]` with P the pixels of all images of a batch, channels-last; gamma, beta `[C]`.
//! y = (x - mean) / sqrt(var + 1e-5) gamma + beta, with the biased variance, as PyTorch has it. A ReLU may be joined to batch norm. At these
//! sizes memory is what costs: the backward pass works in place and needs the input alone, from which it computes again which
//! outputs were positive. Sums run over blocks of pixels in f32, four at a time, and are added up with compensation, in an order that no vector width changes.

use pulp::{Simd, WithSimd};

use crate::Buffer;
use crate::dispatch::simd;
use crate::vector::{load, store};

/// What is added to a variance before its root is taken.
pub const EPSILON: f64 = 1e-5;

/// Rows whose sums are kept in registers before they join the totals.
const BLOCK: usize = 64;

/// A norm whose statistics are known, for readers that apply it as they read: slope x + offset by channel, or its positive part.
#[derive(Clone, Copy, Debug)]
pub struct Bend<'a> {
    slope: &'a [f32],
    offset: &'a [f32],
    relu: bool,
}

/// An operand, normalised as it is read where there is a norm.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    /// Channels last.
    pub values: &'a [f32],
    /// The norm.
    pub bend: Option<Bend<'a>>,
}

impl<'a> From<&'a [f32]> for Operand<'a> {
    fn from(values: &'a [f32]) -> Self {
        Self { values, bend: None }
    }
}

impl<'a> Operand<'a> {
    /// The same operand on some of its values.
    pub(crate) fn part(self, values: &'a [f32]) -> Self {
        Self { values, ..self }
    }

    /// Some channels of the pixel that starts at `pixel`.
    #[inline(always)]
    pub(crate) fn vector<S: Simd>(self, simd: S, pixel: usize, channel: usize, lanes: usize) -> S::f32s {
        let v = load(simd, self.values, pixel + channel, lanes);
        match self.bend {
            Some(bend) => bend.vector(simd, v, channel, lanes),
            None => v,
        }
    }
}

impl Bend<'_> {
    /// Writes `y` from whole pixels of `x`.
    pub(crate) fn apply(self, y: &mut [f32], x: &[f32]) {
        let Self { slope, offset, relu } = self;
        simd(Affine { y, x, slope, offset, channels: slope.len(), relu });
    }

    /// Some channels of a pixel.
    #[inline(always)]
    pub(crate) fn vector<S: Simd>(self, simd: S, x: S::f32s, channel: usize, lanes: usize) -> S::f32s {
        let (a, b) = (load(simd, self.slope, channel, lanes), load(simd, self.offset, channel, lanes));
        let v = simd.add_f32s(simd.mul_f32s(x, a), b);
        let zero = simd.splat_f32s(0.0);
        // NaN is not below 0 and stays.
        if self.relu { simd.select_f32s(simd.less_than_f32s(v, zero), zero, v) } else { v }
    }
}

/// `y = a + b`, or its positive part; NaN stays NaN.
pub fn sum(y: &mut [f32], a: Operand<'_>, b: Operand<'_>, relu: bool) {
    let channels = a.bend.or(b.bend).map_or(64.min(y.len()), |bend| bend.slope.len());
    simd(Addition { y, a, b, relu, channels });
}

struct Addition<'a> {
    y: &'a mut [f32],
    a: Operand<'a>,
    b: Operand<'a>,
    relu: bool,
    channels: usize,
}

impl WithSimd for Addition<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { y, a, b, relu, channels } = self;
        let (zero, n) = (simd.splat_f32s(0.0), y.len());
        let mut first = 0;
        while first < n {
            let mut channel = 0;
            while channel < channels.min(n - first) {
                let lanes = S::F32_LANES.min(channels - channel).min(n - first - channel);
                let left = a.vector(simd, first, channel, lanes);
                let mut v = simd.add_f32s(left, b.vector(simd, first, channel, lanes));
                if relu {
                    v = simd.select_f32s(simd.less_than_f32s(v, zero), zero, v);
                }
                store(simd, y, first + channel, lanes, v);
                channel += S::F32_LANES;
            }
            first += channels;
        }
    }
}

/// What the batch norm of one layer keeps of a batch. The batch may come in parts: first all are summed, then, with the statistics known, all
/// are normalised, and the same way back.
#[derive(Debug, Default)]
pub struct BatchNorm {
    channels: usize,
    rows: usize,
    mean: Buffer,
    /// Biased.
    variance: Buffer,
    /// 1 / sqrt(variance + epsilon).
    scale: Buffer,
    /// The norm as slope x + offset.
    slope: Buffer,
    offset: Buffer,
    /// The input's gradient as by_dy dy + by_x x + constant.
    by_dy: Buffer,
    by_x: Buffer,
    constant: Buffer,
    /// Column sums, high and low parts, `[4, C]`.
    totals: Buffer,
}

impl BatchNorm {
    /// For so many channels, before any batch.
    pub fn new(channels: usize) -> Self {
        let buffer = || Buffer::new(channels);
        Self {
            channels,
            rows: 0,
            mean: buffer(),
            variance: buffer(),
            scale: buffer(),
            slope: buffer(),
            offset: buffer(),
            by_dy: buffer(),
            by_x: buffer(),
            constant: buffer(),
            totals: Buffer::new(4 * channels),
        }
    }

    /// Bytes that it keeps.
    pub fn bytes(&self) -> usize {
        4 * 12 * self.channels
    }

    /// Adds a part of a batch to the sums; `first` begins a batch.
    pub fn sum(&mut self, x: &[f32], first: bool) {
        let Self { channels, rows, mean, totals, .. } = self;
        let channels = *channels;
        if first {
            *rows = 0;
            totals.fill(0.0);
            // Distances from the mean of the first pixels: a single one may be the only one that is not 0, and squares from there would
            // lose the variance.
            mean.fill(0.0);
            let some = x.len().min(BLOCK * channels);
            for row in x[..some].chunks_exact(channels) {
                mean.iter_mut().zip(row).for_each(|(s, v)| *s += v);
            }
            mean.iter_mut().for_each(|s| *s /= (some / channels) as f32);
        }
        *rows += x.len() / channels;
        simd(Sums { totals, a: x, b: None, shift: mean, positive: None, channels });
    }

    /// Makes the statistics of the batch that was summed.
    pub fn finish(&mut self, gamma: &[f32], beta: &[f32]) {
        let rows = self.rows as f64;
        for c in 0..self.channels {
            let [sum, square] = self.total(c);
            let shifted = sum / rows;
            let v = square / rows - shifted * shifted;
            // NaN is not below 0 and stays, so that a diverging model is seen.
            let v = if v < 0.0 { 0.0 } else { v };
            self.mean[c] = (shifted + f64::from(self.mean[c])) as f32;
            self.variance[c] = v as f32;
            self.scale[c] = (1.0 / (v + EPSILON).sqrt()) as f32;
            self.slope[c] = self.scale[c] * gamma[c];
            self.offset[c] = beta[c] - self.mean[c] * self.slope[c];
        }
    }

    /// Takes running statistics, `[C]` each, instead of a batch's.
    pub fn take(&mut self, (mean, variance): (&[f32], &[f32]), (gamma, beta): (&[f32], &[f32])) {
        for c in 0..self.channels {
            self.slope[c] = (f64::from(gamma[c]) / (f64::from(variance[c]) + EPSILON).sqrt()) as f32;
            self.offset[c] = beta[c] - mean[c] * self.slope[c];
        }
    }

    /// Sum and second sum of a channel.
    fn total(&self, c: usize) -> [f64; 2] {
        let at = |k: usize| f64::from(self.totals[k * self.channels + c]);
        [at(0) + at(1), at(2) + at(3)]
    }

    /// The norm, for readers that apply it themselves.
    pub fn bend(&self, relu: bool) -> Bend<'_> {
        Bend { slope: &self.slope, offset: &self.offset, relu }
    }

    /// Writes a part of y = max(0, norm) where `relu`, else the norm.
    pub fn apply(&self, y: &mut [f32], x: &[f32], relu: bool) {
        self.bend(relu).apply(y, x);
    }

    /// Where a ReLU is joined, what says which outputs were positive: the same arithmetic as in the forward pass.
    fn positive(&self, relu: bool) -> Option<(&[f32], &[f32])> {
        relu.then_some((&*self.slope, &*self.offset))
    }

    /// Adds a part of a batch to the sums of the gradient; `first` begins a batch. Where `relu` was joined and the output was not positive,
    /// dy counts as 0.
    pub fn sum_gradient(&mut self, dy: &[f32], x: &[f32], relu: bool, first: bool) {
        let mut totals = std::mem::take(&mut self.totals);
        if first {
            totals.fill(0.0);
        }
        let positive = self.positive(relu);
        simd(Sums { totals: &mut totals, a: dy, b: Some(x), shift: &self.mean, positive, channels: self.channels });
        self.totals = totals;
    }

    /// Writes `dgamma` and `dbeta` of the batch that was summed.
    ///
    /// With h = (x - mean) scale: dbeta = sum dy, dgamma = sum dy h, dx = gamma scale (dy - dbeta / P - h dgamma / P).
    pub fn finish_gradient(&mut self, (dgamma, dbeta): (&mut [f32], &mut [f32]), gamma: &[f32]) {
        let rows = self.rows as f64;
        for c in 0..self.channels {
            let [sum, product] = self.total(c);
            let scale = f64::from(self.scale[c]);
            dbeta[c] = sum as f32;
            dgamma[c] = (product * scale) as f32;
            // dx = a dy + b x + d, worked out in f64.
            let a = f64::from(gamma[c]) * scale;
            let b = -a * f64::from(dgamma[c]) * scale / rows;
            self.by_dy[c] = a as f32;
            self.by_x[c] = b as f32;
            self.constant[c] = (-a * f64::from(dbeta[c]) / rows - b * f64::from(self.mean[c])) as f32;
        }
    }

    /// Writes a part of dx.
    pub fn apply_gradient(&self, dx: &mut [f32], dy: &[f32], x: &[f32], relu: bool) {
        let [by_dy, by_x, constant] = [&*self.by_dy, &*self.by_x, &*self.constant];
        let positive = self.positive(relu);
        simd(InputGradient { dx, dy: Some(dy), x, positive, by_dy, by_x, constant, channels: self.channels });
    }

    /// Turns a part of dy into dx.
    pub fn apply_gradient_in_place(&self, dy: &mut [f32], x: &[f32], relu: bool) {
        let [by_dy, by_x, constant] = [&*self.by_dy, &*self.by_x, &*self.constant];
        let positive = self.positive(relu);
        simd(InputGradient { dx: dy, dy: None, x, positive, by_dy, by_x, constant, channels: self.channels });
    }

    /// running <- (1 - momentum) running + momentum (batch's), the variance with P / (P - 1), as PyTorch has it (momentum .1 there);
    /// running mean and variance lie behind each other.
    pub fn track(&self, running: &mut [f32], momentum: f32) {
        let unbiased = self.rows as f32 / (self.rows as f32 - 1.0).max(1.0);
        let (mean, variance) = running.split_at_mut(self.channels);
        let follow = |to: &mut f32, from: f32| *to = (1.0 - momentum) * *to + momentum * from;
        mean.iter_mut().zip(self.mean.iter()).for_each(|(to, m)| follow(to, *m));
        variance.iter_mut().zip(self.variance.iter()).for_each(|(to, v)| follow(to, v * unbiased));
    }
}

/// Adds column sums over all rows, high and low parts `[4, C]`: without `b` of d = a - shift and of d^2, with it of a and of a (b - shift).
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
        for first in (0..rows).step_by(BLOCK) {
            let last = rows.min(first + BLOCK);
            for channel in (0..channels).step_by(S::F32_LANES) {
                let lanes = S::F32_LANES.min(channels - channel);
                let middle = load(simd, shift, channel, lanes);
                let (slope, offset) = match positive {
                    Some((slope, offset)) => (load(simd, slope, channel, lanes), load(simd, offset, channel, lanes)),
                    None => (zero, zero),
                };
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
                        if positive.is_some() {
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

/// dx = by_dy dy + by_x x + constant, dy masked as in [`Sums`]; without dy it is what dx holds.
struct InputGradient<'a> {
    dx: &'a mut [f32],
    dy: Option<&'a [f32]>,
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
        let Self { dx, dy, x, positive, by_dy, by_x, constant, channels } = self;
        let zero = simd.splat_f32s(0.0);
        let block = BLOCK * channels;
        for (k, (dx, x)) in dx.chunks_mut(block).zip(x.chunks(block)).enumerate() {
            let dy = dy.map(|dy| &dy[k * block..][..x.len()]);
            for channel in (0..channels).step_by(S::F32_LANES) {
                let lanes = S::F32_LANES.min(channels - channel);
                let (a, b) = (load(simd, by_dy, channel, lanes), load(simd, by_x, channel, lanes));
                let d = load(simd, constant, channel, lanes);
                let (slope, offset) = match positive {
                    Some((slope, offset)) => (load(simd, slope, channel, lanes), load(simd, offset, channel, lanes)),
                    None => (zero, zero),
                };
                let mut at = channel;
                while at < x.len() {
                    let (mut g, input) = (load(simd, dy.unwrap_or(dx), at, lanes), load(simd, x, at, lanes));
                    if positive.is_some() {
                        let y = simd.add_f32s(simd.mul_f32s(input, slope), offset);
                        g = simd.select_f32s(simd.less_than_f32s(zero, y), g, zero);
                    }
                    let rest = simd.add_f32s(simd.mul_f32s(input, b), d);
                    store(simd, dx, at, lanes, simd.add_f32s(simd.mul_f32s(g, a), rest));
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
            let mut norm = BatchNorm::new(channels);
            // The batch in two parts, the first with the odd pixel.
            let cut = x.len() / channels / 2 * channels + channels;
            norm.sum(&x[..cut], true);
            norm.sum(&x[cut..], false);
            norm.finish(&gamma, &beta);
            norm.apply(&mut y[..cut], &x[..cut], false);
            norm.apply(&mut y[cut..], &x[cut..], false);
            norm.sum_gradient(&dy[..cut], &x[..cut], false, true);
            norm.sum_gradient(&dy[cut..], &x[cut..], false, false);
            norm.finish_gradient((&mut dg, &mut db), &gamma);
            norm.apply_gradient(&mut dx, &dy, &x, false);
            let [wy, wdx, wdg, wdb] = naive(&x, &dy, &gamma, &beta, |i| i % channels, channels);
            close(&y, &wy, "batch y");
            close(&dx, &wdx, "batch dx");
            close(&dg, &wdg, "dgamma");
            close(&db, &wdb, "dbeta");
            let mut in_place = dy.clone();
            norm.apply_gradient_in_place(&mut in_place, &x, false);
            assert_eq!(in_place, dx);
            // With a ReLU: the same as one behind the norm.
            let (mut joined, mut behind) = (vec![f32::NAN; x.len()], y.clone());
            norm.apply(&mut joined, &x, true);
            // Readers that apply it themselves see the same bits.
            let mut total = vec![f32::NAN; x.len()];
            let bent = Operand { values: &x, bend: Some(norm.bend(true)) };
            sum(&mut total, bent, Operand::from(&*dy), false);
            assert!(total.iter().zip(&joined).zip(&dy).all(|((t, j), d)| *t == j + d));
            sum(&mut total, Operand::from(&*dy), bent, true);
            assert!(total.iter().zip(&joined).zip(&dy).all(|((t, j), d)| *t == (d + j).max(0.0)));
            crate::activation::relu_forward(&mut behind);
            assert_eq!(joined, behind);
            let mut masked = dy.clone();
            crate::activation::relu_backward(&mut masked, &behind);
            norm.sum_gradient(&dy, &x, true, true);
            norm.finish_gradient((&mut dg, &mut db), &gamma);
            norm.apply_gradient(&mut dx, &dy, &x, true);
            let (mut dg2, mut db2) = (dg.clone(), db.clone());
            norm.sum_gradient(&masked, &x, false, true);
            norm.finish_gradient((&mut dg2, &mut db2), &gamma);
            norm.apply_gradient_in_place(&mut masked, &x, false);
            assert_eq!((&dx, &dg, &db), (&masked, &dg2, &db2));
            let (mean, variance) = (norm.mean.to_vec(), norm.variance.to_vec());
            norm.take((&mean, &variance), (&gamma, &beta));
            norm.apply(&mut dx, &x, false);
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
    fn sparse_channels_keep_their_variance_and_nan_is_seen() {
        // One value at the very first pixel, nothing elsewhere: variance v^2 / P (1 - 1 / P).
        let rows = 1 << 17;
        let mut x = vec![0f32; rows];
        (x[0], x[70]) = (1.7, 0.0);
        let mut norm = BatchNorm::new(1);
        norm.sum(&x, true);
        norm.finish(&[1.0], &[0.0]);
        let wanted = 1.7f64 * 1.7 / rows as f64;
        assert!((f64::from(norm.variance[0]) / wanted - 1.0).abs() < 1e-3, "{} {wanted}", norm.variance[0]);
        x[9] = f32::MAX;
        x[10] = -f32::MAX;
        norm.sum(&x, true);
        norm.finish(&[1.0], &[0.0]);
        assert!(!norm.offset[0].is_finite() || !norm.variance[0].is_finite(), "{}", norm.variance[0]);
    }

    #[test]
    fn running_statistics_by_hand() {
        let mut running = [1.0, 2.0];
        let mut norm = BatchNorm::new(1);
        norm.sum(&[1.0, 5.0, 3.0], true);
        norm.sum(&[0.0, 6.0], false);
        norm.finish(&[1.0], &[0.0]);
        // Mean 3, biased variance 26 / 5.
        norm.track(&mut running, 0.5);
        assert_eq!(running, [2.0, 0.5 * 2.0 + 0.5 * 5.2 * 1.25]);
    }
}
