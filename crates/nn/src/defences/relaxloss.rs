//! RelaxLoss.

use flatleak_kernel::loss::Objective;

use super::defence::Defence;
use crate::clash::{DefenceError, Why};
use crate::methods::Optimizer;
use crate::settings::{Parameter, Settings};

/// RelaxLoss: a level that the mean loss is kept at (Chen et al. 2022, arXiv 2207.05801, algorithm 1).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Relaxloss {
    /// The level, alpha.
    pub level: f64,
    /// Highest target of a label in odd epochs; 1 where absent.
    pub upper: Option<f64>,
}

impl Settings for Relaxloss {
    const DEFAULT: Self = Self { level: 0.0, upper: None };
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::new(0.0, (0.0, 100.0), "keeps the mean loss at alpha").called("relaxloss"),
        Parameter::new(0.0, (0.0, 1.0), "its highest target of a label, 1 by default").called("relaxloss_upper"),
    ];

    fn values(&self) -> Vec<(&'static str, f64)> {
        vec![("relaxloss", self.level), ("relaxloss_upper", self.upper.unwrap_or(0.0))]
    }

    fn set(&mut self, key: &str, value: f64) -> bool {
        match key {
            "relaxloss" => self.level = value,
            "relaxloss_upper" => self.upper = (value != 0.0).then_some(value),
            _ => return false,
        }
        true
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
        let upper = self.upper.map_or(1.0, |upper| upper as f32);
        Some(Objective::Relaxed { level: self.level, upper, flatten: epoch.is_multiple_of(2) })
    }
}
