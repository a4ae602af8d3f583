//! Confidence penalty.

use super::defence::{Defence, Targets};
use crate::settings::{Parameter, settings};

settings! {
    /// Confidence penalty: cross entropy less beta H(p) (Pereyra et al. 2017, arXiv 1701.06548).
    pub struct ConfidencePenalty {
        /// beta.
        beta: "confidence_penalty" =
            Parameter::new(0.0, (0.0, 100.0), "cross entropy less beta times the entropy"),
    }
}

impl Defence for ConfidencePenalty {
    const SOURCE: &'static str = "Pereyra et al. 2017, arXiv 1701.06548";

    fn targets(&self, to: &mut Targets) {
        to.entropy = self.beta;
    }
}
