//! 2x2 max-pooling, stride 2, on `[B, H, W, C]`; a last odd row or column is dropped, as in PyTorch.

use crate::dispatch::dispatch;

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
    /// Writes the maxima to `y` and which of the four positions each came from to `winner`.
    ///
    /// Of equal values the first in row-major order wins, and NaN wins over all, as in PyTorch.
    pub fn forward(&self, y: &mut [f32], winner: &mut [u8], x: &[f32], batch: usize) {
        let (c, rows) = (self.channels, self.width * self.channels);
        dispatch(
            #[inline(always)]
            || {
                self.windows(batch, |out, at| {
                    let (a, b) = (&x[at..at + 2 * c], &x[at + rows..at + rows + 2 * c]);
                    let (y, win) = (&mut y[out..out + c], &mut winner[out..out + c]);
                    let candidates = [&a[..c], &a[c..], &b[..c], &b[c..]];
                    for j in 0..c {
                        let (mut best, mut which) = (candidates[0][j], 0u8);
                        for (k, candidate) in candidates.iter().enumerate().skip(1) {
                            let v = candidate[j];
                            let better = v > best || v.is_nan();
                            best = if better { v } else { best };
                            which = if better { k as u8 } else { which };
                        }
                        (y[j], win[j]) = (best, which);
                    }
                });
            },
        );
    }

    /// Writes to `dx` the gradient of each maximum at its winner, 0 elsewhere.
    pub fn backward(&self, dx: &mut [f32], dy: &[f32], winner: &[u8], batch: usize) {
        let (c, rows) = (self.channels, self.width * self.channels);
        if self.height % 2 == 1 || self.width % 2 == 1 {
            dx[..batch * self.height * rows].fill(0.0);
        }
        dispatch(
            #[inline(always)]
            || {
                self.windows(batch, |out, at| {
                    let (dy, win) = (&dy[out..out + c], &winner[out..out + c]);
                    for (k, start) in [at, at + c, at + rows, at + rows + c].into_iter().enumerate() {
                        for (d, (g, w)) in dx[start..start + c].iter_mut().zip(dy.iter().zip(win)) {
                            *d = if usize::from(*w) == k { *g } else { 0.0 };
                        }
                    }
                });
            },
        );
    }

    /// Calls `f(offset in the output, offset of the window's first pixel)` for every window.
    #[inline(always)]
    fn windows(&self, batch: usize, mut f: impl FnMut(usize, usize)) {
        let (h, w, c) = (self.height / 2, self.width / 2, self.channels);
        for n in 0..batch {
            for i in 0..h {
                for j in 0..w {
                    f(((n * h + i) * w + j) * c, ((n * self.height + 2 * i) * self.width + 2 * j) * c);
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
        let (mut y, mut win) = ([0.0; 2], [9; 2]);
        pool.forward(&mut y, &mut win, &x, 1);
        assert_eq!((y, win), ([1.0, 2.0], [0, 1]));
        let mut dx = [5.0; 15];
        pool.backward(&mut dx, &[3.0, 4.0], &win, 1);
        let mut want = [0.0; 15];
        (want[0], want[3]) = (3.0, 4.0);
        assert_eq!(dx, want);
    }
}
