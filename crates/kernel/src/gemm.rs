//! The matrix product.
//!
//! Both operands are packed where they are used often enough: a general library packs always, which costs a quarter of the time at the
//! sizes of small networks, and reading in place costs as much where vectors cross cache lines or rows share their places in the cache. The
//! packed panels are the one workspace that callers do not pass: each thread keeps its own.

use std::cell::RefCell;

use pulp::{Simd, WithSimd};

use crate::Buffer;
use crate::dispatch::simd;
use crate::pack::{self, Block};
use crate::tile::{self, Left, Order, Rows, Tile};

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

/// Inner dimension that is summed in one go: a panel of it stays in the first-level cache.
pub(crate) const DEPTH: usize = 256;

/// Columns of the widest register tile.
pub(crate) const WIDEST: usize = 32;

/// Values of the left operand that are packed in one go: a fraction of the second-level cache.
const LEFT: usize = 96 << 10;

/// What packing pays for: the columns over which a packed left operand is used again, and the rows for the right one.
const COLUMNS_TO_PACK: usize = 96;
const ROWS_TO_PACK: usize = 64;

/// Packed operands of one thread.
struct Panels {
    left: Buffer,
    right: Buffer,
}

thread_local! {
    // Allocated once per thread: clearing them costs more than a small product.
    static PANELS: RefCell<Panels> =
        RefCell::new(Panels { left: Buffer::new(LEFT), right: Buffer::new(DEPTH * WIDEST) });
}

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
    PANELS.with_borrow_mut(|panels| simd(Product { c, a, b, accumulate, panels }));
}

struct Product<'a> {
    c: &'a mut [f32],
    a: Mat<'a>,
    b: Mat<'a>,
    accumulate: bool,
    panels: &'a mut Panels,
}

impl WithSimd for Product<'_> {
    type Output = ();

    /// Walks the product in tiles of two vectors, depth by depth and some rows at a time.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { c, a, b, accumulate, panels } = self;
        // Accumulators, one row of the right operand and one broadcast value fill the registers.
        let most = if S::REGISTER_COUNT >= 32 { 12 } else { 6 };
        let (m, n, k, width) = (a.rows, b.cols, a.cols, 2 * S::F32_LANES);
        let (packed, panel) = (&mut *panels.left, &mut *panels.right);
        let pack_left = n >= COLUMNS_TO_PACK;
        // One vector leaves registers for more rows.
        let tall = if n <= S::F32_LANES { tile::TALLEST.min(2 * most) } else { most };
        for p in (0..k).step_by(DEPTH) {
            let depth = DEPTH.min(k - p);
            let height = if pack_left { LEFT / depth / most * most } else { m.max(1) };
            let add = accumulate || p > 0;
            for top in (0..m).step_by(height) {
                let bottom = m.min(top + height);
                if pack_left {
                    for i in (top..bottom).step_by(most) {
                        let rows = most.min(bottom - i);
                        pack::pack(simd, &mut packed[(i - top) * depth..], a.rows_from(i, p), depth, (rows, rows));
                    }
                }
                for j in (0..n).step_by(width) {
                    let cols = width.min(n - j);
                    // Columns that the tile computes, some of them perhaps beyond the product.
                    let computed = cols.next_multiple_of(S::F32_LANES);
                    let right = if b.col_stride == 1 && cols == computed && bottom - top < ROWS_TO_PACK {
                        Rows { data: &b.data[p * b.row_stride + j..], stride: b.row_stride }
                    } else {
                        pack::pack(simd, panel, b.columns_from(p, j), depth, (cols, width));
                        Rows { data: panel, stride: width }
                    };
                    for i in (top..bottom).step_by(tall) {
                        let rows = tall.min(bottom - i);
                        let left = if pack_left {
                            let data = &packed[(i - top) * depth..][..rows * depth];
                            Left::whole(data, Order::RowsBeside { step: rows })
                        } else {
                            Left::whole(a.rows_from(i, p).data, a.order())
                        };
                        let out = Tile { data: &mut c[i * n + j..], stride: n, add };
                        tiles::<S, 2>(simd, (rows, cols, depth), left, right, out);
                    }
                }
            }
        }
    }
}

/// One tile of any number of rows and up to V vectors, of which `cols` columns belong to the product.
#[inline(always)]
pub(crate) fn tiles<S: Simd, const V: usize>(
    simd: S,
    (rows, cols, depth): (usize, usize, usize),
    left: Left<'_>,
    right: Rows<'_>,
    out: Tile<'_>,
) {
    if cols == V * S::F32_LANES {
        return tile::any_rows::<S, V>(simd, rows, depth, left, right, out);
    }
    if cols == S::F32_LANES {
        return tile::any_rows::<S, 1>(simd, rows, depth, left, right, out);
    }
    let mut edge = [0.0f32; tile::TALLEST * WIDEST];
    let width = V * S::F32_LANES;
    let beside = Tile { data: &mut edge, stride: width, add: false };
    if cols < S::F32_LANES {
        tile::any_rows::<S, 1>(simd, rows, depth, left, right, beside);
    } else {
        tile::any_rows::<S, V>(simd, rows, depth, left, right, beside);
    }
    for (to, from) in out.data.chunks_mut(out.stride).zip(edge.chunks_exact(width)).take(rows) {
        for (to, v) in to[..cols].iter_mut().zip(from) {
            *to = if out.add { *to + v } else { *v };
        }
    }
}

impl<'a> Mat<'a> {
    /// Rows or columns of every view lie side by side: it is a matrix as it is stored, or its transpose.
    fn order(&self) -> Order {
        if self.col_stride == 1 {
            Order::ColumnsBeside { step: self.row_stride }
        } else {
            Order::RowsBeside { step: self.col_stride }
        }
    }

    /// The rows from `i` on at column p on, the inner dimension being the columns.
    fn rows_from(&self, i: usize, p: usize) -> Block<'a> {
        let data = &self.data[i * self.row_stride + p * self.col_stride..];
        Block { data, depth_stride: self.col_stride, width_stride: self.row_stride }
    }

    /// The columns from `j` on at row p on, the inner dimension being the rows.
    fn columns_from(&self, p: usize, j: usize) -> Block<'a> {
        let data = &self.data[p * self.row_stride + j * self.col_stride..];
        Block { data, depth_stride: self.row_stride, width_stride: self.col_stride }
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
