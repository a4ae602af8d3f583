//! GELU.

use flatleak_kernel::activation;

use super::op::{At, Forward, InputGradient, Operation, Planned, Written};
use crate::misfit::Misfit;

/// `gelu`, exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gelu;

impl Written for Gelu {
    const WORD: &'static str = "gelu";
    const FORMS: &'static [&'static str] = &["gelu"];
    type Op = Self;

    fn read(words: &[&str]) -> Option<Self> {
        words.is_empty().then_some(Self)
    }

    fn plan(&self, _: &mut At, _: usize) -> Result<Option<Planned<Self>>, Misfit> {
        Ok(Some(Planned::plain(Self)))
    }
}

impl Operation for Gelu {
    fn forward(&self, to: Forward<'_>) {
        activation::gelu_forward(to.y, to.x.values);
    }

    fn backward_input(&self, to: InputGradient<'_>) {
        activation::gelu_backward(to.dx, to.dy, to.x);
    }
}
