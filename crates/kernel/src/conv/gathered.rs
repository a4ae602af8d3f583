//! Convolution of any stride, and 1x1 convolution: the windows of a run of output pixels are gathered as rows `[n, K K Cin]`, channels
//! last, so that a window is K contiguous pieces of an image, and multiplied. A 1x1 window of stride 1 is a row of the input already.

use super::sizes::Conv;
use crate::linear::{accumulate_rows, add_bias};
use crate::{Mat, gemm};

/// Values of a gathered run, so that it stays in the second-level cache with its product, and the pixels that it has at least: gradients
/// of many weights are read and written once per run.
const RUN: usize = 1 << 16;
const PIXELS: usize = 144;

pub(super) fn workspace(c: &Conv) -> usize {
    if direct(c) { 0 } else { run(c) * c.taps() * c.input }
}

fn direct(c: &Conv) -> bool {
    c.kernel == 1 && c.stride == 1
}

/// Output pixels per run, a multiple of the register tile.
fn run(c: &Conv) -> usize {
    (RUN / (c.taps() * c.input)).max(PIXELS) / 12 * 12
}

/// Calls `f(offset in the row, offset in the input, values)` for every piece of the window of an output pixel that lies inside its image.
#[inline(always)]
fn pieces(c: &Conv, pixel: usize, mut f: impl FnMut(usize, usize, usize)) {
    let (rows, cols) = (c.out_height(), c.out_width());
    let (image, i, j) = (pixel / (rows * cols), pixel / cols % rows, pixel % cols);
    let pad = c.kernel / 2;
    for ky in 0..c.kernel {
        let y = i * c.stride + ky;
        if y < pad || y - pad >= c.height {
            continue;
        }
        // Columns of the window inside the image.
        let left = j * c.stride;
        let first = pad.saturating_sub(left);
        let last = c.kernel.min(c.width + pad - left);
        let at = ((image * c.height + y - pad) * c.width + left + first - pad) * c.input;
        f((ky * c.kernel + first) * c.input, at, (last - first) * c.input);
    }
}

fn gather(c: &Conv, columns: &mut [f32], x: &[f32], first: usize) {
    let width = c.taps() * c.input;
    // Windows at the border keep zeros outside their image.
    columns.fill(0.0);
    for (n, row) in columns.chunks_exact_mut(width).enumerate() {
        pieces(c, first + n, |to, from, values| row[to..to + values].copy_from_slice(&x[from..from + values]));
    }
}

/// The windows of `n` output pixels from `first` on, `[n, K K Cin]`: gathered, or where they lie.
fn windows<'a>(c: &Conv, columns: &'a mut [f32], x: &'a [f32], first: usize, n: usize) -> &'a [f32] {
    let width = c.taps() * c.input;
    if direct(c) {
        return &x[first * width..][..n * width];
    }
    let columns = &mut columns[..n * width];
    gather(c, columns, x, first);
    columns
}

pub(super) fn forward(c: &Conv, y: &mut [f32], x: &[f32], w: &[f32], bias: &[f32], columns: &mut [f32]) {
    let (width, out) = (c.taps() * c.input, c.output);
    let w = Mat::new(w, width, out);
    for (k, y) in y.chunks_mut(run(c) * out).enumerate() {
        let n = y.len() / out;
        gemm(y, Mat::new(windows(c, columns, x, k * run(c), n), n, width), w, false);
        if !bias.is_empty() {
            add_bias(y, bias);
        }
    }
}

/// Adds to the gradients of the weights and of the bias, where there is one.
pub(super) fn add_weights(c: &Conv, (dw, db): (&mut [f32], &mut [f32]), x: &[f32], dy: &[f32], columns: &mut [f32]) {
    let (width, out) = (c.taps() * c.input, c.output);
    for (k, dy) in dy.chunks(run(c) * out).enumerate() {
        let n = dy.len() / out;
        let rows = windows(c, columns, x, k * run(c), n);
        gemm(dw, Mat::new(rows, n, width).t(), Mat::new(dy, n, out), true);
        if !db.is_empty() {
            accumulate_rows(db, dy);
        }
    }
}

pub(super) fn backward_input(c: &Conv, dx: &mut [f32], w: &[f32], dy: &[f32], columns: &mut [f32]) {
    let (width, out) = (c.taps() * c.input, c.output);
    let w = Mat::new(w, width, out).t();
    if direct(c) {
        return gemm(dx, Mat::new(dy, dy.len() / out, out), w, false);
    }
    dx.fill(0.0);
    for (k, dy) in dy.chunks(run(c) * out).enumerate() {
        let n = dy.len() / out;
        let columns = &mut columns[..n * width];
        gemm(columns, Mat::new(dy, n, out), w, false);
        for (r, row) in columns.chunks_exact(width).enumerate() {
            pieces(c, k * run(c) + r, |from, to, values| {
                dx[to..to + values].iter_mut().zip(&row[from..from + values]).for_each(|(d, v)| *d += v);
            });
        }
    }
}
