//! Who tries an attempt.

use serde::{Deserialize, Serialize};

use crate::worker::Worker;

/// What `work/leases/<task>.<n>` says: whose attempt it is. Created once and never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Whose attempt it is.
    pub worker: Worker,
}
