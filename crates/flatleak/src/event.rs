//! What happens while a study runs.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use flatleak_disk::pause_point;
use flatleak_study::Study;
use flatleak_verdict::{Progress, Stage};
use flatleak_work::Published;

/// A phase of a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Models are trained.
    Training,
    /// A growing pool is looked at.
    Looking,
    /// Pools are attacked, compared and explained.
    Analysis,
    /// Pools are explained.
    Explaining,
    /// Pools that were trained elsewhere are attacked, compared and explained.
    Auditing,
}

impl Phase {
    /// In one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Looking => "looking",
            Self::Analysis => "analysis",
            Self::Explaining => "explaining",
            Self::Auditing => "auditing",
        }
    }
}

/// Where within a phase something happens.
#[derive(Clone, Debug, PartialEq)]
pub enum At {
    /// At a model, by its position.
    Model {
        /// Its recipe.
        recipe: String,
        /// Its position.
        model: usize,
    },
    /// At a stage of an analysis.
    Stage(Stage),
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Training on a data set begins, or goes on.
    Begun {
        /// The data set.
        data: String,
        /// The run directory.
        folder: PathBuf,
        /// Recipes.
        recipes: usize,
        /// Models per recipe.
        models: usize,
    },
    /// So much of a phase is done, in steps of its own.
    Progress {
        /// The phase.
        phase: Phase,
        /// The last step.
        at: At,
        /// Steps that are done.
        done: u64,
        /// Of these, steps that an earlier call had done.
        reused: u64,
        /// All steps.
        total: u64,
    },
    /// A phase is over.
    Over(Phase),
    /// The training of a model goes on from its checkpoint.
    Resumed {
        /// Its recipe.
        recipe: String,
        /// Its position.
        model: usize,
        /// The epoch, from 0.
        epoch: usize,
        /// Steps of this epoch that are done.
        step: usize,
    },
    /// A model is complete on disk.
    Complete {
        /// Its recipe.
        recipe: String,
        /// Its position.
        model: usize,
        /// It was complete before.
        reused: bool,
    },
    /// A recipe diverged; it is left out.
    Diverged {
        /// The recipe.
        recipe: String,
        /// The model.
        model: usize,
        /// The epoch, from 0.
        epoch: usize,
    },
    /// A model could not be trained; the others are.
    Failed {
        /// Its recipe.
        recipe: String,
        /// Its position.
        model: usize,
        /// Why.
        why: String,
    },
    /// Something that a reader should know.
    Note(String),
}

impl Event {
    /// What people hear of an event of training; `None` where that is its progress alone.
    pub(crate) fn of_training(study: &Study, event: flatleak_run::Event) -> Option<Self> {
        use flatleak_run::Event;
        let name = |recipe: usize| study.recipes[recipe].name.clone();
        Some(match event {
            Event::Epoch { .. } => return None,
            Event::Resumed { recipe, model, epoch, step } => Self::Resumed { recipe: name(recipe), model, epoch, step },
            Event::SetAside { recipe, model, path } => Self::Note(format!(
                "recipe {}, model {model}: its checkpoint is damaged, or of another model or program, and is now {}; training begins at the start",
                name(recipe),
                path.display()
            )),
            Event::Unsaved { recipe, model, why } => Self::Note(format!(
                "recipe {}, model {model}: its state cannot be saved, and training goes on without: {why}",
                name(recipe)
            )),
            Event::Done { recipe, model, published } => {
                Self::Complete { recipe: name(recipe), model, reused: published == Published::Found }
            }
            Event::Diverged { recipe, model, epoch } => Self::Diverged { recipe: name(recipe), model, epoch },
            Event::Failed { recipe, model, why } | Event::GivenUp { recipe, model, why } => {
                Self::Failed { recipe: name(recipe), model, why }
            }
        })
    }
}

/// Who hears what happens, and what stops it.
pub struct Listener<'a> {
    /// Hears every event.
    pub hear: &'a mut dyn FnMut(Event),
    /// Set by whoever wants to stop: what is complete by then stays.
    pub stop: &'a AtomicBool,
}

impl Listener<'_> {
    /// Runs an analysis of a phase; it is asked after every step whether to go on.
    ///
    /// # Errors
    /// Those of the analysis.
    pub fn through<T, E>(
        &mut self,
        phase: Phase,
        run: impl FnOnce(&mut dyn FnMut(Progress) -> bool) -> Result<T, E>,
    ) -> Result<T, E> {
        let found = run(&mut |p: Progress| {
            if p.done == p.total / 2 {
                pause_point("analysis");
            }
            let (at, done, total) = (At::Stage(p.stage), p.done as u64, p.total as u64);
            (self.hear)(Event::Progress { phase, at, done, reused: 0, total });
            !self.stop.load(Ordering::Relaxed)
        })?;
        (self.hear)(Event::Over(phase));
        Ok(found)
    }
}
