//! 3x3 convolution, stride 1, zero padding 1, by lowering one image at a time to a matrix product.
//!
//! x `[B, H, W, Cin]`, W `[3, 3, Cin, Cout]`, b `[Cout]`, y `[B, H, W, Cout]`. The workspace holds the columns
//! of one image, `[H W, 9 Cin]`, a piece that stays in the second-level cache.

use crate::linear::{accumulate_rows, add_bias};
use crate::{Mat, gemm};

/// Sizes of one convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv {
    /// Height of input and output.
    pub height: usize,
    /// Width of input and output.
    pub width: usize,
    /// Channels in.
    pub input: usize,
    /// Channels out.
    pub output: usize,
}

impl Conv {
    /// Values of workspace that each pass needs.
    pub fn workspace(&self) -> usize {
        self.height * self.width * 9 * self.input
    }

    fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Calls `f(column offset, image offset)` for every run of `input` values that the columns share with the
    /// image, and `zero(column offset)` for those that lie in the padding.
    #[inline(always)]
    fn runs(&self, mut f: impl FnMut(usize, Option<usize>)) {
        let (h, w, c) = (self.height, self.width, self.input);
        for i in 0..h {
            for j in 0..w {
                let column = (i * w + j) * 9 * c;
                for k in 0..9 {
                    // Tap (k / 3, k % 3) reads pixel (i + k/3 - 1, j + k%3 - 1).
                    let (y, x) = (i + k / 3, j + k % 3);
                    let inside = y >= 1 && y <= h && x >= 1 && x <= w;
                    f(column + k * c, inside.then(|| ((y - 1) * w + x - 1) * c));
                }
            }
        }
    }

    fn lower(&self, columns: &mut [f32], image: &[f32]) {
        let c = self.input;
        self.runs(|column, pixel| match pixel {
            Some(p) => columns[column..column + c].copy_from_slice(&image[p..p + c]),
            None => columns[column..column + c].fill(0.0),
        });
    }

    fn raise(&self, image: &mut [f32], columns: &[f32]) {
        let c = self.input;
        image.fill(0.0);
        self.runs(|column, pixel| {
            if let Some(p) = pixel {
                for (d, g) in image[p..p + c].iter_mut().zip(&columns[column..column + c]) {
                    *d += g;
                }
            }
        });
    }

    /// Writes `y = x * W + b` for `batch` images.
    pub fn forward(&self, y: &mut [f32], x: &[f32], w: &[f32], bias: &[f32], batch: usize, columns: &mut [f32]) {
        let (px, k) = (self.pixels(), 9 * self.input);
        let images = x.chunks_exact(px * self.input);
        for (y, x) in y.chunks_exact_mut(px * self.output).zip(images).take(batch) {
            self.lower(columns, x);
            gemm(y, Mat::new(columns, px, k), Mat::new(w, k, self.output), false);
            add_bias(y, bias);
        }
    }

    /// Writes `dw` and `db` from the input and the output's gradient.
    pub fn backward_parameters(
        &self,
        (dw, db): (&mut [f32], &mut [f32]),
        x: &[f32],
        dy: &[f32],
        batch: usize,
        columns: &mut [f32],
    ) {
        let (px, k) = (self.pixels(), 9 * self.input);
        dw.fill(0.0);
        db.fill(0.0);
        let images = x.chunks_exact(px * self.input);
        for (dy, x) in dy.chunks_exact(px * self.output).zip(images).take(batch) {
            self.lower(columns, x);
            gemm(dw, Mat::new(columns, px, k).t(), Mat::new(dy, px, self.output), true);
            accumulate_rows(db, dy);
        }
    }

    /// Writes `dx` from the output's gradient.
    pub fn backward_input(&self, dx: &mut [f32], w: &[f32], dy: &[f32], batch: usize, columns: &mut [f32]) {
        let (px, k) = (self.pixels(), 9 * self.input);
        let gradients = dy.chunks_exact(px * self.output);
        for (dx, dy) in dx.chunks_exact_mut(px * self.input).zip(gradients).take(batch) {
            gemm(columns, Mat::new(dy, px, self.output), Mat::new(w, k, self.output).t(), false);
            self.raise(dx, columns);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flatleak_stream::{Purpose, Stream};

    #[test]
    fn agrees_with_the_naive_convolution_and_its_adjoint() {
        let conv = Conv { height: 5, width: 4, input: 3, output: 6 };
        let (batch, px) = (2, 20);
        let mut s = Stream::new(2, Purpose::Simulation, 0, 0);
        let mut draw = |n: usize| (0..n).map(|_| s.normal() as f32).collect::<Vec<_>>();
        let (x, w, b, g) = (draw(batch * px * 3), draw(9 * 3 * 6), draw(6), draw(batch * px * 6));
        let mut columns = vec![0.0; conv.workspace()];
        let mut y = vec![0.0; batch * px * 6];
        conv.forward(&mut y, &x, &w, &b, batch, &mut columns);
        let (mut dw, mut db) = (vec![9.0; w.len()], vec![9.0; 6]);
        conv.backward_parameters((&mut dw, &mut db), &x, &g, batch, &mut columns);
        let mut dx = vec![9.0; x.len()];
        conv.backward_input(&mut dx, &w, &g, batch, &mut columns);

        let (mut ny, mut ndw, mut ndx) = (vec![0f64; y.len()], vec![0f64; w.len()], vec![0f64; x.len()]);
        for n in 0..batch {
            for (i, j, o) in (0..5).flat_map(|i| (0..4).flat_map(move |j| (0..6).map(move |o| (i, j, o)))) {
                let at = ((n * 5 + i) * 4 + j) * 6 + o;
                ny[at] = f64::from(b[o]);
                for (ky, kx, c) in (0..3).flat_map(|a| (0..3).flat_map(move |b| (0..3).map(move |c| (a, b, c)))) {
                    let (yy, xx) = (i as isize + ky as isize - 1, j as isize + kx as isize - 1);
                    if (0..5).contains(&yy) && (0..4).contains(&xx) {
                        let xi = ((n * 5 + yy as usize) * 4 + xx as usize) * 3 + c;
                        let wi = ((ky * 3 + kx) * 3 + c) * 6 + o;
                        ny[at] += f64::from(x[xi]) * f64::from(w[wi]);
                        ndw[wi] += f64::from(x[xi]) * f64::from(g[at]);
                        ndx[xi] += f64::from(w[wi]) * f64::from(g[at]);
                    }
                }
            }
        }
        for (got, want) in [(&y, &ny), (&dw, &ndw), (&dx, &ndx)] {
            for (a, b) in got.iter().zip(want) {
                assert!((f64::from(*a) - b).abs() < 2e-5 * (1.0 + b.abs()), "{a} {b}");
            }
        }
    }
}
