//! The largest probabilities alone.

use super::defence::{Defence, Row};
use crate::settings::{Parameter, SettingError, settings};

settings! {
    /// The k largest probabilities are published (Shokri et al. 2017, arXiv 1610.05820, section VIII), with the others' sum spread evenly
    /// over them (own: the least that it says).
    pub struct TopK {
        /// k.
        k: "top_k" =
            Parameter::new(0.0, (0.0, 1e6), "so many probabilities are published, of the rest only their sum"),
    }
}

impl Defence for TopK {
    const SOURCE: &'static str = "Shokri et al. 2017, arXiv 1610.05820";
    const BEHIND: bool = true;
    const RANKS: bool = true;

    fn check(&self) -> Result<(), SettingError> {
        SettingError::unless_whole("top_k", self.k)
    }

    fn publish(&self, Row { logits, order, .. }: &mut Row<'_>) {
        let (k, classes) = (self.k as usize, logits.len());
        if k >= classes {
            return;
        }
        let top = f64::from(logits[order[k]]);
        let rest: f64 = order[k..].iter().map(|&j| libm::exp(f64::from(logits[j]) - top)).sum();
        let each = (top + libm::log(rest / (classes - k) as f64)) as f32;
        order[k..].iter().for_each(|&j| logits[j] = each);
    }
}
