//! Attacks that set the target's loss, or its prediction, against those of its shadows.

use flatleak_pool::{Matrix, Signal};

use crate::Lineup;
use crate::definition::{Definition, Meta, Views};
use crate::means::score_by_means;
use crate::shadows::score_by_place;
use crate::tile::Means;

/// Share of OUT shadows with a larger loss (Ye et al. 2022, arXiv 2111.09679).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AttackR;

impl Definition for AttackR {
    fn meta(&self) -> Meta {
        Meta::by_shadows("attack-r")
            .of("how many models that never saw the example do worse on it", "Ye et al. 2022, arXiv 2111.09679")
    }

    fn formula(&self) -> &'static str {
        "share of OUT shadows with a larger loss, ties half (Ye et al. 2022, arXiv 2111.09679)"
    }

    fn signal(&self) -> Signal {
        Signal::LogConfidence
    }

    fn score(&self, lineup: &Lineup<'_>) -> Matrix {
        attack_r(lineup)
    }
}

/// Share of the example's OUT shadows with a loss above the target's; ties count half.
fn attack_r(lineup: &Lineup<'_>) -> Matrix {
    // Values are log p = -loss: a larger loss is a smaller value.
    score_by_place(lineup, |below, equal, all| (below + 0.5 * equal) / all)
}

/// Mean OUT loss minus the target's (Watson et al. 2022).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CalibratedLoss;

impl Definition for CalibratedLoss {
    fn meta(&self) -> Meta {
        Meta::by_shadows("calibrated-loss").of(
            "loss beside the mean loss of models that never saw the example",
            "Watson et al. 2022, arXiv 2111.08440",
        )
    }

    fn formula(&self) -> &'static str {
        "mean OUT loss - loss (Watson et al. 2022)"
    }

    fn signal(&self) -> Signal {
        Signal::LogConfidence
    }

    fn score(&self, lineup: &Lineup<'_>) -> Matrix {
        calibrated_loss(lineup)
    }
}

/// Mean OUT loss minus the target's loss.
fn calibrated_loss(lineup: &Lineup<'_>) -> Matrix {
    score_by_means(lineup, |v| [v], |[_, out]| out.means(), |v, [out]| v - out)
}

/// Correct prediction less the share of shadows that predict correctly, IN and OUT of equal weight (own; RMIA's reference on labels): what
/// labels alone tell, whatever scores are published with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CalibratedCorrectness;

impl Definition for CalibratedCorrectness {
    fn meta(&self) -> Meta {
        Meta {
            views: Views::Plain,
            ..Meta::by_shadows("calibrated-correctness")
                .of("correctness beside that of other models: what labels alone tell", "own")
        }
    }

    fn formula(&self) -> &'static str {
        "1[prediction = label] - (share of IN + share of OUT shadows of which it holds) / 2 (own)"
    }

    fn signal(&self) -> Signal {
        Signal::Correct
    }

    fn score(&self, lineup: &Lineup<'_>) -> Matrix {
        calibrated_correctness(lineup)
    }
}

/// The target's value less that of the shadows, the mean of both sides' means.
fn calibrated_correctness(lineup: &Lineup<'_>) -> Matrix {
    let middle = |[inside, outside]: [Means<1>; 2]| [0.5 * (inside.means()[0] + outside.means()[0])];
    score_by_means(lineup, |v| [v], middle, |v, [middle]| v - middle)
}
