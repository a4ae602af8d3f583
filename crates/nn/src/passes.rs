//! Forward and backward pass, segment by segment and part by part.

use std::ops::Range;

use flatleak_kernel::loss::Objective;
use flatleak_kernel::norm::BatchNorm;
use flatleak_kernel::operand::{self, Operand};
use flatleak_kernel::{Buffer, activation, linear, loss, norm, pool};

use crate::Network;
use crate::apart::Sink;
use crate::compile::{Op, Step};
use crate::schedule::Phase;
use crate::workspace::{Kept, Workspace};

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
}

impl Network {
    /// Makes ready what the forward pass needs of the parameters, until they change.
    pub(crate) fn prepare(&self, w: &[f32], ws: &mut Workspace, mode: Mode) {
        for ((step, kept), norm) in self.steps.iter().zip(&mut ws.kept).zip(&mut ws.norms) {
            let (weight, bias) = (&w[step.weight.clone()], &w[step.bias.clone()]);
            match &step.op {
                Op::Conv(conv) => conv.prepare_forward(&mut kept.weights, weight),
                Op::BatchNorm { channels, .. } if mode == Mode::Evaluation => {
                    norm.take(w[step.state.clone()].split_at(*channels), (weight, bias));
                }
                _ => {}
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
                let step = &self.steps[i];
                ws.norms[i].finish(&w[step.weight.clone()], &w[step.bias.clone()]);
            }
        }
        // `compile` made sure that the last step is linear.
        let last = self.steps.len() - 1;
        &mut ws.activations[last][..batch * self.classes()]
    }

    fn forward_part(&self, phase: Phase, part: Part, w: &[f32], ws: &mut Workspace, mode: Mode) {
        let (Phase::Run(i) | Phase::Sum(i) | Phase::Apply(i)) = phase;
        let step = &self.steps[i];
        let Workspace { input, activations, kept, norms, scratch, moved, .. } = ws;
        if step.in_place() {
            let x = match step.source {
                Some(k) => &mut activations[k],
                None => &mut *input,
            };
            let x = &mut x[part.of(step.outputs)];
            return match step.op {
                Op::Relu => activation::relu_forward(x),
                _ => activation::tanh_forward(x),
            };
        }
        let (before, rest) = activations.split_at_mut(i);
        let (norms, own) = norms.split_at_mut(i);
        let x = self.operand(step.source, step.inputs, part, input, before, norms);
        let y = if self.unwritten[i] { &mut [] } else { &mut rest[0][part.of(step.outputs)] };
        let (weight, bias) = (&w[step.weight.clone()], &w[step.bias.clone()]);
        let Kept { values, statistics, weights, .. } = &mut kept[i];
        // Only convolutions and additions read what is not written.
        match &step.op {
            Op::Linear { .. } => {
                linear::forward(y, x.values, weight, bias, part.n);
                if let Some(moved) = moved {
                    moved.forward(i, y, x.values, part.n);
                }
            }
            Op::Conv(conv) => conv.forward(y, x, weights, bias, part.n, scratch),
            Op::MaxPool(pool) => pool.forward(y, &mut values[part.of(step.outputs)], x.values, part.n),
            Op::AveragePool(pool) => pool.forward(y, x.values, part.n),
            Op::GlobalPool { pixels, channels } => pool::global_forward(y, x.values, *pixels, *channels),
            &Op::BatchNorm { relu, .. } => match phase {
                Phase::Sum(_) if mode == Mode::Training => own[0].sum(x.values, part.first == 0),
                Phase::Sum(_) => {}
                _ if self.unwritten[i] => {}
                _ => own[0].apply(y, x.values, relu),
            },
            Op::GroupNorm { groups, .. } => {
                norm::group_forward(y, x.values, (weight, bias), statistics, (part.n, *groups))
            }
            Op::Gelu => activation::gelu_forward(y, x.values),
            Op::Dropout(_) => {
                y.copy_from_slice(x.values);
                if mode == Mode::Training {
                    activation::masked(y, &values[part.of(step.outputs)]);
                }
            }
            Op::Add { other, relu } => {
                let other = self.operand(*other, step.outputs, part, input, before, norms);
                operand::sum(y, x, other, *relu);
            }
            Op::Relu | Op::Tanh => {}
        }
    }

    /// What a step reads: a buffer, the input, or what a norm that is never written would make of another.
    fn operand<'a>(
        &self,
        source: Option<usize>,
        values: usize,
        part: Part,
        input: &'a [f32],
        activations: &'a [Buffer],
        norms: &'a [BatchNorm],
    ) -> Operand<'a> {
        let Some(k) = source else { return (&input[part.of(values)]).into() };
        match self.steps[k].op {
            Op::BatchNorm { relu, .. } if self.unwritten[k] => {
                let before = self.operand(self.steps[k].source, values, part, input, activations, norms);
                Operand { bend: Some(norms[k].bend(relu)), ..before }
            }
            _ => (&activations[k][part.of(values)]).into(),
        }
    }

    /// Mean loss of a batch at the arena `w`, and its gradient over all D parameters into `g`.
    ///
    /// The input lies in the workspace (see [`Workspace::gather`]), and so do dropout masks ([`Workspace::draw_masks`]). Batch norms use
    /// the batch's statistics, which [`Network::track`] adds to the running ones.
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
        for (step, kept) in self.steps.iter().zip(&mut ws.kept) {
            if let (Op::Conv(conv), Some(_)) = (&step.op, step.source) {
                conv.prepare_backward(&mut kept.weights, &w[step.weight.clone()]);
            }
        }
        for segment in self.segments.iter().rev() {
            for (first, n) in segment.parts(batch) {
                for phase in segment.phases.iter().rev() {
                    self.backward_part(*phase, Part { first, n }, to, w, ws);
                }
            }
            if let (Some(&Phase::Apply(i)), Sink::Sum(g)) = (segment.phases.first(), &mut *to) {
                let step = &self.steps[i];
                ws.norms[i].finish_gradient(parameters(step, g), &w[step.weight.clone()]);
            }
        }
        if let Sink::Sum(g) = to {
            for (step, kept) in self.steps.iter().zip(&ws.kept) {
                if let Op::Conv(conv) = &step.op {
                    conv.finish_parameters(parameters(step, g).0, &kept.sums);
                }
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
        let (Phase::Run(i) | Phase::Sum(i) | Phase::Apply(i)) = phase;
        let (step, slot) = (&self.steps[i], &self.plan.slot);
        let Workspace { input, activations, gradients, kept, norms, scratch, spare, moved, .. } = ws;
        let (ins, outs) = (part.of(step.inputs), part.of(step.outputs));
        let (before, own) = norms.split_at_mut(i);
        let norm = &mut own[0];
        let operand = self.operand(step.source, step.inputs, part, input, activations, before);
        let x = operand.values;
        let weight = &w[step.weight.clone()];
        let Kept { values, statistics, weights, sums } = &mut kept[i];
        // Steps that need no other buffer.
        match (&step.op, phase) {
            // Nothing needs the gradient of the data.
            (Op::Relu | Op::Tanh, _) if step.source.is_none() => return,
            (Op::Relu, _) => return activation::relu_backward(&mut gradients[slot[i]][outs], x),
            (Op::Tanh, _) => return activation::tanh_backward(&mut gradients[slot[i]][outs], x),
            (&Op::BatchNorm { relu, .. }, Phase::Apply(_)) => {
                return norm.sum_gradient(&gradients[slot[i]][outs], x, relu, part.first == 0);
            }
            (Op::Add { relu: true, .. }, _) => {
                activation::relu_backward(&mut gradients[slot[i]][outs.clone()], &activations[i][outs.clone()]);
            }
            (Op::Linear { .. }, _) => {
                let dy = &gradients[slot[i]][outs.clone()];
                match sink {
                    Sink::Sum(g) => {
                        let (dw, db) = parameters(step, g);
                        linear::backward_parameters(dw, db, x, dy, part.n);
                    }
                    Sink::Apart(apart) => apart.outputs[i][outs.clone()].copy_from_slice(dy),
                }
            }
            (Op::Conv(conv), _) => {
                let dy = &gradients[slot[i]][outs.clone()];
                for at in sink.pieces(part.n) {
                    let piece = Part { first: at.start, n: at.len() };
                    let (dw, db, first) = sink.parameters(i, step, part.first + at.start);
                    let operands =
                        (Operand { values: &x[piece.of(step.inputs)], ..operand }, &dy[piece.of(step.outputs)]);
                    conv.backward_parameters((&mut *dw, db), sums, operands, piece.n, scratch, first);
                    if let Sink::Apart(apart) = sink {
                        apart.finish(i, part.first + at.start, |row| conv.finish_parameters(row, sums));
                    }
                }
            }
            (&Op::GroupNorm { groups, .. }, _) => {
                // It computes both gradients at once, also where the input's is not needed.
                let dy = &gradients[slot[i]][outs.clone()];
                for at in sink.pieces(part.n) {
                    let piece = Part { first: at.start, n: at.len() };
                    let (dw, db, _) = sink.parameters(i, step, part.first + at.start);
                    let values = piece.of(step.inputs);
                    let own = Part { first: part.first + at.start, n: at.len() };
                    let (dx, operands) = (&mut spare[values.clone()], (&x[values.clone()], &dy[values]));
                    norm::group_backward(
                        dx,
                        (dw, db),
                        operands,
                        weight,
                        &statistics[own.of(2 * groups)],
                        (piece.n, groups),
                    );
                    if let Sink::Apart(apart) = sink {
                        apart.finish(i, own.first, |_| ());
                    }
                }
            }
            _ => {}
        }
        if let Op::Add { other: Some(o), .. } = step.op
            && slot[o] != slot[i]
        {
            let (dy, dx) = two(gradients, slot[i], slot[o]);
            pass_on(&mut dx[outs.clone()], &dy[outs.clone()], step.accumulates[1]);
        }
        let Some(k) = step.source else { return };
        if slot[k] == slot[i] {
            match step.op {
                Op::BatchNorm { relu, .. } => norm.apply_gradient_in_place(&mut gradients[slot[i]][outs], x, relu),
                Op::Dropout(_) => activation::masked(&mut gradients[slot[i]][outs.clone()], &values[outs]),
                _ => {}
            }
            return;
        }
        let (dy, dx) = two(gradients, slot[i], slot[k]);
        let (dy, dx) = (&dy[outs.clone()], &mut dx[ins.clone()]);
        if matches!(step.op, Op::GroupNorm { .. }) {
            return pass_on(dx, &spare[..ins.len()], step.accumulates[0]);
        }
        let to = if step.accumulates[0] { &mut spare[..ins.len()] } else { &mut *dx };
        match &step.op {
            Op::Linear { outputs, .. } => {
                linear::backward_input(to, weight, dy, part.n, *outputs);
                if let Some(moved) = moved {
                    moved.backward_input(i, to, dy, part.n);
                }
            }
            Op::Conv(conv) => conv.backward_input(to, weights, dy, part.n, scratch),
            Op::MaxPool(pool) => pool.backward(to, dy, &values[outs], part.n),
            Op::AveragePool(pool) => pool.backward(to, dy, part.n),
            Op::GlobalPool { pixels, channels } => pool::global_backward(to, dy, *pixels, *channels),
            Op::Gelu => activation::gelu_backward(to, dy, x),
            Op::BatchNorm { relu, .. } => norm.apply_gradient(to, dy, x, *relu),
            Op::Dropout(_) => {
                to.copy_from_slice(dy);
                activation::masked(to, &values[outs]);
            }
            _ => to.copy_from_slice(dy),
        }
        if step.accumulates[0] {
            activation::add(dx, &spare[..ins.len()]);
        }
    }
}

/// The gradients of a step's weights and biases.
fn parameters<'g>(step: &Step, g: &'g mut [f32]) -> (&'g mut [f32], &'g mut [f32]) {
    g[step.weight.start..step.bias.end].split_at_mut(step.weight.len())
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
