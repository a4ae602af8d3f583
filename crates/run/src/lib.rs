//! Executes a plan: trains what is missing, one model per thread, and reports events.
//!
//! [`execute`] walks all (recipe, model) pairs of a study. What the run directory already holds is reused; the rest is
//! trained and stored, weights first, then signals, so that a run killed anywhere goes on where it stopped.

mod foreign;
mod measure;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use flatleak_data::Dataset;
use flatleak_nn::{Network, Outcome, Recipe, Trainer};
use flatleak_store::{Error, RunDir};
use flatleak_stream::{Purpose, Stream};
use flatleak_study::Study;

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
    /// Recipes that diverged, by index: (recipe, model, epoch).
    pub diverged: Vec<(usize, usize, usize)>,
    /// The caller asked to stop before all was done.
    pub stopped: bool,
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
    pub dir: &'a RunDir,
}

/// Trains whatever is missing on `workers` threads; `stop` is looked at once an epoch.
///
/// No result depends on the number of workers: each model is one thread's work and its randomness is keyed.
///
/// # Errors
/// The first failure of the run directory; what was complete by then stays.
pub fn execute(
    plan: Plan<'_>,
    workers: usize,
    stop: &AtomicBool,
    mut on_event: impl FnMut(Event),
) -> Result<Summary, Error> {
    let asks_for_data = |command: &String| command.contains("{data}");
    if plan.study.recipes.iter().filter_map(|r| r.trainer.as_ref()).any(asks_for_data) {
        plan.dir.save_data(plan.data)?;
    }
    let runs = plan.study.runs();
    let total = runs.len() * plan.study.models;
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let given_up: Vec<AtomicBool> = runs.iter().map(|_| AtomicBool::new(false)).collect();
    let (sender, receiver) = mpsc::channel::<Result<Event, Error>>();
    let mut summary = Summary::default();
    let mut failure = None;
    std::thread::scope(|scope| {
        for _ in 0..workers.max(1) {
            let sender = sender.clone();
            let (next, failed, given_up, runs) = (&next, &failed, &given_up, &runs);
            scope.spawn(move || {
                loop {
                    let task = next.fetch_add(1, Ordering::Relaxed);
                    if task >= total || stop.load(Ordering::Relaxed) || failed.load(Ordering::Relaxed) {
                        return;
                    }
                    // The expensive recipe of a model first keeps the threads' ends close together.
                    let (model, run) = (task / runs.len(), runs.len() - 1 - task % runs.len());
                    if given_up[run].load(Ordering::Relaxed) {
                        continue;
                    }
                    let go_on = || !stop.load(Ordering::Relaxed) && !failed.load(Ordering::Relaxed);
                    let say = |event: Event| {
                        if let Event::Diverged { .. } = event {
                            given_up[run].store(true, Ordering::Relaxed);
                        }
                        // The receiver outlives the scope.
                        let _ = sender.send(Ok(event));
                    };
                    if let Err(e) = one(plan, &runs[run], model, say, go_on) {
                        failed.store(true, Ordering::Relaxed);
                        let _ = sender.send(Err(e));
                    }
                }
            });
        }
        drop(sender);
        for message in receiver {
            match message {
                Ok(event) => {
                    match event {
                        Event::Done { reused: true, .. } => summary.reused += 1,
                        Event::Done { .. } => summary.trained += 1,
                        Event::Diverged { recipe, model, epoch } => summary.diverged.push((recipe, model, epoch)),
                        Event::Epoch { .. } => {}
                    }
                    on_event(event);
                }
                Err(e) => {
                    failure.get_or_insert(e);
                }
            }
        }
    });
    if let Some(e) = failure {
        return Err(e);
    }
    summary.diverged.sort_unstable();
    summary.diverged.dedup_by_key(|d| d.0);
    summary.stopped = stop.load(Ordering::Relaxed);
    Ok(summary)
}

/// Completes one model of the recipes that share a run; `say` takes what happened, `go_on` is asked in between.
fn one(
    plan: Plan<'_>,
    run: &[usize],
    model: usize,
    say: impl Fn(Event),
    go_on: impl Fn() -> bool,
) -> Result<(), Error> {
    let Plan { study, data, network, dir } = plan;
    let leader = run[0];
    if let Some(command) = &study.recipes[leader].trainer {
        let reused = dir.signals(leader, model)?.is_some();
        if !reused {
            let found = foreign::train((study, data, dir), command, (leader, model), go_on)?;
            let Some(outputs) = found else { return Ok(()) };
            dir.save_signals(leader, model, outputs)?;
            say(Event::Epoch { recipe: leader, model });
        }
        say(Event::Done { recipe: leader, model, reused });
        return Ok(());
    }
    let mut missing = Vec::new();
    for &recipe in run {
        let Some((weights, of_twin)) = weights(plan, run, (recipe, model))? else {
            missing.push(recipe);
            continue;
        };
        let trainer = |weights| Trainer::new(network, &study.recipes[recipe], weights);
        if of_twin {
            if !keep(plan, recipe, model, &mut trainer(weights))? {
                say(Event::Diverged { recipe, model, epoch: study.recipes[recipe].checkpoint() - 1 });
                continue;
            }
        } else if dir.signals(recipe, model)?.is_none() {
            // Weights are written first: what they put out is computed again.
            let outputs = measure::outputs(plan, &study.recipes[recipe], model, &mut trainer(weights))?;
            dir.save_signals(recipe, model, outputs)?;
        }
        say(Event::Done { recipe, model, reused: true });
    }
    if missing.is_empty() {
        return Ok(());
    }
    // The initialisation is keyed by the model alone: recipes share it.
    let start = network.init(&mut Stream::new(study.seed, Purpose::Init, model as u64, 0));
    let whole = Recipe { measured_at: None, ..study.recipes[leader].clone() };
    // What a defence changes has no parameters: the network without has the same arena.
    let other = whole.defences.architecture(&study.architecture);
    let changed = other.map(|other| Network::compile(&other, data.shape, data.classes)).transpose()?;
    let mut trainer = Trainer::new(changed.as_ref().unwrap_or(network), &whole, start);
    let members = dir.membership().members(model);
    let mut failure = None;
    let diverged = |epoch| {
        missing.iter().filter(|r| study.recipes[**r].checkpoint() > epoch).for_each(|&recipe| {
            say(Event::Diverged { recipe, model, epoch });
        });
    };
    let on_epoch = |trainer: &mut Trainer<'_>, epoch: usize, _: f64| {
        say(Event::Epoch { recipe: leader, model });
        let now = |r: &&usize| study.recipes[**r].measured_at == Some(epoch + 1);
        for &recipe in missing.iter().filter(now) {
            match keep(plan, recipe, model, trainer) {
                Ok(true) => say(Event::Done { recipe, model, reused: false }),
                Ok(false) => say(Event::Diverged { recipe, model, epoch }),
                Err(e) => failure = Some(e),
            }
        }
        go_on() && failure.is_none()
    };
    let outcome = trainer.run((&data.pool.x, &data.pool.y), &members, (study.seed, model as u64), on_epoch);
    if let Some(e) = failure {
        return Err(e);
    }
    match outcome {
        Outcome::Diverged(epoch) => diverged(epoch),
        Outcome::Stopped => {}
        Outcome::Done(_) => {
            for &recipe in missing.iter().filter(|r| study.recipes[**r].measured_at.is_none()) {
                // Finite parameters can still give outputs beyond f32: that is divergence in the last step.
                if keep(plan, recipe, model, &mut trainer)? {
                    say(Event::Done { recipe, model, reused: false });
                } else {
                    say(Event::Diverged { recipe, model, epoch: whole.epochs - 1 });
                }
            }
        }
    }
    Ok(())
}

/// Weights of a model on disk: the recipe's own, or those of one that differs in what it publishes alone, and whether it is that.
fn weights(plan: Plan<'_>, run: &[usize], (recipe, model): (usize, usize)) -> Result<Option<(Vec<f32>, bool)>, Error> {
    let Plan { study, network, dir, .. } = plan;
    let checkpoint = |r: usize| study.recipes[r].checkpoint();
    let twins = run.iter().copied().filter(|&r| r != recipe && checkpoint(r) == checkpoint(recipe));
    for from in std::iter::once(recipe).chain(twins) {
        if let Some(found) = dir.weights(from, model, network)? {
            return Ok(Some((found, from != recipe)));
        }
    }
    Ok(None)
}

/// Stores weights and outputs of a model; `false` where these are not finite.
fn keep(plan: Plan<'_>, recipe: usize, model: usize, trainer: &mut Trainer<'_>) -> Result<bool, Error> {
    let outputs = measure::outputs(plan, &plan.study.recipes[recipe], model, trainer)?;
    if outputs.splits.iter().flat_map(|split| &split.signals).any(|s| s.phi.iter().any(|v| !v.is_finite())) {
        return Ok(false);
    }
    plan.dir.save_weights(recipe, model, plan.network, &trainer.parameters)?;
    plan.dir.save_signals(recipe, model, outputs)?;
    Ok(true)
}
