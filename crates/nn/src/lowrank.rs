//! Perturbed parameters that are never formed.
//!
//! In a network whose parameters are all in linear layers, the gradient of a chunk of n examples is X' dZ with n rows each, so moving the
//! weights along it changes the layer's outputs by (X_2 X') dZ: products of rank n. All chunks go through the unperturbed weights together
//! and only these differ between them.

use flatleak_kernel::{Buffer, Mat, gemm};

use crate::apart::{Apart, Inputs, is_linear};
use crate::compile::Step;

/// w + scale_c times the gradient of chunk c, for every chunk of `m` examples, as factors.
#[derive(Debug)]
pub(crate) struct LowRank {
    m: usize,
    /// Inputs of linear layers at w, by step.
    inputs: Vec<Buffer>,
    /// Their output gradients.
    pub(crate) apart: Apart,
    /// One per chunk.
    scales: Vec<f32>,
    products: [Buffer; 2],
}

impl LowRank {
    /// Room for `batch` examples; `None` where the network has parameters outside linear layers.
    pub(crate) fn new(steps: &[Step], batch: usize, m: usize) -> Option<Self> {
        let parameters =
            |linear: bool| steps.iter().filter(move |s| is_linear(s) == linear).map(Step::parameters).sum::<usize>();
        (parameters(false) == 0).then(|| Self {
            m,
            inputs: steps.iter().map(|s| Buffer::new(if is_linear(s) { batch * s.inputs } else { 0 })).collect(),
            apart: Apart::new(steps, batch),
            scales: Vec::with_capacity(batch.div_ceil(m)),
            products: [Buffer::new(m * m), Buffer::new(m * m)],
        })
    }

    /// Takes the inputs from the pass that was just made and the output gradients that it left, and goes rho along each chunk's gradient.
    pub(crate) fn ascend(&mut self, steps: &[Step], inputs: Inputs<'_>, n: usize, rho: f64) {
        for (step, kept) in steps.iter().zip(&mut self.inputs).filter(|(step, _)| is_linear(step)) {
            let used = n * step.inputs;
            kept[..used].copy_from_slice(&inputs.of(step)[..used]);
        }
        self.scales.clear();
        for first in (0..n).step_by(self.m) {
            let size = self.m.min(n - first);
            let mut square = 0.0;
            for (i, step) in steps.iter().enumerate().filter(|(_, step)| is_linear(step)) {
                let x = Mat::new(&self.inputs[i][first * step.inputs..], size, step.inputs);
                let dz = Mat::new(&self.apart.outputs[i][first * step.outputs..], size, step.outputs);
                let [across_inputs, across_outputs] = &mut self.products;
                gemm(across_inputs, x, x.t(), false);
                gemm(across_outputs, dz, dz.t(), false);
                let pairs = across_inputs[..size * size].iter().zip(&across_outputs[..size * size]);
                // |X' dZ|^2 + |1' dZ|^2.
                square += pairs.map(|(x, dz)| (f64::from(*x) + 1.0) * f64::from(*dz)).sum::<f64>();
            }
            // What is kept is of the batch's mean loss; the chunk's own gradient is n / size times as long.
            let share = n as f64 / size as f64;
            let norm = share * square.max(0.0).sqrt();
            self.scales.push((rho / (norm + 1e-12) * share) as f32);
        }
    }

    /// Adds what the perturbation does to the outputs `y [n, O]` of linear step `i` on the inputs `x [n, I]`.
    pub(crate) fn forward(&mut self, i: usize, y: &mut [f32], x: &[f32], n: usize) {
        let (inputs, outputs) = (x.len() / n, y.len() / n);
        for (c, first) in (0..n).step_by(self.m).enumerate() {
            let size = self.m.min(n - first);
            let before = Mat::new(&self.inputs[i][first * inputs..], size, inputs);
            let product = &mut self.products[0][..size * size];
            gemm(product, Mat::new(&x[first * inputs..], size, inputs), before.t(), false);
            // The bias is a weight whose input is always 1.
            product.iter_mut().for_each(|v| *v = self.scales[c] * (*v + 1.0));
            let dz = Mat::new(&self.apart.outputs[i][first * outputs..], size, outputs);
            gemm(&mut y[first * outputs..], Mat::new(product, size, size), dz, true);
        }
    }

    /// Adds what it does to the input gradient `dx [n, I]` of linear step `i`, `dy [n, O]` that of its outputs.
    pub(crate) fn backward_input(&mut self, i: usize, dx: &mut [f32], dy: &[f32], n: usize) {
        let (inputs, outputs) = (dx.len() / n, dy.len() / n);
        for (c, first) in (0..n).step_by(self.m).enumerate() {
            let size = self.m.min(n - first);
            let dz = Mat::new(&self.apart.outputs[i][first * outputs..], size, outputs);
            let product = &mut self.products[0][..size * size];
            gemm(product, Mat::new(&dy[first * outputs..], size, outputs), dz.t(), false);
            product.iter_mut().for_each(|v| *v *= self.scales[c]);
            let x = Mat::new(&self.inputs[i][first * inputs..], size, inputs);
            gemm(&mut dx[first * inputs..], Mat::new(product, size, size), x, true);
        }
    }
}
