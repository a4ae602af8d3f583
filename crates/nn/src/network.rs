//! A compiled network: offsets on flat arenas, forward and backward.

use std::ops::Range;

use flatleak_kernel::conv::Conv;
use flatleak_kernel::maxpool::MaxPool;
use flatleak_kernel::{activation, linear, loss};
use flatleak_stream::Stream;

use crate::{Architecture, Error, Layer, Shape};

/// What a layer does to activations, with its sizes.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Linear {
        inputs: usize,
        outputs: usize,
        /// Set for the first linear layer behind an image: PyTorch flattens channel-first, this engine
        /// channels-last, so exported columns are reordered.
        image: Option<Shape>,
    },
    Conv(Conv),
    Relu,
    Tanh,
    MaxPool(MaxPool),
    Flatten,
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) op: Op,
    /// Values per example that the step puts out.
    outputs: usize,
    pub(crate) weight: Range<usize>,
    pub(crate) bias: Range<usize>,
}

/// A network whose layers are views on a flat parameter arena.
#[derive(Clone, Debug)]
pub struct Network {
    pub(crate) steps: Vec<Step>,
    shape: Shape,
    classes: usize,
    parameters: usize,
}

/// Activations and scratch space of one thread, sized for a batch.
#[derive(Debug)]
pub struct Workspace {
    batch: usize,
    input: Vec<f32>,
    /// One buffer per step that does not work in place.
    activations: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
    winners: Vec<Vec<f32>>,
    columns: Vec<f32>,
}

impl Network {
    /// Checks a layer list against an input shape and lays out its parameters.
    pub fn compile(architecture: &Architecture, shape: Shape, classes: usize) -> Result<Self, Error> {
        let mut steps = Vec::new();
        let (mut image, mut size, mut parameters) = (Some(shape), shape.channels * shape.height * shape.width, 0usize);
        let mut flattened = None;
        for (index, layer) in architecture.layers.iter().enumerate() {
            let fail = |problem: String| Error::Layer { index, layer: layer.to_string(), problem };
            let (mut weight, mut bias) = (0, 0);
            let op = match *layer {
                Layer::Linear(n) => {
                    let outputs = n.unwrap_or(classes);
                    if image.is_some() {
                        return Err(fail("needs `flatten` before it".into()));
                    }
                    if outputs == 0 || outputs > 1 << 20 {
                        return Err(fail(format!("has {outputs} outputs; between 1 and 2^20 are possible")));
                    }
                    (weight, bias) = (size * outputs, outputs);
                    Op::Linear { inputs: size, outputs, image: flattened.take() }
                }
                Layer::Conv(output) => {
                    let at = image.ok_or_else(|| fail("needs an image, but the input is flat here".into()))?;
                    if output == 0 || output > 1 << 14 {
                        return Err(fail(format!("has {output} channels; between 1 and 16384 are possible")));
                    }
                    (weight, bias) = (9 * at.channels * output, output);
                    image = Some(Shape { channels: output, ..at });
                    Op::Conv(Conv { height: at.height, width: at.width, input: at.channels, output })
                }
                Layer::MaxPool => {
                    let at = image.ok_or_else(|| fail("needs an image, but the input is flat here".into()))?;
                    if at.height < 2 || at.width < 2 {
                        return Err(fail(format!("cannot halve an image of {} x {}", at.height, at.width)));
                    }
                    image = Some(Shape { height: at.height / 2, width: at.width / 2, ..at });
                    Op::MaxPool(MaxPool { height: at.height, width: at.width, channels: at.channels })
                }
                Layer::Flatten => {
                    flattened = image.take();
                    Op::Flatten
                }
                Layer::Relu => Op::Relu,
                Layer::Tanh => Op::Tanh,
            };
            if let Some(at) = image {
                size = at.channels * at.height * at.width;
            } else if let Op::Linear { outputs, .. } = op {
                size = outputs;
            }
            let start = parameters;
            parameters += weight + bias;
            steps.push(Step {
                op,
                outputs: size,
                weight: start..start + weight,
                bias: start + weight..start + weight + bias,
            });
        }
        pool_before_relu(&mut steps);
        match steps.last() {
            Some(Step { op: Op::Linear { outputs, .. }, .. }) if *outputs == classes => {}
            _ => {
                return Err(Error::Layer {
                    index: architecture.layers.len().saturating_sub(1),
                    layer: architecture.layers.last().map_or_else(|| "none".into(), ToString::to_string),
                    problem: format!("must be `linear` with one output per class ({classes})"),
                });
            }
        }
        Ok(Self { steps, shape, classes, parameters })
    }

    /// Number of parameters, D.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Number of classes, C.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Values per input example.
    pub fn features(&self) -> usize {
        self.shape.channels * self.shape.height * self.shape.width
    }

    /// Multiply-adds of one forward pass per example.
    pub fn multiply_adds(&self) -> usize {
        self.steps
            .iter()
            .map(|s| match &s.op {
                Op::Linear { inputs, outputs, .. } => inputs * outputs,
                Op::Conv(c) => c.height * c.width * 9 * c.input * c.output,
                _ => 0,
            })
            .sum()
    }

    /// Fresh parameters: uniform on +-1/sqrt(fan in) for weights and biases alike, PyTorch's default for
    /// linear and convolution layers, drawn in PyTorch's order of names and elements.
    pub fn init(&self, stream: &mut Stream) -> Vec<f32> {
        let mut arena = vec![0.0; self.parameters];
        for tensor in crate::tensors::layout(self) {
            let bound = 1.0 / (tensor.fan_in as f64).sqrt();
            for at in tensor.positions() {
                arena[at] = stream.uniform(-bound, bound) as f32;
            }
        }
        arena
    }

    /// Buffers for batches of up to `batch` examples.
    pub fn workspace(&self, batch: usize) -> Workspace {
        let sized = |values: usize| vec![0.0; values * batch];
        let buffers = || self.steps.iter().map(|s| sized(if s.in_place() { 0 } else { s.outputs })).collect();
        Workspace {
            batch,
            input: sized(self.features()),
            activations: buffers(),
            gradients: buffers(),
            winners: self.steps.iter().map(|s| vec![0.0; s.winners() * batch]).collect(),
            columns: vec![0.0; self.steps.iter().map(Step::columns).max().unwrap_or(0)],
        }
    }

    /// Logits `[B, C]` of the examples in the workspace's input.
    fn forward<'w>(&self, w: &[f32], ws: &'w mut Workspace, batch: usize) -> &'w mut [f32] {
        let Workspace { input, activations, winners, columns, .. } = ws;
        // Index of the buffer that holds the current activation; None is the input.
        let mut at: Option<usize> = None;
        for (i, step) in self.steps.iter().enumerate() {
            let (before, rest) = activations.split_at_mut(i);
            if step.in_place() {
                let x = match at {
                    Some(k) => &mut before[k],
                    None => &mut *input,
                };
                let x = &mut x[..batch * step.outputs];
                match step.op {
                    Op::Relu => activation::relu_forward(x),
                    Op::Tanh => activation::tanh_forward(x),
                    _ => {}
                }
                continue;
            }
            let x: &[f32] = match at {
                Some(k) => &before[k],
                None => input,
            };
            let y = &mut rest[0][..batch * step.outputs];
            let (weight, bias) = (&w[step.weight.clone()], &w[step.bias.clone()]);
            match &step.op {
                Op::Linear { .. } => linear::forward(y, x, weight, bias, batch),
                Op::Conv(conv) => conv.forward(y, x, weight, bias, batch, columns),
                Op::MaxPool(pool) => pool.forward(y, &mut winners[i], x, batch),
                Op::Relu | Op::Tanh | Op::Flatten => {}
            }
            at = Some(i);
        }
        // `compile` made sure that the last step is linear.
        let last = self.steps.len() - 1;
        &mut activations[last][..batch * self.classes]
    }

    /// Mean loss of a batch at parameters `w`, and its gradient over all parameters into `g`.
    ///
    /// The input lies in the workspace (see [`Workspace::gather`]).
    pub fn gradient(&self, g: &mut [f32], w: &[f32], labels: &[u32], ws: &mut Workspace) -> f64 {
        let batch = labels.len();
        let logits = self.forward(w, ws, batch);
        let mean_loss = loss::cross_entropy(logits, labels, self.classes);
        let last = self.steps.len() - 1;
        let Workspace { input, activations, gradients, winners, columns, .. } = ws;
        std::mem::swap(&mut activations[last], &mut gradients[last]);
        let mut at = last;
        // The step that fed step i, None for the input.
        let source = |i: usize| (0..i).rev().find(|&k| !self.steps[k].in_place());
        for i in (0..self.steps.len()).rev() {
            let step = &self.steps[i];
            if step.in_place() {
                let Some(k) = source(i) else { continue };
                let n = batch * step.outputs;
                match step.op {
                    Op::Relu => activation::relu_backward(&mut gradients[k][..n], &activations[k][..n]),
                    Op::Tanh => activation::tanh_backward(&mut gradients[k][..n], &activations[k][..n]),
                    _ => {}
                }
                continue;
            }
            debug_assert_eq!(at, i);
            let from = source(i);
            let (before, rest) = gradients.split_at_mut(i);
            let dy = &rest[0][..batch * step.outputs];
            let x: &[f32] = from.map_or(&*input, |k| &activations[k]);
            if !step.weight.is_empty() {
                let (dw, db) = g[step.weight.start..step.bias.end].split_at_mut(step.weight.len());
                match &step.op {
                    Op::Conv(conv) => conv.backward_parameters((dw, db), x, dy, batch, columns),
                    _ => linear::backward_parameters(dw, db, x, dy, batch),
                }
            }
            // Nothing needs the gradient of the data.
            let Some(k) = from else { break };
            let dx = &mut before[k];
            let weight = &w[step.weight.clone()];
            match &step.op {
                Op::Linear { outputs, .. } => linear::backward_input(dx, weight, dy, batch, *outputs),
                Op::Conv(conv) => conv.backward_input(dx, weight, dy, batch, columns),
                Op::MaxPool(pool) => pool.backward(dx, dy, &winners[i], batch),
                Op::Relu | Op::Tanh | Op::Flatten => {}
            }
            at = k;
        }
        mean_loss
    }

    /// Logits `[n, C]` of the rows `indices` of `x`.
    pub fn logits(&self, w: &[f32], x: &[f32], indices: &[u32], ws: &mut Workspace) -> Vec<f32> {
        let mut out = Vec::with_capacity(indices.len() * self.classes);
        for chunk in indices.chunks(ws.batch.max(1)) {
            ws.gather(x, self.shape, chunk);
            out.extend_from_slice(self.forward(w, ws, chunk.len()));
        }
        out
    }

    /// The shape of one input example.
    pub fn shape(&self) -> Shape {
        self.shape
    }
}

/// ReLU behind max-pooling does a quarter of the work and gives the same bits, gradients included: both maps keep the
/// order of values, the winner of a positive maximum is the same, and any other passes no gradient either way.
fn pool_before_relu(steps: &mut [Step]) {
    for i in 1..steps.len() {
        if matches!(steps[i].op, Op::MaxPool(_)) && matches!(steps[i - 1].op, Op::Relu) {
            steps.swap(i - 1, i);
            steps[i].outputs = steps[i - 1].outputs;
        }
    }
}

impl Step {
    fn in_place(&self) -> bool {
        matches!(self.op, Op::Relu | Op::Tanh | Op::Flatten)
    }

    fn winners(&self) -> usize {
        if matches!(self.op, Op::MaxPool(_)) { self.outputs } else { 0 }
    }

    fn columns(&self) -> usize {
        if let Op::Conv(c) = &self.op { c.workspace() } else { 0 }
    }
}

impl Workspace {
    /// Copies the rows `indices` of `x`, stored channel-first, into the input buffer, channels-last.
    pub fn gather(&mut self, x: &[f32], shape: Shape, indices: &[u32]) {
        let (c, pixels) = (shape.channels, shape.height * shape.width);
        let features = c * pixels;
        for (to, &i) in self.input.chunks_exact_mut(features).zip(indices) {
            let from = &x[i as usize * features..][..features];
            if c == 1 {
                to.copy_from_slice(from);
            } else {
                for (channel, plane) in from.chunks_exact(pixels).enumerate() {
                    for (p, v) in plane.iter().enumerate() {
                        to[p * c + channel] = *v;
                    }
                }
            }
        }
    }
}
