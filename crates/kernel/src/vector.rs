//! Vectors to and from slices.

use pulp::Simd;

/// One vector from `from` at `at`, of which `n` lanes exist.
#[inline(always)]
pub(crate) fn load<S: Simd>(simd: S, from: &[f32], at: usize, n: usize) -> S::f32s {
    let from = &from[at..at + n];
    if n == S::F32_LANES {
        // SAFETY: the slice holds exactly as many values as the vector; no alignment is assumed.
        unsafe { from.as_ptr().cast::<S::f32s>().read_unaligned() }
    } else {
        simd.partial_load_f32s(from)
    }
}

/// Writes `n` lanes of a vector to `to` at `at`.
#[inline(always)]
pub(crate) fn store<S: Simd>(simd: S, to: &mut [f32], at: usize, n: usize, value: S::f32s) {
    let to = &mut to[at..at + n];
    if n == S::F32_LANES {
        // SAFETY: the slice holds exactly as many values as the vector; no alignment is assumed.
        unsafe { to.as_mut_ptr().cast::<S::f32s>().write_unaligned(value) }
    } else {
        simd.partial_store_f32s(to, value);
    }
}
