//! tanh.

use flatleak_kernel::activation;

use super::op::{At, Flags, Operation, Planned, Written};
use crate::misfit::Misfit;

/// `tanh`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tanh;

impl Written for Tanh {
    const WORD: &'static str = "tanh";
    const FORMS: &'static [&'static str] = &["tanh"];
    type Op = Self;

    fn read(words: &[&str]) -> Option<Self> {
        words.is_empty().then_some(Self)
    }

    fn plan(&self, at: &mut At, _: usize) -> Result<Option<Planned<Self>>, Misfit> {
        if at.activated { Err(Misfit::Activated) } else { Ok(Some(Planned::plain(Self))) }
    }
}

impl Operation for Tanh {
    const FLAGS: Flags = Flags { in_place: true, ..Flags::NONE };

    fn forward_in_place(&self, x: &mut [f32]) {
        activation::tanh_forward(x);
    }

    fn backward_in_place(&self, dy: &mut [f32], y: &[f32], _: &[f32]) {
        activation::tanh_backward(dy, y);
    }
}
