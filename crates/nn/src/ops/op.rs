//! What a layer is made of: how it is written, and what it does once it knows its sizes.

use std::fmt;
use std::ops::Range;

use flatleak_data::Shape;
use flatleak_kernel::operand::Operand;
use flatleak_stream::Stream;

use crate::misfit::Misfit;

/// A layer as a study file writes it.
pub(crate) trait Written: Sized {
    /// Its first word.
    const WORD: &'static str;
    /// All its forms, for messages.
    const FORMS: &'static [&'static str];
    /// What it compiles to.
    type Op: Operation;

    /// Reads the words behind the first; `None` where they are none of its forms.
    fn read(words: &[&str]) -> Option<Self>;

    /// Writes the words behind the first, each with a space before it.
    fn write(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }

    /// Checks what it gets and moves on to what it puts out; `None` where there is nothing to compute.
    fn plan(&self, at: &mut At, classes: usize) -> Result<Option<Planned<Self::Op>>, Misfit>;
}

/// What flows through the network at some place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct At {
    /// The shape, until it is flattened.
    pub(crate) image: Option<Shape>,
    /// Values per example.
    pub(crate) size: usize,
    /// The image that was flattened, until a linear layer reads it.
    pub(crate) flattened: Option<Shape>,
    /// An activation has worked on it in place, whose gradient needs it as it is.
    pub(crate) activated: bool,
}

impl At {
    /// The image that a layer needs.
    pub(crate) fn image(&self) -> Result<Shape, Misfit> {
        self.image.ok_or(Misfit::Flat)
    }

    /// One that can be halved.
    pub(crate) fn halvable(&self) -> Result<Shape, Misfit> {
        let image = self.image()?;
        let Shape { height, width, .. } = image;
        if height.min(width) < 2 { Err(Misfit::Halve { height, width }) } else { Ok(image) }
    }

    /// Channels for a norm: those of an image, or every value of a vector that was no image.
    pub(crate) fn channels(&self) -> Result<usize, Misfit> {
        if self.flattened.is_some_and(|s| s.channels > 1) {
            return Err(Misfit::FlattenedNorm);
        }
        Ok(self.image.map_or(self.size, |s| s.channels))
    }

    /// Moves on to another image.
    pub(crate) fn becomes(&mut self, image: Shape) {
        (self.image, self.size) = (Some(image), image.features());
    }
}

/// A layer with its sizes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned<O> {
    pub(crate) op: O,
    pub(crate) weight: usize,
    pub(crate) bias: usize,
    /// Running statistics.
    pub(crate) state: usize,
}

impl<O> Planned<O> {
    /// Without parameters.
    pub(crate) fn plain(op: O) -> Self {
        Self { op, weight: 0, bias: 0, state: 0 }
    }

    pub(crate) fn map<P>(self, f: impl FnOnce(O) -> P) -> Planned<P> {
        Planned { op: f(self.op), weight: self.weight, bias: self.bias, state: self.state }
    }
}

/// What the passes need to know of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// It works on the buffer that it reads.
    pub(crate) in_place: bool,
    /// The gradient of its input takes the place of the output's, where nothing else needs that.
    pub(crate) gradient_in_place: bool,
    /// Going backwards it only reads the gradient of its output.
    pub(crate) only_reads: bool,
    /// It wants the batch whole: its parameters are larger than its activations, or it is given no other.
    pub(crate) whole: bool,
    /// It computes the gradients of parameters and input at once.
    pub(crate) both: bool,
    /// The gradient of its weights is the product of its input and the gradient of its output.
    pub(crate) outer: bool,
    /// It draws random numbers for every step.
    pub(crate) draws: bool,
}

impl Flags {
    /// None of them.
    pub(crate) const NONE: Self = Self {
        in_place: false,
        gradient_in_place: false,
        only_reads: false,
        whole: false,
        both: false,
        outer: false,
        draws: false,
    };
}

/// What an operation keeps from the forward for the backward pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keeps {
    /// A value for every output.
    pub(crate) values: bool,
    /// Values for every example.
    pub(crate) statistics: usize,
    /// Parameters in the form in which it reads them.
    pub(crate) prepared: usize,
    /// Sums of their gradients.
    pub(crate) sums: usize,
}

/// A part of a batch going forward; `n` examples.
pub(crate) struct Forward<'a> {
    pub(crate) n: usize,
    pub(crate) x: Operand<'a>,
    pub(crate) y: &'a mut [f32],
    pub(crate) weight: &'a [f32],
    pub(crate) bias: &'a [f32],
    /// As [`Keeps`] has them; statistics from the first example of the batch on.
    pub(crate) values: &'a mut [f32],
    pub(crate) statistics: &'a mut [f32],
    pub(crate) prepared: &'a [f32],
    pub(crate) scratch: &'a mut [f32],
    /// Rather than evaluation.
    pub(crate) training: bool,
}

/// Gradients of parameters from a part of a batch.
pub(crate) struct ParameterGradient<'a> {
    pub(crate) n: usize,
    pub(crate) x: Operand<'a>,
    pub(crate) dy: &'a [f32],
    /// The gradient of the input, where both are computed at once.
    pub(crate) dx: &'a mut [f32],
    pub(crate) weight: &'a [f32],
    pub(crate) dw: &'a mut [f32],
    pub(crate) db: &'a mut [f32],
    pub(crate) statistics: &'a [f32],
    pub(crate) sums: &'a mut [f32],
    pub(crate) scratch: &'a mut [f32],
    /// The part begins a sum, rather than adding to it.
    pub(crate) first: bool,
}

/// The gradient of the input from a part of a batch.
pub(crate) struct InputGradient<'a> {
    pub(crate) n: usize,
    /// Written, whatever was there.
    pub(crate) dx: &'a mut [f32],
    pub(crate) dy: &'a [f32],
    pub(crate) x: &'a [f32],
    pub(crate) weight: &'a [f32],
    pub(crate) values: &'a [f32],
    pub(crate) prepared: &'a [f32],
    pub(crate) scratch: &'a mut [f32],
}

/// Where an operation's parameters lie in the arena.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ranges {
    pub(crate) weight: Range<usize>,
    pub(crate) bias: Range<usize>,
    /// Running statistics, behind all parameters.
    pub(crate) state: Range<usize>,
}

/// A tensor as PyTorch has it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Named {
    /// `weight`, `bias`, `running_mean` or `running_var`.
    pub(crate) name: &'static str,
    pub(crate) shape: Vec<usize>,
    /// Inputs that feed one output.
    pub(crate) fan_in: usize,
    /// What it starts from, where it is not drawn.
    pub(crate) constant: Option<f32>,
    /// Its first value in the arena.
    pub(crate) offset: usize,
    /// Length and stride in the arena of each of its axes in PyTorch's order, which may split those of the shape.
    pub(crate) axes: Vec<(usize, usize)>,
}

impl Named {
    /// A vector, drawn as the weights beside it are.
    pub(crate) fn vector(name: &'static str, at: &Range<usize>, fan_in: usize) -> Self {
        let n = at.len();
        Self { name, shape: vec![n], fan_in, constant: None, offset: at.start, axes: vec![(n, 1)] }
    }

    /// A vector that starts from one value.
    pub(crate) fn constant(name: &'static str, at: &Range<usize>, value: f32) -> Self {
        Self { constant: Some(value), ..Self::vector(name, at, 1) }
    }
}

/// A layer that knows its sizes.
pub(crate) trait Operation {
    /// How the passes treat it.
    const FLAGS: Flags = Flags::NONE;

    /// What it keeps.
    fn keeps(&self) -> Keeps {
        Keeps::default()
    }

    /// Values of scratch space whatever the batch.
    fn scratch(&self) -> usize {
        0
    }

    /// Multiply-adds of one forward pass of one example.
    fn multiply_adds(&self) -> usize {
        0
    }

    /// Whether it normalises what it reads as it reads.
    fn bends(&self) -> bool {
        false
    }

    /// Its tensors, weight before bias before running statistics.
    fn tensors(&self, _: &Ranges) -> Vec<Named> {
        Vec::new()
    }

    /// Draws what it keeps for a step.
    fn draw(&self, _values: &mut [f32], _: &mut Stream) {}

    /// Parameters into the form in which the forward pass reads them.
    fn prepare_forward(&self, _prepared: &mut [f32], _weight: &[f32]) {}

    /// The same for the backward pass.
    fn prepare_backward(&self, _prepared: &mut [f32], _weight: &[f32]) {}

    /// A part of a batch.
    fn forward(&self, _: Forward<'_>) {}

    /// The same in place.
    fn forward_in_place(&self, _x: &mut [f32]) {}

    /// Gradients of parameters.
    fn backward_parameters(&self, _: ParameterGradient<'_>) {}

    /// Sums of such gradients into those of the weights.
    fn finish_parameters(&self, _dw: &mut [f32], _sums: &[f32]) {}

    /// The gradient of the input.
    fn backward_input(&self, _: InputGradient<'_>) {}

    /// The same in place of the output's; `y` is what an activation in place left, or empty.
    fn backward_in_place(&self, _dy: &mut [f32], _y: &[f32], _values: &[f32]) {}
}
