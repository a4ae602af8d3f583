//! HAMP's change of outputs.

use super::defence::{Defence, Row};
use crate::settings::{Parameter, SettingError, settings};

settings! {
    /// Scores of a random input, sorted as the model's own (Chen & Pattabiraman 2024, arXiv 2307.01610).
    pub struct HampOutputs {
        /// 1: it has no strength.
        on: "hamp_outputs" = Parameter::new(
            0.0,
            (0.0, 1.0),
            "published scores are those of a random input, in the order of the model's own"
        ),
    }
}

impl Defence for HampOutputs {
    const SOURCE: &'static str = "Chen & Pattabiraman 2024, arXiv 2307.01610";
    const SWITCH: bool = true;
    const BEHIND: bool = true;
    const RANKS: bool = true;
    const RANDOM: bool = true;

    fn check(&self) -> Result<(), SettingError> {
        SettingError::unless_whole("hamp_outputs", self.on)
    }

    fn publish(&self, row: &mut Row<'_>) {
        row.order.iter().zip(row.random).for_each(|(&j, v)| row.logits[j] = *v);
    }
}
