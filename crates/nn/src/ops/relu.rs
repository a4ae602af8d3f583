//! ReLU.

use flatleak_kernel::activation;

use super::op::{At, Flags, Operation, Planned, Written};
use crate::misfit::Misfit;

/// `relu`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relu;

impl Written for Relu {
    const WORD: &'static str = "relu";
    const FORMS: &'static [&'static str] = &["relu"];
    type Op = Self;

    fn read(words: &[&str]) -> Option<Self> {
        words.is_empty().then_some(Self)
    }

    fn plan(&self, _: &mut At, _: usize) -> Result<Option<Planned<Self>>, Misfit> {
        Ok(Some(Planned::plain(Self)))
    }
}

impl Operation for Relu {
    const FLAGS: Flags = Flags { in_place: true, ..Flags::NONE };

    fn forward_in_place(&self, x: &mut [f32]) {
        activation::relu_forward(x);
    }

    fn backward_in_place(&self, dy: &mut [f32], y: &[f32], _: &[f32]) {
        activation::relu_backward(dy, y);
    }
}
