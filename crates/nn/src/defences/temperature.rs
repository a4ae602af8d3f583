//! Temperature.

use super::defence::{Defence, Row};
use crate::settings::{Parameter, settings};

settings! {
    /// Logits are divided by a temperature (Guo et al. 2017, arXiv 1706.04599).
    pub struct Temperature {
        /// The temperature.
        temperature = Parameter::new(0.0, (0.0, 1e6), "published logits are divided by it"),
    }
}

impl Defence for Temperature {
    const SOURCE: &'static str = "Guo et al. 2017, arXiv 1706.04599";
    const BEHIND: bool = true;

    fn publish(&self, row: &mut Row<'_>) {
        row.logits.iter_mut().for_each(|z| *z = (f64::from(*z) / self.temperature) as f32);
    }
}
