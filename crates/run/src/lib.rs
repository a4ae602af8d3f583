//! Executes a plan: trains what is missing, one model per thread, and reports events.
//!
//! [`execute`] walks all (recipe, model) pairs of a study. What the run directory already holds is reused; the rest is
//! trained and stored, weights first, then signals, so that a run killed anywhere goes on where it stopped.

mod foreign;

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use flatleak_data::Dataset;
use flatleak_nn::{Network, Outcome, Shape, Trainer, View, views};
use flatleak_pool::Signals;
use flatleak_store::{Error, RunDir, SplitOutputs};
use flatleak_stream::{Purpose, Stream};
use flatleak_study::Study;

/// What happened, in the order in which it happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// One epoch of one model is done.
    Epoch {
        /// Index of the recipe.
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
    let recipes = plan.study.recipes.len();
    let total = recipes * plan.study.models;
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let given_up: Vec<AtomicBool> = (0..recipes).map(|_| AtomicBool::new(false)).collect();
    let (sender, receiver) = mpsc::channel::<Result<Event, Error>>();
    let mut summary = Summary::default();
    let mut failure = None;
    std::thread::scope(|scope| {
        for _ in 0..workers.max(1) {
            let sender = sender.clone();
            let (next, failed, given_up) = (&next, &failed, &given_up);
            scope.spawn(move || {
                loop {
                    let task = next.fetch_add(1, Ordering::Relaxed);
                    if task >= total || stop.load(Ordering::Relaxed) || failed.load(Ordering::Relaxed) {
                        return;
                    }
                    // The expensive recipe of a model first keeps the threads' ends close together.
                    let (model, recipe) = (task / recipes, recipes - 1 - task % recipes);
                    if given_up[recipe].load(Ordering::Relaxed) {
                        continue;
                    }
                    let go_on = || !stop.load(Ordering::Relaxed) && !failed.load(Ordering::Relaxed);
                    let epoch = || {
                        let _ = sender.send(Ok(Event::Epoch { recipe, model }));
                        go_on()
                    };
                    let result = one(plan, recipe, model, epoch, go_on);
                    match &result {
                        Ok(Some(Event::Diverged { .. })) => given_up[recipe].store(true, Ordering::Relaxed),
                        Err(_) => failed.store(true, Ordering::Relaxed),
                        _ => {}
                    }
                    if let Some(message) = result.transpose() {
                        // The receiver outlives the scope.
                        let _ = sender.send(message);
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

/// Completes one model; `None` when asked to stop.
fn one(
    Plan { study, data, network, dir }: Plan<'_>,
    recipe_index: usize,
    model: usize,
    mut epoch: impl FnMut() -> bool,
    mut go_on: impl FnMut() -> bool,
) -> Result<Option<Event>, Error> {
    let recipe = &study.recipes[recipe_index];
    if let Some(command) = &recipe.trainer {
        if dir.signals(recipe_index, model)?.is_some() {
            return Ok(Some(Event::Done { recipe: recipe_index, model, reused: true }));
        }
        let found = foreign::train((study, data, dir), command, (recipe_index, model), &mut go_on)?;
        let Some(outputs) = found else { return Ok(None) };
        dir.save_signals(recipe_index, model, outputs)?;
        epoch();
        return Ok(Some(Event::Done { recipe: recipe_index, model, reused: false }));
    }
    let found = dir.weights(recipe_index, model, network)?;
    if found.is_some() && dir.signals(recipe_index, model)?.is_some() {
        return Ok(Some(Event::Done { recipe: recipe_index, model, reused: true }));
    }
    let reused = found.is_some();
    // The initialisation is keyed by the model alone: recipes share it.
    let start = found.unwrap_or_else(|| network.init(&mut Stream::new(study.seed, Purpose::Init, model as u64, 0)));
    let mut trainer = Trainer::new(network, recipe, start);
    if !reused {
        let members = dir.membership().members(model);
        let on_epoch = |_, _| epoch();
        match trainer.run((&data.pool.x, &data.pool.y), &members, (study.seed, model as u64), on_epoch) {
            Outcome::Done(_) => {}
            Outcome::Diverged(epoch) => return Ok(Some(Event::Diverged { recipe: recipe_index, model, epoch })),
            Outcome::Stopped => return Ok(None),
        }
    }
    let keep = dir.keeps_logits(data);
    let mut outputs = |x: &[f32], y: &[u32]| {
        let mut out = SplitOutputs::default();
        for view in views(study.queries).unwrap_or_default() {
            let logits = trainer.logits(&seen(x, view, data.shape));
            out.signals.push(Signals::from_logits(&logits, y, data.classes)?);
            if keep {
                out.logits.push(logits);
            }
        }
        Ok::<_, Error>(out)
    };
    let both = [outputs(&data.pool.x, &data.pool.y)?, outputs(&data.test.x, &data.test.y)?];
    // Finite parameters can still give outputs beyond f32: that is divergence in the last step.
    if both.iter().flat_map(|split| &split.signals).any(|s| s.phi.iter().any(|v| !v.is_finite())) {
        return Ok(Some(Event::Diverged { recipe: recipe_index, model, epoch: recipe.epochs - 1 }));
    }
    if !reused {
        dir.save_weights(recipe_index, model, network, &trainer.parameters)?;
    }
    dir.save_signals(recipe_index, model, both)?;
    Ok(Some(Event::Done { recipe: recipe_index, model, reused }))
}

/// All examples under one view; the plain one is not copied.
fn seen(x: &[f32], view: View, shape: Shape) -> Cow<'_, [f32]> {
    if view == (View { mirror: false, dy: 0, dx: 0 }) {
        return Cow::Borrowed(x);
    }
    let features = shape.features();
    let (mut all, mut scratch) = (x.to_vec(), vec![0.0; features]);
    for image in all.chunks_exact_mut(features) {
        view.apply(image, shape, &mut scratch);
    }
    Cow::Owned(all)
}
