//! Signs of life.

use serde::{Deserialize, Serialize};

use crate::worker::Worker;

/// What `work/beats/<worker>` says. It is written anew with every beat, and when that was says the depot's clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    /// Who lives.
    pub worker: Worker,
    /// What the worker does.
    pub running: Vec<Running>,
}

/// An attempt under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Running {
    /// Its name, `<task>.<n>`.
    pub attempt: String,
    /// How much is done, from 0 to 1.
    pub fraction: f64,
    /// Since when, in seconds before the beat.
    pub seconds: f64,
}
