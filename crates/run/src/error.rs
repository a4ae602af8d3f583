//! What can go wrong with a run.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use flatleak_data::ArrayError;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The run directory.
    #[error(transparent)]
    Store(#[from] flatleak_store::Error),
    /// A network that does not fit the data.
    #[error(transparent)]
    Engine(#[from] flatleak_nn::Error),
    /// Outputs that do not fit the study.
    #[error(transparent)]
    Pool(#[from] flatleak_pool::Error),
    /// What workers share.
    #[error(transparent)]
    Work(#[from] flatleak_work::Error),
    /// Two attempts at a model gave different bytes, and one of them said so.
    #[error(
        "{task}: bits differ: two attempts gave other bytes for {file}; a machine or a program errs, and neither result may be used"
    )]
    BitsDiffer {
        /// The task.
        task: flatleak_work::Task,
        /// The file.
        file: String,
    },
    /// Several models that were not trained.
    #[error("{first}\n{others} further models failed; all others are complete")]
    Several {
        /// The first of them.
        first: Box<Error>,
        /// How many more.
        others: usize,
    },
    /// A command that did not train its model.
    #[error("the trainer of recipe `{recipe}`, model {model}, {problem}; what it said is in {}{}", log.display(), end(said))]
    Trainer {
        /// The recipe.
        recipe: String,
        /// Index of the model.
        model: usize,
        /// What happened.
        #[source]
        problem: Box<TrainerError>,
        /// The last lines of what it said, fit for a terminal.
        said: Vec<String>,
        /// All of what it said.
        log: PathBuf,
    },
}

/// The last lines of a log, below a message.
fn end(said: &[String]) -> String {
    let lines: String = said.iter().map(|line| format!("\n    {line}")).collect();
    if lines.is_empty() { lines } else { format!(", at its end:{lines}") }
}

/// What can happen to a command that trains a model.
#[derive(Debug, thiserror::Error)]
pub enum TrainerError {
    /// It cannot be started.
    #[error("cannot be started: {}: {cause}", program.display())]
    Start {
        /// The program.
        program: OsString,
        /// What the system said.
        cause: io::Error,
    },
    /// The system lost it.
    #[error("cannot be waited for: {0}")]
    Wait(#[source] io::Error),
    /// It says that it failed.
    #[error("ended with {0}")]
    Ended(ExitStatus),
    /// Its supervisor ended before it could say what became of the command.
    #[error("was ended, because the process that watches over it was killed: the same command of flatleak goes on")]
    Lost,
    /// It left nothing.
    #[error("said that it is done and left no {file} in its folder {{out}}")]
    LeftNone {
        /// The file.
        file: String,
    },
    /// It left something else than logits.
    #[error("left {file}, which {problem}")]
    Left {
        /// The file.
        file: String,
        /// What is wrong with it.
        #[source]
        problem: LogitsError,
    },
}

/// What can be wrong with the logits that a command leaves.
#[derive(Debug, thiserror::Error)]
pub enum LogitsError {
    /// The array, or its file.
    #[error(transparent)]
    Array(#[from] ArrayError),
    /// Labels that do not fit.
    #[error(transparent)]
    Pool(#[from] flatleak_pool::Error),
    /// Something that is no file.
    #[error("is {what}, not a file")]
    NoFile {
        /// What it is.
        what: &'static str,
    },
    /// Another shape.
    #[error("is of shape {found:?}, not ({examples}, {queries}, {classes}) or, for one view, ({examples}, {classes})")]
    Shape {
        /// Its shape.
        found: Vec<usize>,
        /// Examples of the split.
        examples: usize,
        /// Views of each.
        queries: usize,
        /// Classes.
        classes: usize,
    },
    /// A logit that is no number.
    #[error("has the value {value} for example {example}")]
    NoNumber {
        /// What stands there.
        value: f64,
        /// The example.
        example: usize,
    },
}
