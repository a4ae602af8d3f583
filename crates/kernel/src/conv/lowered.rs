//! Convolution as one matrix product per image.
//!
//! The columns are tap-major, `[9 Cin, H W]`: with one input channel each tap is a shifted copy of the image, row by
//! row, and the product reads both operands along contiguous memory in either direction.

use super::Conv;
use crate::{Mat, gemm};

pub(super) fn workspace(c: &Conv) -> usize {
    9 * c.input * c.pixels()
}

/// Calls `f(offset in the columns, offset in the image, pixels)` for every run of a tap inside an image row.
#[inline(always)]
fn runs(c: &Conv, mut f: impl FnMut(usize, usize, usize)) {
    let (h, w) = (c.height, c.width);
    for tap in 0..9 {
        let (dy, dx) = (tap / 3, tap % 3);
        // Output column j reads image column j + dx - 1.
        let (first, last) = (usize::from(dx == 0), if dx == 2 { w.saturating_sub(1) } else { w });
        if first >= last {
            continue;
        }
        for i in 0..h {
            if i + dy >= 1 && i + dy <= h {
                let pixel = (i + dy - 1) * w + first + dx - 1;
                for channel in 0..c.input {
                    let column = (tap * c.input + channel) * c.pixels() + i * w + first;
                    f(column, pixel * c.input + channel, last - first);
                }
            }
        }
    }
}

fn lower(c: &Conv, columns: &mut [f32], image: &[f32]) {
    let step = c.input;
    columns.fill(0.0);
    runs(c, |column, pixel, n| {
        if step == 1 {
            columns[column..column + n].copy_from_slice(&image[pixel..pixel + n]);
        } else {
            for (to, from) in columns[column..column + n].iter_mut().zip(image[pixel..].iter().step_by(step)) {
                *to = *from;
            }
        }
    });
}

pub(super) fn forward(c: &Conv, y: &mut [f32], x: &[f32], w: &[f32], columns: &mut [f32]) {
    let (px, k) = (c.pixels(), 9 * c.input);
    let columns = &mut columns[..k * px];
    for (y, x) in y.chunks_exact_mut(px * c.output).zip(x.chunks_exact(px * c.input)) {
        lower(c, columns, x);
        gemm(y, Mat::new(columns, k, px).t(), Mat::new(w, k, c.output), false);
    }
}

pub(super) fn backward_weights(c: &Conv, dw: &mut [f32], x: &[f32], dy: &[f32], columns: &mut [f32]) {
    let (px, k) = (c.pixels(), 9 * c.input);
    let columns = &mut columns[..k * px];
    dw.fill(0.0);
    for (dy, x) in dy.chunks_exact(px * c.output).zip(x.chunks_exact(px * c.input)) {
        lower(c, columns, x);
        gemm(dw, Mat::new(columns, k, px), Mat::new(dy, px, c.output), true);
    }
}

pub(super) fn backward_input(c: &Conv, dx: &mut [f32], w: &[f32], dy: &[f32], columns: &mut [f32]) {
    let (px, k, step) = (c.pixels(), 9 * c.input, c.input);
    let columns = &mut columns[..k * px];
    for (dx, dy) in dx.chunks_exact_mut(px * c.input).zip(dy.chunks_exact(px * c.output)) {
        gemm(columns, Mat::new(w, k, c.output), Mat::new(dy, px, c.output).t(), false);
        dx.fill(0.0);
        runs(c, |column, pixel, n| {
            for (to, from) in dx[pixel..].iter_mut().step_by(step).zip(&columns[column..column + n]) {
                *to += from;
            }
        });
    }
}
