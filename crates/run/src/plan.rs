//! What is to be done, and what happens.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use flatleak_data::Dataset;
use flatleak_nn::Network;
use flatleak_store::Workshop;
use flatleak_study::Study;
use flatleak_work::{Board, Published};

use crate::error::Error;
use crate::process::Supervision;

/// What happened, in the order in which it happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// One epoch of one model is done.
    Epoch {
        /// Index of the recipe, the first of those that share the run.
        recipe: usize,
        /// Index of the model.
        model: usize,
    },
    /// The training of a model goes on from its checkpoint.
    Resumed {
        /// Index of the recipe, the first of those that share the run.
        recipe: usize,
        /// Index of the model.
        model: usize,
        /// The epoch, from 0: so many are done.
        epoch: usize,
        /// Steps of this epoch that are done.
        step: usize,
    },
    /// A checkpoint is damaged, or of another model or program: the training of its model begins at the start.
    SetAside {
        /// Index of the recipe.
        recipe: usize,
        /// Index of the model.
        model: usize,
        /// Where the checkpoint is now.
        path: PathBuf,
    },
    /// The state of a model in training cannot be saved; its training goes on.
    Unsaved {
        /// Index of the recipe.
        recipe: usize,
        /// Index of the model.
        model: usize,
        /// What the file system said.
        why: String,
    },
    /// A model is complete on disk.
    Done {
        /// Index of the recipe.
        recipe: usize,
        /// Index of the model.
        model: usize,
        /// How it came there.
        published: Published,
    },
    /// A model could not be trained; the others are.
    Failed {
        /// Index of the recipe.
        recipe: usize,
        /// Index of the model.
        model: usize,
        /// Why.
        why: String,
    },
    /// A model that nobody tries any more, because it was tried too often.
    GivenUp {
        /// Index of the recipe.
        recipe: usize,
        /// Index of the model.
        model: usize,
        /// Why.
        why: String,
    },
    /// A model's loss or parameters stopped being finite; the rest of its recipe is left out.
    Diverged {
        /// Index of the recipe.
        recipe: usize,
        /// Index of the model.
        model: usize,
        /// The epoch, from 0.
        epoch: usize,
    },
}

/// How a run ended.
#[derive(Debug, Default)]
pub struct Summary {
    /// Models trained by this run.
    pub trained: usize,
    /// Models found complete.
    pub reused: usize,
    /// Recipes that diverged, by index, each at its first model.
    pub diverged: Vec<Divergence>,
    /// Models that could not be trained here.
    pub failures: Vec<Error>,
    /// Models that nobody tries any more, because they were tried too often.
    pub given_up: usize,
    /// The caller asked to stop before all was done, or the run was cancelled.
    pub stopped: bool,
}

/// Where a recipe stopped being finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Divergence {
    /// Index of the recipe.
    pub recipe: usize,
    /// Index of the model.
    pub model: usize,
    /// The epoch, from 0.
    pub epoch: usize,
}

impl Summary {
    /// Takes note of what happened.
    pub(crate) fn add(&mut self, event: &Event) {
        match *event {
            Event::Done { published: Published::Found, .. } => self.reused += 1,
            Event::Done { .. } => self.trained += 1,
            Event::Diverged { recipe, model, epoch } => self.diverged.push(Divergence { recipe, model, epoch }),
            Event::GivenUp { .. } => self.given_up += 1,
            Event::Epoch { .. }
            | Event::Resumed { .. }
            | Event::SetAside { .. }
            | Event::Unsaved { .. }
            | Event::Failed { .. } => {}
        }
    }

    /// The failures as one error; `None` where there are none.
    pub fn failure(&mut self) -> Option<Error> {
        let others = self.failures.len().checked_sub(1)?;
        let first = self.failures.remove(0);
        Some(if others == 0 { first } else { Error::Several { first: Box::new(first), others } })
    }
}

/// How often the state of a model in training is saved. No result depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checkpoints {
    /// Once a minute, and when the run is stopped; less often where saving would take more than a two-hundredth of the time.
    #[default]
    Sparing,
    /// Whenever so much time has passed, and when the run is stopped.
    Every(Duration),
    /// Never. What an earlier run saved is used all the same.
    Off,
}

impl Checkpoints {
    /// What is lost at most when the program is killed, where saving is cheap.
    const MINUTE: Duration = Duration::from_secs(60);
    /// How many times as long as saving took it is trained before the next time.
    const APART: u32 = 200;

    /// Time from one save to the next, the last of which took so long; `None` where nothing is saved.
    pub(crate) fn gap(self, took: Duration) -> Option<Duration> {
        match self {
            Self::Sparing => Some(Self::MINUTE.max(took.saturating_mul(Self::APART))),
            Self::Every(time) => Some(time),
            Self::Off => None,
        }
    }
}

/// The fixed parts of a run.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// What to train.
    pub study: &'a Study,
    /// On what.
    pub data: &'a Dataset,
    /// The compiled network.
    pub network: &'a Network,
    /// Where to.
    pub dir: &'a Workshop,
    /// Who watches over commands that train models.
    pub supervision: &'a Supervision,
    /// How often models in training are saved.
    pub checkpoints: Checkpoints,
    /// Where workers look who does what.
    pub board: &'a Mutex<Board>,
    /// Digest of this program.
    pub binary: &'a str,
}

/// A part of a run's tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Its number, from 0.
    pub index: usize,
    /// Parts in all.
    pub of: usize,
}

/// How much of a run this process sees to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// All of it: every model that is there is read and checked, and what failed before is tried once more.
    Complete,
    /// What is left of a part of it: ends that others wrote are believed, and what was tried too often is left.
    Help(Shard),
}

/// How a run is worked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Threads.
    pub workers: usize,
    /// How much of it is this process's.
    pub role: Role,
}

/// One model to be trained, by the index of its recipe and its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Model {
    pub(crate) recipe: usize,
    pub(crate) model: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saving_takes_a_two_hundredth_of_the_time_at_most() {
        let [cheap, dear] = [Duration::from_millis(10), Duration::from_secs(2)];
        assert_eq!(Checkpoints::default().gap(cheap), Some(Duration::from_secs(60)));
        assert_eq!(Checkpoints::default().gap(dear), Some(Duration::from_secs(400)));
        assert_eq!(Checkpoints::Every(cheap).gap(dear), Some(cheap));
        assert_eq!(Checkpoints::Off.gap(cheap), None);
    }
}
