//! The register tile: a few rows times a few vectors, summed over the inner dimension.

use pulp::Simd;

/// The left operand: value (r, p) lies at `r row_stride + p col_stride`; packed, with the R values of each p side by side, at `r + p R`.
#[derive(Clone, Copy)]
pub(crate) enum Left<'a> {
    Strided {
        data: &'a [f32],
        row_stride: usize,
        col_stride: usize,
    },
    Packed(&'a [f32]),
    /// Windows of an image: value (r, p) of piece s at `r step + p + s pitch`; the inner dimension runs over the pieces, `depth` values in each.
    Windows {
        data: &'a [f32],
        step: usize,
        pieces: usize,
        pitch: usize,
    },
    /// Pixels of an image: value (r, p) of piece s at `r + p step + s pitch`.
    Pixels {
        data: &'a [f32],
        step: usize,
        pieces: usize,
        pitch: usize,
    },
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
    // Strides that are known spare a register and an addition each.
    match left {
        Left::Strided { data, row_stride, col_stride } => {
            let (pieces, pitch) = (1, 0);
            simd.vectorize(Sum::<R, V, STRIDED> {
                depth,
                left: data,
                row_stride,
                col_stride,
                pieces,
                pitch,
                right,
                out,
            });
        }
        Left::Packed(data) => {
            let (row_stride, col_stride, pieces, pitch) = (1, R, 1, 0);
            simd.vectorize(Sum::<R, V, PACKED> {
                depth,
                left: data,
                row_stride,
                col_stride,
                pieces,
                pitch,
                right,
                out,
            });
        }
        Left::Windows { data, step: row_stride, pieces, pitch } => {
            let col_stride = 1;
            simd.vectorize(Sum::<R, V, WINDOWS> {
                depth,
                left: data,
                row_stride,
                col_stride,
                pieces,
                pitch,
                right,
                out,
            });
        }
        Left::Pixels { data, step: col_stride, pieces, pitch } => {
            let row_stride = 1;
            simd.vectorize(Sum::<R, V, PIXELS> {
                depth,
                left: data,
                row_stride,
                col_stride,
                pieces,
                pitch,
                right,
                out,
            });
        }
    }
}

const STRIDED: u8 = 0;
const PACKED: u8 = 1;
const WINDOWS: u8 = 2;
const PIXELS: u8 = 3;

struct Sum<'a, const R: usize, const V: usize, const KIND: u8> {
    depth: usize,
    left: &'a [f32],
    row_stride: usize,
    col_stride: usize,
    pieces: usize,
    pitch: usize,
    right: Rows<'a>,
    out: Tile<'a>,
}

#[allow(clippy::needless_range_loop, reason = "iterators are not taken apart into registers here; indices are")]
impl<const R: usize, const V: usize, const KIND: u8> pulp::WithSimd for Sum<'_, R, V, KIND> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { depth, left, right, out, .. } = self;
        let (row_stride, col_stride) = match KIND {
            PACKED => (1, R),
            WINDOWS => (self.row_stride, 1),
            PIXELS => (1, self.col_stride),
            _ => (self.row_stride, self.col_stride),
        };
        let (pieces, pitch) = if matches!(KIND, WINDOWS | PIXELS) { (self.pieces, self.pitch) } else { (1, 0) };
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
