//! Convolution of stride 1 without a transform: the windows of neighbouring pixels overlap, so a matrix product can read them where they lie.
//!
//! Images are copied with a frame of zeros, channels last. There the `K Cin` values of one window row are contiguous, and the windows of
//! the next pixel start Cin values later: rows of a left operand with that stride. One column of zeros between two rows is the right
//! frame of the first and the left frame of the second, so that rows are W + 1 pixels apart.
//!
//! The input gradient is the same convolution of dY with the weights turned by half a turn. The weight gradient sums over pixels, whose windows
//! are then columns of a left operand, in as many pieces as there are rows.

use pulp::{Simd, WithSimd};

use super::sizes::{Conv, Side};
use crate::dispatch::simd;
use crate::gemm::{DEPTH, WIDEST, tiles};
use crate::linear::{accumulate_rows, add_bias};
use crate::operand::Operand;
use crate::pack::{self, Block};
use crate::tile::{Left, Order, Rows, TALLEST, Tile};

/// Pixels worked on at a time: a panel of weights should serve many of them, and they should stay in the second-level cache.
const PIXELS: usize = 256;

/// Pixels of a gradient's panel at most, in whole rows of an image, of which it has at least one.
const PANEL: usize = 256;

/// Pixels between the rows of a framed image.
fn pitch(c: &Conv) -> usize {
    c.width + c.kernel / 2
}

/// Values of a framed image of so many channels. Behind the last row lie zeros that windows of positions in the frame reach.
fn framed(c: &Conv, channels: usize) -> usize {
    let rows = c.height + 2 * (c.kernel / 2);
    (rows * pitch(c) + c.kernel) * channels
}

/// Images worked on at a time.
fn group(c: &Conv) -> usize {
    PIXELS.div_ceil(c.pixels())
}

/// Values of the packed weights, either way: whole panels of outputs.
pub(super) fn prepared(c: &Conv) -> usize {
    c.taps() * c.input.max(c.output) * c.output.max(c.input).next_multiple_of(WIDEST)
}

pub(super) fn workspace(c: &Conv) -> usize {
    let gradient = framed(c, c.input) + rows_at_once(c) * c.width * WIDEST;
    gradient.max(group(c) * framed(c, c.input).max(framed(c, c.output)))
}

/// Copies an image into its frame, whose zeros are there already, normalised where its reader does that.
fn frame(c: &Conv, channels: usize, to: &mut [f32], image: Operand<'_>) {
    let (pad, row) = (c.kernel / 2, c.width * channels);
    let first = (pad * pitch(c) + pad) * channels;
    for (to, from) in to[first..].chunks_mut(pitch(c) * channels).zip(image.values.chunks_exact(row)) {
        match image.bend {
            Some(bend) => bend.apply(&mut to[..row], from),
            None => to[..row].copy_from_slice(from),
        }
    }
}

/// Weights in panels of up to [`WIDEST`] outputs, `[K, K, Cin, panel]` each.
pub(super) fn prepare(c: &Conv, to: &mut [f32], w: &[f32], side: Side) {
    let (depth, size) = (c.taps() * c.input, c.input * c.output);
    for (j, panel) in (0..c.output).step_by(WIDEST).zip(to.chunks_exact_mut(depth * WIDEST)) {
        let n = WIDEST.min(c.output - j);
        for (p, row) in panel.chunks_exact_mut(WIDEST).enumerate() {
            row[n..].fill(0.0);
            match side {
                Side::Forward => row[..n].copy_from_slice(&w[p * c.output + j..][..n]),
                Side::Adjoint => {
                    let (tap, i) = (c.taps() - 1 - p / c.input, p % c.input);
                    let from = w[tap * size + j * c.input + i..].iter().step_by(c.input);
                    row[..n].iter_mut().zip(from).for_each(|(to, v)| *to = *v);
                }
            }
        }
    }
}

/// Writes the convolution of x with prepared weights, and adds the bias where there is one.
pub(super) fn forward(
    c: &Conv,
    y: &mut [f32],
    operand: Operand<'_>,
    packed: &[f32],
    bias: &[f32],
    workspace: &mut [f32],
) {
    let (size, at_once) = (framed(c, c.input), group(c));
    let images = &mut workspace[..at_once * size];
    images.fill(0.0);
    let (inputs, outputs) = (c.pixels() * c.input, c.pixels() * c.output);
    for (y, x) in y.chunks_mut(at_once * outputs).zip(operand.values.chunks(at_once * inputs)) {
        for (image, x) in images.chunks_exact_mut(size).zip(x.chunks_exact(inputs)) {
            frame(c, c.input, image, operand.part(x));
        }
        simd(Filter { c, y: &mut *y, images, size, packed });
        if !bias.is_empty() {
            add_bias(y, bias);
        }
    }
}

/// Rows of the tiles that share `n` rows as evenly as may be, for so many columns: as many as the registers hold beside a row of the right
/// operand and a broadcast value.
fn tile_rows<S: Simd>(n: usize, cols: usize) -> usize {
    let of_two = if S::REGISTER_COUNT >= 32 { 14 } else { 6 };
    let most = if cols <= S::F32_LANES { TALLEST.min(2 * of_two) } else { of_two };
    n.div_ceil(n.div_ceil(most))
}

/// The convolution of a group of framed images.
struct Filter<'a> {
    c: &'a Conv,
    y: &'a mut [f32],
    images: &'a [f32],
    /// Values of a framed image.
    size: usize,
    packed: &'a [f32],
}

impl WithSimd for Filter<'_> {
    type Output = ();

    /// Walks depth by depth, panel by panel and row by row.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { c, y, images, size, packed } = self;
        let (row, width, pitch) = (c.kernel * c.input, 2 * S::F32_LANES, pitch(c) * c.input);
        let outputs = c.pixels() * c.output;
        // With few channels all window rows are summed at once.
        let (depth, pieces) = if c.kernel * row <= DEPTH + 32 { (row, c.kernel) } else { (DEPTH, 1) };
        for ky in (0..c.kernel).step_by(pieces) {
            for p in (0..row).step_by(depth) {
                let depth = depth.min(row - p);
                for j in (0..c.output).step_by(width) {
                    let cols = width.min(c.output - j);
                    let panel = &packed[j / WIDEST * c.taps() * c.input * WIDEST..];
                    let right = Rows { data: &panel[(ky * row + p) * WIDEST + j % WIDEST..], stride: WIDEST };
                    let rows = tile_rows::<S>(c.width, cols);
                    for (image, y) in images.chunks_exact(size).zip(y.chunks_exact_mut(outputs)) {
                        for i in 0..c.height {
                            for q in (0..c.width).step_by(rows) {
                                let data = &image[(i + ky) * pitch + q * c.input + p..];
                                let left = Left { data, order: Order::ColumnsBeside { step: c.input }, pieces, pitch };
                                let data = &mut y[(i * c.width + q) * c.output + j..];
                                let out = Tile { data, stride: c.output, add: ky + p > 0 };
                                tiles::<S, 2>(simd, (rows.min(c.width - q), cols, depth), left, right, out);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Adds to the gradients of the weights and of the bias, where there is one.
pub(super) fn add_weights(
    c: &Conv,
    (dw, db): (&mut [f32], &mut [f32]),
    operand: Operand<'_>,
    dy: &[f32],
    workspace: &mut [f32],
) {
    let (image, panel) = workspace.split_at_mut(framed(c, c.input));
    image.fill(0.0);
    let (inputs, outputs) = (c.pixels() * c.input, c.pixels() * c.output);
    for (x, dy) in operand.values.chunks_exact(inputs).zip(dy.chunks_exact(outputs)) {
        frame(c, c.input, image, operand.part(x));
        simd(Correlate { c, dw: &mut *dw, image, dy, panel: &mut *panel });
        if !db.is_empty() {
            accumulate_rows(db, dy);
        }
    }
}

/// Adds the weight gradient of one framed image.
struct Correlate<'a> {
    c: &'a Conv,
    dw: &'a mut [f32],
    image: &'a [f32],
    dy: &'a [f32],
    panel: &'a mut [f32],
}

impl WithSimd for Correlate<'_> {
    type Output = ();

    /// Walks some rows of the image at a time, panel by panel, kernel row by kernel row.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { c, dw, image, dy, panel } = self;
        let (row, width, pitch) = (c.kernel * c.input, 2 * S::F32_LANES, pitch(c) * c.input);
        let at_once = rows_at_once(c);
        for i in (0..c.height).step_by(at_once) {
            let pieces = at_once.min(c.height - i);
            let dy = &dy[i * c.width * c.output..];
            for j in (0..c.output).step_by(width) {
                let cols = width.min(c.output - j);
                let right = if c.output <= width && cols.is_multiple_of(S::F32_LANES) {
                    Rows { data: &dy[j..], stride: c.output }
                } else {
                    let block = Block { data: &dy[j..], depth_stride: c.output, width_stride: 1 };
                    pack::pack(simd, panel, block, pieces * c.width, (cols, width));
                    Rows { data: &*panel, stride: width }
                };
                let rows = tile_rows::<S>(row, cols);
                for ky in 0..c.kernel {
                    for r in (0..row).step_by(rows) {
                        let data = &image[(i + ky) * pitch + r..];
                        let left = Left { data, order: Order::RowsBeside { step: c.input }, pieces, pitch };
                        let data = &mut dw[(ky * row + r) * c.output + j..];
                        let out = Tile { data, stride: c.output, add: true };
                        tiles::<S, 2>(simd, (rows.min(row - r), cols, c.width), left, right, out);
                    }
                }
            }
        }
    }
}

/// Rows of an image whose gradients make a panel.
fn rows_at_once(c: &Conv) -> usize {
    (PANEL / c.width).max(1)
}
