//! The mean over all pixels.

use flatleak_kernel::pool;

use super::op::{At, Forward, InputGradient, Operation, Planned, Written};
use crate::misfit::Misfit;

/// `global-pool`: the mean over all pixels; what follows is a vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobalPool;

/// The same with its sizes.
#[derive(Clone, Debug)]
pub(crate) struct Mean {
    pixels: usize,
    channels: usize,
}

impl Written for GlobalPool {
    const WORD: &'static str = "global-pool";
    const FORMS: &'static [&'static str] = &["global-pool"];
    type Op = Mean;

    fn read(words: &[&str]) -> Option<Self> {
        words.is_empty().then_some(Self)
    }

    fn plan(&self, at: &mut At, _: usize) -> Result<Option<Planned<Mean>>, Misfit> {
        let image = at.image()?;
        (at.size, at.image) = (image.channels, None);
        Ok(Some(Planned::plain(Mean { pixels: image.height * image.width, channels: image.channels })))
    }
}

impl Operation for Mean {
    fn forward(&self, to: Forward<'_>) {
        pool::global_forward(to.y, to.x.values, self.pixels, self.channels);
    }

    fn backward_input(&self, to: InputGradient<'_>) {
        pool::global_backward(to.dx, to.dy, self.pixels, self.channels);
    }
}
