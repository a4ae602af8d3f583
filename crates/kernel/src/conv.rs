//! Convolution with a kernel of K = 1 or 3, stride 1 or more, zero padding K / 2 (rounded down).
//!
//! x `[B, H, W, Cin]`, W `[K, K, Cin, Cout]`, b `[Cout]` or none, y `[B, H', W', Cout]` with H' = (H - 1) / stride + 1. 3x3 at stride 1 reads
//! windows where they lie (`direct`); with many channels Winograd's minimal filtering saves 5 of 9 multiplications (`winograd`). Everything
//! else gathers windows (`gathered`).

mod direct;
mod gathered;
mod sizes;
mod winograd;

pub use sizes::Conv;
use sizes::Side;

use crate::operand::Operand;

/// Fewest channels, on both sides, for which Winograd's transforms pay: with fewer they move more memory than they save multiplications.
const WINOGRAD_FROM: usize = 32;

/// How a convolution is computed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Direct,
    Winograd,
    Gathered,
}

impl Conv {
    /// Values of workspace that each pass needs.
    pub fn workspace(&self) -> usize {
        match self.way() {
            Way::Direct => direct::workspace(self),
            Way::Winograd => winograd::workspace(self),
            Way::Gathered => gathered::workspace(self),
        }
    }

    /// Values of the weights as a pass reads them.
    pub fn prepared(&self) -> usize {
        match self.way() {
            Way::Direct => direct::prepared(self),
            Way::Winograd => winograd::prepared(self),
            Way::Gathered => self.taps() * self.input * self.output,
        }
    }

    /// Values of the weight gradient's sums before [`Conv::finish_parameters`].
    pub fn sums(&self) -> usize {
        if self.way() == Way::Winograd { winograd::prepared(self) } else { 0 }
    }

    /// Multiply-adds of one pass over one image.
    pub fn multiply_adds(&self) -> usize {
        self.out_height() * self.out_width() * self.taps() * self.input * self.output
    }

    /// The same for the convolution and its adjoint.
    fn way(&self) -> Way {
        match (self.kernel == 3 && self.stride == 1, self.input.min(self.output) >= WINOGRAD_FROM) {
            (true, true) => Way::Winograd,
            (true, false) => Way::Direct,
            (false, _) => Way::Gathered,
        }
    }

    /// Whether it can normalise its input as it reads it.
    pub fn bends(&self) -> bool {
        self.way() != Way::Gathered
    }

    /// Prepares the weights for [`Conv::forward`] of all parts of a batch.
    pub fn prepare_forward(&self, prepared: &mut [f32], w: &[f32]) {
        self.prepare(prepared, w, Side::Forward);
    }

    /// Prepares the weights for [`Conv::backward_input`] of all parts of a batch.
    pub fn prepare_backward(&self, prepared: &mut [f32], w: &[f32]) {
        self.adjoint().prepare(prepared, w, Side::Adjoint);
    }

    fn prepare(&self, prepared: &mut [f32], w: &[f32], side: Side) {
        match self.way() {
            Way::Direct => direct::prepare(self, prepared, w, side),
            Way::Winograd => winograd::prepare(self, prepared, w, side),
            Way::Gathered => prepared.copy_from_slice(w),
        }
    }

    /// Writes `y = x * W + b` for `batch` images from prepared weights; no bias where `bias` is empty. Panics when a norm comes with `x` that it cannot apply
    /// ([`Conv::bends`]).
    pub fn forward(
        &self,
        y: &mut [f32],
        x: Operand<'_>,
        prepared: &[f32],
        bias: &[f32],
        batch: usize,
        workspace: &mut [f32],
    ) {
        let (inputs, outputs) = self.sizes(batch);
        let (x, y) = (x.part(&x.values[..inputs]), &mut y[..outputs]);
        assert!(x.bend.is_none() || self.bends(), "a norm that nothing applies");
        match self.way() {
            Way::Direct => direct::forward(self, y, x, prepared, bias, workspace),
            Way::Winograd => winograd::forward(self, y, x, prepared, bias, workspace),
            Way::Gathered => gathered::forward(self, y, x.values, prepared, bias, workspace),
        }
    }

    /// Adds a part of a batch to `dw` and, where there is one, `db`, from the input and the output's gradient; `first` begins a batch.
    /// `sums` is kept between the parts, and [`Conv::finish_parameters`] ends them.
    pub fn backward_parameters(
        &self,
        (dw, db): (&mut [f32], &mut [f32]),
        sums: &mut [f32],
        (x, dy): (Operand<'_>, &[f32]),
        batch: usize,
        workspace: &mut [f32],
        first: bool,
    ) {
        let (inputs, outputs) = self.sizes(batch);
        let (x, dy) = (x.part(&x.values[..inputs]), &dy[..outputs]);
        if first {
            dw.fill(0.0);
            db.fill(0.0);
            sums.fill(0.0);
        }
        match self.way() {
            Way::Direct => direct::add_weights(self, (dw, db), x, dy, workspace),
            Way::Winograd => winograd::add_weights(self, (sums, db), x, dy, workspace),
            Way::Gathered => gathered::add_weights(self, (dw, db), x.values, dy, workspace),
        }
    }

    /// Completes `dw` when all parts of a batch have been added.
    pub fn finish_parameters(&self, dw: &mut [f32], sums: &[f32]) {
        if self.way() == Way::Winograd {
            winograd::finish_weights(self, dw, sums);
        }
    }

    /// Writes `dx` from the output's gradient and prepared weights.
    pub fn backward_input(&self, dx: &mut [f32], prepared: &[f32], dy: &[f32], batch: usize, workspace: &mut [f32]) {
        let (inputs, outputs) = self.sizes(batch);
        let (dx, dy) = (&mut dx[..inputs], &dy[..outputs]);
        match self.way() {
            Way::Direct => direct::forward(&self.adjoint(), dx, dy.into(), prepared, &[], workspace),
            Way::Winograd => winograd::forward(&self.adjoint(), dx, dy.into(), prepared, &[], workspace),
            Way::Gathered => gathered::backward_input(self, dx, prepared, dy, workspace),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flatleak_stream::{Purpose, Stream};

    #[test]
    fn agrees_with_the_naive_convolution_and_its_adjoint() {
        for (height, width, input, output) in [
            (5, 4, 3, 6),
            (33, 9, 1, 9),
            (1, 1, 2, 3),
            (5, 4, 8, 19),
            (4, 7, 32, 16),
            (1, 1, 9, 8),
            (2, 3, 17, 40),
            (2, 2, 120, 130),
            (1, 300, 4, 33),
        ] {
            check(Conv { height, width, input, output, kernel: 3, stride: 1 });
        }
    }

    #[test]
    fn strides_and_single_pixels_agree_too() {
        for (height, width, input, output) in
            [(5, 4, 3, 6), (1, 1, 2, 3), (6, 7, 8, 19), (2, 9, 40, 33), (33, 20, 5, 8)]
        {
            for (kernel, stride) in [(3, 2), (1, 1), (1, 2), (3, 3)] {
                check(Conv { height, width, input, output, kernel, stride });
            }
        }
    }

    fn check(conv: Conv) {
        let Conv { height: h, width: w_, input, output, kernel, stride } = conv;
        let (batch, px, taps, pad) = (3, conv.out_height() * conv.out_width(), kernel * kernel, kernel / 2);
        let mut s = Stream::new(2, Purpose::Simulation, 0, 0);
        let mut draw = |n: usize| (0..n).map(|_| s.normal() as f32).collect::<Vec<_>>();
        let (x, w, b) = (draw(batch * h * w_ * input), draw(taps * input * output), draw(output));
        let g = draw(batch * px * output);
        let mut columns = vec![f32::NAN; conv.workspace()];
        let mut y = vec![f32::NAN; batch * px * output];
        let mut prepared = vec![f32::NAN; conv.prepared()];
        conv.prepare_forward(&mut prepared, &w);
        conv.forward(&mut y, (&*x).into(), &prepared, &b, batch, &mut columns);
        let (mut dw, mut db, mut sums) = (vec![9.0; w.len()], vec![9.0; output], vec![f32::NAN; conv.sums()]);
        // The first image, then the rest.
        let rest = ((&x[conv.pixels() * input..]).into(), &g[px * output..]);
        conv.backward_parameters((&mut dw, &mut db), &mut sums, ((&*x).into(), &g), 1, &mut columns, true);
        conv.backward_parameters((&mut dw, &mut db), &mut sums, rest, batch - 1, &mut columns, false);
        conv.finish_parameters(&mut dw, &sums);
        let mut dx = vec![f32::NAN; x.len()];
        conv.prepare_backward(&mut prepared, &w);
        conv.backward_input(&mut dx, &prepared, &g, batch, &mut columns);

        let (mut ny, mut ndw, mut ndx) = (vec![0f64; y.len()], vec![0f64; w.len()], vec![0f64; x.len()]);
        let mut ndb = vec![0f64; output];
        for at in 0..batch * px * output {
            let (n, o) = (at / output / px, at % output);
            let (i, j) = (at / output % px / conv.out_width() * stride, at / output % conv.out_width() * stride);
            ny[at] = f64::from(b[o]);
            ndb[o] += f64::from(g[at]);
            for k in 0..taps * input {
                let (ky, kx, c) = (k / input / kernel, k / input % kernel, k % input);
                if (pad..h + pad).contains(&(i + ky)) && (pad..w_ + pad).contains(&(j + kx)) {
                    let xi = ((n * h + i + ky - pad) * w_ + j + kx - pad) * input + c;
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
