//! What a pair's exact interval and p-value depend on.

use flatleak_stats::{Interval, fisher_upper, independent_difference, matched_difference, sign_upper};

use crate::Error;

/// Counts behind the influence of a training example i on a held-out one j (hard form).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Evidence {
    /// Of `blocks`, those in which the two models disagree about j, and those of them in which the one that holds i is right. Where i does
    /// not matter, every disagreement is a fair coin: the sign test.
    Signs { right: u32, disagreeing: u32, blocks: u32 },
    /// Models in all, those that hold i, those right about j, and both: Fisher's exact test.
    Counts { both: u32, inside: u32, right: u32, all: u32 },
}

impl Evidence {
    /// Of `all` models, `inside` hold i, `right` are right about j and `both` are both; `disagreeing` blocks, in a design with blocks.
    pub(crate) fn new(all: u32, inside: u32, right: u32, both: u32, disagreeing: Option<u32>) -> Self {
        match disagreeing {
            // Right minus wrong over the disagreeing blocks is in - out = 2 both - right.
            Some(disagreeing) => {
                Self::Signs { right: (disagreeing + 2 * both - right) / 2, disagreeing, blocks: all / 2 }
            }
            None => Self::Counts { both, inside, right, all },
        }
    }

    /// Chance of as large an influence where there is none; one-sided.
    pub(crate) fn p_value(self) -> f64 {
        match self {
            Self::Signs { right, disagreeing, .. } => sign_upper(u64::from(right), u64::from(disagreeing)),
            Self::Counts { both, inside, right, all } => {
                let [both, inside, right, all] = [both, inside, right, all].map(u64::from);
                fisher_upper(both, inside, right, all)
            }
        }
    }

    /// 95 % interval: Bonett and Price's for matched pairs in blocks, Agresti and Caffo's elsewhere.
    pub(crate) fn interval(self) -> Result<Interval, Error> {
        Ok(match self {
            Self::Signs { right, disagreeing, blocks } => {
                matched_difference(u64::from(right), u64::from(disagreeing - right), u64::from(blocks), 0.95)?
            }
            Self::Counts { both, inside, right, all } => {
                let [both, inside, right, all] = [both, inside, right, all].map(u64::from);
                independent_difference((both, inside), (right - both, all - inside), 0.95)?
            }
        })
    }
}
