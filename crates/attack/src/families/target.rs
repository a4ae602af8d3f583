//! Attacks that read the target's outputs as they are.

use flatleak_pool::{Decimal, Matrix, Signal};

use crate::Lineup;
use crate::definition::{Definition, Meta, Parameter, Views, attack};

/// The signal is the score.
pub(super) fn as_given(lineup: &Lineup<'_>) -> Matrix {
    Matrix::with_rows(lineup.seats.len(), lineup.examples(), |k, row| row.copy_from_slice(lineup.seats[k].values))
}

attack!(
    /// Correct prediction (Yeom et al. 2018).
    Correctness,
    Meta { views: Views::Plain, ..Meta::by_target("correctness").of("calls every correctly classified example a member", "Yeom et al. 2018, arXiv 1709.01604") },
    "1[prediction = label] (Yeom et al. 2018)",
    Signal::Correct,
    as_given
);

attack!(
    /// Share of views of the example that are predicted correctly (own simplification of Choquette-Choo et al. 2021, arXiv 2007.14321).
    LabelOnly,
    Meta { views: Views::Several, ..Meta::by_target("label-only").of("counts how many views of an example are classified correctly", "own simplification of Choquette-Choo et al. 2021, arXiv 2007.14321") },
    "share of the views with prediction = label (own simplification of Choquette-Choo et al. 2021, arXiv 2007.14321)",
    Signal::Correct,
    as_given
);

/// log p_y, which ranks as p_y does and keeps its precision near 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Confidence {
    /// Of the softmax.
    pub temperature: Decimal,
}

impl Default for Confidence {
    fn default() -> Self {
        Self { temperature: Decimal::ONE }
    }
}

impl Definition for Confidence {
    fn meta(&self) -> Meta {
        Meta::by_target("confidence").of(
            "the more confident in the true class, the likelier a member",
            "ranks as the loss of Yeom et al. 2018, arXiv 1709.01604",
        )
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![Parameter::temperature(&mut self.temperature)]
    }

    fn formula(&self) -> &'static str {
        "log p_y"
    }

    fn signal(&self) -> Signal {
        if self.temperature == Decimal::ONE { Signal::LogConfidence } else { Signal::Tempered(self.temperature) }
    }

    fn score(&self, lineup: &Lineup<'_>) -> Matrix {
        as_given(lineup)
    }
}

/// Negative loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Loss;

impl Definition for Loss {
    fn meta(&self) -> Meta {
        Meta::by_target("loss").of("the smaller the loss, the likelier a member", "Yeom et al. 2018, arXiv 1709.01604")
    }

    fn formula(&self) -> &'static str {
        "-loss = log p_y"
    }

    fn signal(&self) -> Signal {
        Signal::LogConfidence
    }

    fn same_roc_as(&self, _: bool) -> Option<String> {
        Some(Confidence::default().meta().name.into())
    }

    fn score(&self, lineup: &Lineup<'_>) -> Matrix {
        as_given(lineup)
    }
}

attack!(
    /// Negative entropy.
    Entropy,
    Meta::by_target("entropy").of("the surer the prediction, right or wrong, the likelier a member", "Song & Mittal 2021, arXiv 2003.10595"),
    "-H(p)",
    Signal::NegativeEntropy,
    as_given
);

attack!(
    /// Negative modified entropy (Song & Mittal 2021).
    ModifiedEntropy,
    Meta::by_target("modified-entropy").of("the surer and the more correct the prediction, the likelier a member", "Song & Mittal 2021, arXiv 2003.10595"),
    "-Mentr(p, y) (Song & Mittal 2021, arXiv 2003.10595)",
    Signal::NegativeModifiedEntropy,
    as_given
);
