//! Features of one target's example.

use super::evidence::{Desk, ENTROPY, Evidence, FITTED, PHI, Sides, TEMPERATURES, TWO, summary};
use crate::shrinkage::{Fit, Hyper, Learner};

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
    libm::log((held + 0.5) / (lacked + 0.5))
}

/// Appends the features of one target's example, given its shadows; false where these do not suffice.
///
/// With [`Sight::Full`], per fitted signal (phi; log p_y at temperatures 2 and 4; negative entropy), after [`Fit`]: log-likelihood ratio, z
/// against OUT, D / sqrt(S), ln(S) / 2, the plain value; then log(p_y / pbar) of RMIA at temperatures 1, 2, 4; whether the target is right; the
/// share of OUT shadows that are.
///
/// With [`Sight::Blind`], per fitted signal the mean of all shadows, D / sqrt(S) and ln(S) / 2; then log-odds of inclusion of the example, its
/// class and its group among the shadows; the shares of IN and OUT shadows that are right; the example's features.
pub(super) fn of(
    desk: &Desk<'_, '_>,
    evidence: &Evidence<'_>,
    (model, sides): (usize, &Sides),
    known: &Known,
    (sight, around): (Sight, &Surroundings<'_>),
    out: &mut Vec<f64>,
) -> bool {
    out.clear();
    if !summary(sides, PHI).is_known() {
        return false;
    }
    let i = desk.example;
    let values = &desk.values[model];
    for (signal, hyper) in known.hyper.iter().enumerate() {
        let seen = summary(sides, signal);
        let fit = Fit::new(&seen, hyper);
        let (step, log_deviation) = (fit.difference / fit.variance.sqrt(), 0.5 * libm::log(fit.variance));
        match sight {
            Sight::Full => {
                let x = evidence.centred(model, values, signal);
                let z = fit.z(x, 1);
                out.extend([fit.log_ratio(x), z, step, log_deviation, values[signal]]);
            }
            Sight::Blind => out.extend([seen.mean(), step, log_deviation]),
        }
    }
    match sight {
        Sight::Full => {
            for t in 0..TEMPERATURES {
                let middle = 0.5 * (sides[0].confidence(t) + sides[1].confidence(t));
                out.push(evidence.log_confidence(model, i, t) - libm::log(middle.max(f64::MIN_POSITIVE)));
            }
            out.extend([values[values.len() - 1], sides[1].correct()]);
        }
        Sight::Blind => {
            out.push(log_odds([sides[0].n, sides[1].n]));
            out.push(log_odds(known.classes[around.class(i) as usize]));
            out.extend(around.groups.map(|groups| log_odds(known.groups[groups[i] as usize])));
            out.extend([sides[0].correct(), sides[1].correct()]);
            if let Some((features, width)) = around.features {
                out.extend(features[i * width..].iter().take(width.min(MOST_FEATURES)).map(|v| f64::from(*v)));
            }
        }
    }
    out.iter_mut().filter(|v| !v.is_finite()).for_each(|v| *v = 0.0);
    true
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
