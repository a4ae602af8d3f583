//! What a recipe does against leaking, beside its optimizer.

use flatleak_kernel::loss::{Objective, Soft};
use serde::{Deserialize, Serialize};

use crate::architecture::thousandths;

/// Defences in training, and behind the model; 0 is without.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Defences {
    /// Label smoothing: targets (1 - e) onehot + e / C (Szegedy et al. 2016, arXiv 1512.00567). It leaks more, not less.
    pub label_smoothing: f64,
    /// mixup: inputs and targets of pairs of a batch, mixed by a weight from Beta(a, a) (Zhang et al. 2018, arXiv 1710.09412).
    pub mixup: f64,
    /// Confidence penalty: cross entropy less beta H(p) (Pereyra et al. 2017, arXiv 1701.06548).
    pub confidence_penalty: f64,
    /// RelaxLoss: the level of the loss, alpha (Chen et al. 2022, arXiv 2207.05801, algorithm 1).
    pub relaxloss: f64,
    /// Its highest target of a label in odd epochs; 1 where absent.
    pub relaxloss_upper: f64,
    /// HAMP: entropy of its soft labels as a share of log C, gamma (Chen & Pattabiraman 2024, arXiv 2307.01610).
    pub hamp: f64,
    /// Its weight of the entropy of predictions, alpha.
    pub hamp_entropy: f64,
    /// Probability of dropping an input of every linear layer that does not read the data (Srivastava et al. 2014).
    pub dropout: f64,
    /// HAMP's change of outputs: see [`Defences::publish`]. 1 is with.
    pub hamp_outputs: f64,
    /// Logits are divided by it (Guo et al. 2017, arXiv 1706.04599).
    pub temperature: f64,
    /// How many probabilities are published (Shokri et al. 2017, arXiv 1610.05820, section VIII).
    pub top_k: f64,
    /// The predicted label alone is published (Choquette-Choo et al. 2021, arXiv 2007.14321). 1 is with.
    pub labels_only: f64,
}

/// A defence: key, range, what it is, source.
pub type Description = (&'static str, (f64, f64), &'static str, &'static str);

impl Defences {
    /// Keys in study files, with their ranges and sources.
    pub const ALL: [Description; 12] = [
        (
            "label_smoothing",
            (0.0, 0.99),
            "targets (1 - e) onehot + e / C; leaks more, not less",
            "Szegedy et al. 2016, arXiv 1512.00567",
        ),
        (
            "mixup",
            (0.0, 100.0),
            "pairs of examples mixed by a weight from Beta(a, a)",
            "Zhang et al. 2018, arXiv 1710.09412",
        ),
        (
            "confidence_penalty",
            (0.0, 100.0),
            "cross entropy less beta times the entropy",
            "Pereyra et al. 2017, arXiv 1701.06548",
        ),
        ("relaxloss", (0.0, 100.0), "keeps the mean loss at alpha", "Chen et al. 2022, arXiv 2207.05801"),
        ("relaxloss_upper", (0.0, 1.0), "its highest target of a label, 1 by default", "the same"),
        (
            "hamp",
            (0.0, 0.999),
            "soft labels with an entropy of gamma log C",
            "Chen & Pattabiraman 2024, arXiv 2307.01610",
        ),
        ("hamp_entropy", (0.0, 100.0), "its weight of the entropy of predictions", "the same"),
        (
            "dropout",
            (0.0, 0.99),
            "share of the inputs of linear layers that are dropped, the data's apart",
            "Srivastava et al. 2014, JMLR 15",
        ),
        (
            "hamp_outputs",
            (0.0, 1.0),
            "published scores are those of a random input, in the order of the model's own",
            "Chen & Pattabiraman 2024, arXiv 2307.01610",
        ),
        ("temperature", (0.0, 1e6), "published logits are divided by it", "Guo et al. 2017, arXiv 1706.04599"),
        (
            "top_k",
            (0.0, 1e6),
            "so many probabilities are published, of the rest only their sum",
            "Shokri et al. 2017, arXiv 1610.05820",
        ),
        (
            "labels_only",
            (0.0, 1.0),
            "the predicted label alone is published",
            "Choquette-Choo et al. 2021, arXiv 2007.14321",
        ),
    ];

    /// Those that are there or not, without a strength.
    pub const SWITCHES: [&'static str; 2] = ["hamp_outputs", "labels_only"];

    /// The value of a key.
    pub fn get(&self, key: &str) -> f64 {
        match key {
            "label_smoothing" => self.label_smoothing,
            "mixup" => self.mixup,
            "confidence_penalty" => self.confidence_penalty,
            "relaxloss" => self.relaxloss,
            "relaxloss_upper" => self.relaxloss_upper,
            "hamp" => self.hamp,
            "hamp_entropy" => self.hamp_entropy,
            "dropout" => self.dropout,
            "hamp_outputs" => self.hamp_outputs,
            "temperature" => self.temperature,
            "top_k" => self.top_k,
            "labels_only" => self.labels_only,
            _ => 0.0,
        }
    }

    /// Sets the value of a key; whether there is one.
    pub fn set(&mut self, key: &str, value: f64) -> bool {
        let to = match key {
            "label_smoothing" => &mut self.label_smoothing,
            "mixup" => &mut self.mixup,
            "confidence_penalty" => &mut self.confidence_penalty,
            "relaxloss" => &mut self.relaxloss,
            "relaxloss_upper" => &mut self.relaxloss_upper,
            "hamp" => &mut self.hamp,
            "hamp_entropy" => &mut self.hamp_entropy,
            "dropout" => &mut self.dropout,
            "hamp_outputs" => &mut self.hamp_outputs,
            "temperature" => &mut self.temperature,
            "top_k" => &mut self.top_k,
            "labels_only" => &mut self.labels_only,
            _ => return false,
        };
        *to = value;
        true
    }

    /// Values in range, and none beside one that excludes it; as a fragment.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (key, (low, high), about, _) in Self::ALL {
            let value = self.get(key);
            if !(low..=high).contains(&value) {
                return Err(format!("{key} = {value} is out of range: {about}, {low} to {high}"));
            }
        }
        // Each of them says what the targets are.
        let targets = ["label_smoothing", "relaxloss", "hamp"].map(|key| (key, self.get(key) > 0.0));
        let mut on = targets.iter().filter(|(_, on)| *on).map(|(key, _)| *key);
        if let (Some(a), Some(b)) = (on.next(), on.next()) {
            return Err(format!("{a} and {b} exclude each other: both set the targets"));
        }
        for (key, other) in [
            ("relaxloss", "mixup"),
            ("relaxloss", "confidence_penalty"),
            ("hamp", "confidence_penalty"),
            ("hamp", "mixup"),
        ] {
            if self.get(key) > 0.0 && self.get(other) > 0.0 {
                return Err(format!("{key} and {other} exclude each other"));
            }
        }
        for key in Self::SWITCHES.into_iter().chain(["top_k"]) {
            if self.get(key).fract() != 0.0 {
                return Err(format!("{key} = {} is no whole number", self.get(key)));
            }
        }
        if self.dropout > 0.0 && thousandths(self.dropout).is_none() {
            return Err(format!("dropout = {} is no whole number of thousandths", self.dropout));
        }
        for key in ["temperature", "top_k", "hamp_outputs"] {
            if self.labels_only > 0.0 && self.get(key) > 0.0 {
                return Err(format!("{key} changes scores that labels_only does not publish: leave one of them out"));
            }
        }
        for (key, of) in [("relaxloss_upper", "relaxloss"), ("hamp_entropy", "hamp")] {
            if self.get(key) > 0.0 && self.get(of) == 0.0 {
                return Err(format!("{key} means nothing without {of}"));
            }
        }
        Ok(())
    }

    /// The same without what is done behind the model: recipes that differ in nothing else are trained once.
    #[must_use]
    pub fn in_training(&self) -> Self {
        Self { hamp_outputs: 0.0, temperature: 0.0, top_k: 0.0, labels_only: 0.0, ..self.clone() }
    }

    /// Turns a model's logits `[n, C]` into those of what is published, of which attackers know no more: first HAMP's scores of as many
    /// random inputs, `random [n, C]`, sorted as the model's own; then logits over the temperature; then the k largest probabilities with
    /// the others' sum spread evenly over them (own: the least that it says); or 1 for the predicted label and 0 elsewhere. None of it
    /// changes a prediction.
    pub fn publish(&self, logits: &mut [f32], classes: usize, random: &[f32]) {
        let k = self.top_k as usize;
        let mut order: Vec<usize> = Vec::with_capacity(classes);
        let mut sorted: Vec<f32> = Vec::with_capacity(classes);
        for (i, row) in logits.chunks_exact_mut(classes).enumerate() {
            if self.hamp_outputs > 0.0 || k > 0 {
                order.clear();
                order.extend(0..classes);
                // The earlier class first where two are equal, as predictions have it.
                order.sort_by(|a, b| row[*b].total_cmp(&row[*a]).then(a.cmp(b)));
            }
            if self.hamp_outputs > 0.0 {
                sorted.clear();
                sorted.extend_from_slice(&random[i * classes..][..classes]);
                sorted.sort_by(|a, b| b.total_cmp(a));
                order.iter().zip(&sorted).for_each(|(&j, v)| row[j] = *v);
            }
            if self.temperature > 0.0 {
                row.iter_mut().for_each(|z| *z = (f64::from(*z) / self.temperature) as f32);
            }
            if k > 0 && k < classes {
                let top = f64::from(row[order[k]]);
                let rest: f64 = order[k..].iter().map(|&j| libm::exp(f64::from(row[j]) - top)).sum();
                let each = (top + libm::log(rest / (classes - k) as f64)) as f32;
                order[k..].iter().for_each(|&j| row[j] = each);
            }
            if self.labels_only > 0.0 {
                let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let predicted = row.iter().position(|z| *z >= top);
                row.iter_mut().enumerate().for_each(|(j, z)| *z = f32::from(u8::from(Some(j) == predicted)));
            }
        }
    }

    /// What the loss compares predictions with in an epoch, counted from 0. `mixed` holds second labels and the weight of the first.
    pub(crate) fn objective(&self, classes: usize, epoch: usize, mixed: Option<(Vec<u32>, f32)>) -> Objective {
        if self.relaxloss > 0.0 {
            let upper = if self.relaxloss_upper > 0.0 { self.relaxloss_upper as f32 } else { 1.0 };
            return Objective::Relaxed { level: self.relaxloss, upper, flatten: epoch.is_multiple_of(2) };
        }
        let others = (classes - 1) as f64;
        let (own, rest) = if self.hamp > 0.0 {
            let own = soft_label(self.hamp, classes);
            (own, (1.0 - own) / others)
        } else {
            let each = self.label_smoothing / classes as f64;
            (1.0 - self.label_smoothing + each, each)
        };
        let entropy = if self.hamp > 0.0 { self.hamp_entropy } else { self.confidence_penalty };
        if own == 1.0 && entropy == 0.0 && mixed.is_none() {
            return Objective::CrossEntropy;
        }
        let (weight, second) = match mixed {
            // The label's excess over the rest is what is shared between both.
            Some((labels, lambda)) => {
                let excess = (own - rest) as f32;
                (rest as f32 + lambda * excess, Some((labels, (1.0 - lambda) * excess)))
            }
            None => (own as f32, None),
        };
        Objective::Soft(Soft { own: weight, rest: rest as f32, entropy: entropy as f32, second })
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
        // The exact value for five classes and gamma .6 (fixture losses.json).
        assert!((soft_label(0.6, 5) - 0.7266).abs() < 1e-4);
        for classes in [2, 10, 100] {
            let p = soft_label(0.5, classes);
            let rest = (1.0 - p) / (classes - 1) as f64;
            let h = -p * p.ln() - (classes - 1) as f64 * rest * rest.ln();
            assert!((h - 0.5 * (classes as f64).ln()).abs() < 1e-9);
        }
    }

    #[test]
    fn what_is_published_says_as_much_as_it_should() {
        let set = |pairs: &[(&str, f64)]| {
            let mut d = Defences::default();
            pairs.iter().for_each(|(key, v)| assert!(d.set(key, *v)));
            d
        };
        let softmax = |z: &[f32]| {
            let all: f64 = z.iter().map(|z| f64::from(*z).exp()).sum();
            z.iter().map(|z| f64::from(*z).exp() / all).collect::<Vec<f64>>()
        };
        let z = [0.5f32, 3.0, -1.0, 2.5, 60.0, 60.0, -60.0, 0.0];
        let publish = |d: Defences, random: &[f32]| {
            let mut out = z;
            d.publish(&mut out, 4, random);
            out
        };
        assert_eq!(publish(set(&[("temperature", 1.0)]), &[]), z);
        assert_eq!(publish(set(&[("top_k", 4.0)]), &[]), z);
        let warm = publish(set(&[("temperature", 2.0)]), &[]);
        assert!(warm.iter().zip(&z).all(|(a, b)| *a == b / 2.0));
        let top = publish(set(&[("top_k", 2.0)]), &[]);
        for (found, own) in top.chunks(4).map(softmax).zip(z.chunks(4).map(softmax)) {
            let mut order: Vec<usize> = (0..4).collect();
            order.sort_by(|a, b| own[*b].total_cmp(&own[*a]));
            let rest = (own[order[2]] + own[order[3]]) / 2.0;
            for (rank, &j) in order.iter().enumerate() {
                let wanted = if rank < 2 { own[j] } else { rest };
                assert!((found[j] / wanted - 1.0).abs() < 1e-5, "{}, not {wanted}", found[j]);
            }
        }
        assert_eq!(publish(set(&[("labels_only", 1.0)]), &[]), [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        let random = [1.0, 2.0, 3.0, 4.0, 0.1, 0.4, 0.3, 0.2];
        let swapped = publish(set(&[("hamp_outputs", 1.0)]), &random);
        assert_eq!(swapped, [2.0, 4.0, 1.0, 3.0, 0.4, 0.3, 0.1, 0.2]);
    }

    /// Gradients with respect to logits beside PyTorch's (`tests/make_losses.py`).
    #[test]
    fn losses_and_gradients_are_pytorchs() {
        let f: serde_json::Value = serde_json::from_str(include_str!("../tests/losses.json")).unwrap();
        let numbers =
            |v: &serde_json::Value| v.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<_>>();
        let labels: Vec<u32> = numbers(&f["labels"]).into_iter().map(|v| v as u32).collect();
        let logits: Vec<f32> = f["logits"].as_array().unwrap().iter().flat_map(numbers).map(|v| v as f32).collect();
        let set = |pairs: &[(&str, f64)]| {
            let mut d = Defences::default();
            pairs.iter().for_each(|(key, v)| assert!(d.set(key, *v)));
            d
        };
        let smooth = set(&[("label_smoothing", 0.1)]);
        for (case, defences, epoch) in [
            ("cross-entropy", Defences::default(), 0),
            ("label-smoothing", smooth, 0),
            ("mixup", set(&[("mixup", 1.0)]), 0),
            ("confidence-penalty", set(&[("confidence_penalty", 0.3)]), 0),
            ("relaxloss-descent", set(&[("relaxloss", 0.5)]), 1),
            ("relaxloss-ascent", set(&[("relaxloss", 8.0)]), 1),
            ("relaxloss-flatten", set(&[("relaxloss", 8.0)]), 0),
            ("relaxloss-flatten-upper", set(&[("relaxloss", 8.0), ("relaxloss_upper", 0.3)]), 0),
            ("hamp", set(&[("hamp", 0.6), ("hamp_entropy", 0.05)]), 0),
        ] {
            let wanted = &f["cases"][case];
            let mixed = (case == "mixup").then(|| {
                let order = numbers(&wanted["parameters"]["permutation"]);
                (order.into_iter().map(|k| labels[k as usize]).collect(), 0.3)
            });
            let objective = defences.objective(5, epoch, mixed);
            let (mut found, mut losses) = (logits.clone(), vec![0.0; 7]);
            let loss = flatleak_kernel::loss::gradient(&mut found, &labels, 5, &objective, &mut losses);
            // HAMP's divergence is the cross entropy less the entropy of its targets.
            let constant = if case == "hamp" { 0.6 * 5f64.ln() } else { 0.0 };
            let value = wanted["value"].as_f64().unwrap();
            assert!((loss - constant - value).abs() < 1e-5, "{case}: {loss}, not {value}");
            let gradient = wanted["gradient"].as_array().unwrap().iter().flat_map(numbers);
            for (at, (a, b)) in found.iter().zip(gradient).enumerate() {
                assert!((f64::from(*a) - b).abs() < 1e-6, "{case} at {at}: {a}, not {b}");
            }
            assert!(
                (losses.iter().sum::<f64>() / 7.0 - f["cases"]["cross-entropy"]["value"].as_f64().unwrap()).abs()
                    < 1e-5
            );
        }
        for row in f["hamp_targets"].as_array().unwrap() {
            let (classes, gamma) = (row["classes"].as_u64().unwrap() as usize, row["gamma"].as_f64().unwrap());
            assert!((soft_label(gamma, classes) - row["exact"].as_f64().unwrap()).abs() < 1e-9);
        }
    }

    #[test]
    fn what_excludes_each_other_is_refused() {
        let with = |pairs: &[(&str, f64)]| {
            let mut d = Defences::default();
            assert!(pairs.iter().all(|(key, v)| d.set(key, *v)));
            d.check()
        };
        assert!(with(&[("mixup", 0.2), ("label_smoothing", 0.1), ("confidence_penalty", 0.1)]).is_ok());
        for (pairs, what) in [
            ([("relaxloss", 1.0), ("hamp", 0.5)], "exclude"),
            ([("relaxloss", 1.0), ("mixup", 0.5)], "exclude"),
            ([("hamp_entropy", 1.0), ("mixup", 0.5)], "without hamp"),
            ([("label_smoothing", 1.5), ("mixup", 0.5)], "out of range"),
        ] {
            assert!(with(&pairs).unwrap_err().contains(what));
        }
    }
}
