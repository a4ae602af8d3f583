//! Numbers with their limits.

use serde::{Deserialize, Serialize};

/// An estimate with its limits, all in the unit of the input.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Estimate {
    /// The estimate.
    pub mean: f64,
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

/// Blocks, or models, that would be enough, as a range: the error of few blocks is itself uncertain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Needed {
    /// Enough for 80 % power on average over what pilots find; null where out of reach.
    pub about: Option<usize>,
    /// At the smallest error that 95 % limits allow.
    pub low: Option<usize>,
    /// At the largest.
    pub high: Option<usize>,
}

impl Needed {
    /// The same in units of which a block has `size`.
    #[must_use]
    pub fn times(self, size: usize) -> Self {
        let each = |n: Option<usize>| n.map(|n| n * size);
        Self { about: each(self.about), low: each(self.low), high: each(self.high) }
    }
}
