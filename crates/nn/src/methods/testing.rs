//! What the tests of single methods share.

use flatleak_data::Shape;
use flatleak_stream::{Purpose, Stream};

use super::method::{Method, Pass};
use crate::architecture::Architecture;
use crate::network::Network;

/// The gradient that a method leaves at `w`, and the loss, of the batch of all examples.
pub(super) fn left(
    method: &mut dyn Method,
    network: &Network,
    w: &[f32],
    (x, labels): (&[f32], &[u32]),
) -> (Vec<f32>, f64) {
    let batch: Vec<u32> = (0..labels.len() as u32).collect();
    let (mut arena, mut g) = (w.to_vec(), vec![0.0; network.parameters()]);
    let mut pass = Pass {
        network,
        workspace: &mut network.workspace(labels.len()),
        x,
        labels,
        batch: &batch,
        stream: &mut Stream::new(0, Purpose::DpNoise, 0, 0),
        gathered: false,
        lr: 0.1,
        step: 0,
        total: 1,
    };
    let loss = method.gradient(&mut pass, &mut arena, &mut g);
    (g, loss)
}

/// A small network with convolutions of all three kinds, a group norm, pooling and linear layers, and 7 examples.
pub(super) fn convolutional() -> (Network, Vec<f32>, Vec<u32>) {
    let layers = [
        "conv 32",
        "relu",
        "conv 32",
        "group-norm 4",
        "relu",
        "max-pool",
        "conv 8 stride 2",
        "relu",
        "flatten",
        "linear 10",
        "tanh",
        "linear",
    ];
    let shape = Shape { channels: 2, height: 8, width: 6 };
    let network = Network::compile(&Architecture::custom(layers).unwrap(), shape, 3).unwrap();
    let mut s = Stream::new(8, Purpose::Simulation, 0, 0);
    let x = (0..7 * network.features()).map(|_| s.normal() as f32).collect();
    (network, x, vec![0, 2, 1, 1, 0, 2, 2])
}
