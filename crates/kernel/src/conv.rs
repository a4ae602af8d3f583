//! 3x3 convolution, stride 1, zero padding 1.
//!
//! x `[B, H, W, Cin]`, W `[3, 3, Cin, Cout]`, b `[Cout]`, y `[B, H, W, Cout]`. Few channels are lowered to one matrix
//! product per image ([`lowered`]); where channels fill vectors, Winograd's minimal filtering saves 5 of 9
//! multiplications ([`winograd`]).

mod lowered;
mod winograd;

use crate::linear::{accumulate_rows, add_bias};

/// Fewest channels, on both sides, for which Winograd's transforms pay.
const WINOGRAD_FROM: usize = 8;

/// Sizes of one convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv {
    /// Height of input and output.
    pub height: usize,
    /// Width of input and output.
    pub width: usize,
    /// Channels in.
    pub input: usize,
    /// Channels out.
    pub output: usize,
}

impl Conv {
    /// Values of workspace that each pass needs.
    pub fn workspace(&self) -> usize {
        if self.transforms() { winograd::workspace(self) } else { lowered::workspace(self) }
    }

    fn transforms(&self) -> bool {
        self.input >= WINOGRAD_FROM && self.output >= WINOGRAD_FROM
    }

    fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// The convolution with input and output exchanged: the shape of the input gradient's.
    fn adjoint(&self) -> Self {
        Self { input: self.output, output: self.input, ..*self }
    }

    /// Writes `y = x * W + b` for `batch` images.
    pub fn forward(&self, y: &mut [f32], x: &[f32], w: &[f32], bias: &[f32], batch: usize, workspace: &mut [f32]) {
        let (x, y) = (&x[..batch * self.pixels() * self.input], &mut y[..batch * self.pixels() * self.output]);
        if self.transforms() {
            winograd::forward(self, y, x, w, winograd::Side::Forward, workspace);
        } else {
            lowered::forward(self, y, x, w, workspace);
        }
        add_bias(y, bias);
    }

    /// Writes `dw` and `db` from the input and the output's gradient.
    pub fn backward_parameters(
        &self,
        (dw, db): (&mut [f32], &mut [f32]),
        x: &[f32],
        dy: &[f32],
        batch: usize,
        workspace: &mut [f32],
    ) {
        let (x, dy) = (&x[..batch * self.pixels() * self.input], &dy[..batch * self.pixels() * self.output]);
        if self.transforms() {
            winograd::backward_weights(self, dw, x, dy, workspace);
        } else {
            lowered::backward_weights(self, dw, x, dy, workspace);
        }
        db.fill(0.0);
        accumulate_rows(db, dy);
    }

    /// Writes `dx` from the output's gradient.
    pub fn backward_input(&self, dx: &mut [f32], w: &[f32], dy: &[f32], batch: usize, workspace: &mut [f32]) {
        let (dx, dy) = (&mut dx[..batch * self.pixels() * self.input], &dy[..batch * self.pixels() * self.output]);
        if self.transforms() {
            winograd::forward(&self.adjoint(), dx, dy, w, winograd::Side::Adjoint, workspace);
        } else {
            lowered::backward_input(self, dx, w, dy, workspace);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flatleak_stream::{Purpose, Stream};

    #[test]
    fn agrees_with_the_naive_convolution_and_its_adjoint() {
        for (height, width, input, output) in
            [(5, 4, 3, 6), (5, 4, 1, 9), (1, 1, 2, 3), (5, 4, 8, 19), (4, 7, 32, 16), (1, 1, 9, 8), (2, 3, 17, 40)]
        {
            check(Conv { height, width, input, output });
        }
    }

    fn check(conv: Conv) {
        let Conv { height: h, width: w_, input, output } = conv;
        let (batch, px) = (3, h * w_);
        let mut s = Stream::new(2, Purpose::Simulation, 0, 0);
        let mut draw = |n: usize| (0..n).map(|_| s.normal() as f32).collect::<Vec<_>>();
        let (x, w, b) = (draw(batch * px * input), draw(9 * input * output), draw(output));
        let g = draw(batch * px * output);
        let mut columns = vec![f32::NAN; conv.workspace()];
        let mut y = vec![f32::NAN; batch * px * output];
        conv.forward(&mut y, &x, &w, &b, batch, &mut columns);
        let (mut dw, mut db) = (vec![9.0; w.len()], vec![9.0; output]);
        conv.backward_parameters((&mut dw, &mut db), &x, &g, batch, &mut columns);
        let mut dx = vec![f32::NAN; x.len()];
        conv.backward_input(&mut dx, &w, &g, batch, &mut columns);

        let (mut ny, mut ndw, mut ndx) = (vec![0f64; y.len()], vec![0f64; w.len()], vec![0f64; x.len()]);
        let mut ndb = vec![0f64; output];
        for at in 0..batch * px * output {
            let (n, i, j, o) = (at / output / px, at / output % px / w_, at / output % w_, at % output);
            ny[at] = f64::from(b[o]);
            ndb[o] += f64::from(g[at]);
            for k in 0..9 * input {
                let (ky, kx, c) = (k / input / 3, k / input % 3, k % input);
                if (1..=h).contains(&(i + ky)) && (1..=w_).contains(&(j + kx)) {
                    let xi = ((n * h + i + ky - 1) * w_ + j + kx - 1) * input + c;
                    let wi = k * output + o;
                    ny[at] += f64::from(x[xi]) * f64::from(w[wi]);
                    ndw[wi] += f64::from(x[xi]) * f64::from(g[at]);
                    ndx[xi] += f64::from(w[wi]) * f64::from(g[at]);
                }
            }
        }
        for (got, want) in [(&y, &ny), (&dw, &ndw), (&db, &ndb), (&dx, &ndx)] {
            for (a, b) in got.iter().zip(want) {
                assert!((f64::from(*a) - b).abs() < 3e-5 * (1.0 + b.abs()), "{conv:?}: {a} {b}");
            }
        }
    }
}
