//! How often models in training are saved, as people write it.

use std::str::FromStr;

use flatleak::Checkpoints;

use crate::arguments::{Budget, NoBudget};

/// The value of `--checkpoint`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checkpoint(pub(crate) Checkpoints);

/// Text that is neither a time nor `off`.
#[derive(Debug, thiserror::Error)]
#[error("{0}; or `off`")]
pub(crate) struct NoCheckpoint(#[from] NoBudget);

impl FromStr for Checkpoint {
    type Err = NoCheckpoint;

    fn from_str(text: &str) -> Result<Self, NoCheckpoint> {
        if text.trim() == "off" {
            return Ok(Self(Checkpoints::Off));
        }
        let Budget(time) = text.parse()?;
        Ok(Self(Checkpoints::Every(time)))
    }
}
