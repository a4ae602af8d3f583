//! Instruction sets: every operation is compiled once per set and one is chosen at run time.

use std::sync::LazyLock;

use pulp::{Arch, NullaryFnOnce, Scalar, WithSimd};

/// Environment variable that forces a set: `avx512`, `avx2` or `scalar`. One that the machine lacks is ignored.
pub const SIMD_VAR: &str = "FLATLEAK_SIMD";

static CHOSEN: LazyLock<(Arch, &'static str)> = LazyLock::new(choose);

#[cfg(target_arch = "x86_64")]
fn choose() -> (Arch, &'static str) {
    use pulp::x86::{V3, V4};
    let wanted = std::env::var(SIMD_VAR).unwrap_or_default();
    let v4 = || V4::try_new().map(|s| (Arch::V4(s), "avx512"));
    let v3 = || V3::try_new().map(|s| (Arch::V3(s), "avx2+fma"));
    let scalar = (Arch::Scalar, "scalar");
    match wanted.as_str() {
        "scalar" => scalar,
        "avx2" => v3().unwrap_or(scalar),
        _ => v4().or_else(v3).unwrap_or(scalar),
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn choose() -> (Arch, &'static str) {
    if std::env::var(SIMD_VAR).is_ok_and(|v| v == "scalar") {
        return (Arch::Scalar, "scalar");
    }
    (Arch::new(), if cfg!(target_arch = "aarch64") { "neon" } else { "scalar" })
}

/// Runs `op` compiled for the vectors of this machine.
///
/// Loops under it use no fused multiply-add and sum in a fixed order, so every set gives the same bits.
#[inline]
pub(crate) fn dispatch<F: NullaryFnOnce>(op: F) -> F::Output {
    CHOSEN.0.dispatch(op)
}

/// Runs an operation written in vectors.
#[inline]
pub(crate) fn simd<F: WithSimd>(op: F) -> F::Output {
    if matches!(CHOSEN.0, Arch::Scalar) { op.with_simd(Scalar::new()) } else { CHOSEN.0.dispatch(op) }
}

/// The instruction set that the kernels use on this machine, for the record.
pub fn instruction_set() -> &'static str {
    CHOSEN.1
}
