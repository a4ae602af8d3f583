//! Instruction sets: elementwise loops are compiled once per set and chosen at run time.

use gemm_common::pulp::{Arch, NullaryFnOnce};

/// Runs `op` compiled for the widest vectors of this machine.
///
/// The loops use no fused multiply-add and no reordered sums, so every set gives the same bits.
#[inline]
pub(crate) fn dispatch<F: NullaryFnOnce>(op: F) -> F::Output {
    Arch::new().dispatch(op)
}

/// The instruction set that the matrix kernels use on this machine, for the record.
pub fn instruction_set() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            return "avx512f";
        }
        if std::arch::is_x86_feature_detected!("fma") {
            return "avx2+fma";
        }
        "scalar"
    }
    #[cfg(target_arch = "aarch64")]
    {
        "neon"
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        "scalar"
    }
}
