//! A compiled network: forward and backward on flat arenas.

use flatleak_kernel::{activation, linear, loss, norm, pool};
use flatleak_stream::Stream;

use crate::compile::{self, Compiled, Op, Step};
use crate::workspace::{Kept, Workspace};
use crate::{Architecture, Error, Recipe, Shape};

/// Share of a batch's statistics in the running ones, as in PyTorch.
const MOMENTUM: f32 = 0.1;

/// A network whose layers are views on a flat arena: parameters first, running statistics of batch norms behind them.
#[derive(Clone, Debug)]
pub struct Network {
    pub(crate) steps: Vec<Step>,
    shape: Shape,
    classes: usize,
    parameters: usize,
    state: usize,
}

/// Which statistics batch norms use, and whether dropout drops.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Training,
    Evaluation,
}

impl Network {
    /// Checks a layer list against an input shape and lays out its parameters.
    ///
    /// # Errors
    /// A layer that does not fit what it gets, named with both.
    pub fn compile(architecture: &Architecture, shape: Shape, classes: usize) -> Result<Self, Error> {
        let Compiled { steps, parameters, state } = compile::compile(architecture, shape, classes)?;
        Ok(Self { steps, shape, classes, parameters, state })
    }

    /// Number of trained parameters, D.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Values of an arena: parameters and running statistics.
    pub fn arena(&self) -> usize {
        self.parameters + self.state
    }

    /// Number of classes, C.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Values per input example.
    pub fn features(&self) -> usize {
        self.shape.features()
    }

    /// Whether examples of a batch depend on each other in training, through batch norm.
    pub fn normalises_batches(&self) -> bool {
        self.steps.iter().any(|s| matches!(s.op, Op::BatchNorm { .. }))
    }

    /// Whether training draws dropout masks.
    pub fn drops(&self) -> bool {
        self.steps.iter().any(|s| matches!(s.op, Op::Dropout(_)))
    }

    /// Values that layers put out for one example, those in place not counted.
    pub fn activations_per_example(&self) -> usize {
        self.steps.iter().filter(|s| !s.in_place()).map(|s| s.outputs).sum()
    }

    /// Refuses batches that a network cannot be trained with, `members` being the examples that a model is trained on.
    ///
    /// # Errors
    /// A batch of one example with batch norm, also as the rest of an epoch: it would be set against itself.
    pub fn check_batch(&self, recipe: &Recipe, members: usize) -> Result<(), Error> {
        let fail = |problem: String| Err(Error::Recipe { recipe: recipe.name.clone(), problem });
        if !self.normalises_batches() {
            return Ok(());
        }
        if recipe.batch == 1 {
            return fail(
                "batch = 1 with batch norm, which sets the examples of a batch against each other: give at least 2"
                    .into(),
            );
        }
        if members % recipe.batch == 1 {
            return fail(format!(
                "batch = {} leaves one of {members} examples alone in the last batch, which batch norm cannot use: change either",
                recipe.batch
            ));
        }
        Ok(())
    }

    /// Multiply-adds of one forward pass per example.
    pub fn multiply_adds(&self) -> usize {
        self.steps.iter().map(Self::multiply_adds_of).sum()
    }

    /// Multiply-adds of one training step per example: forward, weight gradient, and input gradient of every layer but the first.
    pub fn training_multiply_adds(&self) -> usize {
        let reads_input = |s: &&Step| s.source.is_none();
        let first: usize = self.steps.iter().filter(reads_input).map(Self::multiply_adds_of).sum();
        3 * self.multiply_adds() - first
    }

    fn multiply_adds_of(step: &Step) -> usize {
        match &step.op {
            Op::Linear { inputs, outputs, .. } => inputs * outputs,
            Op::Conv(c) => c.multiply_adds(),
            _ => 0,
        }
    }

    /// A fresh arena: weights and biases of linear and convolution layers uniform on +-1/sqrt(fan in), PyTorch's default, drawn in
    /// PyTorch's order of names and elements; norms as the identity with running mean 0 and variance 1.
    pub fn init(&self, stream: &mut Stream) -> Vec<f32> {
        let mut arena = vec![0.0; self.arena()];
        for tensor in crate::tensors::layout(self) {
            match tensor.constant {
                Some(value) => tensor.positions().into_iter().for_each(|at| arena[at] = value),
                None => {
                    let bound = 1.0 / (tensor.fan_in as f64).sqrt();
                    for at in tensor.positions() {
                        arena[at] = stream.uniform(-bound, bound) as f32;
                    }
                }
            }
        }
        arena
    }

    /// Buffers for batches of up to `batch` examples.
    pub fn workspace(&self, batch: usize) -> Workspace {
        Workspace::new(&self.steps, self.features(), batch)
    }

    /// Logits `[B, C]` of the examples in the workspace's input.
    fn forward<'w>(&self, w: &[f32], ws: &'w mut Workspace, batch: usize, mode: Mode) -> &'w mut [f32] {
        let Workspace { input, activations, kept, scratch, .. } = ws;
        for (i, step) in self.steps.iter().enumerate() {
            if step.in_place() {
                let x = match step.source {
                    Some(k) => &mut activations[k],
                    None => &mut *input,
                };
                let x = &mut x[..batch * step.outputs];
                match step.op {
                    Op::Relu => activation::relu_forward(x),
                    _ => activation::tanh_forward(x),
                }
                continue;
            }
            let (before, rest) = activations.split_at_mut(i);
            let read = |source: Option<usize>| source.map_or(&**input, |k| &before[k]);
            let x = &read(step.source)[..batch * step.inputs];
            let y = &mut rest[0][..batch * step.outputs];
            let (weight, bias) = (&w[step.weight.clone()], &w[step.bias.clone()]);
            let Kept { values, statistics, moments } = &mut kept[i];
            match &step.op {
                Op::Linear { .. } => linear::forward(y, x, weight, bias, batch),
                Op::Conv(conv) => conv.forward(y, x, weight, bias, batch, scratch),
                Op::MaxPool(pool) => pool.forward(y, values, x, batch),
                Op::AveragePool(pool) => pool.forward(y, x, batch),
                Op::GlobalPool { pixels, channels } => pool::global_forward(y, x, *pixels, *channels),
                &Op::BatchNorm { relu, .. } if mode == Mode::Training => {
                    norm::batch_forward(y, x, (weight, bias), statistics, moments, scratch, relu);
                }
                &Op::BatchNorm { channels, relu } => {
                    let running = w[step.state.clone()].split_at(channels);
                    norm::batch_evaluate(y, x, (weight, bias), running, scratch, relu);
                }
                Op::GroupNorm { groups, .. } => norm::group_forward(y, x, (weight, bias), statistics, (batch, *groups)),
                Op::Gelu => activation::gelu_forward(y, x),
                Op::Dropout(_) => {
                    y.copy_from_slice(x);
                    if mode == Mode::Training {
                        activation::masked(y, values);
                    }
                }
                Op::Add { other, relu } => activation::sum(y, x, &read(*other)[..y.len()], *relu),
                Op::Relu | Op::Tanh => {}
            }
        }
        // `compile` made sure that the last step is linear.
        let last = self.steps.len() - 1;
        &mut activations[last][..batch * self.classes]
    }

    /// Mean loss of a batch at the arena `w`, and its gradient over all D parameters into `g`.
    ///
    /// The input lies in the workspace (see [`Workspace::gather`]), and so do dropout masks ([`Workspace::draw_masks`]). Batch norms use
    /// the batch's statistics, which [`Network::track`] adds to the running ones.
    pub fn gradient(&self, g: &mut [f32], w: &[f32], labels: &[u32], ws: &mut Workspace) -> f64 {
        let batch = labels.len();
        let logits = self.forward(w, ws, batch, Mode::Training);
        let mean_loss = loss::cross_entropy(logits, labels, self.classes);
        let last = self.steps.len() - 1;
        let Workspace { input, activations, gradients, kept, scratch, spare, .. } = ws;
        std::mem::swap(&mut activations[last], &mut gradients[last]);
        for (i, step) in self.steps.iter().enumerate().rev() {
            if step.in_place() {
                let Some(k) = step.source else { continue };
                let n = batch * step.outputs;
                match step.op {
                    Op::Relu => activation::relu_backward(&mut gradients[k][..n], &activations[k][..n]),
                    _ => activation::tanh_backward(&mut gradients[k][..n], &activations[k][..n]),
                }
                continue;
            }
            let (before, rest) = gradients.split_at_mut(i);
            let n = batch * step.outputs;
            let dy = &mut rest[0];
            let x = &step.source.map_or(&**input, |k| &activations[k])[..batch * step.inputs];
            let (weight, bias) = (&w[step.weight.clone()], &w[step.bias.clone()]);
            let (dw, db) = g[step.weight.start..step.bias.end].split_at_mut(step.weight.len());
            let Kept { values, statistics, .. } = &kept[i];
            // Steps whose gradient takes the place of their output's.
            match step.op {
                Op::Add { other, relu } => {
                    if relu {
                        activation::relu_backward(&mut dy[..n], &activations[i][..n]);
                    }
                    match other {
                        Some(k) if step.accumulates[1] => activation::add(&mut before[k][..n], &dy[..n]),
                        Some(k) => before[k][..n].copy_from_slice(&dy[..n]),
                        None => {}
                    }
                }
                Op::BatchNorm { relu, .. } => {
                    norm::batch_backward(&mut dy[..n], (dw, db), x, (weight, bias), statistics, scratch, relu);
                }
                Op::Dropout(_) => activation::masked(&mut dy[..n], &values[..n]),
                _ => {}
            }
            if step.gradient_in_place() {
                match step.source {
                    Some(k) if step.accumulates[0] => activation::add(&mut before[k][..n], &dy[..n]),
                    // The last reader of this gradient may have it as it is.
                    Some(k) if before[k].len() == dy.len() => std::mem::swap(&mut before[k], dy),
                    Some(k) => before[k][..n].copy_from_slice(&dy[..n]),
                    None => {}
                }
                continue;
            }
            let dy = &dy[..n];
            match &step.op {
                Op::Linear { .. } => linear::backward_parameters(dw, db, x, dy, batch),
                Op::Conv(conv) => conv.backward_parameters((dw, db), x, dy, batch, scratch),
                _ => {}
            }
            let mut write = |source: Option<usize>, accumulates: bool, f: &mut dyn FnMut(&mut [f32])| {
                // Nothing needs the gradient of the data.
                let Some(k) = source else { return };
                let dx = &mut before[k][..batch * step.inputs];
                if accumulates {
                    let spare = &mut spare[..dx.len()];
                    f(spare);
                    activation::add(dx, spare);
                } else {
                    f(dx);
                }
            };
            if let Op::GroupNorm { groups, .. } = step.op {
                // It computes both gradients at once, also where the input's is not needed.
                let dx = &mut spare[..batch * step.inputs];
                norm::group_backward(dx, (dw, db), (x, dy), weight, statistics, (batch, groups));
                match step.source {
                    Some(k) if step.accumulates[0] => activation::add(&mut before[k][..n], dx),
                    Some(k) => before[k][..n].copy_from_slice(dx),
                    None => {}
                }
                continue;
            }
            write(step.source, step.accumulates[0], &mut |dx| match &step.op {
                Op::Linear { outputs, .. } => linear::backward_input(dx, weight, dy, batch, *outputs),
                Op::Conv(conv) => conv.backward_input(dx, weight, dy, batch, scratch),
                Op::MaxPool(pool) => pool.backward(dx, dy, values, batch),
                Op::AveragePool(pool) => pool.backward(dx, dy, batch),
                Op::GlobalPool { pixels, channels } => pool::global_backward(dx, dy, *pixels, *channels),
                Op::Gelu => activation::gelu_backward(dx, dy, x),
                // Done above, or in place.
                _ => {}
            });
        }
        mean_loss
    }

    /// Adds the statistics of the last training pass of `batch` examples to the running ones.
    pub fn track(&self, arena: &mut [f32], ws: &Workspace, batch: usize) {
        for (i, step) in self.steps.iter().enumerate() {
            if let Op::BatchNorm { channels, .. } = step.op {
                let rows = batch * step.inputs / channels;
                norm::track(&mut arena[step.state.clone()], &ws.kept[i].moments, rows, MOMENTUM);
            }
        }
    }

    /// Logits `[n, C]` of the rows `indices` of `x`, batch norms with their running statistics and without dropout.
    pub fn logits(&self, w: &[f32], x: &[f32], indices: &[u32], ws: &mut Workspace) -> Vec<f32> {
        let mut out = Vec::with_capacity(indices.len() * self.classes);
        for chunk in indices.chunks(ws.batch.max(1)) {
            ws.gather(x, self.shape, chunk);
            out.extend_from_slice(self.forward(w, ws, chunk.len(), Mode::Evaluation));
        }
        out
    }

    /// The shape of one input example.
    pub fn shape(&self) -> Shape {
        self.shape
    }
}
