//! Fully connected layers.

use std::fmt;

use flatleak_data::Shape;
use flatleak_kernel::linear;

use super::op::{At, Flags, Forward, InputGradient, Named, Operation, ParameterGradient, Planned, Ranges, Written};
use crate::misfit::Misfit;

/// `linear N`: fully connected with N outputs; `linear` alone has one output per class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linear {
    /// Outputs.
    pub outputs: Option<usize>,
}

/// The same with its sizes.
#[derive(Clone, Debug)]
pub(crate) struct Dense {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// Set for the first linear layer behind an image: PyTorch flattens channel-first, this engine channels-last, so that exported columns
    /// are reordered.
    image: Option<Shape>,
}

impl Written for Linear {
    const WORD: &'static str = "linear";
    const FORMS: &'static [&'static str] = &["linear N", "linear"];
    type Op = Dense;

    fn read(words: &[&str]) -> Option<Self> {
        match words {
            [] => Some(Self { outputs: None }),
            [n] => Some(Self { outputs: Some(n.parse().ok()?) }),
            _ => None,
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.outputs.map_or(Ok(()), |n| write!(f, " {n}"))
    }

    fn plan(&self, at: &mut At, classes: usize) -> Result<Option<Planned<Dense>>, Misfit> {
        let outputs = self.outputs.unwrap_or(classes);
        if at.image.is_some() {
            return Err(Misfit::Image);
        }
        if outputs == 0 || outputs > 1 << 20 {
            return Err(Misfit::Size { what: "outputs", found: outputs, most: "2^20" });
        }
        let op = Dense { inputs: at.size, outputs, image: at.flattened.take() };
        let weight = at.size * outputs;
        at.size = outputs;
        Ok(Some(Planned { op, weight, bias: outputs, state: 0 }))
    }
}

impl Operation for Dense {
    const FLAGS: Flags = Flags { whole: true, outer: true, ..Flags::NONE };

    fn multiply_adds(&self) -> usize {
        self.inputs * self.outputs
    }

    /// The arena has `[in, out]`, PyTorch `[out, in]`.
    fn tensors(&self, at: &Ranges) -> Vec<Named> {
        let Self { inputs, outputs, image } = *self;
        let columns = match image {
            Some(s) => vec![(s.channels, outputs), (s.height * s.width, s.channels * outputs)],
            None => vec![(inputs, outputs)],
        };
        let weight = Named {
            name: "weight",
            shape: vec![outputs, inputs],
            fan_in: inputs,
            constant: None,
            offset: at.weight.start,
            axes: [vec![(outputs, 1)], columns].concat(),
        };
        vec![weight, Named::vector("bias", &at.bias, inputs)]
    }

    fn forward(&self, to: Forward<'_>) {
        linear::forward(to.y, to.x.values, to.weight, to.bias, to.n);
    }

    fn backward_parameters(&self, to: ParameterGradient<'_>) {
        linear::backward_parameters(to.dw, to.db, to.x.values, to.dy, to.n);
    }

    fn backward_input(&self, to: InputGradient<'_>) {
        linear::backward_input(to.dx, to.weight, to.dy, to.n, self.outputs);
    }
}
