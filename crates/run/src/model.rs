//! One model of the recipes that share a run.

use flatleak_disk::Creation;
use flatleak_nn::{Network, Outcome, Recipe, Trainer};
use flatleak_stream::{Purpose, Stream};
use flatleak_work::Published;

use crate::error::Error;
use crate::foreign;
use crate::measure;
use crate::plan::{Event, Model, Plan};

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
    let missing = reuse(plan, run, model, &say)?;
    if missing.is_empty() { Ok(()) } else { Training { plan, leader, missing, model }.run(say, go_on) }
}

/// Whether a model is there for all recipes that share a run; every file of it is read. What its weights alone give is made.
pub(crate) fn is_complete(plan: Plan<'_>, run: &[usize], model: usize, say: impl Fn(Event)) -> Result<bool, Error> {
    let Some(&leader) = run.first() else { return Ok(true) };
    if plan.study.recipes[leader].trainer.is_none() {
        return Ok(reuse(plan, run, model, &say)?.is_empty());
    }
    let complete = plan.dir.signals(leader, model)?.is_some();
    if complete {
        say(Event::Done { recipe: leader, model, published: Published::Found });
    }
    Ok(complete)
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

/// Takes what is on disk; the recipes of which there are no weights come back.
fn reuse(plan: Plan<'_>, run: &[usize], model: usize, say: &impl Fn(Event)) -> Result<Vec<usize>, Error> {
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
            if keep(plan, task, &mut trainer(weights))?.is_none() {
                say(Event::Diverged { recipe, model, epoch: study.recipes[recipe].checkpoint() - 1 });
                continue;
            }
        } else if dir.signals(recipe, model)?.is_none() {
            // Weights are written first: what they put out is computed again.
            let outputs = measure::outputs(plan, &study.recipes[recipe], model, &mut trainer(weights))?;
            dir.save_signals(recipe, model, outputs)?;
        }
        say(Event::Done { recipe, model, published: Published::Found });
    }
    Ok(missing)
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
    fn run(&self, say: impl Fn(Event), go_on: impl Fn() -> bool) -> Result<(), Error> {
        let Plan { study, data, network, dir, .. } = self.plan;
        let (leader, model) = (self.leader, self.model);
        // The initialisation is keyed by the model alone: recipes share it.
        let start = network.init(&mut Stream::new(study.seed, Purpose::Init, model as u64, 0));
        let whole = Recipe { measured_at: None, ..study.recipes[leader].clone() };
        // What a defence changes has no parameters: the network without has the same arena.
        let other = whole.defences.architecture(&study.architecture);
        let changed = other.map(|other| Network::compile(&other, data.shape, data.classes)).transpose()?;
        let mut trainer = Trainer::new(changed.as_ref().unwrap_or(network), &whole, start);
        let members = dir.membership().members(model);
        let mut failure = None;
        let on_epoch = |trainer: &mut Trainer<'_>, epoch: usize, _: f64| {
            say(Event::Epoch { recipe: leader, model });
            let now = |recipe: usize| study.recipes[recipe].measured_at == Some(epoch + 1);
            if let Err(e) = self.publish(now, epoch, trainer, &say) {
                failure = Some(e);
            }
            go_on() && failure.is_none()
        };
        let outcome = trainer.run((&data.pool.x, &data.pool.y), &members, (study.seed, model as u64), on_epoch);
        if let Some(e) = failure {
            return Err(e);
        }
        match outcome {
            Outcome::Diverged(epoch) => {
                for &recipe in self.missing.iter().filter(|r| study.recipes[**r].checkpoint() > epoch) {
                    say(Event::Diverged { recipe, model, epoch });
                }
                Ok(())
            }
            Outcome::Stopped => Ok(()),
            // Finite parameters can still give outputs beyond f32: that is divergence in the last step.
            Outcome::Done(_) => {
                let at_the_end = |recipe: usize| study.recipes[recipe].measured_at.is_none();
                self.publish(at_the_end, whole.epochs - 1, &mut trainer, &say)
            }
        }
    }

    /// Stores the model for some of the recipes that lack it.
    fn publish(
        &self,
        which: impl Fn(usize) -> bool,
        epoch: usize,
        trainer: &mut Trainer<'_>,
        say: &impl Fn(Event),
    ) -> Result<(), Error> {
        let model = self.model;
        for &recipe in self.missing.iter().filter(|r| which(**r)) {
            match keep(self.plan, Model { recipe, model }, trainer)? {
                Some(published) => say(Event::Done { recipe, model, published }),
                None => say(Event::Diverged { recipe, model, epoch }),
            }
        }
        Ok(())
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

/// Stores weights and outputs of a model; `None` where these are not finite.
fn keep(plan: Plan<'_>, task: Model, trainer: &mut Trainer<'_>) -> Result<Option<Published>, Error> {
    let Model { recipe, model } = task;
    let outputs = measure::outputs(plan, &plan.study.recipes[recipe], model, trainer)?;
    if outputs.splits.iter().flat_map(|split| &split.signals).any(|s| s.phi.iter().any(|v| !v.is_finite())) {
        return Ok(None);
    }
    let weights = plan.dir.save_weights(recipe, model, plan.network, &trainer.parameters)?;
    let signals = plan.dir.save_signals(recipe, model, outputs)?;
    Ok(Some(how([weights, signals])))
}

/// Whether all files of a model are this attempt's.
fn how<const FILES: usize>(files: [Creation; FILES]) -> Published {
    if files.contains(&Creation::Same) { Published::Same } else { Published::New }
}
