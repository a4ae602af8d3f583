//! The register tile: a few rows times a few vectors, summed over the inner dimension.

use pulp::Simd;

/// The left operand, with values of neighbouring rows or of neighbouring columns side by side. The inner dimension runs over the pieces, `depth`
/// values in each, and piece s starts at `s pitch`.
#[derive(Clone, Copy)]
pub(crate) struct Left<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) order: Order,
    pub(crate) pieces: usize,
    pub(crate) pitch: usize,
}

/// Where value (r, p) of a piece lies.
#[derive(Clone, Copy)]
pub(crate) enum Order {
    /// At `r + p step`: a packed operand, a transposed matrix, pixels of an image.
    RowsBeside { step: usize },
    /// At `r step + p`: a matrix, windows of an image.
    ColumnsBeside { step: usize },
}

impl<'a> Left<'a> {
    /// An operand in one piece.
    pub(crate) fn whole(data: &'a [f32], order: Order) -> Self {
        Self { data, order, pieces: 1, pitch: 0 }
    }
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

/// Most rows of a tile.
pub(crate) const TALLEST: usize = 16;

/// [`product`] of any number of rows up to R.
#[inline(always)]
pub(crate) fn any_rows<S: Simd, const V: usize>(
    simd: S,
    rows: usize,
    depth: usize,
    left: Left<'_>,
    right: Rows<'_>,
    out: Tile<'_>,
) {
    macro_rules! one_of {
        ($($r:literal)*) => {
            match rows {
                $($r => product::<S, $r, V>(simd, depth, left, right, out),)*
                _ => product::<S, TALLEST, V>(simd, depth, left, right, out),
            }
        };
    }
    one_of!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
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
    // A stride that is known to be 1 spares a register and an addition for every row.
    match left.order {
        Order::RowsBeside { step } => simd.vectorize(Sum::<R, V, true> { depth, left, step, right, out }),
        Order::ColumnsBeside { step } => simd.vectorize(Sum::<R, V, false> { depth, left, step, right, out }),
    }
}

struct Sum<'a, const R: usize, const V: usize, const ROWS_BESIDE: bool> {
    depth: usize,
    left: Left<'a>,
    step: usize,
    right: Rows<'a>,
    out: Tile<'a>,
}

#[allow(clippy::needless_range_loop, reason = "iterators are not taken apart into registers here; indices are")]
impl<const R: usize, const V: usize, const ROWS_BESIDE: bool> pulp::WithSimd for Sum<'_, R, V, ROWS_BESIDE> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { depth, left, step, right, out } = self;
        let Left { data: left, pieces, pitch, .. } = left;
        let (row_stride, col_stride) = if ROWS_BESIDE { (1, step) } else { (step, 1) };
        let lanes = S::F32_LANES;
        if depth == 0 || pieces == 0 {
            return;
        }
        assert!(left.len() > (R - 1) * row_stride + (depth - 1) * col_stride + (pieces - 1) * pitch);
        assert!(right.data.len() >= (pieces * depth - 1) * right.stride + V * lanes);
        assert!(out.data.len() >= (R - 1) * out.stride + V * lanes);
        let mut sums = [[simd.splat_f32s(0.0); V]; R];
        let mut b = right.data.as_ptr();
        for s in 0..pieces {
            let mut a = left.as_ptr().wrapping_add(s * pitch);
            for _ in 0..depth {
                // SAFETY: in round p of piece s the row read starts at (s depth + p) right.stride and spans V lanes values, the
                // values read are at r row_stride + p col_stride + s pitch with r < R, p < depth and s < pieces: all inside by the
                // assertions above. Vectors are read without an assumption on their alignment; any bits are valid f32.
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
