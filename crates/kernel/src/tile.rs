//! The register tile: a few rows times a few vectors, summed over the inner dimension.

use pulp::Simd;

/// The left operand: value (r, p) lies at `r row_stride + p col_stride`; packed, with the R values of each p side by side, at `r + p R`.
#[derive(Clone, Copy)]
pub(crate) enum Left<'a> {
    Strided { data: &'a [f32], row_stride: usize, col_stride: usize },
    Packed(&'a [f32]),
}

/// The right operand: row p starts at `p stride` and is contiguous.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) stride: usize,
}

/// Where the tile goes: row r starts at `r stride`; `add` to what is there or overwrite it.
pub(crate) struct Tile<'a> {
    pub(crate) data: &'a mut [f32],
    pub(crate) stride: usize,
    pub(crate) add: bool,
}

/// [`product`] of up to `R <= 12` rows.
#[inline(always)]
pub(crate) fn any_rows<S: Simd, const R: usize, const V: usize>(
    simd: S,
    rows: usize,
    depth: usize,
    left: Left<'_>,
    right: Rows<'_>,
    out: Tile<'_>,
) {
    if rows == R {
        return product::<S, R, V>(simd, depth, left, right, out);
    }
    match rows {
        1 => product::<S, 1, V>(simd, depth, left, right, out),
        2 => product::<S, 2, V>(simd, depth, left, right, out),
        3 => product::<S, 3, V>(simd, depth, left, right, out),
        4 => product::<S, 4, V>(simd, depth, left, right, out),
        5 => product::<S, 5, V>(simd, depth, left, right, out),
        6 => product::<S, 6, V>(simd, depth, left, right, out),
        7 => product::<S, 7, V>(simd, depth, left, right, out),
        8 => product::<S, 8, V>(simd, depth, left, right, out),
        9 => product::<S, 9, V>(simd, depth, left, right, out),
        10 => product::<S, 10, V>(simd, depth, left, right, out),
        11 => product::<S, 11, V>(simd, depth, left, right, out),
        _ => product::<S, 12, V>(simd, depth, left, right, out),
    }
}

/// `out = left right` for R rows, V vectors and `depth` terms. Every sum runs over the depth in order, with one
/// rounding per term (fused multiply-add, in software where the machine has none), so that the bits depend on
/// neither the vector width nor the tile. Panics when an operand is too short.
#[inline(always)]
pub(crate) fn product<S: Simd, const R: usize, const V: usize>(
    simd: S,
    depth: usize,
    left: Left<'_>,
    right: Rows<'_>,
    out: Tile<'_>,
) {
    // Strides that are known spare a register and an addition each.
    match left {
        Left::Strided { data, row_stride, col_stride } => {
            simd.vectorize(Sum::<R, V, false> { depth, left: data, row_stride, col_stride, right, out });
        }
        Left::Packed(data) => {
            simd.vectorize(Sum::<R, V, true> { depth, left: data, row_stride: 1, col_stride: R, right, out });
        }
    }
}

struct Sum<'a, const R: usize, const V: usize, const PACKED: bool> {
    depth: usize,
    left: &'a [f32],
    row_stride: usize,
    col_stride: usize,
    right: Rows<'a>,
    out: Tile<'a>,
}

#[allow(clippy::needless_range_loop, reason = "iterators are not taken apart into registers here; indices are")]
impl<const R: usize, const V: usize, const PACKED: bool> pulp::WithSimd for Sum<'_, R, V, PACKED> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { depth, left, right, out, .. } = self;
        let (row_stride, col_stride) = if PACKED { (1, R) } else { (self.row_stride, self.col_stride) };
        let lanes = S::F32_LANES;
        if depth == 0 {
            return;
        }
        assert!(left.len() > (R - 1) * row_stride + (depth - 1) * col_stride);
        assert!(right.data.len() >= (depth - 1) * right.stride + V * lanes);
        assert!(out.data.len() >= (R - 1) * out.stride + V * lanes);
        let mut sums = [[simd.splat_f32s(0.0); V]; R];
        let (mut a, mut b) = (left.as_ptr(), right.data.as_ptr());
        for _ in 0..depth {
            // SAFETY: in the p-th round the row read starts at p right.stride and spans V lanes values, the values
            // read are at r row_stride + p col_stride with r < R and p < depth: all inside by the assertions above. Vectors
            // are read without an assumption on their alignment; any bits are valid f32.
            unsafe {
                let mut row = [simd.splat_f32s(0.0); V];
                for v in 0..V {
                    row[v] = b.add(v * lanes).cast::<S::f32s>().read_unaligned();
                }
                for r in 0..R {
                    let x = simd.splat_f32s(*a.add(r * row_stride));
                    for v in 0..V {
                        sums[r][v] = simd.mul_add_f32s(x, row[v], sums[r][v]);
                    }
                }
            }
            // Behind the last row both may point outside, where nothing is read.
            a = a.wrapping_add(col_stride);
            b = b.wrapping_add(right.stride);
        }
        for r in 0..R {
            for v in 0..V {
                // SAFETY: r stride + (v + 1) lanes <= out.data.len() for r < R, v < V by the assertion above, and
                // `out` is borrowed exclusively.
                unsafe {
                    let to = out.data.as_mut_ptr().add(r * out.stride + v * lanes).cast::<S::f32s>();
                    let sum = if out.add { simd.add_f32s(to.read_unaligned(), sums[r][v]) } else { sums[r][v] };
                    to.write_unaligned(sum);
                }
            }
        }
    }
}
