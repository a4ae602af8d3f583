//! What a defence is made of.

use flatleak_kernel::loss::Objective;
use flatleak_stream::Stream;

use crate::architecture::Architecture;
use crate::clash::{DefenceError, Why};
use crate::methods::Optimizer;
use crate::settings::{SettingError, Settings};

/// A defence: its numbers are the fields of the type, of which the first is its strength and its name. A strength of 0 is without.
pub(crate) trait Defence: Settings {
    /// Where it is defined.
    const SOURCE: &'static str;
    /// Whether it is there or not, without a strength.
    const SWITCH: bool = false;
    /// Whether it works behind the model: recipes that differ in nothing else are trained once.
    const BEHIND: bool = false;
    /// Whether it needs the order of a row's classes to publish.
    const RANKS: bool = false;
    /// Whether it needs what the model puts out on random inputs to publish.
    const RANDOM: bool = false;
    /// Whether it mixes examples.
    const MIXES: bool = false;
    /// Defences that it excludes, by key.
    const EXCLUDES: &'static [(&'static str, Why)] = &[];

    /// Refuses values that a range cannot exclude.
    fn check(&self) -> Result<(), SettingError> {
        Ok(())
    }

    /// Refuses an optimizer that has no place for it.
    fn check_beside(&self, _: &Optimizer) -> Result<(), DefenceError> {
        Ok(())
    }

    /// The network to train in place of another; it has the same parameters.
    fn architecture(&self, _: &Architecture) -> Option<Architecture> {
        None
    }

    /// Draws which examples of a batch of `n` are mixed.
    fn mixing(&self, _n: usize, _: &mut Stream) -> Option<Mixing> {
        None
    }

    /// Changes what the loss compares predictions with.
    fn targets(&self, _: &mut Targets) {}

    /// The loss of an epoch, counted from 0, where it is another altogether.
    fn objective(&self, _epoch: usize) -> Option<Objective> {
        None
    }

    /// Turns a row of logits into those of what is published.
    fn publish(&self, _: &mut Row<'_>) {}
}

/// Pairs of examples of a batch, by place, and how they are mixed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mixing {
    /// Place of each one's partner.
    pub(crate) partners: Vec<u32>,
    /// Weight of its own.
    pub(crate) weight: f32,
}

/// What the loss compares predictions with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Targets {
    pub(crate) classes: usize,
    /// Weight of the label.
    pub(crate) own: f64,
    /// Weight of every other class.
    pub(crate) rest: f64,
    /// Weight of the entropy of predictions.
    pub(crate) entropy: f64,
}

/// What a model puts out on one example.
pub(crate) struct Row<'a> {
    /// Logits `[C]`.
    pub(crate) logits: &'a mut [f32],
    /// Classes by the model's own logits, the largest first; the earlier class first where two are equal, as predictions have it. Empty
    /// where nobody needs them.
    pub(crate) order: &'a [usize],
    /// Logits on a random input, the largest first; empty where nobody needs them.
    pub(crate) random: &'a [f32],
}
