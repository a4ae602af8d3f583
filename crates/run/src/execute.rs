//! All models of a plan on some threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use flatleak_nn::{Command, Placeholder};

use crate::error::Error;
use crate::model::complete;
use crate::plan::{Event, Plan, Summary};

/// Trains whatever is missing on `workers` threads; `stop` is looked at after every step.
///
/// No result depends on the number of workers: each model is one thread's work and its randomness is keyed.
///
/// # Errors
/// The first failure of the run directory; what was complete by then stays, and what was in training goes on from there.
pub fn execute(
    plan: Plan<'_>,
    workers: usize,
    stop: &AtomicBool,
    mut on_event: impl FnMut(Event),
) -> Result<Summary, Error> {
    let asks_for_data = |text: &String| Command::parse(text).is_ok_and(|command| command.asks_for(Placeholder::Data));
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
    let work = |sender: mpsc::Sender<Result<Event, Error>>| {
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
            if let Err(e) = complete(plan, &runs[run], model, say, go_on) {
                failed.store(true, Ordering::Relaxed);
                let _ = sender.send(Err(e));
            }
        }
    };
    std::thread::scope(|scope| {
        let spawn = |_| {
            let (work, sender) = (&work, sender.clone());
            std::thread::Builder::new().spawn_scoped(scope, move || work(sender)).ok()
        };
        // Where the system refuses threads there are fewer, at last this one alone; the first that is refused is the last that is asked for.
        let threads = (0..workers.clamp(1, total.max(1))).map_while(spawn).count();
        if threads == 0 {
            work(sender);
        } else {
            drop(sender);
        }
        for message in receiver {
            match message {
                Ok(event) => {
                    summary.add(&event);
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
    summary.diverged.dedup_by_key(|d| d.recipe);
    summary.stopped = stop.load(Ordering::Relaxed);
    Ok(summary)
}
