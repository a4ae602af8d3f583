//! The matrix product, the one place that hands raw pointers to another crate.

use gemm_common::Parallelism;

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
        assert!(data.len() >= rows * cols, "matrix view of {rows} x {cols} on {} values", data.len());
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

/// `c = a b`, or `c += a b` when `accumulate`; `c` is row-major `[a.rows, b.cols]`.
///
/// Sequential, and the same bits on every machine of one class (vector width and cache sizes decide the
/// order of the sums). Panics when the shapes do not fit.
pub fn gemm(c: &mut [f32], a: Mat<'_>, b: Mat<'_>, accumulate: bool) {
    assert_eq!(a.cols, b.rows, "inner dimensions of a matrix product");
    let (m, n, k) = (a.rows, b.cols, a.cols);
    assert!(c.len() >= m * n, "product of {m} x {n} into {} values", c.len());
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 {
        if !accumulate {
            c[..m * n].fill(0.0);
        }
        return;
    }
    // SAFETY: `Mat::new` checked that `rows * cols` values lie behind each operand and `t` only swaps the
    // strides, so every index (i * row_stride + j * col_stride) with i < rows, j < cols is inside its slice.
    // `c` was checked above, is exclusively borrowed and so overlaps neither operand. With `read_dst` false
    // the old content of `c` is not read.
    unsafe {
        gemm_f32::gemm::f32::get_gemm_fn()(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            n as isize,
            accumulate,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
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
