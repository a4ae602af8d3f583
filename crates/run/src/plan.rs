//! What is to be done, and what happens.

use std::path::PathBuf;

use flatleak_data::Dataset;
use flatleak_nn::Network;
use flatleak_store::Workshop;
use flatleak_study::Study;

use crate::checkpoints::Checkpoints;
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
        /// It was complete before this run.
        reused: bool,
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Models trained by this run.
    pub trained: usize,
    /// Models found complete.
    pub reused: usize,
    /// Recipes that diverged, by index, each at its first model.
    pub diverged: Vec<Divergence>,
    /// The caller asked to stop before all was done.
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
            Event::Done { reused: true, .. } => self.reused += 1,
            Event::Done { .. } => self.trained += 1,
            Event::Diverged { recipe, model, epoch } => self.diverged.push(Divergence { recipe, model, epoch }),
            Event::Epoch { .. } | Event::Resumed { .. } | Event::SetAside { .. } | Event::Unsaved { .. } => {}
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
}

/// One model to be trained, by the index of its recipe and its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    pub(crate) recipe: usize,
    pub(crate) model: usize,
}
