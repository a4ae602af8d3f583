//! Label smoothing.

use super::defence::{Defence, Targets};
use crate::clash::Why;
use crate::settings::{Parameter, settings};

settings! {
    /// Label smoothing: targets (1 - e) onehot + e / C (Szegedy et al. 2016, arXiv 1512.00567). It leaks more, not less.
    pub struct LabelSmoothing {
        /// e.
        share: "label_smoothing" =
            Parameter::new(0.0, (0.0, 0.99), "targets (1 - e) onehot + e / C; leaks more, not less"),
    }
}

impl Defence for LabelSmoothing {
    const SOURCE: &'static str = "Szegedy et al. 2016, arXiv 1512.00567";
    const EXCLUDES: &'static [(&'static str, Why)] = &[("relaxloss", Why::Targets), ("hamp", Why::Targets)];

    fn targets(&self, to: &mut Targets) {
        let each = self.share / to.classes as f64;
        (to.own, to.rest) = (1.0 - self.share + each, each);
    }
}
