//! HAMP's loss.

use super::defence::{Defence, Targets};
use crate::clash::Why;
use crate::settings::{Parameter, settings};

settings! {
    /// HAMP: soft labels with high entropy, and a weight of the entropy of predictions (Chen & Pattabiraman 2024, arXiv 2307.01610).
    pub struct Hamp {
        /// Entropy of the soft labels as a share of log C, gamma.
        gamma: "hamp" = Parameter::new(0.0, (0.0, 0.999), "soft labels with an entropy of gamma log C"),
        /// Weight of the entropy of predictions, alpha.
        entropy: "hamp_entropy" = Parameter::new(0.0, (0.0, 100.0), "its weight of the entropy of predictions"),
    }
}

impl Defence for Hamp {
    const SOURCE: &'static str = "Chen & Pattabiraman 2024, arXiv 2307.01610";
    const EXCLUDES: &'static [(&'static str, Why)] = &[("confidence_penalty", Why::Loss), ("mixup", Why::Loss)];

    fn targets(&self, to: &mut Targets) {
        let own = soft_label(self.gamma, to.classes);
        (to.own, to.rest, to.entropy) = (own, (1.0 - own) / (to.classes - 1) as f64, self.entropy);
    }
}

/// The label's probability p in HAMP's soft labels, (1 - p) / (C - 1) elsewhere, of which the entropy is gamma log C: by bisection between
/// 1 / C and 1. Its authors' code takes steps of .01.
fn soft_label(gamma: f64, classes: usize) -> f64 {
    let (c, wanted) = (classes as f64, gamma * libm::log(classes as f64));
    let entropy = |p: f64| {
        let rest = (1.0 - p) / (c - 1.0);
        let term = |p: f64| if p > 0.0 { -p * libm::log(p) } else { 0.0 };
        term(p) + (c - 1.0) * term(rest)
    };
    let (mut low, mut high) = (1.0 / c, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if entropy(middle) > wanted {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_labels_have_the_wanted_entropy() {
        // Exact values by `tests/make_losses.py`.
        let f: serde_json::Value = serde_json::from_str(include_str!("../../tests/losses.json")).unwrap();
        for row in f["hamp_targets"].as_array().unwrap() {
            let (classes, gamma) = (row["classes"].as_u64().unwrap() as usize, row["gamma"].as_f64().unwrap());
            assert!((soft_label(gamma, classes) - row["exact"].as_f64().unwrap()).abs() < 1e-9);
        }
        for classes in [2, 10, 100] {
            let p = soft_label(0.5, classes);
            let rest = (1.0 - p) / (classes - 1) as f64;
            let h = -p * p.ln() - (classes - 1) as f64 * rest * rest.ln();
            assert!((h - 0.5 * (classes as f64).ln()).abs() < 1e-9);
        }
    }
}
