//! Copies of matrix blocks in the order in which a register tile reads them.
//!
//! A packed block has the values that one step over the inner dimension needs side by side: vectors that cross a cache line cost two
//! reads, and rows a power of two apart compete for the same few places of the first-level cache.

use pulp::{Simd, WithSimd};

/// A block of a matrix: value (p, w) lies at `p depth_stride + w width_stride`.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) depth_stride: usize,
    pub(crate) width_stride: usize,
}

/// Copies `depth` times `count` values of `block` to rows of `width`, zeros behind them.
#[inline(always)]
pub(crate) fn pack<S: Simd>(simd: S, to: &mut [f32], block: Block<'_>, depth: usize, (count, width): (usize, usize)) {
    let to = &mut to[..depth * width];
    if count < width {
        to.fill(0.0);
    }
    simd.vectorize(Pack { to, block, depth, count, width });
}

struct Pack<'a> {
    to: &'a mut [f32],
    block: Block<'a>,
    depth: usize,
    count: usize,
    width: usize,
}

impl WithSimd for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { to, block, depth, count, width } = self;
        let Block { data, depth_stride, width_stride } = block;
        if width_stride == 1 {
            return rows::<S>(to, data, depth, count, (width, depth_stride));
        }
        let (fours, whole) = (count / 4 * 4, if depth_stride == 1 { depth / 4 * 4 } else { 0 });
        for w in (0..fours).step_by(4) {
            transpose(&mut to[w..], &data[w * width_stride..], whole, (width, width_stride));
        }
        for w in 0..count {
            for p in if w < fours { whole } else { 0 }..depth {
                to[p * width + w] = data[w * width_stride + p * depth_stride];
            }
        }
    }
}

/// Copies `depth` rows of `count` values in vectors, then in fours: a call costs more than that, and so does a masked vector.
#[inline(always)]
fn rows<S: Simd>(to: &mut [f32], from: &[f32], depth: usize, count: usize, (width, stride): (usize, usize)) {
    if depth == 0 || count == 0 {
        return;
    }
    assert!(to.len() >= (depth - 1) * width + count && from.len() >= (depth - 1) * stride + count);
    for p in 0..depth {
        // SAFETY: row p starts at p width and p stride and has `count` values, inside both slices by the assertion above; each piece
        // ends at most at `count`, and no alignment beyond that of f32 is assumed.
        unsafe {
            let (to, from) = (to.as_mut_ptr().add(p * width), from.as_ptr().add(p * stride));
            let mut w = 0;
            while w + S::F32_LANES <= count {
                to.add(w).cast::<S::f32s>().write_unaligned(from.add(w).cast::<S::f32s>().read_unaligned());
                w += S::F32_LANES;
            }
            while w + 4 <= count {
                to.add(w).cast::<[f32; 4]>().write(from.add(w).cast::<[f32; 4]>().read());
                w += 4;
            }
            while w < count {
                *to.add(w) = *from.add(w);
                w += 1;
            }
        }
    }
}

/// `to[p width + r] = from[r stride + p]` for four rows r and a multiple of four columns p, four by four values at a time, so that both sides
/// are read and written in pieces of a line.
#[inline(always)]
fn transpose(to: &mut [f32], from: &[f32], columns: usize, (width, stride): (usize, usize)) {
    if columns == 0 {
        return;
    }
    assert!(columns.is_multiple_of(4) && from.len() >= 3 * stride + columns && to.len() >= (columns - 1) * width + 4);
    for p in (0..columns).step_by(4) {
        // SAFETY: with p + 4 <= columns, reads end at most at 3 stride + columns and writes at (columns - 1) width + 4, inside both
        // slices by the assertion above; an array of f32 needs no more alignment than one.
        unsafe {
            let from = from.as_ptr().add(p);
            let [a, b, c, d] = four_by_four([
                from.cast::<[f32; 4]>().read(),
                from.add(stride).cast::<[f32; 4]>().read(),
                from.add(2 * stride).cast::<[f32; 4]>().read(),
                from.add(3 * stride).cast::<[f32; 4]>().read(),
            ]);
            let to = to.as_mut_ptr().add(p * width);
            to.cast::<[f32; 4]>().write(a);
            to.add(width).cast::<[f32; 4]>().write(b);
            to.add(2 * width).cast::<[f32; 4]>().write(c);
            to.add(3 * width).cast::<[f32; 4]>().write(d);
        }
    }
}

#[inline(always)]
#[cfg(target_arch = "x86_64")]
fn four_by_four(m: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    use std::arch::x86_64::{__m128, _MM_TRANSPOSE4_PS};
    // SAFETY: four values and a vector of four have the same size and no invalid bits, and every x86-64 has SSE.
    unsafe {
        let [mut a, mut b, mut c, mut d] = std::mem::transmute::<[[f32; 4]; 4], [__m128; 4]>(m);
        _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
        std::mem::transmute::<[__m128; 4], [[f32; 4]; 4]>([a, b, c, d])
    }
}

#[inline(always)]
#[cfg(not(target_arch = "x86_64"))]
fn four_by_four(m: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    std::array::from_fn(|s| [m[0][s], m[1][s], m[2][s], m[3][s]])
}
