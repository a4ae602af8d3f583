//! Gradients that are not summed over the batch.
//!
//! The gradient of a linear layer is X' dZ, a sum of outer products over examples; its norm for one example, |x| |dz|, and any weighted sum
//! follow from X and dZ, and the gradients of single examples are never formed (Goodfellow 2015, arXiv 1510.01799). Convolutions and group
//! norms have few parameters beside their activations; their gradients are kept for every example.

use std::ops::Range;

use flatleak_kernel::{Buffer, linear, sweep};

use crate::compile::Step;

/// Values of gradients of single examples that are kept at once.
const KEPT: usize = 8 << 20;

/// Where a backward pass leaves the gradients of parameters.
pub(crate) enum Sink<'a> {
    /// Summed over the batch, all D of them.
    Sum(&'a mut [f32]),
    /// By example.
    Apart(&'a mut Apart),
}

impl Sink<'_> {
    /// The pieces of a part of `n` examples over which gradients are summed.
    pub(crate) fn pieces(&self, n: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let size = if matches!(self, Self::Sum(_)) { n.max(1) } else { 1 };
        (0..n).step_by(size).map(move |at| at..at + size)
    }

    /// Gradients of the weights and biases of step `i`, and whether the piece that begins at `example` is the first that they are of.
    pub(crate) fn parameters(&mut self, i: usize, step: &Step, example: usize) -> (&mut [f32], &mut [f32], bool) {
        let (all, first) = match self {
            Self::Sum(g) => (&mut g[step.at.weight.start..step.at.bias.end], example == 0),
            Self::Apart(apart) => (apart.row(i, example), true),
        };
        let (dw, db) = all.split_at_mut(step.at.weight.len());
        (dw, db, first)
    }
}

/// What steps read in a pass.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) activations: &'a [Buffer],
}

impl<'a> Inputs<'a> {
    /// What a linear step read, `[B, I]`: no norm that is never written comes before one.
    pub(crate) fn of(self, step: &Step) -> &'a [f32] {
        step.source.map_or(self.data, |k| &self.activations[k])
    }
}

/// Output gradients of linear layers `[B, O]` and gradients of all other parameters by example `[B, P]`.
#[derive(Debug)]
pub(crate) struct Apart {
    /// By step; empty where it is not linear.
    pub(crate) outputs: Vec<Buffer>,
    /// Where the parameters of other steps lie in a row.
    places: Vec<Range<usize>>,
    rows: Buffer,
    /// P.
    width: usize,
    /// Squared norm of each row.
    pub(crate) squares: Vec<f64>,
    /// Examples that there is room for.
    pub(crate) capacity: usize,
    /// Weight of every example in [`Apart::sum`].
    weights: Vec<f32>,
}

impl Apart {
    /// Room for as many of `batch` examples as memory allows, at least one.
    pub(crate) fn new(steps: &[Step], batch: usize) -> Self {
        let mut width = 0;
        let places: Vec<Range<usize>> = steps
            .iter()
            .map(|step| {
                let first = width;
                width += if is_linear(step) { 0 } else { step.parameters() };
                first..width
            })
            .collect();
        let capacity = batch.min(KEPT / width.max(1)).max(1);
        let outputs = |step: &Step| Buffer::new(if is_linear(step) { capacity * step.outputs } else { 0 });
        Self {
            outputs: steps.iter().map(outputs).collect(),
            places,
            rows: Buffer::new(capacity * width),
            width,
            squares: vec![0.0; capacity],
            capacity,
            weights: Vec::with_capacity(capacity),
        }
    }

    fn row(&mut self, i: usize, example: usize) -> &mut [f32] {
        &mut self.rows[example * self.width..][..self.width][self.places[i].clone()]
    }

    /// Completes what step `i` puts into the row of an example.
    pub(crate) fn finish(&mut self, i: usize, example: usize, complete: impl FnOnce(&mut [f32])) {
        let row = self.row(i, example);
        complete(row);
        let square = sweep::squared_norm(row);
        self.squares[example] += square;
    }

    /// Weighs each of the `n` examples of a pass so that the norm of its gradient is at most `clip`, and its part in the mean one
    /// `expected`th. The pass took the mean loss, so that an example's own gradient is n times what is kept.
    pub(crate) fn clip(&mut self, steps: &[Step], inputs: Inputs<'_>, n: usize, clip: f64, expected: f64) {
        self.weights.clear();
        for k in 0..n {
            let mut square = self.squares[k];
            for (i, step) in steps.iter().enumerate().filter(|(_, step)| is_linear(step)) {
                let x = &inputs.of(step)[k * step.inputs..][..step.inputs];
                let dz = &self.outputs[i][k * step.outputs..][..step.outputs];
                // The bias is a weight whose input is always 1.
                square += (sweep::squared_norm(x) + 1.0) * sweep::squared_norm(dz);
            }
            let norm = n as f64 * square.sqrt();
            self.weights.push(((clip / norm.max(1e-12)).min(1.0) * n as f64 / expected) as f32);
        }
    }

    /// Writes the weighted sum of the gradients of all examples of the pass to `g`, or adds it.
    pub(crate) fn sum(&mut self, g: &mut [f32], steps: &[Step], inputs: Inputs<'_>, add: bool) {
        let n = self.weights.len();
        for (i, step) in steps.iter().enumerate() {
            let to = &mut g[step.at.weight.start..step.at.bias.end];
            if is_linear(step) {
                let dz = &mut self.outputs[i][..n * step.outputs];
                for (row, weight) in dz.chunks_exact_mut(step.outputs).zip(&self.weights) {
                    sweep::scale(row, *weight);
                }
                let (dw, db) = to.split_at_mut(step.at.weight.len());
                let x = inputs.of(step);
                if add {
                    linear::add_parameters(dw, db, x, dz, n);
                } else {
                    linear::backward_parameters(dw, db, x, dz, n);
                }
            } else if !to.is_empty() {
                if !add {
                    to.fill(0.0);
                }
                for (k, weight) in self.weights.iter().enumerate() {
                    let row = &self.rows[k * self.width..][..self.width][self.places[i].clone()];
                    sweep::mix(to, 1.0, row, *weight);
                }
            }
        }
    }
}

pub(crate) fn is_linear(step: &Step) -> bool {
    step.op.flags().outer
}
