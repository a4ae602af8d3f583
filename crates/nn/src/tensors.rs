//! Parameters under PyTorch's names, shapes and element order.
//!
//! The arena stores linear weights `[in, out]`, convolutions `[3, 3, in, out]` and images channels-last;
//! PyTorch stores `[out, in]`, `[out, in, 3, 3]` and channels first. Names are those of `nn.Sequential` with
//! one entry per layer, so `0.weight` belongs to the first layer that has parameters if the list starts
//! with it.

use crate::network::{Network, Op};
use crate::{Error, Shape};

/// One named tensor and where its elements lie in the arena.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// `<layer>.weight` or `<layer>.bias`.
    pub name: String,
    /// PyTorch's shape.
    pub shape: Vec<usize>,
    /// Inputs that feed one output.
    pub fan_in: usize,
    offset: usize,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Plain,
    Linear { inputs: usize, outputs: usize, image: Option<Shape> },
    Conv { inputs: usize, outputs: usize },
}

impl Tensor {
    /// Arena positions in PyTorch's element order.
    pub fn positions(&self) -> Vec<usize> {
        let at = self.offset;
        match self.kind {
            Kind::Plain => (at..at + self.shape[0]).collect(),
            Kind::Linear { inputs, outputs, image } => (0..outputs * inputs)
                .map(|e| {
                    let (o, i) = (e / inputs, e % inputs);
                    let row = image.map_or(i, |s| {
                        let pixels = s.height * s.width;
                        (i % pixels) * s.channels + i / pixels
                    });
                    at + row * outputs + o
                })
                .collect(),
            Kind::Conv { inputs, outputs } => (0..outputs * inputs * 9)
                .map(|e| {
                    let (o, i, tap) = (e / (9 * inputs), e / 9 % inputs, e % 9);
                    at + (tap * inputs + i) * outputs + o
                })
                .collect(),
        }
    }
}

/// The tensors of a network in the order of its layers, weight before bias.
pub fn layout(network: &Network) -> Vec<Tensor> {
    let mut out = Vec::new();
    for (i, step) in network.steps.iter().enumerate() {
        let (shape, fan_in, kind) = match &step.op {
            Op::Linear { inputs, outputs, image } => {
                let kind = Kind::Linear { inputs: *inputs, outputs: *outputs, image: *image };
                (vec![*outputs, *inputs], *inputs, kind)
            }
            Op::Conv(c) => {
                (vec![c.output, c.input, 3, 3], 9 * c.input, Kind::Conv { inputs: c.input, outputs: c.output })
            }
            _ => continue,
        };
        let outputs = shape[0];
        out.push(Tensor { name: format!("{i}.weight"), shape, fan_in, offset: step.weight.start, kind });
        let (name, offset) = (format!("{i}.bias"), step.bias.start);
        out.push(Tensor { name, shape: vec![outputs], fan_in, offset, kind: Kind::Plain });
    }
    out
}

/// The arena's values as (name, shape, elements) in PyTorch's order.
pub fn export(network: &Network, arena: &[f32]) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    layout(network)
        .into_iter()
        .map(|t| {
            let values = t.positions().into_iter().map(|at| arena[at]).collect();
            (t.name, t.shape, values)
        })
        .collect()
}

/// An arena from named tensors; `find` gives shape and elements of a name.
pub fn import(
    network: &Network,
    mut find: impl FnMut(&str) -> Option<(Vec<usize>, Vec<f32>)>,
) -> Result<Vec<f32>, Error> {
    let mut arena = vec![0.0; network.parameters()];
    for tensor in layout(network) {
        let (shape, values) =
            find(&tensor.name).ok_or_else(|| Error::Weights(format!("tensor `{}` is missing", tensor.name)))?;
        if shape != tensor.shape || values.len() != shape.iter().product::<usize>() {
            return Err(Error::Weights(format!("`{}` has shape {shape:?}, not {:?}", tensor.name, tensor.shape)));
        }
        for (at, v) in tensor.positions().into_iter().zip(values) {
            arena[at] = v;
        }
    }
    Ok(arena)
}
