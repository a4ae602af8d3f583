//! HAMP's change of outputs.

use super::defence::{Defence, Row};
use crate::settings::settings;

settings! {
    /// Scores of a random input, sorted as the model's own (Chen & Pattabiraman 2024, arXiv 2307.01610).
    pub struct HampOutputs: "hamp_outputs", "published scores are those of a random input, in the order of the model's own";
}

impl Defence for HampOutputs {
    const SOURCE: &'static str = "Chen & Pattabiraman 2024, arXiv 2307.01610";
    const SWITCH: bool = true;
    const BEHIND: bool = true;
    const RANKS: bool = true;
    const RANDOM: bool = true;

    fn publish(&self, row: &mut Row<'_>) {
        row.order.iter().zip(row.random).for_each(|(&j, v)| row.logits[j] = *v);
    }
}
