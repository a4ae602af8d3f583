//! Winograd's minimal filtering F(2x2, 3x3) (Lavin & Gray 2016, arXiv 1509.09308, section 4.1).
//!
//! An output tile of 2x2 pixels needs an input tile of 4x4: `Y = A' [(G g G') . (B' d B)] A`, with the product in
//! the brackets summed over input channels. Sixteen small matrix products replace nine larger ones, 16 instead of 36
//! multiplications per tile. Transposing the three maps gives the gradients: of the weights
//! `G' [(B' d B) . (A dY A')] G`, and of the input the same filtering of dY with the weights turned by half a turn.
//! The maps hold only 0, 1/2 and 1, so that rounding stays that of a few more additions.
//!
//! Tiles are worked on in chunks whose transforms stay in the second-level cache.

use pulp::{Simd, WithSimd};

use super::sizes::{Conv, Side};
use crate::dispatch::{dispatch, simd};
use crate::linear::accumulate_rows;
use crate::operand::Operand;
use crate::vector::{load, store};
use crate::{Mat, gemm};

/// Values of one transformed tile.
const POINTS: usize = 16;

/// Values that the end of the weight gradient works on at once.
const LINE: usize = 16;

/// Tiles per chunk: both transforms of a chunk take about 400 kB, or more where so many weights want to be used 48 times.
fn chunk(c: &Conv) -> usize {
    (100_000 / (POINTS * (c.input + c.output))).max(36) / 12 * 12 + 12
}

pub(super) fn workspace(c: &Conv) -> usize {
    POINTS * chunk(c) * (c.input + c.output)
}

/// Values of the transformed weights, and of their gradient's sums.
pub(super) fn prepared(c: &Conv) -> usize {
    POINTS * c.input * c.output
}

/// Rows and columns of tiles.
fn grid(c: &Conv) -> (usize, usize) {
    (c.height.div_ceil(2), c.width.div_ceil(2))
}

fn tiles(c: &Conv, values: usize, channels: usize) -> usize {
    let (rows, cols) = grid(c);
    values / (c.pixels() * channels) * rows * cols
}

/// Writes the convolution of x with prepared weights, and adds the bias where there is one.
pub(super) fn forward(c: &Conv, y: &mut [f32], x: Operand<'_>, u: &[f32], bias: &[f32], workspace: &mut [f32]) {
    let (most, all) = (chunk(c), tiles(c, x.values.len(), c.input));
    let (v, m) = workspace.split_at_mut(POINTS * most * c.input);
    for first in (0..all).step_by(most) {
        let n = most.min(all - first);
        simd(Gather { c, first, n, from: x, to: v });
        for p in 0..POINTS {
            let (v, u) = (&v[p * n * c.input..], &u[p * c.input * c.output..]);
            let product = &mut m[p * n * c.output..][..n * c.output];
            gemm(product, Mat::new(v, n, c.input), Mat::new(u, c.input, c.output), false);
        }
        simd(Scatter { c, bias, first, n, from: m, to: y });
    }
}

/// Adds to the sums of the weight gradient, and to the gradient of the bias, where there is one.
pub(super) fn add_weights(
    c: &Conv,
    (du, db): (&mut [f32], &mut [f32]),
    x: Operand<'_>,
    dy: &[f32],
    workspace: &mut [f32],
) {
    if !db.is_empty() {
        accumulate_rows(db, dy);
    }
    let (most, all) = (chunk(c), tiles(c, x.values.len(), c.input));
    let (v, m) = workspace.split_at_mut(POINTS * most * c.input);
    for first in (0..all).step_by(most) {
        let n = most.min(all - first);
        simd(Gather { c, first, n, from: x, to: v });
        simd(Spread { c, first, n, from: dy, to: m });
        for p in 0..POINTS {
            let (v, m) = (&v[p * n * c.input..], &m[p * n * c.output..]);
            let sum = &mut du[p * c.input * c.output..][..c.input * c.output];
            gemm(sum, Mat::new(v, n, c.input).t(), Mat::new(m, n, c.output), true);
        }
    }
}

/// Writes `G' dU G`, the gradient of the weights.
pub(super) fn finish_weights(c: &Conv, dw: &mut [f32], du: &[f32]) {
    let size = c.input * c.output;
    dispatch(
        #[inline(always)]
        || {
            // Pairs of channels, a line of them at a time.
            for first in (0..size).step_by(LINE) {
                let n = LINE.min(size - first);
                let mut points = [[0.0; LINE]; POINTS];
                for (k, point) in points.iter_mut().enumerate() {
                    point[..n].copy_from_slice(&du[k * size + first..][..n]);
                }
                let mut half = [[0.0; LINE]; 12];
                for s in 0..4 {
                    transposed([0, 4, 8, 12].map(|r| &points[r + s]), &mut half[3 * s..3 * s + 3]);
                }
                for k in 0..3 {
                    let mut row = [[0.0; LINE]; 3];
                    transposed([0, 3, 6, 9].map(|s| &half[s + k]), &mut row);
                    for (s, row) in row.iter().enumerate() {
                        dw[(3 * k + s) * size + first..][..n].copy_from_slice(&row[..n]);
                    }
                }
            }
        },
    );
}

/// G' applied to four values, for a line of them.
#[inline(always)]
fn transposed([a, b, c, d]: [&[f32; LINE]; 4], to: &mut [[f32; LINE]]) {
    for i in 0..LINE {
        to[0][i] = a[i] + 0.5 * (b[i] + c[i]);
        to[1][i] = 0.5 * (b[i] - c[i]);
        to[2][i] = 0.5 * (b[i] + c[i]) + d[i];
    }
}

/// U = G g G' for every pair of channels, `[16, Cin, Cout]` of `c`.
pub(super) fn prepare(c: &Conv, u: &mut [f32], w: &[f32], side: Side) {
    let size = c.input * c.output;
    for i in 0..c.input {
        for o in 0..c.output {
            let g = |k: usize| match side {
                Side::Forward => w[k * size + i * c.output + o],
                Side::Adjoint => w[(8 - k) * size + o * c.input + i],
            };
            let rows: [[f32; 3]; 4] = std::array::from_fn(|r| std::array::from_fn(|k| direct(r, |q| g(3 * q + k))));
            for (r, row) in rows.iter().enumerate() {
                for s in 0..4 {
                    u[(4 * r + s) * size + i * c.output + o] = direct(s, |k| row[k]);
                }
            }
        }
    }
}

/// Row r of G applied to three values.
fn direct(r: usize, v: impl Fn(usize) -> f32) -> f32 {
    match r {
        0 => v(0),
        1 => 0.5 * (v(0) + v(1) + v(2)),
        2 => 0.5 * (v(0) - v(1) + v(2)),
        _ => v(2),
    }
}

/// Tiles one after the other as (image, first row, first column) of their output pixels. It counts instead of dividing: with one vector of
/// channels three divisions cost more than the transform.
struct Places {
    rows: usize,
    cols: usize,
    at: (usize, usize, usize),
}

impl Places {
    /// From tile `first` on.
    fn new(c: &Conv, first: usize) -> Self {
        let (rows, cols) = grid(c);
        Self { rows, cols, at: (first / (rows * cols), first / cols % rows * 2, first % cols * 2) }
    }

    #[inline(always)]
    fn step(&mut self) -> (usize, usize, usize) {
        let now = self.at;
        self.at.2 += 2;
        if self.at.2 == 2 * self.cols {
            self.at.2 = 0;
            self.at.1 += 2;
            if self.at.1 == 2 * self.rows {
                self.at.1 = 0;
                self.at.0 += 1;
            }
        }
        now
    }
}

/// `V = B' d B` of 4x4 input tiles, `[16, n, channels]`.
struct Gather<'a> {
    c: &'a Conv,
    first: usize,
    n: usize,
    from: Operand<'a>,
    to: &'a mut [f32],
}

#[allow(clippy::needless_range_loop, reason = "iterators are not taken apart into registers here; indices are")]
impl WithSimd for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { c, first, n, from, to } = self;
        let channels = c.input;
        let mut places = Places::new(c, first);
        for tile in 0..n {
            let (image, i, j) = places.step();
            for channel in (0..channels).step_by(S::F32_LANES) {
                let lanes = S::F32_LANES.min(channels - channel);
                let mut d = [simd.splat_f32s(0.0); POINTS];
                // The tile starts one pixel above and left of its output.
                if i >= 1 && j >= 1 && i + 3 <= c.height && j + 3 <= c.width {
                    let corner = ((image * c.height + i - 1) * c.width + j - 1) * channels;
                    for r in 0..4 {
                        for s in 0..4 {
                            let pixel = corner + (r * c.width + s) * channels;
                            d[4 * r + s] = from.vector(simd, pixel, channel, lanes);
                        }
                    }
                } else {
                    for r in 0..4 {
                        for s in 0..4 {
                            let (y, x) = (i + r, j + s);
                            if y >= 1 && y <= c.height && x >= 1 && x <= c.width {
                                let pixel = ((image * c.height + y - 1) * c.width + x - 1) * channels;
                                d[4 * r + s] = from.vector(simd, pixel, channel, lanes);
                            }
                        }
                    }
                }
                let mut half = d;
                for s in 0..4 {
                    half[s] = simd.sub_f32s(d[s], d[8 + s]);
                    half[4 + s] = simd.add_f32s(d[4 + s], d[8 + s]);
                    half[8 + s] = simd.sub_f32s(d[8 + s], d[4 + s]);
                    half[12 + s] = simd.sub_f32s(d[4 + s], d[12 + s]);
                }
                for r in 0..4 {
                    let h = 4 * r;
                    let row = [
                        simd.sub_f32s(half[h], half[h + 2]),
                        simd.add_f32s(half[h + 1], half[h + 2]),
                        simd.sub_f32s(half[h + 2], half[h + 1]),
                        simd.sub_f32s(half[h + 1], half[h + 3]),
                    ];
                    for s in 0..4 {
                        store(simd, to, ((h + s) * n + tile) * channels + channel, lanes, row[s]);
                    }
                }
            }
        }
    }
}

/// `Y = A' M A + bias` of transformed tiles `[16, n, Cout]`, written to their pixels.
struct Scatter<'a> {
    c: &'a Conv,
    bias: &'a [f32],
    first: usize,
    n: usize,
    from: &'a [f32],
    to: &'a mut [f32],
}

#[allow(clippy::needless_range_loop, reason = "iterators are not taken apart into registers here; indices are")]
impl WithSimd for Scatter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { c, bias, first, n, from, to } = self;
        let channels = c.output;
        let mut places = Places::new(c, first);
        for tile in 0..n {
            let (image, i, j) = places.step();
            for channel in (0..channels).step_by(S::F32_LANES) {
                let lanes = S::F32_LANES.min(channels - channel);
                let bias = (!bias.is_empty()).then(|| load(simd, bias, channel, lanes));
                let mut half = [simd.splat_f32s(0.0); 8];
                for s in 0..4 {
                    let mut m = [simd.splat_f32s(0.0); 4];
                    for r in 0..4 {
                        m[r] = load(simd, from, ((4 * r + s) * n + tile) * channels + channel, lanes);
                    }
                    half[s] = simd.add_f32s(simd.add_f32s(m[0], m[1]), m[2]);
                    half[4 + s] = simd.sub_f32s(simd.sub_f32s(m[1], m[2]), m[3]);
                }
                for r in 0..2 {
                    let h = 4 * r;
                    let mut left = simd.add_f32s(simd.add_f32s(half[h], half[h + 1]), half[h + 2]);
                    let mut right = simd.sub_f32s(simd.sub_f32s(half[h + 1], half[h + 2]), half[h + 3]);
                    if let Some(bias) = bias {
                        (left, right) = (simd.add_f32s(left, bias), simd.add_f32s(right, bias));
                    }
                    let pixel = (image * c.height + i + r) * c.width + j;
                    if i + r < c.height {
                        store(simd, to, pixel * channels + channel, lanes, left);
                        if j + 1 < c.width {
                            store(simd, to, (pixel + 1) * channels + channel, lanes, right);
                        }
                    }
                }
            }
        }
    }
}

/// `A dY A'` of 2x2 output tiles, `[16, n, Cout]`.
struct Spread<'a> {
    c: &'a Conv,
    first: usize,
    n: usize,
    from: &'a [f32],
    to: &'a mut [f32],
}

#[allow(clippy::needless_range_loop, reason = "iterators are not taken apart into registers here; indices are")]
impl WithSimd for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { c, first, n, from, to } = self;
        let channels = c.output;
        let zero = simd.splat_f32s(0.0);
        let mut places = Places::new(c, first);
        for tile in 0..n {
            let (image, i, j) = places.step();
            for channel in (0..channels).step_by(S::F32_LANES) {
                let lanes = S::F32_LANES.min(channels - channel);
                let mut d = [zero; 4];
                for r in 0..2 {
                    for s in 0..2 {
                        if i + r < c.height && j + s < c.width {
                            let pixel = (image * c.height + i + r) * c.width + j + s;
                            d[2 * r + s] = load(simd, from, pixel * channels + channel, lanes);
                        }
                    }
                }
                let mut half = [zero; 8];
                for s in 0..2 {
                    half[s] = d[s];
                    half[2 + s] = simd.add_f32s(d[s], d[2 + s]);
                    half[4 + s] = simd.sub_f32s(d[s], d[2 + s]);
                    half[6 + s] = simd.sub_f32s(zero, d[2 + s]);
                }
                for r in 0..4 {
                    let (left, right) = (half[2 * r], half[2 * r + 1]);
                    let row =
                        [left, simd.add_f32s(left, right), simd.sub_f32s(left, right), simd.sub_f32s(zero, right)];
                    for s in 0..4 {
                        store(simd, to, ((4 * r + s) * n + tile) * channels + channel, lanes, row[s]);
                    }
                }
            }
        }
    }
}
