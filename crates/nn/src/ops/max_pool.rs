//! Max-pooling.

use flatleak_data::Shape;
use flatleak_kernel::maxpool;

use super::op::{At, Forward, InputGradient, Keeps, Operation, Planned, Written};
use crate::misfit::Misfit;

/// `max-pool`: 2x2, stride 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaxPool;

impl Written for MaxPool {
    const WORD: &'static str = "max-pool";
    const FORMS: &'static [&'static str] = &["max-pool"];
    type Op = maxpool::MaxPool;

    fn read(words: &[&str]) -> Option<Self> {
        words.is_empty().then_some(Self)
    }

    fn plan(&self, at: &mut At, _: usize) -> Result<Option<Planned<maxpool::MaxPool>>, Misfit> {
        let Shape { channels, height, width } = at.halvable()?;
        at.becomes(Shape { channels, height: height / 2, width: width / 2 });
        Ok(Some(Planned::plain(maxpool::MaxPool { height, width, channels })))
    }
}

impl Operation for maxpool::MaxPool {
    fn keeps(&self) -> Keeps {
        // Winners.
        Keeps { values: true, ..Keeps::default() }
    }

    fn forward(&self, to: Forward<'_>) {
        maxpool::MaxPool::forward(self, to.y, to.values, to.x.values, to.n);
    }

    fn backward_input(&self, to: InputGradient<'_>) {
        self.backward(to.dx, to.dy, to.values, to.n);
    }
}
