//! One model of the recipes that share a run.

use flatleak_disk::Creation;
use flatleak_nn::{Moment, Network, Outcome, Recipe, Trainer};
use flatleak_stream::{Purpose, Stream};
use flatleak_work::Published;

use crate::error::Error;
use crate::foreign;
use crate::measure;
use crate::plan::{Event, Model, Plan};
use crate::saver::Saver;

/// Completes one model of the recipes that share a run; `say` takes what happened, `go_on` is asked in between.
pub(crate) fn complete(
    plan: Plan<'_>,
    run: &[usize],
    model: usize,
    say: impl Fn(Event),
    go_on: impl Fn() -> bool,
) -> Result<(), Error> {
    let Some(&leader) = run.first() else { return Ok(()) };
    if let Some(command) = &plan.study.recipes[leader].trainer {
        return order(plan, command, Model { recipe: leader, model }, say, go_on);
    }
    let saver = Saver::new(plan, run, model);
    match reuse(plan, run, model, &say, &go_on)? {
        Some(missing) if missing.is_empty() => saver.remove(),
        Some(missing) => Training { plan, leader, missing, model }.run(saver, say, go_on),
        None => Ok(()),
    }
}

/// Whether a model is there for all recipes that share a run; every file of it is read. What its weights alone give is made. `None` when asked to
/// stop.
pub(crate) fn is_complete(
    plan: Plan<'_>,
    run: &[usize],
    model: usize,
    say: impl Fn(Event),
    go_on: impl Fn() -> bool,
) -> Result<Option<bool>, Error> {
    let Some(&leader) = run.first() else { return Ok(Some(true)) };
    if plan.study.recipes[leader].trainer.is_none() {
        let missing = reuse(plan, run, model, &say, &go_on)?;
        if missing.as_ref().is_some_and(Vec::is_empty) {
            Saver::new(plan, run, model).remove()?;
        }
        return Ok(missing.map(|missing| missing.is_empty()));
    }
    let complete = plan.dir.signals(leader, model)?.is_some();
    if complete {
        say(Event::Done { recipe: leader, model, published: Published::Found });
    }
    Ok(Some(complete))
}

/// Completes a model that a command trains.
fn order(
    plan: Plan<'_>,
    command: &str,
    task: Model,
    say: impl Fn(Event),
    go_on: impl Fn() -> bool,
) -> Result<(), Error> {
    let Model { recipe, model } = task;
    let mut published = Published::Found;
    if plan.dir.signals(recipe, model)?.is_none() {
        let Some(outputs) = foreign::train(plan, command, task, go_on)? else { return Ok(()) };
        published = how([plan.dir.save_signals(recipe, model, outputs)?]);
        plan.dir.close_workplace(recipe, model)?;
        say(Event::Epoch { recipe, model });
    }
    say(Event::Done { recipe, model, published });
    Ok(())
}

/// Takes what is on disk; the recipes of which there are no weights come back, or `None` when asked to stop.
fn reuse(
    plan: Plan<'_>,
    run: &[usize],
    model: usize,
    say: &impl Fn(Event),
    go_on: &impl Fn() -> bool,
) -> Result<Option<Vec<usize>>, Error> {
    let Plan { study, network, dir, .. } = plan;
    let mut missing = Vec::new();
    for &recipe in run {
        let task = Model { recipe, model };
        let Some(Stored { weights, of_twin }) = weights(plan, run, task)? else {
            missing.push(recipe);
            continue;
        };
        let trainer = |weights| Trainer::new(network, &study.recipes[recipe], weights);
        if of_twin {
            match keep(plan, task, &mut trainer(weights), go_on)? {
                Kept::Whole(_) => {}
                Kept::NotFinite => {
                    say(Event::Diverged { recipe, model, epoch: study.recipes[recipe].checkpoint() - 1 });
                    continue;
                }
                Kept::Nothing => return Ok(None),
            }
        } else if dir.signals(recipe, model)?.is_none() {
            // Weights are written first: what they put out is computed again.
            let outputs = measure::outputs(plan, &study.recipes[recipe], model, &mut trainer(weights), go_on)?;
            let Some(outputs) = outputs else { return Ok(None) };
            dir.save_signals(recipe, model, outputs)?;
        }
        say(Event::Done { recipe, model, published: Published::Found });
    }
    Ok(Some(missing))
}

/// A model that is trained for the recipes that lack it.
struct Training<'a> {
    plan: Plan<'a>,
    /// The recipe whose epochs count.
    leader: usize,
    missing: Vec<usize>,
    model: usize,
}

impl Training<'_> {
    fn run(&self, mut saver: Saver<'_>, say: impl Fn(Event), go_on: impl Fn() -> bool) -> Result<(), Error> {
        let Plan { study, data, network, dir, .. } = self.plan;
        let (leader, model) = (self.leader, self.model);
        // The initialisation is keyed by the model alone: recipes share it.
        let start = network.init(&mut Stream::new(study.seed, Purpose::Init, model as u64, 0));
        let whole = Recipe { measured_at: None, ..study.recipes[leader].clone() };
        // What a defence changes has no parameters: the network without has the same arena.
        let other = whole.defences.architecture(&study.architecture);
        let changed = other.map(|other| Network::compile(&other, data.shape, data.classes)).transpose()?;
        let mut trainer = Trainer::new(changed.as_ref().unwrap_or(network), &whole, start);
        saver.resume(&mut trainer, &self.missing, &say)?;
        let members = dir.membership().members(model);
        let mut failure = None;
        let watch = |trainer: &mut Trainer<'_>, moment: Moment| {
            let published = match moment {
                Moment::Step => {
                    saver.save_if_due(trainer, &say);
                    Ok(true)
                }
                Moment::Epoch { epoch, .. } => {
                    say(Event::Epoch { recipe: leader, model });
                    let now = |recipe: usize| study.recipes[recipe].measured_at == Some(epoch + 1);
                    self.publish(now, epoch, trainer, &say, &go_on)
                }
            };
            published.unwrap_or_else(|e| {
                failure = Some(e);
                false
            }) && go_on()
        };
        let outcome = trainer.run((&data.pool.x, &data.pool.y), &members, (study.seed, model as u64), watch);
        if let Some(e) = failure {
            return Err(e);
        }
        let is_over = match outcome {
            Outcome::Diverged(epoch) => {
                for &recipe in self.missing.iter().filter(|r| study.recipes[**r].checkpoint() > epoch) {
                    say(Event::Diverged { recipe, model, epoch });
                }
                true
            }
            Outcome::Stopped => false,
            // Finite parameters can still give outputs beyond f32: that is divergence in the last step.
            Outcome::Done(_) => {
                let at_the_end = |recipe: usize| study.recipes[recipe].measured_at.is_none();
                self.publish(at_the_end, whole.epochs - 1, &mut trainer, &say, &go_on)?
            }
        };
        if is_over {
            return saver.remove();
        }
        // An average has taken the place of the last step's parameters: that is no state to go on from.
        if outcome == Outcome::Stopped || !whole.optimizer.averages() {
            saver.save(&mut trainer, &say);
        }
        Ok(())
    }

    /// Stores the model for some of the recipes that lack it; `false` when asked to stop.
    fn publish(
        &self,
        which: impl Fn(usize) -> bool,
        epoch: usize,
        trainer: &mut Trainer<'_>,
        say: &impl Fn(Event),
        go_on: &impl Fn() -> bool,
    ) -> Result<bool, Error> {
        let model = self.model;
        for &recipe in self.missing.iter().filter(|r| which(**r)) {
            match keep(self.plan, Model { recipe, model }, trainer, go_on)? {
                Kept::Whole(published) => say(Event::Done { recipe, model, published }),
                Kept::NotFinite => say(Event::Diverged { recipe, model, epoch }),
                Kept::Nothing => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// Weights of a model on disk.
struct Stored {
    weights: Vec<f32>,
    /// They are those of a recipe that differs in what it publishes alone.
    of_twin: bool,
}

/// Weights of a model on disk: the recipe's own, or those of one that differs in what it publishes alone.
fn weights(plan: Plan<'_>, run: &[usize], task: Model) -> Result<Option<Stored>, Error> {
    let Model { recipe, model } = task;
    let Plan { study, network, dir, .. } = plan;
    let checkpoint = |r: usize| study.recipes[r].checkpoint();
    let twins = run.iter().copied().filter(|&r| r != recipe && checkpoint(r) == checkpoint(recipe));
    for from in std::iter::once(recipe).chain(twins) {
        if let Some(weights) = dir.weights(from, model, network)? {
            return Ok(Some(Stored { weights, of_twin: from != recipe }));
        }
    }
    Ok(None)
}

/// What was stored of a model.
enum Kept {
    /// Weights and outputs.
    Whole(Published),
    /// Nothing, as outputs are not finite.
    NotFinite,
    /// Nothing, when asked to stop.
    Nothing,
}

/// Stores weights and outputs of a model.
fn keep(plan: Plan<'_>, task: Model, trainer: &mut Trainer<'_>, go_on: &impl Fn() -> bool) -> Result<Kept, Error> {
    let Model { recipe, model } = task;
    let Some(outputs) = measure::outputs(plan, &plan.study.recipes[recipe], model, trainer, go_on)? else {
        return Ok(Kept::Nothing);
    };
    if outputs.splits.iter().flat_map(|split| &split.signals).any(|s| s.phi.iter().any(|v| !v.is_finite())) {
        return Ok(Kept::NotFinite);
    }
    let weights = plan.dir.save_weights(recipe, model, plan.network, &trainer.parameters)?;
    let signals = plan.dir.save_signals(recipe, model, outputs)?;
    Ok(Kept::Whole(how([weights, signals])))
}

/// Whether all files of a model are this attempt's.
fn how<const FILES: usize>(files: [Creation; FILES]) -> Published {
    if files.contains(&Creation::Same) { Published::Same } else { Published::New }
}
