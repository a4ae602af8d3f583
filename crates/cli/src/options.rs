//! What the arguments of several commands share.

use clap::{Args, ValueEnum};

/// How it is said, which changes nothing that is written.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Speech {
    /// Colours: where stdout is a terminal and NO_COLOR is not set, always or never
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN", global = true)]
    pub(crate) color: Color,
    /// No progress and no notes: errors and the answer alone
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say of every model when it is complete, and how long each phase took
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

/// When text has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// In a terminal, unless NO_COLOR is set
    Auto,
    /// Also where stdout is a file or a pipe
    Always,
    /// Nowhere
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MessageFormat {
    /// For people
    Human,
    /// One JSON event a line on stdout
    Json,
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
