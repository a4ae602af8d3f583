//! What the classes of outputs say as a whole, counted on the way in.

use super::signals::{At, Logits};

/// Most classes of which it is counted which is taken for which.
const MOST_CLASSES: usize = 512;
/// Examples of a model that are looked at, at most twice as many.
const LOOKED_AT: usize = 4096;

/// What was counted of one model, over the members that were looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct OfModel {
    /// Members.
    pub(super) seen: usize,
    /// Those that are right.
    pub(super) right: usize,
    /// Sum of their largest probabilities.
    pub(super) confidence: f64,
    /// The share of all predictions that would have to change for each class to be predicted as often as it is there, from 0 to 1.
    pub(super) skew: f64,
    /// Accuracy of the same predictions on the same labels if they had nothing to do with each other.
    pub(super) by_chance: f64,
}

impl OfModel {
    /// Share of members that are right.
    pub(super) fn accuracy(&self) -> f64 {
        self.right as f64 / self.seen.max(1) as f64
    }
}

/// Counts over members, of the plain view.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Classes of the outputs; 0 before the first.
    pub(super) classes: usize,
    /// How often a class was predicted (second) of examples with a label (first), over every second example and over the others, (C, C).
    pub(super) predicted: [Vec<u32>; 2],
    /// Those on which the label has the least logit.
    pub(super) least: usize,
    /// By example that is looked at, whether every logit is 0 in all models so far.
    empty: Vec<bool>,
    /// By example that is looked at, the class that the first model predicts.
    first: Vec<u32>,
    /// Predictions of later models, and those of them that agree with the first model's.
    pub(super) agreement: [usize; 2],
    /// Examples of the model that is read, so far.
    place: usize,
    /// The model that is read, and what was counted of it.
    model: Option<usize>,
    now: OfModel,
    /// By class, how often the model that is read predicts it and how many examples have it.
    shares: Vec<[u32; 2]>,
    /// What was counted of the models that were read.
    read: Vec<OfModel>,
}

impl Tally {
    /// How many of the last examples are 0 in every model and class, where no others are.
    pub(super) fn unfilled(&self) -> usize {
        let last = self.empty.iter().rev().take_while(|e| **e).count();
        if self.empty.iter().filter(|e| **e).count() == last && last < self.empty.len() { last } else { 0 }
    }

    /// What was counted of the model that is read.
    fn model(&self) -> Option<OfModel> {
        let n = self.place as f64;
        let differing: u32 = self.shares.iter().map(|[predicted, there]| predicted.abs_diff(*there)).sum();
        let both: f64 = self.shares.iter().map(|[predicted, there]| f64::from(*predicted) * f64::from(*there)).sum();
        let skew = 0.5 * f64::from(differing) / n;
        (self.place > 0).then(|| OfModel { skew, by_chance: both / (n * n), ..self.now.clone() })
    }

    /// What was counted, by model.
    pub(super) fn models(&self) -> Vec<OfModel> {
        self.read.iter().cloned().chain(self.model()).collect()
    }

    /// Examples that were looked at.
    pub(super) fn examples(&self) -> usize {
        self.first.len().max(1)
    }

    /// Adds some examples of one model.
    pub(super) fn add(&mut self, logits: &Logits, labels: &[u32], members: &[bool], at: At) {
        self.classes = logits.classes;
        if self.predicted[0].is_empty() && self.classes <= MOST_CLASSES {
            self.predicted = [(); 2].map(|()| vec![0; self.classes * self.classes]);
        }
        if self.model != Some(at.model) {
            self.read.extend(self.model());
            (self.model, self.place, self.now) = (Some(at.model), 0, OfModel::default());
            self.shares = vec![[0; 2]; self.classes];
        }
        for (k, row) in logits.flat.chunks_exact(logits.classes).enumerate() {
            if !is_looked_at(at.first + k) {
                continue;
            }
            let (top, largest) = top(row);
            let empty = row.iter().all(|v| *v == 0.0);
            if let Some(all) = self.empty.get_mut(self.place).filter(|_| at.model > 0) {
                *all &= empty;
            }
            if at.model == 0 {
                self.first.push(top);
                self.empty.push(empty);
            } else if let Some(first) = self.first.get(self.place) {
                self.agreement[0] += 1;
                self.agreement[1] += usize::from(*first == top);
            }
            self.place += 1;
            self.shares[top as usize][0] += 1;
            self.shares[labels[k] as usize][1] += 1;
            if members[k] {
                self.now.seen += 1;
                self.now.right += usize::from(top == labels[k]);
                let own = row[labels[k] as usize];
                let below = row.iter().enumerate().all(|(c, v)| c == labels[k] as usize || *v > own);
                self.least += usize::from(below);
                self.now.confidence += largest;
                if let Some(count) =
                    self.predicted[self.place % 2].get_mut(labels[k] as usize * self.classes + top as usize)
                {
                    *count += 1;
                }
            }
        }
    }
}

/// Every example of small pools; of large ones fewer the further back they stand, so that no order of classes hides one of them for long.
fn is_looked_at(example: usize) -> bool {
    let step = (example / LOOKED_AT).next_power_of_two();
    example.is_multiple_of(step.max(1))
}

/// The class of the largest logit, and its probability.
fn top(row: &[f32]) -> (u32, f64) {
    let mut at = 0;
    for (k, v) in row.iter().enumerate() {
        if *v > row[at] {
            at = k;
        }
    }
    let sum: f64 = row.iter().map(|v| libm::exp(f64::from(v - row[at]))).sum();
    (at as u32, 1.0 / sum)
}
