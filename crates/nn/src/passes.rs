//! Forward and backward pass, segment by segment and part by part.
//!
//! An ordinary layer does its own work ([`Op`]). What is here is between layers: buffers that several read, batch norms, which need the
//! sums of a batch before they can begin and may never be written, and sums of two paths.

use std::ops::Range;

use flatleak_kernel::loss::Objective;
use flatleak_kernel::norm::BatchNorm;
use flatleak_kernel::operand::{self, Operand};
use flatleak_kernel::{Buffer, activation, loss};

use crate::apart::Sink;
use crate::compile::Step;
use crate::network::Network;
use crate::ops::Op;
use crate::ops::op::{Forward, InputGradient, ParameterGradient};
use crate::schedule::Phase;
use crate::workspace::{Kept, Workspace};

/// Share of a batch's statistics in the running ones, as in PyTorch.
const MOMENTUM: f32 = 0.1;

/// Which statistics batch norms use, and whether dropout drops.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Training,
    Evaluation,
}

/// Some examples of a batch.
#[derive(Clone, Copy)]
struct Part {
    first: usize,
    n: usize,
}

impl Part {
    /// Where they lie among so many values per example.
    fn of(self, values: usize) -> Range<usize> {
        self.first * values..(self.first + self.n) * values
    }

    /// The same of what a step keeps, which may be nothing.
    fn kept(self, values: &mut [f32], each: usize) -> &mut [f32] {
        if values.is_empty() { values } else { &mut values[self.of(each)] }
    }
}

/// What steps read.
#[derive(Clone, Copy)]
struct Reads<'a> {
    input: &'a [f32],
    activations: &'a [Buffer],
    norms: &'a [BatchNorm],
}

impl Network {
    /// Makes ready what the forward pass needs of the parameters, until they change.
    pub(crate) fn prepare(&self, w: &[f32], ws: &mut Workspace, mode: Mode) {
        for ((step, kept), norm) in self.steps.iter().zip(&mut ws.kept).zip(&mut ws.norms) {
            let (weight, bias) = (&w[step.at.weight.clone()], &w[step.at.bias.clone()]);
            match &step.op {
                Op::BatchNorm(own) if mode == Mode::Evaluation => {
                    norm.take(w[step.at.state.clone()].split_at(own.channels), (weight, bias));
                }
                op => op.prepare_forward(&mut kept.prepared, weight),
            }
        }
    }

    /// Logits `[B, C]` of the examples in the workspace's input, after [`Network::prepare`] in the same mode.
    pub(crate) fn forward<'w>(&self, w: &[f32], ws: &'w mut Workspace, batch: usize, mode: Mode) -> &'w mut [f32] {
        for segment in &self.segments {
            for (first, n) in segment.parts(batch) {
                for phase in &segment.phases {
                    self.forward_part(*phase, Part { first, n }, w, ws, mode);
                }
            }
            if let Some(&Phase::Sum(i)) = segment.phases.last()
                && mode == Mode::Training
            {
                let at = &self.steps[i].at;
                ws.norms[i].finish(&w[at.weight.clone()], &w[at.bias.clone()]);
            }
        }
        // `compile` made sure that the last step is linear.
        let last = self.steps.len() - 1;
        &mut ws.activations[last][..batch * self.classes()]
    }

    fn forward_part(&self, phase: Phase, part: Part, w: &[f32], ws: &mut Workspace, mode: Mode) {
        let i = phase.step();
        let step = &self.steps[i];
        let Workspace { input, activations, kept, norms, scratch, moved, .. } = ws;
        let outs = part.of(step.outputs);
        if step.in_place() {
            let x = match step.source {
                Some(k) => &mut activations[k],
                None => &mut *input,
            };
            return step.op.forward_in_place(&mut x[outs]);
        }
        let (before, rest) = activations.split_at_mut(i);
        let (norms, own) = norms.split_at_mut(i);
        let reads = Reads { input, activations: before, norms };
        let x = self.operand(step.source, step.inputs, part, reads);
        let y = if self.unwritten[i] { &mut [] } else { &mut rest[0][outs] };
        match (&step.op, phase) {
            (Op::BatchNorm(_), Phase::Sum(_)) if mode == Mode::Training => own[0].sum(x.values, part.first == 0),
            (Op::BatchNorm(norm), Phase::Apply(_)) if !self.unwritten[i] => own[0].apply(y, x.values, norm.relu),
            (Op::BatchNorm(_), _) => {}
            (Op::Add(sum), _) => {
                let other = self.operand(sum.other, step.outputs, part, reads);
                operand::sum(y, x, other, sum.relu);
            }
            (op, _) => {
                let Kept { values, statistics, prepared, .. } = &mut kept[i];
                op.forward(Forward {
                    n: part.n,
                    x,
                    y: &mut *y,
                    weight: &w[step.at.weight.clone()],
                    bias: &w[step.at.bias.clone()],
                    values: part.kept(values, step.outputs),
                    statistics,
                    prepared,
                    scratch,
                    training: mode == Mode::Training,
                });
                if let Some(moved) = moved.as_mut().filter(|_| op.flags().outer) {
                    moved.forward(i, y, x.values, part.n);
                }
            }
        }
    }

    /// What a step reads: a buffer, the input, or what a norm that is never written would make of another. Only operations that bend
    /// are given the last.
    fn operand<'a>(&self, source: Option<usize>, values: usize, part: Part, from: Reads<'a>) -> Operand<'a> {
        let Some(k) = source else { return (&from.input[part.of(values)]).into() };
        match &self.steps[k].op {
            Op::BatchNorm(norm) if self.unwritten[k] => {
                let before = self.operand(self.steps[k].source, values, part, from);
                Operand { bend: Some(from.norms[k].bend(norm.relu)), ..before }
            }
            _ => (&from.activations[k][part.of(values)]).into(),
        }
    }

    /// Mean loss of a batch at the arena `w`, and its gradient over all D parameters into `g`.
    ///
    /// The input lies in the workspace (see [`Workspace::gather`]), and so do dropout masks. Batch norms use the batch's statistics, which
    /// [`Network::track`] adds to the running ones.
    pub fn gradient(&self, g: &mut [f32], w: &[f32], labels: &[u32], ws: &mut Workspace) -> f64 {
        self.backward(&mut Sink::Sum(g), w, labels, ws)
    }

    /// The same with a choice of where gradients go; apart there is no batch norm.
    pub(crate) fn backward(&self, to: &mut Sink<'_>, w: &[f32], labels: &[u32], ws: &mut Workspace) -> f64 {
        let batch = labels.len();
        if let Sink::Apart(apart) = to {
            apart.squares.fill(0.0);
        }
        self.prepare(w, ws, Mode::Training);
        // Both are put back below: the logits lie in the workspace too.
        let (objective, mut losses) = (std::mem::take(&mut ws.objective), std::mem::take(&mut ws.losses));
        let logits = self.forward(w, ws, batch, Mode::Training);
        let mean_loss = loss::gradient(logits, labels, self.classes(), &objective, &mut losses);
        (ws.objective, ws.losses) = (objective, losses);
        let last = self.steps.len() - 1;
        std::mem::swap(&mut ws.activations[last], &mut ws.gradients[self.plan.slot[last]]);
        for (step, kept) in self.steps.iter().zip(&mut ws.kept).filter(|(step, _)| step.source.is_some()) {
            step.op.prepare_backward(&mut kept.prepared, &w[step.at.weight.clone()]);
        }
        for segment in self.segments.iter().rev() {
            for (first, n) in segment.parts(batch) {
                for phase in segment.phases.iter().rev() {
                    self.backward_part(*phase, Part { first, n }, to, w, ws);
                }
            }
            if let (Some(&Phase::Apply(i)), Sink::Sum(g)) = (segment.phases.first(), &mut *to) {
                let step = &self.steps[i];
                ws.norms[i].finish_gradient(parameters(step, g), &w[step.at.weight.clone()]);
            }
        }
        if let Sink::Sum(g) = to {
            for (step, kept) in self.steps.iter().zip(&ws.kept) {
                step.op.finish_parameters(parameters(step, g).0, &kept.sums);
            }
        }
        mean_loss
    }

    /// Cross entropy of every example of a batch at the arena `w`, as in training, into the workspace.
    pub(crate) fn measure(&self, w: &[f32], labels: &[u32], ws: &mut Workspace) {
        self.prepare(w, ws, Mode::Training);
        let mut losses = std::mem::take(&mut ws.losses);
        let logits = self.forward(w, ws, labels.len(), Mode::Training);
        loss::gradient(logits, labels, self.classes(), &Objective::CrossEntropy, &mut losses);
        ws.losses = losses;
    }

    fn backward_part(&self, phase: Phase, part: Part, sink: &mut Sink<'_>, w: &[f32], ws: &mut Workspace) {
        let i = phase.step();
        let (step, slot) = (&self.steps[i], &self.plan.slot);
        let outs = part.of(step.outputs);
        if step.in_place() {
            // Nothing needs the gradient of the data.
            if let Some(k) = step.source {
                let y = &ws.activations[k][outs.clone()];
                step.op.backward_in_place(&mut ws.gradients[slot[i]][outs], y, &[]);
            }
            return;
        }
        match (&step.op, phase) {
            (Op::BatchNorm(own), Phase::Apply(_)) => {
                let Workspace { input, activations, gradients, norms, .. } = ws;
                let (before, rest) = norms.split_at_mut(i);
                let x = self.operand(step.source, step.inputs, part, Reads { input, activations, norms: before });
                return rest[0].sum_gradient(&gradients[slot[i]][outs], x.values, own.relu, part.first == 0);
            }
            (Op::BatchNorm(_), _) => {}
            (Op::Add(sum), _) => {
                if sum.relu {
                    let y = &ws.activations[i][outs.clone()];
                    activation::relu_backward(&mut ws.gradients[slot[i]][outs.clone()], y);
                }
                if let Some(o) = sum.other.filter(|o| slot[*o] != slot[i]) {
                    let (dy, dx) = two(&mut ws.gradients, slot[i], slot[o]);
                    pass_on(&mut dx[outs.clone()], &dy[outs], step.accumulates[1]);
                }
            }
            _ => self.parameter_gradients(i, part, sink, w, ws),
        }
        if let Some(k) = step.source {
            self.input_gradient(i, k, part, w, ws);
        }
    }

    /// Gradients of the parameters of step `i`.
    fn parameter_gradients(&self, i: usize, part: Part, sink: &mut Sink<'_>, w: &[f32], ws: &mut Workspace) {
        let step = &self.steps[i];
        if step.parameters() == 0 {
            return;
        }
        let Workspace { input, activations, gradients, kept, norms, scratch, spare, .. } = ws;
        let outs = part.of(step.outputs);
        let dy = &gradients[self.plan.slot[i]][outs.clone()];
        let flags = step.op.flags();
        if let (true, Sink::Apart(apart)) = (flags.outer, &mut *sink) {
            return apart.outputs[i][outs].copy_from_slice(dy);
        }
        let x = self.operand(step.source, step.inputs, part, Reads { input, activations, norms });
        let Kept { statistics, sums, .. } = &mut kept[i];
        for at in sink.pieces(part.n) {
            let piece = Part { first: at.start, n: at.len() };
            let own = Part { first: part.first + at.start, n: at.len() };
            let (dw, db, first) = sink.parameters(i, step, own.first);
            let values = piece.of(step.inputs);
            step.op.backward_parameters(ParameterGradient {
                n: piece.n,
                x: Operand { values: &x.values[values.clone()], ..x },
                dy: &dy[piece.of(step.outputs)],
                dx: if flags.both { &mut spare[values] } else { &mut [] },
                weight: &w[step.at.weight.clone()],
                dw,
                db,
                statistics: &statistics[own.of(step.op.keeps().statistics)],
                sums,
                scratch,
                first,
            });
            if let Sink::Apart(apart) = sink {
                apart.finish(i, own.first, |row| step.op.finish_parameters(row, sums));
            }
        }
    }

    /// The gradient of what step `i` reads, which step `k` wrote.
    fn input_gradient(&self, i: usize, k: usize, part: Part, w: &[f32], ws: &mut Workspace) {
        let (step, slot) = (&self.steps[i], &self.plan.slot);
        let Workspace { input, activations, gradients, kept, norms, scratch, spare, moved, .. } = ws;
        let (ins, outs) = (part.of(step.inputs), part.of(step.outputs));
        let (before, own) = norms.split_at_mut(i);
        let x = self.operand(step.source, step.inputs, part, Reads { input, activations, norms: before }).values;
        let Kept { values, prepared, .. } = &mut kept[i];
        let values = part.kept(values, step.outputs);
        if slot[k] == slot[i] {
            let dy = &mut gradients[slot[i]][outs];
            return match &step.op {
                Op::BatchNorm(norm) => own[0].apply_gradient_in_place(dy, x, norm.relu),
                op => op.backward_in_place(dy, &[], values),
            };
        }
        let (dy, dx) = two(gradients, slot[i], slot[k]);
        let (dy, dx) = (&dy[outs], &mut dx[ins.clone()]);
        let accumulates = step.accumulates[0];
        if step.op.flags().both {
            return pass_on(dx, &spare[..ins.len()], accumulates);
        }
        let to = if accumulates { &mut spare[..ins.len()] } else { &mut *dx };
        match &step.op {
            Op::BatchNorm(norm) => own[0].apply_gradient(to, dy, x, norm.relu),
            Op::Add(_) => to.copy_from_slice(dy),
            op => {
                let weight = &w[step.at.weight.clone()];
                op.backward_input(InputGradient { n: part.n, dx: &mut *to, dy, x, weight, values, prepared, scratch });
                if let Some(moved) = moved.as_mut().filter(|_| op.flags().outer) {
                    moved.backward_input(i, to, dy, part.n);
                }
            }
        }
        if accumulates {
            activation::add(dx, &spare[..ins.len()]);
        }
    }

    /// Adds the statistics of the last training pass to the running ones.
    pub fn track(&self, arena: &mut [f32], ws: &Workspace) {
        for (step, norm) in self.steps.iter().zip(&ws.norms) {
            if let Op::BatchNorm(_) = step.op {
                norm.track(&mut arena[step.at.state.clone()], MOMENTUM);
            }
        }
    }

    /// Logits `[n, C]` of the rows `indices` of `x`, batch norms with their running statistics and without dropout.
    pub fn logits(&self, w: &[f32], x: &[f32], indices: &[u32], ws: &mut Workspace) -> Vec<f32> {
        let mut out = Vec::with_capacity(indices.len() * self.classes());
        self.prepare(w, ws, Mode::Evaluation);
        for chunk in indices.chunks(ws.batch.max(1)) {
            ws.gather(x, self.shape(), chunk);
            out.extend_from_slice(self.forward(w, ws, chunk.len(), Mode::Evaluation));
        }
        out
    }
}

/// The gradients of a step's weights and biases.
fn parameters<'g>(step: &Step, g: &'g mut [f32]) -> (&'g mut [f32], &'g mut [f32]) {
    g[step.at.weight.start..step.at.bias.end].split_at_mut(step.at.weight.len())
}

fn pass_on(dx: &mut [f32], dy: &[f32], accumulate: bool) {
    if accumulate {
        activation::add(dx, dy);
    } else {
        dx.copy_from_slice(dy);
    }
}

/// Two different buffers.
fn two(buffers: &mut [Buffer], a: usize, b: usize) -> (&mut Buffer, &mut Buffer) {
    if a < b {
        let (left, right) = buffers.split_at_mut(b);
        (&mut left[a], &mut right[0])
    } else {
        let (left, right) = buffers.split_at_mut(a);
        (&mut right[0], &mut left[b])
    }
}
