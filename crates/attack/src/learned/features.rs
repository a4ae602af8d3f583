//! Features of one target's example.

use flatleak_kernel::elementary::{in_vectors, log};

use super::evidence::{
    Desk, ENTROPY, Evidence, FITTED, PHI, Sides, TEMPERATURES, TWO, correct, log_confidence, summary,
};
use crate::shrinkage::{Draft, Fit, Hyper, Learner};

/// What the learner may look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The target's outputs and those of its shadows.
    Full,
    /// All but the target's outputs: what members and non-members differ by themselves.
    Blind,
}

/// What all examples say under one exclusion.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// By fitted signal.
    hyper: Vec<Hyper>,
    /// By class and by group, how many shadows hold its examples and how many lack them.
    classes: Vec<[f64; 2]>,
    groups: Vec<[f64; 2]>,
}

/// Collects [`Known`].
#[derive(Clone, Debug)]
pub(super) struct Lessons {
    learners: Vec<Learner>,
    classes: Vec<[f64; 2]>,
    groups: Vec<[f64; 2]>,
}

/// What is known of examples beside the outputs.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Labels, (N), where they are known; without them all examples are of one class.
    pub labels: Option<&'a [u32]>,
    /// Groups, (N), where there are any.
    pub groups: Option<&'a [u32]>,
    /// Features, (N, width), where there are any.
    pub features: Option<(&'a [f32], usize)>,
}

/// Share of the mean variance that an example's is raised to: one whose shadows all say the same has none.
const FLOOR: f64 = 1e-4;

/// Features of examples of which so many at most are read.
const MOST_FEATURES: usize = 48;

impl Surroundings<'_> {
    fn class(&self, example: usize) -> u32 {
        self.labels.map_or(0, |labels| labels[example])
    }
}

fn sizes(of: &[u32]) -> usize {
    of.iter().max().map_or(0, |most| *most as usize + 1)
}

impl Lessons {
    pub(super) fn new(around: &Surroundings<'_>) -> Self {
        Self {
            learners: vec![Learner::with_floor(FLOOR); FITTED],
            classes: vec![[0.0; 2]; around.labels.map_or(1, sizes)],
            groups: vec![[0.0; 2]; around.groups.map_or(0, sizes)],
        }
    }

    /// Adds what one example says.
    pub(super) fn add(&mut self, sides: &Sides, example: usize, around: &Surroundings<'_>) {
        for (signal, learner) in self.learners.iter_mut().enumerate() {
            learner.add(&summary(sides, signal));
        }
        let counts = [sides[0].n, sides[1].n];
        let count = |of: &mut Vec<[f64; 2]>, at: u32| {
            of[at as usize].iter_mut().zip(counts).for_each(|(sum, n)| *sum += n);
        };
        count(&mut self.classes, around.class(example));
        if let Some(groups) = around.groups {
            count(&mut self.groups, groups[example]);
        }
    }

    pub(super) fn known(&self) -> Known {
        Known {
            hyper: self.learners.iter().map(Learner::hyper).collect(),
            classes: self.classes.clone(),
            groups: self.groups.clone(),
        }
    }
}

/// log((held + 1/2) / (lacked + 1/2)).
fn log_odds([held, lacked]: [f64; 2]) -> f64 {
    log((held + 0.5) / (lacked + 0.5))
}

/// What the shadows of one example say of every target that has them: all of its features but those of its own outputs.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    sides: Sides,
    signals: [Law; FITTED],
    said: Said,
}

/// What is expected of one fitted signal.
#[derive(Clone, Copy, Debug)]
struct Law {
    fit: Fit,
    /// D / sqrt(S).
    step: f64,
    /// ln(S) / 2.
    log_deviation: f64,
    /// Of all shadows.
    mean: f64,
}

/// Logarithms of one example, filled up to whole vectors.
const LOGS: usize = (3 * FITTED + TEMPERATURES).next_multiple_of(8);

/// What else is read, by sight.
#[derive(Clone, Debug)]
enum Said {
    /// log pbar of RMIA, by temperature.
    Full([f64; TEMPERATURES]),
    /// All features.
    Blind(Vec<f64>),
}

impl Expected {
    /// `None` where the shadows do not suffice.
    pub(super) fn new(
        sides: Sides,
        known: &Known,
        (sight, around): (Sight, &Surroundings<'_>),
        example: usize,
    ) -> Option<Self> {
        let seen: [_; FITTED] = std::array::from_fn(|signal| summary(&sides, signal));
        if !seen[PHI].is_known() {
            return None;
        }
        let drafts: [_; FITTED] = std::array::from_fn(|signal| Draft::new(&seen[signal], &known.hyper[signal]));
        // All logarithms at once: of each signal's laws and S, and of pbar.
        let mut logs = [1.0; LOGS];
        for (draft, logs) in drafts.iter().zip(logs.chunks_exact_mut(3)) {
            logs.copy_from_slice(&[draft.laws[0].1, draft.laws[1].1, draft.variance]);
        }
        for (t, log) in logs[3 * FITTED..][..TEMPERATURES].iter_mut().enumerate() {
            let middle = 0.5 * (sides[0].confidence(t) + sides[1].confidence(t));
            *log = middle.max(f64::MIN_POSITIVE);
        }
        in_vectors(
            #[inline(always)]
            || {
                for value in &mut logs {
                    *value = log(*value);
                }
            },
        );
        let signals = std::array::from_fn(|signal| {
            let (draft, logs) = (&drafts[signal], &logs[3 * signal..]);
            let step = draft.difference / draft.variance.sqrt();
            Law { fit: draft.fit([logs[0], logs[1]]), step, log_deviation: 0.5 * logs[2], mean: seen[signal].mean() }
        });
        let said = match sight {
            Sight::Full => Said::Full(std::array::from_fn(|t| logs[3 * FITTED + t])),
            Sight::Blind => {
                let mut all: Vec<f64> = signals.iter().flat_map(|l: &Law| [l.mean, l.step, l.log_deviation]).collect();
                all.push(log_odds([sides[0].n, sides[1].n]));
                all.push(log_odds(known.classes[around.class(example) as usize]));
                all.extend(around.groups.map(|groups| log_odds(known.groups[groups[example] as usize])));
                all.extend([sides[0].correct(), sides[1].correct()]);
                if let Some((features, width)) = around.features {
                    let own = features[example * width..].iter().take(width.min(MOST_FEATURES));
                    all.extend(own.map(|v| f64::from(*v)));
                }
                Said::Blind(all)
            }
        };
        Some(Self { sides, signals, said })
    }

    /// The features of one target.
    ///
    /// With [`Sight::Full`], per fitted signal (phi; log p_y at temperatures 2 and 4; negative entropy), after [`Fit`]: log-likelihood ratio,
    /// z against OUT, D / sqrt(S), ln(S) / 2, the plain value; then log(p_y / pbar) of RMIA at temperatures 1, 2, 4; whether the target is
    /// right; the share of OUT shadows that are.
    ///
    /// With [`Sight::Blind`], per fitted signal the mean of all shadows, D / sqrt(S) and ln(S) / 2; then log-odds of inclusion of the example,
    /// its class and its group among the shadows; the shares of IN and OUT shadows that are right; the example's features. They are the same
    /// for all targets with these shadows.
    pub(super) fn features(&self, desk: &Desk<'_, '_>, evidence: &Evidence<'_>, model: usize, out: &mut Vec<f64>) {
        out.clear();
        match &self.said {
            Said::Blind(all) => out.extend_from_slice(all),
            Said::Full(log_pbar) => {
                let values = &desk.values[model];
                for (signal, law) in self.signals.iter().enumerate() {
                    let x = evidence.centred(model, values, signal);
                    out.extend([law.fit.log_ratio(x), law.fit.z(x, 1), law.step, law.log_deviation, values[signal]]);
                }
                out.extend((0..TEMPERATURES).map(|t| log_confidence(values, t) - log_pbar[t]));
                out.extend([correct(values), self.sides[1].correct()]);
            }
        }
        out.iter_mut().filter(|v| !v.is_finite()).for_each(|v| *v = 0.0);
    }

    /// Whether targets with these shadows share all features.
    pub(super) fn is_blind(&self) -> bool {
        matches!(self.said, Said::Blind(_))
    }
}

/// Features per fitted signal.
const EACH: usize = 5;

/// How many features there are.
pub(super) fn width(sight: Sight, around: &Surroundings<'_>) -> usize {
    match sight {
        Sight::Full => EACH * FITTED + TEMPERATURES + 2,
        Sight::Blind => {
            let features = around.features.map_or(0, |(_, width)| width.min(MOST_FEATURES));
            3 * FITTED + 4 + usize::from(around.groups.is_some()) + features
        }
    }
}

/// Products of features that are weighted too: D / sqrt(S) times z of every signal; phi^2; log p_y at 2 times phi; entropy^2; entropy times the
/// likelihood ratio of phi. With them the regression is as strong as gradient boosting (the book has the table by which they were chosen).
pub(super) fn products(sight: Sight) -> Vec<(usize, usize)> {
    let [ratio, z, step, plain_value] = [0, 1, 2, 4];
    let at = |signal: usize, feature: usize| EACH * signal + feature;
    if sight == Sight::Blind {
        return Vec::new();
    }
    let steps = (0..FITTED).map(|signal| (at(signal, step), at(signal, z)));
    let plain = [(PHI, PHI), (TWO, PHI), (ENTROPY, ENTROPY)];
    let plain = plain.map(|(a, b)| (at(a, plain_value), at(b, plain_value)));
    steps.chain(plain).chain([(at(ENTROPY, plain_value), at(PHI, ratio))]).collect()
}
