//! How far a run is.

use std::path::Path;
use std::sync::Arc;

use flatleak_store::Stated;
use flatleak_work::{Beat, Board, Folder, Limits, Outcome, Pins, Standing, Task, Worker};
use serde::Serialize;

use crate::error::Error;
use crate::finished::runs_in;

/// How far a run is, over all of its data sets. A task is one model of the recipes that share a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Status {
    /// All tasks.
    pub tasks: usize,
    /// Tasks whose models are there.
    pub done: usize,
    /// Tasks that nobody is at, and that wait for a worker.
    pub open: usize,
    /// Attempts under way.
    pub running: Vec<Ongoing>,
    /// Tasks of which an attempt failed and none succeeded.
    pub failed: Vec<Failing>,
    /// Tasks that were tried too often.
    pub given_up: usize,
    /// Recipes that diverged.
    pub diverged: Vec<String>,
    /// Files of which two attempts gave different bytes.
    pub bits_differ: Vec<String>,
    /// Workers that gave a sign of life lately.
    pub workers: usize,
    /// Somebody cancelled the run.
    pub cancelled: bool,
    /// What is left at the present pace, in seconds; unknown before a first model, and without workers.
    pub seconds_left: Option<f64>,
}

/// An attempt under way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ongoing {
    /// The task.
    pub task: String,
    /// Number of the attempt.
    pub attempt: u32,
    /// The worker's machine; empty where unknown.
    pub host: String,
    /// The engine's job, where there is one.
    pub job: Option<String>,
    /// How much is done, from 0 to 1.
    pub fraction: f64,
    /// Since when, in seconds.
    pub seconds: f64,
    /// Age of the last sign of life, in seconds.
    pub silent: f64,
}

/// A task of which an attempt failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failing {
    /// The task.
    pub task: String,
    /// Attempts so far, those that were interrupted too.
    pub attempts: usize,
    /// It is not tried any more.
    pub given_up: bool,
    /// Why the last failure was one.
    pub why: String,
    /// The last lines of what the command said.
    pub said: Vec<String>,
}

/// What one data set's run adds to the whole.
#[derive(Default)]
struct Pace {
    /// Seconds of all tasks that are done, and their number.
    spent: f64,
    timed: usize,
    /// What is left of tasks under way, in tasks.
    started: f64,
}

/// How far the run in this folder is. No model is read.
///
/// # Errors
/// A folder that is no run that workers train; a file system that fails.
pub fn status(run: &Path) -> Result<Status, Error> {
    let mut all = Status::default();
    let mut pace = Pace::default();
    for folder in runs_in(run)? {
        one(&folder, &mut all, &mut pace)?;
    }
    all.diverged.sort();
    all.diverged.dedup();
    if pace.timed > 0 && !all.running.is_empty() {
        let each = pace.spent / pace.timed as f64;
        all.seconds_left = Some(each * (all.open as f64 + pace.started) / all.running.len() as f64);
    }
    Ok(all)
}

fn one(folder: &Path, all: &mut Status, pace: &mut Pace) -> Result<(), Error> {
    let not_prepared = || Error::NotPrepared(folder.to_owned());
    let Stated { study, digest } = Stated::read(folder)?.ok_or_else(not_prepared)?;
    let depot = Arc::new(Folder::new(folder));
    let pins = Pins::read(depot.as_ref())?.ok_or_else(not_prepared)?;
    let mut board = Board::open(depot, Worker::this(), pins.every())?;
    all.cancelled |= board.is_cancelled()?;
    // The depot's clock is read from a sign of life; whoever may not write goes without.
    let _ = board.beat(&[]);
    let beats = board.beats();
    let _ = board.leave();
    let own = board.worker().id.clone();
    let mut beats = beats?;
    beats.retain(|(beat, age)| beat.worker.id != own && age.is_none_or(|age| age <= board.patience()));
    all.workers += beats.iter().filter(|(beat, _)| !beat.worker.is_gone()).count();
    for run in study.runs() {
        let identity = study.identity_of_run(&run, &digest);
        for model in 0..study.models {
            let task = Task::new(study.recipes[run[0]].name.clone(), model);
            all.tasks += 1;
            match board.standing(&task, &identity, Limits::default())? {
                Standing::Done { seconds, .. } => {
                    all.done += 1;
                    (pace.spent, pace.timed) = (pace.spent + seconds, pace.timed + 1);
                    continue;
                }
                Standing::Diverged { recipes, .. } => {
                    all.diverged.extend(recipes.into_iter().map(|d| d.recipe));
                    all.done += 1;
                    continue;
                }
                Standing::BitsDiffer { file } => all.bits_differ.push(format!("{task} {file}")),
                Standing::Running { number, .. } => {
                    let ongoing = ongoing(&task, number, &beats);
                    pace.started += 1.0 - ongoing.fraction;
                    all.running.push(ongoing);
                }
                Standing::Open { .. } => all.open += 1,
                Standing::GivenUp { .. } => {
                    all.given_up += 1;
                    all.failed.extend(failing(&board, &task, true));
                    continue;
                }
            }
            all.failed.extend(failing(&board, &task, false));
        }
    }
    Ok(())
}

/// The last failure of a task.
fn failing(board: &Board, task: &Task, given_up: bool) -> Option<Failing> {
    let ends = board.ends(task);
    let last = ends.iter().rev().find_map(|end| match &end.outcome {
        Outcome::Failed { why, said } => Some((why.clone(), said.clone())),
        _ => None,
    });
    if last.is_none() && !given_up {
        return None;
    }
    let (why, said) = last.unwrap_or_else(|| ("no attempt came to an end".to_owned(), Vec::new()));
    Some(Failing { task: task.to_string(), attempts: ends.len(), given_up, why, said })
}

/// What the worker's last sign of life says of an attempt.
fn ongoing(task: &Task, number: u32, beats: &[(Beat, Option<std::time::Duration>)]) -> Ongoing {
    let name = format!("{task}.{number}");
    let said = beats.iter().find_map(|(beat, age)| {
        let running = beat.running.iter().find(|r| r.attempt == name)?;
        Some((beat, running, age.map_or(0.0, |age| age.as_secs_f64())))
    });
    let task = task.to_string();
    match said {
        Some((beat, running, silent)) => Ongoing {
            task,
            attempt: number,
            host: beat.worker.host.clone(),
            job: beat.worker.job.clone(),
            fraction: running.fraction,
            seconds: running.seconds + silent,
            silent,
        },
        // Begun since the last sign of life.
        None => {
            Ongoing { task, attempt: number, host: String::new(), job: None, fraction: 0.0, seconds: 0.0, silent: 0.0 }
        }
    }
}
