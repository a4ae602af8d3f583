//! What this core can do at most: the yardstick of the benchmarks.

use std::hint::black_box;
use std::time::Instant;

use pulp::{Simd, WithSimd};

use crate::dispatch::simd;

/// Independent chains: enough to hide the latency of two multiply-add units.
const CHAINS: usize = 12;
const ROUNDS: usize = 100_000;

struct Chains(f32);

impl WithSimd for Chains {
    type Output = (f32, usize);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let (scale, add) = (simd.splat_f32s(self.0), simd.splat_f32s(0.5));
        let mut sums = [simd.splat_f32s(1.0); CHAINS];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = simd.mul_add_e_f32s(*sum, scale, add);
            }
        }
        let total = sums.into_iter().map(|s| simd.reduce_sum_f32s(s)).sum();
        (total, 2 * S::F32_LANES * CHAINS * ROUNDS)
    }
}

/// Floating-point operations per second, in 10^9, of multiply-adds that never leave the registers; the best of
/// 50 tries of about a millisecond.
pub fn multiply_add_rate() -> f64 {
    (0..50)
        .map(|_| {
            let start = Instant::now();
            let (total, operations) = simd(Chains(black_box(0.5)));
            black_box(total);
            operations as f64 / start.elapsed().as_secs_f64() / 1e9
        })
        .fold(0.0, f64::max)
}
