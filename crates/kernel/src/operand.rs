//! Operands that are normalised while they are read, so that a norm's output need not be written.

use pulp::{Simd, WithSimd};

use crate::dispatch::simd;
use crate::norm::sizes::BLOCK;
use crate::vector::{load, store};

/// A norm whose statistics are known, for readers that apply it as they read: slope x + offset by channel, or its positive part.
#[derive(Clone, Copy, Debug)]
pub struct Bend<'a> {
    pub(crate) slope: &'a [f32],
    pub(crate) offset: &'a [f32],
    pub(crate) relu: bool,
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
        simd(Affine { y, x, bend: self });
    }

    /// Some channels of a pixel.
    #[inline(always)]
    pub(crate) fn vector<S: Simd>(self, simd: S, x: S::f32s, channel: usize, lanes: usize) -> S::f32s {
        let v = on_line(simd, x, self.line(simd, channel, lanes));
        if self.relu { positive_part(simd, v) } else { v }
    }

    /// Slope and offset of some channels.
    #[inline(always)]
    pub(crate) fn line<S: Simd>(self, simd: S, channel: usize, lanes: usize) -> (S::f32s, S::f32s) {
        (load(simd, self.slope, channel, lanes), load(simd, self.offset, channel, lanes))
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
        let n = y.len();
        let mut first = 0;
        while first < n {
            let mut channel = 0;
            while channel < channels.min(n - first) {
                let lanes = S::F32_LANES.min(channels - channel).min(n - first - channel);
                let left = a.vector(simd, first, channel, lanes);
                let mut v = simd.add_f32s(left, b.vector(simd, first, channel, lanes));
                if relu {
                    v = positive_part(simd, v);
                }
                store(simd, y, first + channel, lanes, v);
                channel += S::F32_LANES;
            }
            first += channels;
        }
    }
}

/// slope x + offset. Forward and backward pass must agree on its sign to the last bit.
#[inline(always)]
pub(crate) fn on_line<S: Simd>(simd: S, x: S::f32s, (slope, offset): (S::f32s, S::f32s)) -> S::f32s {
    simd.add_f32s(simd.mul_f32s(x, slope), offset)
}

/// max(0, v); NaN is not below 0 and stays.
#[inline(always)]
fn positive_part<S: Simd>(simd: S, v: S::f32s) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    simd.select_f32s(simd.less_than_f32s(v, zero), zero, v)
}

/// y = slope x + offset, or its positive part.
struct Affine<'a> {
    y: &'a mut [f32],
    x: &'a [f32],
    bend: Bend<'a>,
}

impl WithSimd for Affine<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { y, x, bend } = self;
        let channels = bend.slope.len();
        // Some rows at a time: columns of a whole batch would touch each page many times.
        for (y, x) in y.chunks_mut(BLOCK * channels).zip(x.chunks(BLOCK * channels)) {
            for channel in (0..channels).step_by(S::F32_LANES) {
                let lanes = S::F32_LANES.min(channels - channel);
                let line = bend.line(simd, channel, lanes);
                let mut at = channel;
                while at < x.len() {
                    let v = on_line(simd, load(simd, x, at, lanes), line);
                    store(simd, y, at, lanes, if bend.relu { positive_part(simd, v) } else { v });
                    at += channels;
                }
            }
        }
    }
}
