//! What the arguments of several commands share.

use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MessageFormat {
    /// For people
    Human,
    /// One JSON event a line on stdout
    Json,
}

/// A time that may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget(pub(crate) Duration);

/// Text that is no budget.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoBudget {
    /// No number with a unit.
    #[error("{0:?} is no time: write 45s, 90m, 2h or 1d")]
    Form(String),
    /// Nothing, or too much.
    #[error("{0:?}: a time is more than nothing, and less than 30 years")]
    Range(String),
}

impl FromStr for Budget {
    type Err = NoBudget;

    fn from_str(text: &str) -> Result<Self, NoBudget> {
        let wrong = || NoBudget::Form(text.to_owned());
        let units = [('s', 1.0), ('m', 60.0), ('h', 3600.0), ('d', 86400.0)];
        let last = text.trim().chars().last().ok_or_else(wrong)?;
        let (_, seconds) = units.iter().find(|(unit, _)| *unit == last).ok_or_else(wrong)?;
        let number: f64 = text.trim().trim_end_matches(last).trim().parse().map_err(|_| wrong())?;
        if !(number > 0.0 && number * seconds < 1e9) {
            return Err(NoBudget::Range(text.to_owned()));
        }
        Ok(Self(Duration::from_secs_f64(number * seconds)))
    }
}

/// How to work, which changes no result.
#[derive(Args, Debug)]
pub(crate) struct Work {
    /// Worker threads, at most 4,096 [default: one per core]; no result depends on it
    #[arg(long, value_name = "W", value_parser = workers)]
    workers: Option<usize>,
    /// How to report progress
    #[arg(long, value_enum, default_value = "human")]
    pub(crate) message_format: MessageFormat,
}

impl Work {
    /// Worker threads, at least one.
    pub(crate) fn workers(&self) -> usize {
        self.workers.unwrap_or_else(flatleak::machine::cores).max(1)
    }
}

/// Most worker threads.
const MOST_WORKERS: usize = 4096;

/// Text that is no number of workers.
#[derive(Debug, thiserror::Error)]
#[error("1 to {MOST_WORKERS} workers are possible: leave --workers away for one per core")]
pub(crate) struct NoWorkers;

fn workers(text: &str) -> Result<usize, NoWorkers> {
    text.parse().ok().filter(|w| (1..=MOST_WORKERS).contains(w)).ok_or(NoWorkers)
}
