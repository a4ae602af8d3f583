//! Convolutions.

use std::fmt;

use flatleak_data::Shape;
use flatleak_kernel::conv;

use super::op::{
    At, Flags, Forward, InputGradient, Keeps, Named, Operation, ParameterGradient, Planned, Ranges, Written,
};
use crate::misfit::Misfit;

/// `conv N [1x1] [stride S] [no-bias]`: convolution with N output channels, 3x3 unless it says 1x1, padded so that stride 1 keeps the
/// size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conv {
    /// Output channels.
    pub channels: usize,
    /// Side of the kernel, 1 or 3.
    pub kernel: usize,
    /// Step between windows.
    pub stride: usize,
    /// Whether a bias is added.
    pub bias: bool,
}

impl Written for Conv {
    const WORD: &'static str = "conv";
    const FORMS: &'static [&'static str] = &["conv N [1x1] [stride S] [no-bias]"];
    type Op = conv::Conv;

    /// Channels, then options in any order.
    fn read(words: &[&str]) -> Option<Self> {
        let (channels, mut rest) = words.split_first()?;
        let mut out = Self { channels: channels.parse().ok()?, kernel: 3, stride: 1, bias: true };
        while let Some((word, after)) = rest.split_first() {
            rest = after;
            match *word {
                "1x1" => out.kernel = 1,
                "3x3" => out.kernel = 3,
                "no-bias" => out.bias = false,
                "stride" => {
                    let (n, after) = rest.split_first()?;
                    out.stride = n.parse().ok().filter(|n| *n >= 1)?;
                    rest = after;
                }
                _ => return None,
            }
        }
        Some(out)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { channels, kernel, stride, bias } = self;
        write!(f, " {channels}")?;
        if *kernel != 3 {
            write!(f, " {kernel}x{kernel}")?;
        }
        if *stride != 1 {
            write!(f, " stride {stride}")?;
        }
        if *bias { Ok(()) } else { f.write_str(" no-bias") }
    }

    fn plan(&self, at: &mut At, _: usize) -> Result<Option<Planned<conv::Conv>>, Misfit> {
        let Self { channels, kernel, stride, bias } = *self;
        let Shape { channels: input, height, width } = at.image()?;
        if channels == 0 || channels > 1 << 14 {
            return Err(Misfit::Size { what: "channels", found: channels, most: "16384" });
        }
        let op = conv::Conv { height, width, input, output: channels, kernel, stride };
        at.becomes(Shape { channels, height: op.out_height(), width: op.out_width() });
        let weight = kernel * kernel * input * channels;
        Ok(Some(Planned { op, weight, bias: if bias { channels } else { 0 }, state: 0 }))
    }
}

impl Operation for conv::Conv {
    const FLAGS: Flags = Flags { only_reads: true, ..Flags::NONE };

    fn keeps(&self) -> Keeps {
        Keeps { prepared: self.prepared(), sums: self.sums(), ..Keeps::default() }
    }

    fn scratch(&self) -> usize {
        self.workspace()
    }

    fn multiply_adds(&self) -> usize {
        conv::Conv::multiply_adds(self)
    }

    fn bends(&self) -> bool {
        conv::Conv::bends(self)
    }

    /// The arena has `[K, K, in, out]`, PyTorch `[out, in, K, K]`.
    fn tensors(&self, at: &Ranges) -> Vec<Named> {
        let (inputs, outputs, taps) = (self.input, self.output, self.kernel * self.kernel);
        let fan_in = taps * inputs;
        let weight = Named {
            name: "weight",
            shape: vec![outputs, inputs, self.kernel, self.kernel],
            fan_in,
            constant: None,
            offset: at.weight.start,
            axes: vec![(outputs, 1), (inputs, outputs), (taps, inputs * outputs)],
        };
        let bias = (!at.bias.is_empty()).then(|| Named::vector("bias", &at.bias, fan_in));
        std::iter::once(weight).chain(bias).collect()
    }

    fn prepare_forward(&self, prepared: &mut [f32], weight: &[f32]) {
        conv::Conv::prepare_forward(self, prepared, weight);
    }

    fn prepare_backward(&self, prepared: &mut [f32], weight: &[f32]) {
        conv::Conv::prepare_backward(self, prepared, weight);
    }

    fn forward(&self, to: Forward<'_>) {
        conv::Conv::forward(self, to.y, to.x, to.prepared, to.bias, to.n, to.scratch);
    }

    fn backward_parameters(&self, to: ParameterGradient<'_>) {
        let ParameterGradient { dw, db, sums, x, dy, n, scratch, first, .. } = to;
        conv::Conv::backward_parameters(self, (dw, db), sums, (x, dy), n, scratch, first);
    }

    fn finish_parameters(&self, dw: &mut [f32], sums: &[f32]) {
        conv::Conv::finish_parameters(self, dw, sums);
    }

    fn backward_input(&self, to: InputGradient<'_>) {
        conv::Conv::backward_input(self, to.dx, to.prepared, to.dy, to.n, to.scratch);
    }
}
