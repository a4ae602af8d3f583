//! Parameters under PyTorch's names, shapes and element order.
//!
//! The arena stores linear weights `[in, out]`, convolutions `[K, K, in, out]` and images channels-last;
//! PyTorch stores `[out, in]`, `[out, in, K, K]` and channels first. Names are those of `nn.Sequential` with
//! one entry per layer, so `0.weight` belongs to the first layer that has parameters if the list starts
//! with it.

use flatleak_stream::Stream;

use crate::compile::Step;
use crate::error::Error;
use crate::network::Network;
use crate::ops::op::Named;

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
    /// Length and stride of each axis.
    axes: Vec<(usize, usize)>,
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
        self.axes.iter().fold(vec![self.offset], |outer, &(length, stride)| {
            outer.into_iter().flat_map(|at| (0..length).map(move |i| at + i * stride)).collect()
        })
    }
}

/// The tensors of a network in the order of its layers, weight before bias before running statistics.
pub fn layout(network: &Network) -> Vec<Tensor> {
    let mut steps: Vec<&Step> = network.steps.iter().collect();
    steps.sort_by_key(|s| s.layer);
    steps.into_iter().flat_map(of_step).collect()
}

fn of_step(step: &Step) -> Vec<Tensor> {
    let tensor = |Named { name, shape, fan_in, constant, offset, axes }| Tensor {
        name: format!("{}.{name}", step.layer),
        shape,
        fan_in,
        constant,
        offset,
        axes,
    };
    step.op.tensors(&step.at).into_iter().map(tensor).collect()
}

impl Network {
    /// A fresh arena: weights and biases of linear and convolution layers uniform on +-1/sqrt(fan in), PyTorch's default, drawn in
    /// PyTorch's order of names and elements; norms as the identity with running mean 0 and variance 1.
    pub fn init(&self, stream: &mut Stream) -> Vec<f32> {
        let mut arena = vec![0.0; self.arena()];
        for tensor in layout(self) {
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
///
/// # Errors
/// A tensor that is missing, or has another shape.
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
