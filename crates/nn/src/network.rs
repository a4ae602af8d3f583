//! A compiled network: forward and backward on flat arenas.

use flatleak_stream::Stream;

use crate::architecture::Architecture;
use crate::compile::{self, Compiled, Op, Step};
use crate::error::Error;
use crate::passes::Mode;
use crate::schedule::{self, Gradients, Segment};
use crate::workspace::Workspace;
use flatleak_data::Shape;

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
    pub(crate) segments: Vec<Segment>,
    pub(crate) plan: Gradients,
    pub(crate) unwritten: Vec<bool>,
}

impl Network {
    /// Checks a layer list against an input shape and lays out its parameters.
    ///
    /// # Errors
    /// A layer that does not fit what it gets, named with both.
    pub fn compile(architecture: &Architecture, shape: Shape, classes: usize) -> Result<Self, Error> {
        let Compiled { steps, parameters, state } = compile::compile(architecture, shape, classes)?;
        let (segments, plan) = (schedule::segments(&steps), schedule::gradients(&steps));
        let unwritten = schedule::unwritten(&steps);
        Ok(Self { steps, shape, classes, parameters, state, segments, plan, unwritten })
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

    /// Whether a pass leaves the input as it was gathered.
    pub(crate) fn keeps_input(&self) -> bool {
        !self.steps.iter().any(|s| s.in_place() && s.source.is_none())
    }

    /// Whether training draws dropout masks.
    pub fn drops(&self) -> bool {
        self.steps.iter().any(|s| matches!(s.op, Op::Dropout(_)))
    }

    /// Values that layers write for one example.
    pub fn activations_per_example(&self) -> usize {
        let written = self.steps.iter().zip(&self.unwritten).filter(|(s, unwritten)| !s.in_place() && !**unwritten);
        written.map(|(s, _)| s.outputs).sum()
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
        Workspace::new(self, batch)
    }

    /// Adds the statistics of the last training pass to the running ones.
    pub fn track(&self, arena: &mut [f32], ws: &Workspace) {
        for (step, norm) in self.steps.iter().zip(&ws.norms) {
            if let Op::BatchNorm { .. } = step.op {
                norm.track(&mut arena[step.state.clone()], MOMENTUM);
            }
        }
    }

    /// Logits `[n, C]` of the rows `indices` of `x`, batch norms with their running statistics and without dropout.
    pub fn logits(&self, w: &[f32], x: &[f32], indices: &[u32], ws: &mut Workspace) -> Vec<f32> {
        let mut out = Vec::with_capacity(indices.len() * self.classes);
        self.prepare(w, ws, Mode::Evaluation);
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
