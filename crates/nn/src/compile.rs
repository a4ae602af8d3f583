//! From a layer list to steps on numbered buffers.

use flatleak_data::Shape;

use crate::architecture::Architecture;
use crate::error::Error;
use crate::misfit::Misfit;
use crate::ops::add::Sum;
use crate::ops::op::{At, Planned, Ranges};
use crate::ops::{Layer, Op};

/// Parameters that a network may have: 4 GiB of them.
const MOST_PARAMETERS: usize = 1 << 30;

/// One step: it reads the buffer of an earlier step, or the input, and writes its own, or works in place.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) op: Op,
    /// Place in the layer list, which is its name outside.
    pub(crate) layer: usize,
    /// Buffer that it reads; `None` is the input.
    pub(crate) source: Option<usize>,
    /// Values per example that it puts out.
    pub(crate) outputs: usize,
    /// Values per example that it reads.
    pub(crate) inputs: usize,
    pub(crate) at: Ranges,
    /// Going backwards, a later step has already written the gradient of `source`; of what an `add` adds.
    pub(crate) accumulates: [bool; 2],
}

impl Step {
    pub(crate) fn in_place(&self) -> bool {
        self.op.flags().in_place
    }

    /// The second buffer that it reads.
    pub(crate) fn other(&self) -> Option<usize> {
        if let Op::Add(Sum { other, .. }) = self.op { other } else { None }
    }

    /// Number of its parameters.
    pub(crate) fn parameters(&self) -> usize {
        self.at.bias.end - self.at.weight.start
    }
}

/// Where a path through the network stands.
#[derive(Clone)]
struct Cursor {
    /// The buffer that holds the activation; `None` is the input.
    buffer: Option<usize>,
    at: At,
}

/// A compiled layer list.
pub(crate) struct Compiled {
    pub(crate) steps: Vec<Step>,
    /// Parameters, D.
    pub(crate) parameters: usize,
    /// Running statistics behind them.
    pub(crate) state: usize,
}

pub(crate) fn compile(architecture: &Architecture, shape: Shape, classes: usize) -> Result<Compiled, Error> {
    let at = At { image: Some(shape), size: shape.features(), flattened: None, activated: false };
    let mut paths = Paths { main: Cursor { buffer: None, at }, kept: Vec::new() };
    let mut out = Compiled { steps: Vec::new(), parameters: 0, state: 0 };
    for (index, layer) in order(&architecture.layers) {
        let fail = |problem| Error::Layer { index, layer: layer.to_string(), problem };
        out.append(layer, index, &mut paths, classes).map_err(fail)?;
    }
    out.check(&paths, classes).map_err(|problem| Error::Layer {
        index: architecture.layers.len().saturating_sub(1),
        layer: architecture.layers.last().map_or_else(|| "none".into(), ToString::to_string),
        problem,
    })?;
    // Running statistics lie behind the parameters.
    for step in &mut out.steps {
        step.at.state = step.at.state.start + out.parameters..step.at.state.end + out.parameters;
    }
    mark_consumers(&mut out.steps);
    Ok(out)
}

/// Layers with their places; ReLU behind max-pooling does a quarter of the work and gives the same bits, gradients included: both maps
/// keep the order of values, the winner of a positive maximum is the same, and any other passes no gradient either way.
fn order(layers: &[Layer]) -> Vec<(usize, &Layer)> {
    let mut out: Vec<(usize, &Layer)> = layers.iter().enumerate().collect();
    for i in 1..out.len() {
        // A tanh behind both would then change what the ReLU's gradient needs.
        let tanh = out.get(i + 1).is_some_and(|next| matches!(next.1, Layer::Tanh(_)));
        if matches!((out[i - 1].1, out[i].1), (Layer::Relu(_), Layer::MaxPool(_))) && !tanh {
            out.swap(i - 1, i);
        }
    }
    out
}

/// Going backwards, the first step that reads a buffer writes its gradient, any other adds to it.
fn mark_consumers(steps: &mut [Step]) {
    let mut written = vec![false; steps.len()];
    for step in steps.iter_mut().rev() {
        if step.in_place() {
            continue;
        }
        for (slot, buffer) in [step.source, step.other()].into_iter().enumerate() {
            if let Some(k) = buffer {
                step.accumulates[slot] = std::mem::replace(&mut written[k], true);
            }
        }
    }
}

/// The paths of a network while it is compiled.
struct Paths {
    main: Cursor,
    /// What `split` keeps, with the buffer that it kept at first.
    kept: Vec<(Cursor, Option<usize>)>,
}

impl Paths {
    /// The buffer that an `add` adds to the main path.
    fn join(&mut self) -> Result<Option<usize>, Misfit> {
        let (kept, _) = self.kept.pop().ok_or(Misfit::NoSplit)?;
        let main = &self.main;
        if main.buffer == kept.buffer {
            return Err(Misfit::Itself);
        }
        if main.at.image != kept.at.image || main.at.size != kept.at.size {
            let words = |c: &Cursor| c.at.image.map_or(c.at.size.to_string(), |s| s.to_string());
            return Err(Misfit::Shapes { kept: words(&kept), main: words(main) });
        }
        if main.at.flattened != kept.at.flattened {
            return Err(Misfit::FlattenedSum);
        }
        Ok(kept.buffer)
    }
}

impl Compiled {
    /// Appends a layer to the path that it belongs to, or says what is wrong with it.
    fn append(&mut self, layer: &Layer, index: usize, paths: &mut Paths, classes: usize) -> Result<(), Misfit> {
        match layer {
            Layer::Split => paths.kept.push((paths.main.clone(), paths.main.buffer)),
            Layer::Add => {
                let other = paths.join()?;
                let main = &mut paths.main;
                self.place((index, main.at.size), Planned::plain(Op::Add(Sum { other, relu: false })), main);
            }
            Layer::Shortcut(inner) => {
                let (cursor, first) = paths.kept.last_mut().ok_or(Misfit::NoSplit)?;
                if cursor.buffer == *first && inner.in_place() {
                    return Err(Misfit::ChangesMain);
                }
                self.extend(inner, index, cursor, classes)?;
            }
            plain => {
                let shared = paths.kept.iter().any(|(_, first)| *first == paths.main.buffer);
                if shared && plain.in_place() {
                    return Err(Misfit::ChangesKept);
                }
                self.extend(plain, index, &mut paths.main, classes)?;
            }
        }
        Ok(())
    }

    /// Appends a layer to a path.
    fn extend(&mut self, layer: &Layer, index: usize, path: &mut Cursor, classes: usize) -> Result<(), Misfit> {
        if matches!(layer, Layer::Relu(_)) && self.join_relu(path) {
            return Ok(());
        }
        let before = path.at.size;
        if let Some(planned) = layer.plan(&mut path.at, classes)? {
            self.place((index, before), planned, path);
        }
        Ok(())
    }

    /// Leaves a ReLU to a norm's or a sum's own pass, where its output is all that the ReLU changes.
    fn join_relu(&mut self, path: &mut Cursor) -> bool {
        let last = path.buffer.and_then(|k| self.steps.get_mut(k)).filter(|_| !path.at.activated);
        let relu = match last.map(|step| &mut step.op) {
            Some(Op::BatchNorm(norm)) => &mut norm.relu,
            Some(Op::Add(sum)) => &mut sum.relu,
            _ => return false,
        };
        (*relu, path.at.activated) = (true, true);
        true
    }

    /// Appends the step of a layer that reads so many values, behind which the path has moved on already.
    fn place(&mut self, (layer, inputs): (usize, usize), planned: Planned<Op>, path: &mut Cursor) {
        let (start, first) = (self.parameters, self.state);
        let weight = start..start + planned.weight;
        let bias = weight.end..weight.end + planned.bias;
        self.parameters = bias.end;
        self.state += planned.state;
        let step = Step {
            op: planned.op,
            layer,
            source: path.buffer,
            inputs,
            outputs: path.at.size,
            at: Ranges { weight, bias, state: first..self.state },
            accumulates: [false; 2],
        };
        path.at.activated = step.in_place();
        if !step.in_place() {
            path.buffer = Some(self.steps.len());
        }
        self.steps.push(step);
    }

    /// Refuses a network that is too large, or not complete.
    fn check(&self, paths: &Paths, classes: usize) -> Result<(), Misfit> {
        if self.parameters > MOST_PARAMETERS {
            return Err(Misfit::Parameters { parameters: self.parameters });
        }
        if !paths.kept.is_empty() {
            return Err(Misfit::OpenSplit);
        }
        match self.steps.last().map(|step| &step.op) {
            Some(Op::Linear(last)) if last.outputs == classes => Ok(()),
            _ => Err(Misfit::NoLogits { classes }),
        }
    }
}
