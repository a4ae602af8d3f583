//! `flatleak work`, `flatleak cancel`, `flatleak merge`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use clap::Args;
use flatleak::{Checkpoints, Listener, Shard};
use flatleak_report::text::{Text, Tone};
use serde_json::json;

use crate::exit::{Failure, INTERRUPTED, OTHER};
use crate::options::Work;
use crate::progress::{Talk, stop_flag};
use crate::supervise::by_this_program;
use crate::times::{Budget, Checkpoint};
use crate::voice::{done, say, width};

#[derive(Args, Debug)]
pub(crate) struct WorkAt {
    /// The run
    run: PathBuf,
    /// Take a part of the tasks alone: the I-th of N, from 1
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    shard: Part,
    /// Stop after so long, such as 55m: what is not complete by then is another's
    #[arg(long, value_name = "TIME")]
    until: Option<Budget>,
    /// Time after which a model in training is saved again, such as 60s or 10m, or `off`; no result depends on it [default: 60s, and at most
    /// 0.5 % of the time]
    #[arg(long, value_name = "TIME|off")]
    checkpoint: Option<Checkpoint>,
    /// Work with this program, whose digest this is, at a run that another one began; both must train the same bits
    #[arg(long, value_name = "DIGEST")]
    accept_binary: Option<String>,
    #[command(flatten)]
    work: Work,
}

/// A part of a run's tasks.
#[derive(Clone, Copy, Debug)]
struct Part(Shard);

/// Text that is no part.
#[derive(Debug, thiserror::Error)]
#[error("a part is I/N, with I from 1 to N, such as 2/4")]
struct NoPart;

impl FromStr for Part {
    type Err = NoPart;

    fn from_str(text: &str) -> Result<Self, NoPart> {
        let (index, of) = text.split_once('/').ok_or(NoPart)?;
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| NoPart);
        let (index, of) = (number(index)?, number(of)?);
        if index == 0 || index > of {
            return Err(NoPart);
        }
        Ok(Self(Shard { index: index - 1, of }))
    }
}

/// Works until nothing is left.
pub(crate) fn run(options: &WorkAt) -> Result<ExitCode, Failure> {
    let stop = stop_flag();
    if let Some(Budget(time)) = options.until {
        let stop = Arc::clone(&stop);
        let waits = std::thread::Builder::new().spawn(move || {
            std::thread::sleep(time);
            stop.store(true, Ordering::Relaxed);
        });
        waits.map_err(|e| Failure::new(OTHER, format!("cannot keep --until: {e}")))?;
    }
    let asked = flatleak::Work {
        run: options.run.clone(),
        workers: options.work.workers(),
        shard: options.shard.0,
        accept: options.accept_binary.clone(),
        supervision: by_this_program(),
        checkpoints: options.checkpoint.map_or_else(Checkpoints::default, |asked| asked.0),
    };
    let format = options.work.message_format;
    let mut talk = Talk::new(format);
    let worked = flatleak::work(&asked, &mut Listener { hear: &mut |event| talk.hear(event), stop: &stop })?;
    drop(talk);
    let run = options.run.display();
    if worked.stopped {
        return Err(Failure::new(INTERRUPTED, format!("interrupted; the same command continues at {run}")));
    }
    if worked.given_up > 0 {
        let n = worked.given_up;
        let message = format!("{n} tasks were tried too often and are given up: `flatleak status {run}` says why");
        return Err(Failure::new(OTHER, message));
    }
    let event = json!({ "trained": worked.trained, "found": worked.found, "diverged": worked.diverged });
    done(format, event, || {
        let said = format!("{} models trained, {} by others or before; nothing is left", worked.trained, worked.found);
        let mut text = Text::default();
        text.paragraph(Tone::Plain, &said, ("", 2), width());
        text
    });
    Ok(ExitCode::SUCCESS)
}

#[derive(Args, Debug)]
pub(crate) struct Cancel {
    /// The run
    run: PathBuf,
    /// Take a cancellation back, so that workers go on
    #[arg(long)]
    undo: bool,
}

/// Asks workers to stop.
pub(crate) fn cancel(options: &Cancel) -> Result<ExitCode, Failure> {
    let changed = flatleak::cancel(&options.run, options.undo)?;
    let run = options.run.display();
    say(&match (options.undo, changed) {
        (false, true) => format!("cancelled {run}: workers stop within seconds, and what is complete stays\n"),
        (false, false) => format!("{run} was cancelled before\n"),
        (true, true) => format!("{run} goes on: start workers again\n"),
        (true, false) => format!("{run} was not cancelled\n"),
    });
    Ok(ExitCode::SUCCESS)
}

#[derive(Args, Debug)]
pub(crate) struct Merge {
    /// The run that takes the models; it is begun where there is none
    run: PathBuf,
    /// Runs of the same study, each with a shard of its models
    #[arg(required = true, value_name = "PART")]
    parts: Vec<PathBuf>,
}

/// Puts shards together.
pub(crate) fn merge(options: &Merge) -> Result<ExitCode, Failure> {
    let flatleak::Merged { taken, same } = flatleak::merge(&options.run, &options.parts)?;
    say(&format!("{taken} models taken, {same} were there already\n"));
    Ok(ExitCode::SUCCESS)
}
