//! The matrix product.
//!
//! The right operand is read where it lies when its rows are contiguous, and packed panel by panel otherwise;
//! the left one is never packed: a tile broadcasts its values one by one, wherever they are. At the sizes of
//! small networks the packing of general libraries costs a quarter of the time.

use pulp::{Simd, WithSimd};

use crate::dispatch::simd;
use crate::tile::{self, Left, Rows, Tile};

/// A matrix view on a slice: row-major, or its transpose.
#[derive(Clone, Copy, Debug)]
pub struct Mat<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> Mat<'a> {
    /// A row-major `rows x cols` view. Panics when the slice is shorter than that.
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        let fits = rows.checked_mul(cols).is_some_and(|n| data.len() >= n);
        assert!(fits, "matrix view of {rows} x {cols} on {} values", data.len());
        Self { data, rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// The transposed view of the same values.
    #[must_use]
    pub fn t(self) -> Self {
        Self {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }
}

/// Inner dimension that is summed in one go: a panel of it stays in the second-level cache.
const DEPTH: usize = 256;

/// Columns of the widest register tile.
const WIDEST: usize = 32;

/// `c = a b`, or `c += a b` when `accumulate`; `c` is row-major `[a.rows, b.cols]`.
///
/// Sequential, and the same bits on every machine: each value is summed over the inner dimension in order, in fused
/// multiply-adds, whatever the vector width. Panics when the shapes do not fit.
pub fn gemm(c: &mut [f32], a: Mat<'_>, b: Mat<'_>, accumulate: bool) {
    assert_eq!(a.cols, b.rows, "inner dimensions of a matrix product");
    let (m, n, k) = (a.rows, b.cols, a.cols);
    // Sizes that wrap would make the bounds below meaningless.
    let fits = m.checked_mul(n).is_some_and(|size| c.len() >= size);
    assert!(fits, "product of {m} x {n} into {} values", c.len());
    if k == 0 && !accumulate {
        c[..m * n].fill(0.0);
    }
    // Clearing a panel costs more than a small product: only those that need one get it.
    if b.col_stride == 1 && n.is_multiple_of(WIDEST / 2) {
        simd(Product { c, a, b, accumulate, panel: &mut [] });
    } else {
        simd(Product { c, a, b, accumulate, panel: &mut [0.0; DEPTH * WIDEST] });
    }
}

struct Product<'a> {
    c: &'a mut [f32],
    a: Mat<'a>,
    b: Mat<'a>,
    accumulate: bool,
    panel: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Accumulators, one row of the right operand and one broadcast value fill the registers.
        if S::REGISTER_COUNT >= 32 {
            self.blocks::<S, 12, 2>(simd);
        } else {
            self.blocks::<S, 6, 2>(simd);
        }
    }
}

impl Product<'_> {
    /// Walks the product in tiles of R rows and V vectors, depth by depth.
    #[inline(always)]
    fn blocks<S: Simd, const R: usize, const V: usize>(self, simd: S) {
        let Self { c, a, b, accumulate, panel } = self;
        let (m, n, k, width) = (a.rows, b.cols, a.cols, V * S::F32_LANES);
        // Widths are at most two vectors of 16 values, rows at most 12.
        let mut edge = [0.0f32; 12 * WIDEST];
        for p in (0..k).step_by(DEPTH) {
            let depth = DEPTH.min(k - p);
            let add = accumulate || p > 0;
            for j in (0..n).step_by(width) {
                let cols = width.min(n - j);
                let whole = cols == width;
                let narrow = cols <= S::F32_LANES;
                // One whole vector needs neither panel nor edge.
                let single = cols == S::F32_LANES && b.col_stride == 1;
                let right = if (whole || single) && b.col_stride == 1 {
                    Rows { data: &b.data[p * b.row_stride + j..], stride: b.row_stride }
                } else {
                    b.pack(panel, (p, depth), (j, cols), width);
                    Rows { data: panel, stride: width }
                };
                for i in (0..m).step_by(R) {
                    let rows = R.min(m - i);
                    let left = Left {
                        data: &a.data[i * a.row_stride + p * a.col_stride..],
                        row_stride: a.row_stride,
                        col_stride: a.col_stride,
                    };
                    if single {
                        let out = Tile { data: &mut c[i * n + j..], stride: n, add };
                        tile::any_rows::<S, R, 1>(simd, rows, depth, left, right, out);
                    } else if whole {
                        let out = Tile { data: &mut c[i * n + j..], stride: n, add };
                        tile::any_rows::<S, R, V>(simd, rows, depth, left, right, out);
                    } else {
                        let out = Tile { data: &mut edge, stride: width, add: false };
                        if narrow {
                            tile::any_rows::<S, R, 1>(simd, rows, depth, left, right, out);
                        } else {
                            tile::any_rows::<S, R, V>(simd, rows, depth, left, right, out);
                        }
                        for (r, from) in edge.chunks_exact(width).take(rows).enumerate() {
                            for (to, v) in c[(i + r) * n + j..][..cols].iter_mut().zip(from) {
                                *to = if add { *to + v } else { *v };
                            }
                        }
                    }
                }
            }
        }
    }
}

impl Mat<'_> {
    /// Copies `depth` rows from `p` and `cols` columns from `j` to rows of `width`, zeros behind them.
    #[inline(always)]
    fn pack(&self, panel: &mut [f32], (p, depth): (usize, usize), (j, cols): (usize, usize), width: usize) {
        let panel = &mut panel[..depth * width];
        if cols < width {
            panel.fill(0.0);
        }
        if self.col_stride == 1 {
            for (q, to) in panel.chunks_exact_mut(width).enumerate() {
                to[..cols].copy_from_slice(&self.data[(p + q) * self.row_stride + j..][..cols]);
            }
        } else {
            for c in 0..cols {
                let from = &self.data[(j + c) * self.col_stride + p * self.row_stride..];
                for (to, v) in panel[c..].iter_mut().step_by(width).zip(from.iter().step_by(self.row_stride)) {
                    *to = *v;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flatleak_stream::{Purpose, Stream};

    fn naive(a: &[f32], b: &[f32], (m, n, k): (usize, usize, usize)) -> Vec<f32> {
        let mut c = vec![0.0; m * n];
        for i in 0..m {
            for j in 0..n {
                c[i * n + j] = (0..k).map(|p| f64::from(a[i * k + p]) * f64::from(b[p * n + j])).sum::<f64>() as f32;
            }
        }
        c
    }

    fn transpose(a: &[f32], rows: usize, cols: usize) -> Vec<f32> {
        (0..rows * cols).map(|i| a[(i % rows) * cols + i / rows]).collect()
    }

    #[test]
    fn agrees_with_the_naive_product_at_the_edges() {
        let mut s = Stream::new(1, Purpose::Simulation, 0, 0);
        for (m, n, k) in [(1, 1, 1), (3, 5, 7), (17, 1, 33), (1, 10, 128), (80, 10, 129), (48, 64, 9), (33, 31, 300)] {
            let a: Vec<f32> = (0..m * k).map(|_| s.normal() as f32).collect();
            let b: Vec<f32> = (0..k * n).map(|_| s.normal() as f32).collect();
            let want = naive(&a, &b, (m, n, k));
            let (at, bt) = (transpose(&a, m, k), transpose(&b, k, n));
            for (left, right) in [
                (Mat::new(&a, m, k), Mat::new(&b, k, n)),
                (Mat::new(&at, k, m).t(), Mat::new(&b, k, n)),
                (Mat::new(&a, m, k), Mat::new(&bt, n, k).t()),
            ] {
                // One value of padding on each side shows a write outside the product.
                let mut c = vec![f32::NAN; m * n];
                c.push(7.0);
                gemm(&mut c, left, right, false);
                assert_eq!(c[m * n], 7.0);
                for (got, want) in c.iter().zip(&want) {
                    assert!((got - want).abs() < 1e-4 * (1.0 + want.abs()), "{got} {want} at {m} {n} {k}");
                }
                gemm(&mut c, left, right, true);
                for (got, want) in c.iter().zip(&want) {
                    assert!((got - 2.0 * want).abs() < 2e-4 * (1.0 + want.abs()));
                }
            }
        }
    }

    #[test]
    fn empty_inner_dimension_clears_the_product() {
        let mut c = [1.0; 4];
        gemm(&mut c, Mat::new(&[], 2, 0), Mat::new(&[], 0, 2), false);
        assert_eq!(c, [0.0; 4]);
    }
}
