//! Activations and scratch space of one thread, sized for a batch.

use flatleak_data::Shape;
use flatleak_kernel::Buffer;
use flatleak_kernel::loss::Objective;
use flatleak_kernel::norm::BatchNorm;
use flatleak_stream::Stream;

use crate::apart::Inputs;
use crate::compile::Step;
use crate::lowrank::LowRank;
use crate::network::Network;
use crate::ops::Op;
use crate::ops::op::Keeps;

/// Everything that a forward and a backward pass write besides gradients.
#[derive(Debug)]
pub struct Workspace {
    pub(crate) batch: usize,
    pub(crate) input: Buffer,
    /// One buffer per step; empty for those that work in place or whose output is never written.
    pub(crate) activations: Vec<Buffer>,
    /// As the plan of the network has them.
    pub(crate) gradients: Vec<Buffer>,
    pub(crate) kept: Vec<Kept>,
    /// One per step; empty for those that are no batch norm.
    pub(crate) norms: Vec<BatchNorm>,
    pub(crate) scratch: Buffer,
    /// The gradient of a buffer that two steps read, before it is added.
    pub(crate) spare: Buffer,
    /// What the loss compares predictions with.
    pub(crate) objective: Objective,
    /// Cross entropy of every example of the last batch.
    pub(crate) losses: Vec<f64>,
    /// By what linear layers differ from their weights in the next passes.
    pub(crate) moved: Option<LowRank>,
}

/// What a step keeps from the forward for the backward pass: see [`Keeps`].
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) values: Buffer,
    pub(crate) statistics: Buffer,
    pub(crate) prepared: Buffer,
    pub(crate) sums: Buffer,
}

impl Network {
    /// Buffers for batches of up to `batch` examples.
    pub fn workspace(&self, batch: usize) -> Workspace {
        Workspace::new(self, batch)
    }
}

impl Workspace {
    pub(crate) fn new(network: &Network, batch: usize) -> Self {
        let steps = &network.steps;
        let sized = |values: usize| Buffer::new(values * batch);
        let written =
            |(step, unwritten): (&Step, &bool)| sized(if step.in_place() || *unwritten { 0 } else { step.outputs });
        let norm = |step: &Step| match &step.op {
            Op::BatchNorm(norm) => BatchNorm::new(norm.channels),
            _ => BatchNorm::default(),
        };
        let kept = |step: &Step| {
            let Keeps { values, statistics, prepared, sums } = step.op.keeps();
            Kept {
                values: sized(if values { step.outputs } else { 0 }),
                statistics: sized(statistics),
                prepared: Buffer::new(prepared),
                sums: Buffer::new(sums),
            }
        };
        let beside = |s: &&Step| s.op.flags().both || s.accumulates[0];
        let shared = steps.iter().filter(beside).map(|s| s.inputs).max();
        Self {
            batch,
            input: sized(network.features()),
            activations: steps.iter().zip(&network.unwritten).map(written).collect(),
            gradients: network.plan.sizes.iter().map(|values| sized(*values)).collect(),
            kept: steps.iter().map(kept).collect(),
            norms: steps.iter().map(norm).collect(),
            scratch: Buffer::new(steps.iter().map(|s| s.op.scratch()).max().unwrap_or(0)),
            spare: sized(shared.unwrap_or(0)),
            objective: Objective::CrossEntropy,
            losses: vec![0.0; batch],
            moved: None,
        }
    }

    /// What steps read in the last pass.
    pub(crate) fn inputs(&self) -> Inputs<'_> {
        Inputs { data: &self.input, activations: &self.activations }
    }

    /// Bytes of all buffers.
    pub fn bytes(&self) -> usize {
        let kept = self
            .kept
            .iter()
            .map(|k| k.values.len() + k.statistics.len() + k.prepared.len() + k.sums.len())
            .sum::<usize>();
        let norms = self.norms.iter().map(BatchNorm::bytes).sum::<usize>();
        let buffers = self.activations.iter().chain(&self.gradients).map(|b| b.len()).sum::<usize>();
        norms + 4 * (self.input.len() + buffers + kept + self.scratch.len() + self.spare.len())
    }

    /// Draws what layers keep for a step, by layer and example in their order.
    pub(crate) fn draw_masks(&mut self, steps: &[Step], batch: usize, stream: &mut Stream) {
        for (step, kept) in steps.iter().zip(&mut self.kept).filter(|(step, _)| step.op.flags().draws) {
            step.op.draw(&mut kept.values[..batch * step.outputs], stream);
        }
    }

    /// Copies the rows `indices` of `x`, stored channel-first, into the input buffer, channels-last.
    pub fn gather(&mut self, x: &[f32], shape: Shape, indices: &[u32]) {
        let (c, pixels) = (shape.channels, shape.height * shape.width);
        let features = c * pixels;
        for (to, &i) in self.input.chunks_exact_mut(features).zip(indices) {
            let from = &x[i as usize * features..][..features];
            if c == 1 {
                to.copy_from_slice(from);
            } else {
                for (channel, plane) in from.chunks_exact(pixels).enumerate() {
                    for (p, v) in plane.iter().enumerate() {
                        to[p * c + channel] = *v;
                    }
                }
            }
        }
    }
}
