//! Parameters under PyTorch's names, shapes and element order.
//!
//! The arena stores linear weights `[in, out]`, convolutions `[K, K, in, out]` and images channels-last;
//! PyTorch stores `[out, in]`, `[out, in, K, K]` and channels first. Names are those of `nn.Sequential` with
//! one entry per layer, so `0.weight` belongs to the first layer that has parameters if the list starts
//! with it.

use crate::compile::{Op, Step};
use crate::{Error, Network, Shape};

/// One named tensor and where its elements lie in the arena.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// `<layer>.weight`, `<layer>.bias`, `<layer>.running_mean` or `<layer>.running_var`.
    pub name: String,
    /// PyTorch's shape.
    pub shape: Vec<usize>,
    /// Inputs that feed one output.
    pub fan_in: usize,
    /// What it starts from, where it is not drawn.
    pub constant: Option<f32>,
    offset: usize,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Plain,
    Linear { inputs: usize, outputs: usize, image: Option<Shape> },
    Conv { inputs: usize, outputs: usize, taps: usize },
}

impl Tensor {
    /// Whether it is a weight, of a layer or a norm, by its name.
    pub fn is_weight(&self) -> bool {
        self.name.ends_with(".weight")
    }

    /// The part of the arena that it fills.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.shape.iter().product::<usize>()
    }

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
            Kind::Conv { inputs, outputs, taps } => (0..outputs * inputs * taps)
                .map(|e| {
                    let (o, i, tap) = (e / (taps * inputs), e / taps % inputs, e % taps);
                    at + (tap * inputs + i) * outputs + o
                })
                .collect(),
        }
    }
}

/// The tensors of a network in the order of its layers, weight before bias before running statistics.
pub fn layout(network: &Network) -> Vec<Tensor> {
    let mut steps: Vec<&Step> = network.steps.iter().collect();
    steps.sort_by_key(|s| s.layer);
    steps.into_iter().flat_map(of_step).collect()
}

fn of_step(step: &Step) -> Vec<Tensor> {
    let name = |what: &str| format!("{}.{what}", step.layer);
    let drawn = |what: &str, shape: Vec<usize>, fan_in: usize, offset: usize, kind: Kind| Tensor {
        name: name(what),
        shape,
        fan_in,
        constant: None,
        offset,
        kind,
    };
    let fixed = |what: &str, channels: usize, value: f32, offset: usize| Tensor {
        name: name(what),
        shape: vec![channels],
        fan_in: 1,
        constant: Some(value),
        offset,
        kind: Kind::Plain,
    };
    let (shape, fan_in, kind) = match &step.op {
        Op::Linear { inputs, outputs, image } => {
            let kind = Kind::Linear { inputs: *inputs, outputs: *outputs, image: *image };
            (vec![*outputs, *inputs], *inputs, kind)
        }
        Op::Conv(c) => {
            let taps = c.kernel * c.kernel;
            let kind = Kind::Conv { inputs: c.input, outputs: c.output, taps };
            (vec![c.output, c.input, c.kernel, c.kernel], taps * c.input, kind)
        }
        Op::BatchNorm { channels, .. } | Op::GroupNorm { channels, .. } => {
            let mut out = vec![
                fixed("weight", *channels, 1.0, step.weight.start),
                fixed("bias", *channels, 0.0, step.bias.start),
            ];
            if !step.state.is_empty() {
                out.push(fixed("running_mean", *channels, 0.0, step.state.start));
                out.push(fixed("running_var", *channels, 1.0, step.state.start + channels));
            }
            return out;
        }
        _ => return Vec::new(),
    };
    let mut out = vec![drawn("weight", shape, fan_in, step.weight.start, kind)];
    if !step.bias.is_empty() {
        out.push(drawn("bias", vec![step.bias.len()], fan_in, step.bias.start, Kind::Plain));
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
    let mut arena = vec![0.0; network.arena()];
    for tensor in layout(network) {
        let (shape, values) = find(&tensor.name).ok_or_else(|| Error::MissingTensor { name: tensor.name.clone() })?;
        if shape != tensor.shape || values.len() != shape.iter().product::<usize>() {
            return Err(Error::TensorShape { name: tensor.name, found: shape, expected: tensor.shape });
        }
        for (at, v) in tensor.positions().into_iter().zip(values) {
            arena[at] = v;
        }
    }
    Ok(arena)
}
