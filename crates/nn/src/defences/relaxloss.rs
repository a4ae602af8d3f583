//! RelaxLoss.

use flatleak_kernel::loss::Objective;

use super::defence::Defence;
use crate::clash::{DefenceError, Why};
use crate::methods::Optimizer;
use crate::settings::{Parameter, settings};

settings! {
    /// RelaxLoss: a level that the mean loss is kept at (Chen et al. 2022, arXiv 2207.05801, algorithm 1).
    pub struct Relaxloss {
        /// The level, alpha.
        level: "relaxloss" = Parameter::new(0.0, (0.0, 100.0), "keeps the mean loss at alpha"),
        /// Highest target of a label in odd epochs; where it is 0, nothing bounds them but 1.
        upper: "relaxloss_upper" = Parameter::new(0.0, (0.0, 1.0), "its highest target of a label, 1 by default"),
    }
}

impl Defence for Relaxloss {
    const SOURCE: &'static str = "Chen et al. 2022, arXiv 2207.05801";
    const EXCLUDES: &'static [(&'static str, Why)] =
        &[("hamp", Why::Targets), ("mixup", Why::Loss), ("confidence_penalty", Why::Loss)];

    fn check_beside(&self, optimizer: &Optimizer) -> Result<(), DefenceError> {
        if !optimizer.is_private() {
            return Ok(());
        }
        Err(DefenceError::Optimizer {
            defence: "relaxloss",
            does: "looks at the mean loss of a batch",
            optimizer: optimizer.name(),
            instead: "does not hide",
            advise: true,
        })
    }

    fn objective(&self, epoch: usize) -> Option<Objective> {
        let upper = if self.upper > 0.0 { self.upper as f32 } else { 1.0 };
        Some(Objective::Relaxed { level: self.level, upper, flatten: epoch.is_multiple_of(2) })
    }
}
