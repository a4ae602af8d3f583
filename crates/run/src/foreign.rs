//! Models that a command trains.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use flatleak_data::values::{self, Values};
use flatleak_disk::replace;
use flatleak_nn::{Command, Filled, Placeholder};
use flatleak_pool::Signals;
use flatleak_store::{DATA_FILE, LOG_FILE, Outputs, SplitOutputs, npy_of_mask};

use crate::error::{Error, LogitsError, TrainerError};
use crate::log::Log;
use crate::plan::{Model, Plan};
use crate::process;

/// Trains one model by its recipe's command: its membership row goes to a file, its logits come from `logits.npy`, (N, C) or (N, Q, C), and
/// `test_logits.npy`, (T, C) or (T, Q, C), in the folder that it was given. `None` when asked to stop.
///
/// # Errors
/// A command that cannot be started or fails, files that are not what they should be; [`Error::Trainer`] has the place of its output.
pub(crate) fn train(
    plan: Plan<'_>,
    command: &str,
    task: Model,
    go_on: impl FnMut() -> bool,
) -> Result<Option<Outputs>, Error> {
    let (Plan { study, dir, .. }, Model { recipe, model }) = (plan, task);
    let out = dir.workplace(recipe, model)?;
    let path = out.join(LOG_FILE);
    let mut log = Log::open(&path).map_err(flatleak_store::Error::from)?;
    let mask = out.join("mask.npy");
    replace(&mask, &npy_of_mask(&[dir.membership().row(model)])).map_err(flatleak_store::Error::from)?;
    attempt(plan, &filled(plan, command, task, &Places { mask, out: out.clone() })?, &out, &log, go_on).map_err(
        |problem| {
            let recipe = study.recipes[recipe].name.clone();
            Error::Trainer { recipe, model, problem: Box::new(problem), said: log.last(), log: path }
        },
    )
}

/// Where a command finds what it needs, and leaves what it makes.
struct Places {
    mask: PathBuf,
    out: PathBuf,
}

/// The words of a command for one model.
fn filled(plan: Plan<'_>, command: &str, task: Model, places: &Places) -> Result<Filled, Error> {
    let Plan { study, dir, .. } = plan;
    let command = Command::parse(command).map_err(|problem| flatleak_nn::Error::Recipe {
        recipe: study.recipes[task.recipe].name.clone(),
        problem: flatleak_nn::Problem::Trainer { command: command.to_owned(), problem },
    })?;
    // Recipes share it, as they share the engine's initialisation.
    let seed = study.seed.wrapping_mul(1_000_003).wrapping_add(task.model as u64) % (1 << 31);
    Ok(command.filled(|placeholder| match placeholder {
        Placeholder::Index => OsString::from(task.model.to_string()),
        Placeholder::Mask => places.mask.clone().into(),
        Placeholder::Seed => seed.to_string().into(),
        Placeholder::Data => dir.path().join(DATA_FILE).into(),
        Placeholder::Out => places.out.clone().into(),
    }))
}

/// Runs the command and reads what it left.
fn attempt(
    plan: Plan<'_>,
    command: &Filled,
    out: &Path,
    log: &Log,
    mut go_on: impl FnMut() -> bool,
) -> Result<Option<Outputs>, TrainerError> {
    let Plan { study, data, dir, .. } = plan;
    let Some(status) = process::run(command, log, plan.supervision, &mut go_on)? else { return Ok(None) };
    if !status.success() {
        // Whoever stops flatleak may have stopped the command too: that is no failure of its own.
        return if go_on() { Err(TrainerError::Ended(status)) } else { Ok(None) };
    }
    let read = |name: &str, labels: &[u32]| {
        let file = format!("{name}.npy");
        let path = out.join(&file);
        if fs::symlink_metadata(&path).is_err() {
            return Err(TrainerError::LeftNone { file });
        }
        let found =
            regular(&path).and_then(|()| values::with(&path, name, |v| split(v, labels, data.classes, study.queries)));
        found.map_err(|problem| TrainerError::Left { file, problem })
    };
    let both = [read("logits", &data.pool.y)?, read("test_logits", &data.test.y)?];
    let keep = dir.keeps_logits(data);
    let splits = both.map(|split| if keep { split } else { SplitOutputs { logits: Vec::new(), ..split } });
    Ok(Some(Outputs { splits, noise: Vec::new() }))
}

/// Refuses what is no file: a pipe would be waited for, and a link leads to what the command did not leave here.
fn regular(path: &Path) -> Result<(), LogitsError> {
    let kind = fs::symlink_metadata(path).map_err(|e| LogitsError::Array(e.into()))?.file_type();
    let what = match kind {
        _ if kind.is_file() => return Ok(()),
        _ if kind.is_dir() => "a folder",
        _ if kind.is_symlink() => "a link",
        _ => "a pipe or a device",
    };
    Err(LogitsError::NoFile { what })
}

/// Logits of one split as the run directory keeps them.
fn split(found: &mut Values<'_>, labels: &[u32], classes: usize, queries: usize) -> Result<SplitOutputs, LogitsError> {
    let n = labels.len();
    let fits = match *found.shape() {
        [a, c] => (a, 1, c) == (n, queries, classes),
        [a, q, c] => (a, q, c) == (n, queries, classes),
        _ => false,
    };
    if !fits {
        return Err(LogitsError::Shape { found: found.shape().to_vec(), examples: n, queries, classes });
    }
    let all = found.all()?;
    if let Some(at) = all.iter().position(|v| !(*v as f32).is_finite()) {
        return Err(LogitsError::NoNumber { value: all[at], example: at / (queries * classes) });
    }
    let mut out = SplitOutputs::default();
    for query in 0..queries {
        let rows = all.chunks_exact(classes).skip(query).step_by(queries);
        let logits: Vec<f32> = rows.flatten().map(|v| *v as f32).collect();
        out.signals.push(Signals::from_logits(&logits, labels, classes)?);
        out.logits.push(logits);
    }
    Ok(out)
}
