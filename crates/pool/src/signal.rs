//! What an attacker can read off a model's output for one example, by name.

use crate::decimal::Decimal;

/// A signal of one model on one example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// phi = z_y - logsumexp of the other logits = log(p_y / (1 - p_y)) (Carlini et al. 2022, arXiv 2112.03570).
    Phi,
    /// p_y.
    Confidence,
    /// log p_y, the negative loss.
    LogConfidence,
    /// Negative entropy, sum p log p.
    NegativeEntropy,
    /// Negative modified entropy (Song & Mittal 2021, arXiv 2003.10595).
    NegativeModifiedEntropy,
    /// 1 where the prediction is the label.
    Correct,
    /// phi of the logits over a temperature.
    Tempered(Decimal),
}

impl Signal {
    /// phi at a temperature.
    pub fn phi_at(temperature: Decimal) -> Self {
        if temperature == Decimal::ONE { Self::Phi } else { Self::Tempered(temperature) }
    }
}
