//! Averages over pixels on `[B, H, W, C]`: 2x2 with stride 2 (a last odd row or column is dropped, as in PyTorch), and over the whole image.

use pulp::NullaryFnOnce;

use crate::dispatch::dispatch;

/// Sizes of one 2x2 average pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AveragePool {
    /// Input height.
    pub height: usize,
    /// Input width.
    pub width: usize,
    /// Channels.
    pub channels: usize,
}

impl AveragePool {
    /// Writes the mean of every window.
    pub fn forward(&self, y: &mut [f32], x: &[f32], batch: usize) {
        let (h, w, c) = (self.height / 2, self.width / 2, self.channels);
        for (row, y) in y[..batch * h * w * c].chunks_exact_mut(w * c).enumerate() {
            let first = (row / h * self.height + row % h * 2) * self.width * c;
            let (upper, lower) = (&x[first..], &x[first + self.width * c..]);
            for (j, y) in y.chunks_exact_mut(c).enumerate() {
                let at = 2 * j * c;
                for (k, y) in y.iter_mut().enumerate() {
                    *y = 0.25 * ((upper[at + k] + upper[at + c + k]) + (lower[at + k] + lower[at + c + k]));
                }
            }
        }
    }

    /// Writes a quarter of each window's gradient to its four pixels, 0 to dropped ones.
    pub fn backward(&self, dx: &mut [f32], dy: &[f32], batch: usize) {
        let (h, w, c) = (self.height / 2, self.width / 2, self.channels);
        dx[..batch * self.height * self.width * c].fill(0.0);
        for (row, dy) in dy[..batch * h * w * c].chunks_exact(w * c).enumerate() {
            let first = (row / h * self.height + row % h * 2) * self.width * c;
            for line in [first, first + self.width * c] {
                for (j, dy) in dy.chunks_exact(c).enumerate() {
                    for column in [2 * j, 2 * j + 1] {
                        let to = &mut dx[line + column * c..][..c];
                        to.iter_mut().zip(dy).for_each(|(to, d)| *to = 0.25 * d);
                    }
                }
            }
        }
    }
}

/// Writes the mean over `pixels` of every channel: x `[B, pixels, C]`, y `[B, C]`.
pub fn global_forward(y: &mut [f32], x: &[f32], pixels: usize, channels: usize) {
    dispatch(Global { y, x, pixels, channels });
}

struct Global<'a> {
    y: &'a mut [f32],
    x: &'a [f32],
    pixels: usize,
    channels: usize,
}

impl NullaryFnOnce for Global<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let share = 1.0 / self.pixels as f32;
        for (y, image) in self.y.chunks_exact_mut(self.channels).zip(self.x.chunks_exact(self.pixels * self.channels)) {
            y.fill(0.0);
            for row in image.chunks_exact(self.channels) {
                y.iter_mut().zip(row).for_each(|(y, x)| *y += x);
            }
            y.iter_mut().for_each(|y| *y *= share);
        }
    }
}

/// Spreads every gradient evenly over the pixels.
pub fn global_backward(dx: &mut [f32], dy: &[f32], pixels: usize, channels: usize) {
    let share = 1.0 / pixels as f32;
    for (image, dy) in dx.chunks_exact_mut(pixels * channels).zip(dy.chunks_exact(channels)) {
        for row in image.chunks_exact_mut(channels) {
            row.iter_mut().zip(dy).for_each(|(dx, d)| *dx = share * d);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_by_hand_and_odd_edges_get_nothing() {
        let pool = AveragePool { height: 3, width: 3, channels: 1 };
        let mut y = [9.0];
        pool.forward(&mut y, &[1., 2., 7., 3., 6., 7., 7., 7., 7.], 1);
        assert_eq!(y, [3.0]);
        let mut dx = [5.0; 9];
        pool.backward(&mut dx, &[4.0], 1);
        assert_eq!(dx, [1., 1., 0., 1., 1., 0., 0., 0., 0.]);
        let mut y = [0.0; 4];
        global_forward(&mut y, &[1., 2., 3., 4., 5., 6., 0., 2.], 2, 2);
        assert_eq!(y, [2.0, 3.0, 2.5, 4.0]);
        let mut dx = [0.0; 8];
        global_backward(&mut dx, &[2., 4., 6., 8.], 2, 2);
        assert_eq!(dx, [1., 2., 1., 2., 3., 4., 3., 4.]);
    }
}
