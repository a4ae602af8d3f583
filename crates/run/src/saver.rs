//! When a model in training is saved, and from where its training goes on.

use std::time::{Duration, Instant};

use flatleak_nn::{Place, Trainer};
use flatleak_store::Resumed;

use crate::error::Error;
use crate::plan::{Checkpoints, Event, Plan};

/// Saves one model of the recipes that share a run.
pub(crate) struct Saver<'a> {
    plan: Plan<'a>,
    /// The recipes, of which the first has the checkpoint.
    run: &'a [usize],
    model: usize,
    /// When the state on the disk was that of the trainer.
    last: Instant,
    /// How long it took to save it.
    took: Duration,
}

impl<'a> Saver<'a> {
    pub(crate) fn new(plan: Plan<'a>, run: &'a [usize], model: usize) -> Self {
        Self { plan, run, model, last: Instant::now(), took: Duration::ZERO }
    }

    /// Puts the trainer where the model was saved, by whichever of the recipes led the run then. Checkpoints behind the end of a recipe that is
    /// `missing` are of no use.
    pub(crate) fn resume(
        &self,
        trainer: &mut Trainer<'_>,
        missing: &[usize],
        say: &impl Fn(Event),
    ) -> Result<(), Error> {
        let Plan { study, dir, .. } = self.plan;
        let (model, leader) = (self.model, self.run[0]);
        let is_before = |place: Place| missing.iter().all(|&r| place.epoch < study.recipes[r].checkpoint());
        for &recipe in self.run {
            match dir.resume(recipe, model, trainer, is_before)? {
                Resumed::From(Place { epoch, done, .. }) => {
                    say(Event::Resumed { recipe: leader, model, epoch, step: done });
                    return Ok(());
                }
                Resumed::SetAside(path) => say(Event::SetAside { recipe, model, path }),
                Resumed::Anew => {}
            }
        }
        Ok(())
    }

    /// Saves the model if it is time.
    pub(crate) fn save_if_due(&mut self, trainer: &mut Trainer<'_>, say: &impl Fn(Event)) {
        if self.plan.checkpoints.gap(self.took).is_some_and(|gap| self.last.elapsed() >= gap) {
            self.save(trainer, say);
        }
    }

    /// Saves the model. A failure is told and no more: training can go on, and what cannot be written at its end is an error then.
    pub(crate) fn save(&mut self, trainer: &mut Trainer<'_>, say: &impl Fn(Event)) {
        if self.plan.checkpoints == Checkpoints::Off {
            return;
        }
        let (recipe, model, begun) = (self.run[0], self.model, Instant::now());
        if let Err(e) = self.plan.dir.save_checkpoint(recipe, model, trainer) {
            say(Event::Unsaved { recipe, model, why: e.to_string() });
        }
        self.last = Instant::now();
        self.took = self.last - begun;
    }

    /// Removes what was saved: the model is complete, or diverged.
    pub(crate) fn remove(&self) -> Result<(), Error> {
        self.run.iter().try_for_each(|&recipe| Ok(self.plan.dir.remove_checkpoint(recipe, self.model)?))
    }
}
