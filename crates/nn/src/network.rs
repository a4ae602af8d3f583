//! A compiled network, and its sizes.

use flatleak_data::Shape;

use crate::architecture::Architecture;
use crate::compile::{self, Compiled, Step};
use crate::error::Error;
use crate::ops::Op;
use crate::schedule::{self, Gradients, Segment};

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
        self.steps.iter().any(|s| matches!(s.op, Op::BatchNorm(_)))
    }

    /// Whether a pass leaves the input as it was gathered.
    pub(crate) fn keeps_input(&self) -> bool {
        !self.steps.iter().any(|s| s.in_place() && s.source.is_none())
    }

    /// Whether training draws dropout masks.
    pub fn drops(&self) -> bool {
        self.steps.iter().any(|s| s.op.flags().draws)
    }

    /// Values that layers write for one example.
    pub fn activations_per_example(&self) -> usize {
        let written = self.steps.iter().zip(&self.unwritten).filter(|(s, unwritten)| !s.in_place() && !**unwritten);
        written.map(|(s, _)| s.outputs).sum()
    }

    /// Multiply-adds of one forward pass per example.
    pub fn multiply_adds(&self) -> usize {
        self.steps.iter().map(|s| s.op.multiply_adds()).sum()
    }

    /// Multiply-adds of one training step per example: forward, weight gradient, and input gradient of every layer but the first.
    pub fn training_multiply_adds(&self) -> usize {
        let reads_input = |s: &&Step| s.source.is_none();
        let first: usize = self.steps.iter().filter(reads_input).map(|s| s.op.multiply_adds()).sum();
        3 * self.multiply_adds() - first
    }

    /// The shape of one input example.
    pub fn shape(&self) -> Shape {
        self.shape
    }
}
