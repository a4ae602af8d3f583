//! One attack against one recipe.

use serde::{Deserialize, Serialize};

use crate::estimate::Estimate;

/// Shares of members among the examples of which an attacker asks, for the precision.
pub const PRIORS: [f64; 3] = [0.01, 0.1, 0.5];

/// The delta of the nominal epsilon.
pub const DELTA: f64 = 1e-5;


