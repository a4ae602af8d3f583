//! What can be wrong with defences beside each other or beside an optimizer.

use crate::settings::SettingError;

/// Why a defence excludes another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Both set the targets of the loss.
    Targets,
    /// One has no meaning in the loss of the other.
    Loss,
    /// What the other changes is not published.
    Unpublished,
}

/// Errors of defences.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DefenceError {
    /// A value by itself.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A key that only qualifies another.
    #[error("{key} means nothing without {of}")]
    Without {
        /// The key.
        key: &'static str,
        /// The key that it qualifies.
        of: &'static str,
    },
    /// Two that exclude each other.
    #[error("{}", exclusion(defence, other, *why))]
    Exclusion {
        /// The key of the one that excludes.
        defence: &'static str,
        /// The key of the other.
        other: &'static str,
        /// Why.
        why: Why,
    },
    /// One that an optimizer has no place for.
    #[error("{defence} {does}, which {optimizer} {instead}{}", if *advise { ": leave one of them out" } else { "" })]
    Optimizer {
        /// The key of the defence.
        defence: &'static str,
        /// What it does.
        does: &'static str,
        /// The optimizer.
        optimizer: &'static str,
        /// What that does.
        instead: &'static str,
        /// Whether there is a choice.
        advise: bool,
    },
}

fn exclusion(defence: &str, other: &str, why: Why) -> String {
    match why {
        Why::Targets => format!("{defence} and {other} exclude each other: both set the targets"),
        Why::Loss => format!("{defence} and {other} exclude each other"),
        Why::Unpublished => {
            format!("{other} changes scores that {defence} does not publish: leave one of them out")
        }
    }
}
