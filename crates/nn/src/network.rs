//! A compiled network: forward and backward on flat arenas.

use flatleak_stream::Stream;

use crate::compile::{self, Compiled, Op, Step};
use crate::passes::Mode;
use crate::schedule::{self, Gradients, Segment};
use crate::workspace::Workspace;
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

    /// Refuses batches that a network cannot be trained with, `members` being the examples that a model is trained on.
    ///
    /// # Errors
    /// A batch of one example with batch norm, also as the rest of an epoch: it would be set against itself.
    pub fn check_batch(&self, recipe: &Recipe, members: usize) -> Result<(), Error> {
        let fail = |problem: String| Err(Error::Recipe { recipe: recipe.name.clone(), problem });
        if recipe.optimizer.splits_batches() && (self.normalises_batches() || self.drops()) {
            return fail(format!(
                "{} looks at parts of a batch, which batch norm and dropout do not allow: take a network without, such as mlp or one with group norm",
                recipe.optimizer.name()
            ));
        }
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
