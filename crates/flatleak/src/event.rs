//! What happens while a study runs.

use std::sync::atomic::{AtomicBool, Ordering};

use flatleak_disk::pause_point;
use flatleak_verdict::Progress;

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

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// So much of a phase is done, in steps of its own.
    Progress {
        /// The phase.
        phase: Phase,
        /// Steps that are done.
        done: u64,
        /// All steps.
        total: u64,
    },
    /// A phase is over.
    Over(Phase),
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
            (self.hear)(Event::Progress { phase, done: p.done as u64, total: p.total as u64 });
            !self.stop.load(Ordering::Relaxed)
        })?;
        (self.hear)(Event::Over(phase));
        Ok(found)
    }
}
