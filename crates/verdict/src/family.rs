//! The headline family: the attack on which headlines rest, those of the literature that stand beside it, and the points at which it is
//! judged.

use flatleak_attack::{Attack, FixedVariance};
use flatleak_results::{FPR_LEVELS, Measure, Metric};

use crate::judge::{AUC, TPR};

/// The attack on which headlines rest.
pub const HEADLINE: Attack = Attack::STRONGEST;

/// Attacks whose curves are drawn, whose calls on single examples and whose leakage by group are kept: the headline's, and those of the literature.
pub const FAMILY: [Attack; 4] = [HEADLINE, Attack::LIRA, Attack::RMIA, Attack::CONFIDENCE];

/// Attacks that stand in summaries: those, and the simplest of all.
pub const SUMMARY: [Attack; 5] = [HEADLINE, Attack::LIRA, Attack::RMIA, Attack::CONFIDENCE, Attack::CORRECTNESS];

/// Whether an attack is of the family, whatever its variant.
pub(crate) fn is_of_family(attack: Attack) -> bool {
    FAMILY.iter().any(|own| own.family() == attack.family() && own.temperature() == attack.temperature())
}

/// Whether an attack's mean ROC curve is drawn: those of the family as they are published, their pooled deviation formed in any way.
pub(crate) fn is_drawn(attack: Attack) -> bool {
    FAMILY.contains(&attack.with_variance(FixedVariance::default()))
}

/// A metric of the attack of headlines: what `compare` judges and gates are set on.
pub fn headline_metric(measure: Measure) -> Metric {
    Metric::attack(HEADLINE.name(), measure)
}

/// A point at which a headline is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    Auc,
    /// The TPR at this place of [`FPR_LEVELS`].
    Tpr(usize),
}

impl Point {
    /// Its place among the measures of a target.
    pub(crate) fn measure(self) -> usize {
        match self {
            Self::Auc => AUC,
            Self::Tpr(level) => TPR + level,
        }
    }

    /// The metric.
    pub(crate) fn metric(self) -> Metric {
        headline_metric(match self {
            Self::Auc => Measure::Auc,
            Self::Tpr(level) => Measure::Tpr(FPR_LEVELS[level]),
        })
    }
}

/// The points at which a headline is judged, by the design and not by the outcome (own; book/methods/words.md#operating-points): the AUC, and the
/// TPR at the smallest level at which the target with the fewest scored non-members expects 5 false positives; below 50 of them the AUC alone.
pub(crate) fn points(fewest_non_members: usize) -> Vec<Point> {
    let level = FPR_LEVELS.iter().position(|f| expects_enough(*f, fewest_non_members));
    std::iter::once(Point::Auc).chain(level.map(Point::Tpr)).collect()
}

/// Share of an FPR that equal scores must leave to be realised: scores without ties realise four fifths of it or more where
/// [`FALSE_POSITIVES`] are expected.
const REALISED: f64 = 0.5;

/// Whether a TPR at an FPR means anything (own; book/methods/measures.md#tpr-at-low-fpr): [`FALSE_POSITIVES`] are expected, and scores are not so
/// few that no threshold comes near it.
pub fn is_reliable(fpr: f64, non_members: usize, realised: f64) -> bool {
    expects_enough(fpr, non_members) && realised >= REALISED * fpr
}

/// False positives that are expected where a TPR at a low FPR means anything.
pub const FALSE_POSITIVES: f64 = 5.0;

fn expects_enough(fpr: f64, non_members: usize) -> bool {
    fpr * non_members as f64 >= FALSE_POSITIVES - 1e-9
}

/// TPR at an FPR of a score without ties that knows nothing: (floor(f n0) + 1) / (n0 + 1), the mean rank of the (floor(f n0) + 1)-th of n0
/// non-members among all (own; book/methods/measures.md#chance-line).
pub(crate) fn chance(fpr: f64, non_members: usize) -> f64 {
    let n = non_members as f64;
    ((fpr * n + 1e-9).floor() + 1.0) / (n + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_need_false_positives_and_scores_that_allow_them() {
        assert!(is_reliable(0.05, 100, 0.05) && is_reliable(0.05, 100, 0.04));
        assert!(!is_reliable(0.05, 99, 0.04), "4.95 are expected");
        // Right or wrong: either nobody is accused or all who are right.
        assert!(!is_reliable(0.05, 1000, 0.0) && !is_reliable(0.05, 1000, 0.02));
    }
}
