//! From a layer list to steps on numbered buffers.

use std::ops::Range;

use flatleak_kernel::conv::Conv;
use flatleak_kernel::maxpool::MaxPool;
use flatleak_kernel::pool::AveragePool;

use crate::{Architecture, Error, Layer, Shape};

/// Parameters that a network may have: 4 GiB of them.
const MOST_PARAMETERS: usize = 1 << 30;

/// What a layer does to activations, with its sizes.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Linear {
        inputs: usize,
        outputs: usize,
        /// Set for the first linear layer behind an image: PyTorch flattens channel-first, this engine
        /// channels-last, so exported columns are reordered.
        image: Option<Shape>,
    },
    Conv(Conv),
    /// With a ReLU joined to it where one follows.
    BatchNorm {
        channels: usize,
        relu: bool,
    },
    GroupNorm {
        channels: usize,
        groups: usize,
    },
    Relu,
    Tanh,
    Gelu,
    /// Probability of being dropped.
    Dropout(f64),
    MaxPool(MaxPool),
    AveragePool(AveragePool),
    GlobalPool {
        pixels: usize,
        channels: usize,
    },
    /// Adds the output of another step, `None` the input; with a ReLU joined to it where one follows.
    Add {
        other: Option<usize>,
        relu: bool,
    },
}

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
    pub(crate) weight: Range<usize>,
    pub(crate) bias: Range<usize>,
    /// Running mean and variance, behind all parameters.
    pub(crate) state: Range<usize>,
    /// Going backwards, a later step has already written the gradient of `source`; of what an `add` adds.
    pub(crate) accumulates: [bool; 2],
}

impl Step {
    pub(crate) fn in_place(&self) -> bool {
        matches!(self.op, Op::Relu | Op::Tanh)
    }

    /// The gradient of the input takes the place of the output's.
    pub(crate) fn gradient_in_place(&self) -> bool {
        matches!(self.op, Op::Add { .. } | Op::BatchNorm { .. } | Op::Dropout(_))
    }

    /// Values of workspace whatever the batch.
    pub(crate) fn workspace(&self) -> usize {
        match &self.op {
            Op::Conv(c) => c.workspace(),
            _ => 0,
        }
    }
}

/// Where a path through the network stands.
#[derive(Clone)]
struct Cursor {
    /// The buffer that holds the activation; `None` is the input.
    buffer: Option<usize>,
    /// The shape, until it is flattened.
    image: Option<Shape>,
    size: usize,
    /// The image that was flattened, until a linear layer reads it.
    flattened: Option<Shape>,
    /// An activation has worked on the buffer in place, whose gradient needs it as it is.
    activated: bool,
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
    let size = shape.features();
    let mut main = Cursor { buffer: None, image: Some(shape), size, flattened: None, activated: false };
    // What `split` keeps, with the buffer that it kept at first.
    let mut kept: Vec<(Cursor, Option<usize>)> = Vec::new();
    let mut out = Compiled { steps: Vec::new(), parameters: 0, state: 0 };
    for (index, layer) in order(&architecture.layers) {
        let fail = |problem: String| Error::Layer { index, layer: layer.to_string(), problem };
        match layer {
            Layer::Split => kept.push((main.clone(), main.buffer)),
            Layer::Add => {
                let (other, _) = kept.pop().ok_or_else(|| fail("has no `split` before it".into()))?;
                if main.buffer == other.buffer {
                    return Err(fail("adds a layer to itself: put a layer between `split` and `add`".into()));
                }
                if main.image != other.image || main.size != other.size {
                    let words = |c: &Cursor| c.image.map_or(c.size.to_string(), |s| s.to_string());
                    return Err(fail(format!("cannot add {} to {}", words(&other), words(&main))));
                }
                if main.flattened != other.flattened {
                    return Err(fail(
                        "adds a flattened image to another vector: put a `linear` behind `flatten`".into(),
                    ));
                }
                out.push(index, Op::Add { other: other.buffer, relu: false }, &mut main);
            }
            Layer::Shortcut(inner) => {
                let (cursor, first) = kept.last_mut().ok_or_else(|| fail("has no `split` before it".into()))?;
                let untouched = cursor.buffer == *first;
                if untouched && matches!(**inner, Layer::Relu | Layer::Tanh) {
                    return Err(fail("would change what the other path reads: put a layer before it".into()));
                }
                out.append(inner, index, cursor, classes).map_err(fail)?;
            }
            plain => {
                let shared = kept.iter().any(|(_, first)| *first == main.buffer);
                if shared && matches!(plain, Layer::Relu | Layer::Tanh) {
                    return Err(fail("would change what `split` keeps: put a layer between them".into()));
                }
                out.append(plain, index, &mut main, classes).map_err(fail)?;
            }
        }
    }
    let last = |problem: String| Error::Layer {
        index: architecture.layers.len().saturating_sub(1),
        layer: architecture.layers.last().map_or_else(|| "none".into(), ToString::to_string),
        problem,
    };
    if out.parameters > MOST_PARAMETERS {
        return Err(last(format!("ends a network of {} parameters; at most 2^30 are possible", out.parameters)));
    }
    if !kept.is_empty() {
        return Err(last("ends while a `split` waits for its `add`".into()));
    }
    match out.steps.last() {
        Some(Step { op: Op::Linear { outputs, .. }, .. }) if *outputs == classes => {}
        _ => return Err(last(format!("must be `linear` with one output per class ({classes})"))),
    }
    // Running statistics lie behind the parameters.
    for step in &mut out.steps {
        step.state = step.state.start + out.parameters..step.state.end + out.parameters;
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
        let tanh = out.get(i + 1).is_some_and(|next| matches!(next.1, Layer::Tanh));
        if matches!((out[i - 1].1, out[i].1), (Layer::Relu, Layer::MaxPool)) && !tanh {
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
        let other = if let Op::Add { other, .. } = step.op { other } else { None };
        for (slot, buffer) in [step.source, other].into_iter().enumerate() {
            if let Some(k) = buffer {
                step.accumulates[slot] = std::mem::replace(&mut written[k], true);
            }
        }
    }
}

impl Compiled {
    fn push(&mut self, layer: usize, op: Op, at: &mut Cursor) {
        self.place(layer, op, at, (0, 0, 0));
    }

    /// Appends a step with so many weights, biases and running statistics.
    fn place(&mut self, layer: usize, op: Op, at: &mut Cursor, (weight, bias, state): (usize, usize, usize)) {
        let start = self.parameters;
        self.parameters += weight + bias;
        let first = self.state;
        self.state += state;
        let mut step = Step {
            op,
            layer,
            source: at.buffer,
            inputs: at.size,
            outputs: 0,
            weight: start..start + weight,
            bias: start + weight..start + weight + bias,
            state: first..first + state,
            accumulates: [false; 2],
        };
        match &step.op {
            Op::Linear { outputs, .. } => at.size = *outputs,
            Op::GlobalPool { channels, .. } => (at.size, at.image) = (*channels, None),
            Op::Conv(c) => {
                at.image = Some(Shape { channels: c.output, height: c.out_height(), width: c.out_width() });
            }
            Op::MaxPool(MaxPool { height, width, channels })
            | Op::AveragePool(AveragePool { height, width, channels }) => {
                at.image = Some(Shape { channels: *channels, height: height / 2, width: width / 2 });
            }
            _ => {}
        }
        if let Some(image) = at.image {
            at.size = image.features();
        }
        step.outputs = at.size;
        if step.in_place() {
            at.activated = true;
        } else {
            (at.buffer, at.activated) = (Some(self.steps.len()), false);
        }
        self.steps.push(step);
    }

    /// Appends a layer to a path, or says what is wrong with it.
    fn append(&mut self, layer: &Layer, index: usize, at: &mut Cursor, classes: usize) -> Result<(), String> {
        let flat = || "needs an image, but the input is flat here".to_owned();
        let halved = |s: Shape| match s.height.min(s.width) {
            0 | 1 => Err(format!("cannot halve an image of {} x {}", s.height, s.width)),
            _ => Ok(s),
        };
        match layer {
            Layer::Linear(n) => {
                let outputs = n.unwrap_or(classes);
                if at.image.is_some() {
                    return Err("needs `flatten` or `global-pool` before it".into());
                }
                if outputs == 0 || outputs > 1 << 20 {
                    return Err(format!("has {outputs} outputs; between 1 and 2^20 are possible"));
                }
                let op = Op::Linear { inputs: at.size, outputs, image: at.flattened.take() };
                self.place(index, op, at, (at.size * outputs, outputs, 0));
            }
            &Layer::Conv { channels, kernel, stride, bias } => {
                let image = at.image.ok_or_else(flat)?;
                if channels == 0 || channels > 1 << 14 {
                    return Err(format!("has {channels} channels; between 1 and 16384 are possible"));
                }
                let Shape { channels: input, height, width } = image;
                let op = Op::Conv(Conv { height, width, input, output: channels, kernel, stride });
                let weights = kernel * kernel * input * channels;
                self.place(index, op, at, (weights, if bias { channels } else { 0 }, 0));
            }
            Layer::BatchNorm | Layer::GroupNorm(_) if at.flattened.is_some_and(|s| s.channels > 1) => {
                // Pixels of an image lie channels-last here and channel-first elsewhere.
                return Err("would normalise a flattened image: put it before `flatten`, or a `linear` between".into());
            }
            Layer::BatchNorm => {
                let channels = at.image.map_or(at.size, |s| s.channels);
                self.place(index, Op::BatchNorm { channels, relu: false }, at, (channels, channels, 2 * channels));
            }
            &Layer::GroupNorm(groups) => {
                let channels = at.image.map_or(at.size, |s| s.channels);
                if groups == 0 || !channels.is_multiple_of(groups) {
                    return Err(format!("cannot put {channels} channels into {groups} equal groups"));
                }
                if at.size == groups {
                    return Err("has one value in each group, of which nothing would be left".into());
                }
                self.place(index, Op::GroupNorm { channels, groups }, at, (channels, channels, 0));
            }
            Layer::MaxPool => {
                let Shape { channels, height, width } = halved(at.image.ok_or_else(flat)?)?;
                self.push(index, Op::MaxPool(MaxPool { height, width, channels }), at);
            }
            Layer::AveragePool => {
                let Shape { channels, height, width } = halved(at.image.ok_or_else(flat)?)?;
                self.push(index, Op::AveragePool(AveragePool { height, width, channels }), at);
            }
            Layer::GlobalPool => {
                let image = at.image.ok_or_else(flat)?;
                let pixels = image.height * image.width;
                self.push(index, Op::GlobalPool { pixels, channels: image.channels }, at);
            }
            Layer::Flatten => at.flattened = at.image.take().or(at.flattened),
            Layer::Relu => {
                // A norm's or a sum's own pass does it, where its output is all that the ReLU changes.
                let last = at.buffer.and_then(|k| self.steps.get_mut(k)).filter(|_| !at.activated);
                if let Some(Step { op: Op::BatchNorm { relu, .. } | Op::Add { relu, .. }, .. }) = last {
                    (*relu, at.activated) = (true, true);
                } else {
                    self.push(index, Op::Relu, at);
                }
            }
            Layer::Tanh if at.activated => {
                return Err("follows an activation whose output it would change: leave one of them out".into());
            }
            Layer::Tanh => self.push(index, Op::Tanh, at),
            Layer::Gelu => self.push(index, Op::Gelu, at),
            Layer::Dropout(thousandths) => self.push(index, Op::Dropout(f64::from(*thousandths) / 1000.0), at),
            // The caller has taken these apart.
            Layer::Split | Layer::Add | Layer::Shortcut(_) => {}
        }
        Ok(())
    }
}
