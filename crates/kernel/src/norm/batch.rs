//! Batch normalisation.

use pulp::{Simd, WithSimd};

use super::sizes::{BLOCK, EPSILON};
use crate::Buffer;
use crate::dispatch::simd;
use crate::operand::{Bend, on_line};
use crate::vector::{load, store};

/// What the batch norm of one layer keeps of a batch. The batch may come in parts: first all are summed, then, with the statistics known, all
/// are normalised, and the same way back.
#[derive(Debug, Default)]
pub struct BatchNorm {
    channels: usize,
    rows: usize,
    pub(super) mean: Buffer,
    /// Biased.
    pub(super) variance: Buffer,
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

    /// Where a ReLU is joined, what says which outputs were positive.
    fn positive(&self, relu: bool) -> Option<Bend<'_>> {
        relu.then(|| self.bend(relu))
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
/// With `positive`, a counts as 0 where the norm of b is not positive.
struct Sums<'a> {
    totals: &'a mut [f32],
    a: &'a [f32],
    b: Option<&'a [f32]>,
    shift: &'a [f32],
    positive: Option<Bend<'a>>,
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
                let line = match positive {
                    Some(bend) => bend.line(simd, channel, lanes),
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
                            let y = on_line(simd, input, line);
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

/// dx = by_dy dy + by_x x + constant, dy masked as in [`Sums`]; without dy it is what dx holds.
struct InputGradient<'a> {
    dx: &'a mut [f32],
    dy: Option<&'a [f32]>,
    x: &'a [f32],
    positive: Option<Bend<'a>>,
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
                let line = match positive {
                    Some(bend) => bend.line(simd, channel, lanes),
                    None => (zero, zero),
                };
                let mut at = channel;
                while at < x.len() {
                    let (mut g, input) = (load(simd, dy.unwrap_or(dx), at, lanes), load(simd, x, at, lanes));
                    if positive.is_some() {
                        let y = on_line(simd, input, line);
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

#[cfg(test)]
mod tests {
    use super::*;

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
