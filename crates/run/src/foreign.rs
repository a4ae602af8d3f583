//! Models that a command trains.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use flatleak_data::values::{self, Values};
use flatleak_disk::replace;
use flatleak_pool::Signals;
use flatleak_store::{DATA_FILE, Outputs, SplitOutputs, npy_of_mask};

use crate::error::{Error, LogitsError, TrainerError};
use crate::plan::{Plan, Task};

/// How often a command is asked whether it is done.
const PATIENCE: Duration = Duration::from_millis(50);

/// Trains one model by its recipe's command: its membership row goes to a file, its logits come from `logits.npy`, (N, C) or (N, Q, C), and
/// `test_logits.npy`, (T, C) or (T, Q, C), in the folder that it was given. `None` when asked to stop.
///
/// # Errors
/// A command that cannot be started or fails, files that are not what they should be; [`Error::Trainer`] has the place of its output.
pub(crate) fn train(
    plan: Plan<'_>,
    command: &str,
    task: Task,
    mut go_on: impl FnMut() -> bool,
) -> Result<Option<Outputs>, Error> {
    let (Plan { study, data, dir, .. }, Task { recipe, model }) = (plan, task);
    let out = dir.workplace(recipe, model)?;
    let log = out.join("log.txt");
    let failed = |problem: TrainerError| Error::Trainer {
        recipe: study.recipes[recipe].name.clone(),
        model,
        problem: Box::new(problem),
        log: log.clone(),
    };
    let mask = out.join("mask.npy");
    replace(&mask, &npy_of_mask(&[dir.membership().row(model)])).map_err(flatleak_store::Error::from)?;
    let path = |p: &Path| p.to_string_lossy().into_owned();
    let values = [
        ("{index}", model.to_string()),
        ("{mask}", path(&mask)),
        // Recipes share it, as they share the engine's initialisation.
        ("{seed}", (study.seed.wrapping_mul(1_000_003).wrapping_add(model as u64) % (1 << 31)).to_string()),
        ("{data}", path(&dir.path().join(DATA_FILE))),
        ("{out}", path(&out)),
    ];
    let filled: Vec<String> = words(command)
        .into_iter()
        .map(|word| values.iter().fold(word, |word, (name, value)| word.replace(name, value)))
        .collect();
    let (program, arguments) = filled.split_first().ok_or_else(|| failed(TrainerError::Empty))?;
    let to = flatleak_disk::log(&log).map_err(flatleak_store::Error::from)?;
    let errors = to.try_clone().map_err(|e| failed(TrainerError::NoLog(e)))?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(to)
        .stderr(errors)
        .spawn()
        .map_err(|cause| failed(TrainerError::Start { program: program.clone(), cause }))?;
    let Some(status) = wait(&mut child, &mut go_on).map_err(|e| failed(TrainerError::Wait(e)))? else {
        return Ok(None);
    };
    if !status.success() {
        return Err(failed(TrainerError::Ended(status)));
    }
    let read = |name: &str, labels: &[u32]| {
        let file = format!("{name}.npy");
        let found = values::with(&out.join(&file), name, |v| split(v, labels, data.classes, study.queries));
        found.map_err(|problem| failed(TrainerError::Left { file, problem }))
    };
    let both = [read("logits", &data.pool.y)?, read("test_logits", &data.test.y)?];
    let keep = dir.keeps_logits(data);
    let splits = both.map(|split| if keep { split } else { SplitOutputs { logits: Vec::new(), ..split } });
    Ok(Some(Outputs { splits, noise: Vec::new() }))
}

/// Waits for the end of a command, which is killed when the caller wants to stop.
fn wait(child: &mut Child, go_on: &mut impl FnMut() -> bool) -> std::io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if !go_on() {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(PATIENCE);
    }
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

/// The words of a command, as a shell would see them with quotes alone: what stands between two equal ones is one word.
fn words(command: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let (mut word, mut inside) = (None::<String>, None::<char>);
    for c in command.chars() {
        match inside {
            Some(quote) if c == quote => inside = None,
            None if c == '"' || c == '\'' => {
                inside = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => out.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    out.extend(word);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_words_together() {
        assert_eq!(words("python3  \"my train.py\" --a='b c'\t''"), ["python3", "my train.py", "--a=b c", ""]);
        assert!(words("  ").is_empty());
    }
}
