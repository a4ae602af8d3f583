//! 2x2 max-pooling, stride 2, on `[B, H, W, C]`; a last odd row or column is dropped, as in PyTorch.

use pulp::{Simd, WithSimd};

use crate::dispatch::simd;
use crate::vector::{load, store};

/// Sizes of one pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool {
    /// Input height.
    pub height: usize,
    /// Input width.
    pub width: usize,
    /// Channels.
    pub channels: usize,
}

impl MaxPool {
    /// Writes the maxima to `y` and which of the four positions, 0 to 3, each came from to `winner`.
    ///
    /// Of equal values the first in row-major order wins, and NaN wins over all, as in PyTorch.
    pub fn forward(&self, y: &mut [f32], winner: &mut [f32], x: &[f32], batch: usize) {
        simd(Forward { pool: *self, y, winner, x, batch });
    }

    /// Writes to `dx` the gradient of each maximum at its winner, 0 elsewhere.
    pub fn backward(&self, dx: &mut [f32], dy: &[f32], winner: &[f32], batch: usize) {
        if self.height % 2 == 1 || self.width % 2 == 1 {
            dx[..batch * self.height * self.width * self.channels].fill(0.0);
        }
        simd(Backward { pool: *self, dx, dy, winner, batch });
    }

    /// Output windows of a batch as (offset in the output, offset of the window's first pixel).
    #[inline(always)]
    fn windows(self, batch: usize) -> impl Iterator<Item = (usize, usize)> {
        let (h, w, c) = (self.height / 2, self.width / 2, self.channels);
        (0..batch * h).flat_map(move |row| {
            let first = (row / h * self.height + row % h * 2) * self.width * c;
            (0..w).map(move |j| ((row * w + j) * c, first + 2 * j * c))
        })
    }

    /// Offsets of a window's four positions.
    fn positions(&self) -> [usize; 4] {
        let (c, row) = (self.channels, self.width * self.channels);
        [0, c, row, row + c]
    }
}

struct Forward<'a> {
    pool: MaxPool,
    y: &'a mut [f32],
    winner: &'a mut [f32],
    x: &'a [f32],
    batch: usize,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pool, y, winner, x, batch } = self;
        let offsets = pool.positions();
        for (out, at) in pool.windows(batch) {
            for channel in (0..pool.channels).step_by(S::F32_LANES) {
                let lanes = S::F32_LANES.min(pool.channels - channel);
                let mut best = load(simd, x, at + channel, lanes);
                let mut which = simd.splat_f32s(0.0);
                for (k, offset) in offsets.into_iter().enumerate().skip(1) {
                    let v = load(simd, x, at + offset + channel, lanes);
                    // Not "less or equal" is "greater, or one of them NaN"; a NaN that leads must stay.
                    let beaten = simd.not_m32s(simd.less_than_or_equal_f32s(v, best));
                    let better = simd.and_m32s(beaten, simd.equal_f32s(best, best));
                    best = simd.select_f32s(better, v, best);
                    which = simd.select_f32s(better, simd.splat_f32s(k as f32), which);
                }
                store(simd, y, out + channel, lanes, best);
                store(simd, winner, out + channel, lanes, which);
            }
        }
    }
}

struct Backward<'a> {
    pool: MaxPool,
    dx: &'a mut [f32],
    dy: &'a [f32],
    winner: &'a [f32],
    batch: usize,
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pool, dx, dy, winner, batch } = self;
        let (offsets, zero) = (pool.positions(), simd.splat_f32s(0.0));
        for (out, at) in pool.windows(batch) {
            for channel in (0..pool.channels).step_by(S::F32_LANES) {
                let lanes = S::F32_LANES.min(pool.channels - channel);
                let (g, which) = (load(simd, dy, out + channel, lanes), load(simd, winner, out + channel, lanes));
                for (k, offset) in offsets.into_iter().enumerate() {
                    let mine = simd.equal_f32s(which, simd.splat_f32s(k as f32));
                    store(simd, dx, at + offset + channel, lanes, simd.select_f32s(mine, g, zero));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_of_equals_wins_and_odd_edges_get_nothing() {
        let pool = MaxPool { height: 3, width: 5, channels: 1 };
        let x = [1., 1., 0., 2., 9., 1., 1., 2., 2., 9., 9., 9., 9., 9., 9.];
        let (mut y, mut win) = ([0.0; 2], [9.0; 2]);
        pool.forward(&mut y, &mut win, &x, 1);
        assert_eq!((y, win), ([1.0, 2.0], [0.0, 1.0]));
        let mut dx = [5.0; 15];
        pool.backward(&mut dx, &[3.0, 4.0], &win, 1);
        let mut want = [0.0; 15];
        (want[0], want[3]) = (3.0, 4.0);
        assert_eq!(dx, want);
        // NaN wins wherever it stands, the first of several.
        let window = MaxPool { height: 2, width: 2, channels: 1 };
        for (x, which) in [([f32::NAN, 1.0, f32::NAN, 2.0], 0.0), ([3.0, 1.0, f32::NAN, 9.0], 2.0)] {
            let (mut y, mut win) = ([0.0], [9.0]);
            window.forward(&mut y, &mut win, &x, 1);
            assert!(y[0].is_nan());
            assert_eq!(win, [which]);
        }
    }
}
