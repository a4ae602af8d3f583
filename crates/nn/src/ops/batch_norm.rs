//! Batch norms.
//!
//! What they compute takes two phases over a batch and is joined with layers around it: see `passes`.

use super::op::{At, Flags, Named, Operation, Planned, Ranges, Written};
use crate::misfit::Misfit;

/// `batch-norm`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchNorm;

/// The same with its sizes.
#[derive(Clone, Debug)]
pub(crate) struct Normalised {
    pub(crate) channels: usize,
    /// A ReLU that follows is joined to it.
    pub(crate) relu: bool,
}

impl Written for BatchNorm {
    const WORD: &'static str = "batch-norm";
    const FORMS: &'static [&'static str] = &["batch-norm"];
    type Op = Normalised;

    fn read(words: &[&str]) -> Option<Self> {
        words.is_empty().then_some(Self)
    }

    fn plan(&self, at: &mut At, _: usize) -> Result<Option<Planned<Normalised>>, Misfit> {
        let channels = at.channels()?;
        let op = Normalised { channels, relu: false };
        Ok(Some(Planned { op, weight: channels, bias: channels, state: 2 * channels }))
    }
}

impl Operation for Normalised {
    const FLAGS: Flags = Flags { gradient_in_place: true, only_reads: true, ..Flags::NONE };

    fn tensors(&self, at: &Ranges) -> Vec<Named> {
        let (mean, variance) =
            (at.state.start..at.state.start + self.channels, at.state.start + self.channels..at.state.end);
        vec![
            Named::constant("weight", &at.weight, 1.0),
            Named::constant("bias", &at.bias, 0.0),
            Named::constant("running_mean", &mean, 0.0),
            Named::constant("running_var", &variance, 1.0),
        ]
    }
}
