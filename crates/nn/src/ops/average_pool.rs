//! Average pooling.

use flatleak_data::Shape;
use flatleak_kernel::pool;

use super::op::{At, Forward, InputGradient, Operation, Planned, Written};
use crate::misfit::Misfit;

/// `average-pool`: 2x2, stride 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AveragePool;

impl Written for AveragePool {
    const WORD: &'static str = "average-pool";
    const FORMS: &'static [&'static str] = &["average-pool"];
    type Op = pool::AveragePool;

    fn read(words: &[&str]) -> Option<Self> {
        words.is_empty().then_some(Self)
    }

    fn plan(&self, at: &mut At, _: usize) -> Result<Option<Planned<pool::AveragePool>>, Misfit> {
        let Shape { channels, height, width } = at.halvable()?;
        at.becomes(Shape { channels, height: height / 2, width: width / 2 });
        Ok(Some(Planned::plain(pool::AveragePool { height, width, channels })))
    }
}

impl Operation for pool::AveragePool {
    fn forward(&self, to: Forward<'_>) {
        pool::AveragePool::forward(self, to.y, to.x.values, to.n);
    }

    fn backward_input(&self, to: InputGradient<'_>) {
        self.backward(to.dx, to.dy, to.n);
    }
}
