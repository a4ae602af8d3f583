//! What is measured of an attack: a measure's name, and where its figure stands among those of a recipe.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use crate::estimate::Estimate;
use crate::recipe::AttackResult;

/// FPR levels at which the TPR is reported.
pub const FPR_LEVELS: [f64; 5] = [0.0001, 0.001, 0.01, 0.05, 0.1];

/// What is measured of an attack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// Area under the ROC curve.
    Auc,
    /// TPR - FPR at a threshold learnt on other blocks.
    Advantage,
    /// (TPR + TNR)/2 at a threshold learnt on other blocks.
    BalancedAccuracy,
    /// TPR at this FPR.
    Tpr(f64),
}

/// Text that names no measure of an attack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no measure; there are {known}", known = Measure::all().map(|m| m.to_string()).collect::<Vec<_>>().join(", "))]
pub struct NoMeasure(pub String);

impl Measure {
    /// Those without a level.
    pub const PLAIN: &'static [Self] = &[Self::Auc, Self::Advantage, Self::BalancedAccuracy];

    /// Every measure, the TPR at each of [`FPR_LEVELS`] last.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::PLAIN.iter().copied().chain(FPR_LEVELS.map(Self::Tpr))
    }
}

impl Display for Measure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auc => f.write_str("auc"),
            Self::Advantage => f.write_str("advantage"),
            Self::BalancedAccuracy => f.write_str("balanced-accuracy"),
            Self::Tpr(fpr) => write!(f, "tpr@{fpr}"),
        }
    }
}

impl FromStr for Measure {
    type Err = NoMeasure;

    fn from_str(text: &str) -> Result<Self, NoMeasure> {
        let tpr = || text.strip_prefix("tpr@")?.parse().ok().map(Self::Tpr);
        let plain = Self::PLAIN.iter().copied().find(|m| m.to_string() == text);
        plain.or_else(tpr).ok_or_else(|| NoMeasure(text.into()))
    }
}

impl AttackResult {
    /// What was measured of it with its interval; `None` for a TPR at a level that no table has.
    pub fn estimate(&self, measure: Measure) -> Option<Estimate> {
        match measure {
            Measure::Auc => Some(self.auc),
            Measure::Advantage => Some(self.advantage),
            Measure::BalancedAccuracy => Some(self.balanced_accuracy),
            Measure::Tpr(level) => self.tpr_at_fpr.iter().find(|t| t.fpr == level).map(|t| t.tpr),
        }
    }

    /// The same without it.
    pub fn measured(&self, measure: Measure) -> Option<f64> {
        self.estimate(measure).map(|e| e.mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_is_read_back_and_named_where_one_is_wrong() {
        let said = "acu".parse::<Measure>().unwrap_err().to_string();
        for measure in [Measure::Auc, Measure::Advantage, Measure::BalancedAccuracy, Measure::Tpr(0.001)] {
            assert!(Measure::all().any(|known| known == measure));
        }
        for measure in Measure::all() {
            assert_eq!(measure.to_string().parse(), Ok(measure));
            assert!(said.contains(&measure.to_string()), "{said}");
        }
    }
}
