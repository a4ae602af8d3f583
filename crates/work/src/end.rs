//! How attempts end.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::task::Attempt;

/// What `work/ends/<task>.<n>.json` says. Created once and never changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// Its name, `<task>.<n>`.
    pub attempt: String,
    /// What the task depended on: an end of another identity says nothing of today's task.
    pub identity: String,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What it took.
    pub seconds: f64,
    /// Who tried, by the worker's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub worker: String,
    /// The digest of the worker's program.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub binary: String,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// The models are there.
    Done {
        /// How they came there.
        published: Published,
    },
    /// The command that trains ended badly.
    Failed {
        /// What was wrong.
        why: String,
        /// The last lines of what it said.
        said: Vec<String>,
    },
    /// Training left the finite numbers.
    Diverged {
        /// Which recipes of the run, and when.
        recipes: Vec<Divergence>,
    },
    /// The worker was asked to stop, or could not go on.
    Interrupted {
        /// How much was done by then, from 0 to 1, what earlier attempts left included.
        fraction: f64,
    },
    /// Other bytes were there already: somebody's program, or machine, computes something else.
    BitsDiffer {
        /// Which file.
        file: String,
    },
}

/// How the files of a task came to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Published {
    /// This attempt created them.
    New,
    /// Another attempt created some or all of them, with the same bytes.
    Same,
    /// They were there before.
    Found,
}

/// Where a recipe stopped being finite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergence {
    /// The recipe.
    pub recipe: String,
    /// The epoch, from 0.
    pub epoch: usize,
}

impl End {
    /// An attempt that ended so, after this time.
    pub fn new(attempt: &Attempt, identity: &str, outcome: Outcome, took: Duration) -> Self {
        Self {
            attempt: attempt.to_string(),
            identity: identity.to_owned(),
            outcome,
            seconds: took.as_secs_f64(),
            worker: String::new(),
            binary: String::new(),
        }
    }
}
