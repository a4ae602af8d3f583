//! The predicted label alone.

use super::defence::{Defence, Row};
use crate::clash::Why;
use crate::settings::settings;

settings! {
    /// The predicted label alone is published (Choquette-Choo et al. 2021, arXiv 2007.14321): 1 for it and 0 elsewhere.
    pub struct LabelsOnly: "labels_only", "the predicted label alone is published";
}

impl Defence for LabelsOnly {
    const SOURCE: &'static str = "Choquette-Choo et al. 2021, arXiv 2007.14321";
    const SWITCH: bool = true;
    const BEHIND: bool = true;
    const EXCLUDES: &'static [(&'static str, Why)] =
        &[("temperature", Why::Unpublished), ("top_k", Why::Unpublished), ("hamp_outputs", Why::Unpublished)];

    fn publish(&self, Row { logits, .. }: &mut Row<'_>) {
        let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let predicted = logits.iter().position(|z| *z >= top);
        logits.iter_mut().enumerate().for_each(|(j, z)| *z = f32::from(u8::from(Some(j) == predicted)));
    }
}
