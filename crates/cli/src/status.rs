//! `flatleak status`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use clap::Args;
use flatleak::Status;

use crate::exit::{Failure, OTHER};
use crate::progress::stop_flag;
use crate::times::time;
use crate::voice::{hand_over, say};

/// How often a run is looked at with `--watch`.
const AGAIN: Duration = Duration::from_secs(2);
/// How often it is looked at whether to stop.
const TICK: Duration = Duration::from_millis(50);

#[derive(Args, Debug)]
pub(crate) struct StatusOf {
    /// The run
    run: PathBuf,
    /// Look again every two seconds, until nothing is left to do
    #[arg(long)]
    watch: bool,
    /// One JSON object, with --watch one a line
    #[arg(long)]
    json: bool,
}

/// Says how far a run is.
pub(crate) fn run(options: &StatusOf) -> Result<ExitCode, Failure> {
    let stop = options.watch.then(stop_flag);
    loop {
        let status = flatleak::status(&options.run)?;
        if options.json {
            let line = serde_json::to_string(&status).map_err(|e| Failure::new(OTHER, e))? + "\n";
            hand_over(line.as_bytes());
        } else {
            say(&rendered(&status));
        }
        let Some(stop) = &stop else { break };
        if status.open == 0 && status.running.is_empty() {
            break;
        }
        let next = Instant::now() + AGAIN;
        while Instant::now() < next {
            if stop.load(Ordering::Relaxed) {
                return Ok(ExitCode::SUCCESS);
            }
            std::thread::sleep(TICK);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A status for people: a line of numbers, then what is under way, then what went wrong.
fn rendered(status: &Status) -> String {
    let mut out = format!(
        "{} of {} done, {} under way, {} open, {} failed, {} given up; {} workers",
        status.done,
        status.tasks,
        status.running.len(),
        status.open,
        status.failed.len(),
        status.given_up,
        status.workers
    );
    if let Some(seconds) = status.seconds_left {
        out += &format!("; about {} left", time(seconds));
    }
    if status.cancelled {
        out += "; cancelled";
    }
    out.push('\n');
    for ongoing in &status.running {
        let job = ongoing.job.as_ref().map_or(String::new(), |job| format!(" ({job})"));
        let percent = (100.0 * ongoing.fraction).floor();
        let (since, silent) = (time(ongoing.seconds), time(ongoing.silent));
        let host = if ongoing.host.is_empty() { "a worker" } else { &ongoing.host };
        let attempt = if ongoing.attempt > 1 { format!(", attempt {}", ongoing.attempt) } else { String::new() };
        out +=
            &format!("  {}: {percent} % on {host}{job} since {since}{attempt}, heard of {silent} ago\n", ongoing.task);
    }
    for failing in &status.failed {
        let after = if failing.given_up { "given up" } else { "to be tried again" };
        out += &format!("  {}: {} after {} attempts, {after}\n", failing.task, failing.why, failing.attempts);
        failing.said.iter().for_each(|line| out += &format!("      {line}\n"));
    }
    status.diverged.iter().for_each(|recipe| out += &format!("  recipe {recipe} diverged\n"));
    status.bits_differ.iter().for_each(|file| out += &format!("  {file}: bits differ\n"));
    out
}
