//! Sizes of a convolution.

/// Sizes of one convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv {
    /// Height of the input.
    pub height: usize,
    /// Width of the input.
    pub width: usize,
    /// Channels in.
    pub input: usize,
    /// Channels out.
    pub output: usize,
    /// Side of the kernel, 1 or 3.
    pub kernel: usize,
    /// Step between windows, at least 1.
    pub stride: usize,
}

/// Which way the weights are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// As they are: `[K, K, Cin, Cout]`.
    Forward,
    /// Turned by half a turn and with their channels exchanged, for the input gradient.
    Adjoint,
}

impl Conv {
    /// Height of the output.
    pub fn out_height(&self) -> usize {
        (self.height - 1) / self.stride + 1
    }

    /// Width of the output.
    pub fn out_width(&self) -> usize {
        (self.width - 1) / self.stride + 1
    }

    /// Positions of the kernel.
    pub(crate) fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    /// Pixels of the input.
    pub(crate) fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Sizes of the input and of the output of a batch.
    pub(crate) fn sizes(&self, batch: usize) -> (usize, usize) {
        (batch * self.pixels() * self.input, batch * self.out_height() * self.out_width() * self.output)
    }

    /// The convolution with input and output exchanged: the shape of the input gradient's, at stride 1.
    pub(crate) fn adjoint(&self) -> Self {
        Self { input: self.output, output: self.input, ..*self }
    }
}
