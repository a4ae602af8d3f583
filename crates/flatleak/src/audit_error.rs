//! What forbids an audit.

use flatleak_pool::{FEWEST, SIDE};

/// What forbids an audit.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A pool without an example that can be attacked.
    #[error(
        "{recipe}: no example can be attacked. Beside the target's own block, {SIDE} blocks of models must hold it and {SIDE} must lack it; of {blocks} blocks, at best {inside} others hold and {outside} lack one, so at least {missing} more must be trained on other subsets"
    )]
    Nothing {
        /// The pool.
        recipe: String,
        /// Its blocks.
        blocks: usize,
        /// Blocks that hold the example that comes nearest, a target's own not counted.
        inside: usize,
        /// Those that lack it.
        outside: usize,
        /// Blocks that are missing on the shorter side.
        missing: usize,
    },
    /// Too few blocks for shadows that are not the target's own.
    #[error(
        "{recipe}: {models} models form {found} {}, but figures need {FEWEST} that hold and lack the same examples: 5 models drawn one by one, or 3 complementary pairs; intervals need 4 pairs",
        if *found == 1 { "block" } else { "blocks" }
    )]
    Blocks {
        /// The pool.
        recipe: String,
        /// Its models.
        models: usize,
        /// Its blocks.
        found: usize,
    },
    /// Models with nobody to tell apart.
    #[error("{recipe}: no model has both members and non-members among the examples that can be attacked for it")]
    NoTarget {
        /// The pool.
        recipe: String,
    },
    /// Targets of one block alone, of which no interval can be made.
    #[error(
        "{recipe}: only {} can be attacked, because the other models lack shadows on one side; intervals over models need targets in two blocks: add models, or attack one target alone",
        if let [one] = models.as_slice() { format!("model {one}") } else { format!("models {} of one block", listed(models)) }
    )]
    OneBlock {
        /// The pool.
        recipe: String,
        /// Its targets.
        models: Vec<usize>,
    },
    /// A pool whose examples cannot be explained.
    #[error("{0}: every example is in all models or in none, or in too few: train models on different subsets")]
    Unexplained(String),
    /// A model that is not in the pool.
    #[error("there is no model {target}: the pool has {models}, counted from 0")]
    Target {
        /// The position that was asked for.
        target: usize,
        /// Models in the pool.
        models: usize,
    },
    /// A model that cannot be attacked.
    #[error(
        "model {target} has no members or no non-members among the examples that can be attacked for it: it is a shadow alone"
    )]
    Reference {
        /// Its position.
        target: usize,
    },
    /// No pool.
    #[error("nothing to audit")]
    Empty,
    /// What the analysis says.
    #[error(transparent)]
    Verdict(#[from] flatleak_verdict::Error),
}

/// Positions with commas between them.
pub(crate) fn listed(models: &[usize]) -> String {
    models.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
