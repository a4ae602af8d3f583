//! What a run says about the study's claims (Kim et al. 2026, arXiv 2310.00488), each with its figures
//! (book/methods/study.md#how-the-claims-are-judged).

use flatleak_results::{
    AttributionResult, Claim, ClaimOutcome, ClaimResult, Comparison, Difference, Explanation, MemorizationDifference,
    MetricDifference, MomentsResult, Over, Property, Side, SortedBy, Spreads, Statistic, Verdict,
};
use flatleak_stats::Student;

use super::{Attacked, Context};
use crate::condition::{self, FITTED};
use crate::headline::phrases::at_points;
use ClaimOutcome::{CannotTell, Contradicts, Supports};

const STATEMENTS: [(Claim, &str); 4] = [
    (Claim::A, "the candidate is more exposed to membership inference although it tests better"),
    (Claim::B, "the candidate captures atypical sub-patterns better and memorizes more"),
    (Claim::C, "this goes with a lower variance of the confidence on unseen examples"),
    (Claim::D, "in an interpolating model that lower variance is what raises the attacker's advantage"),
];

/// What one comparison says, with its figures.
type Said = (ClaimOutcome, String);

/// What decides: intervals at the level at which all four claims about all recipes are wrong in 5 % of runs at most.
#[derive(Clone, Copy)]
struct Scale {
    level: f64,
}

impl Scale {
    /// Which way a difference points: its interval lies on one side of 0.
    fn sign(self, d: &Difference) -> i8 {
        self.shared(d, 1)
    }

    /// The same where so many parts of one claim could each be wrong.
    fn shared(self, d: &Difference, parts: usize) -> i8 {
        let Some(degrees) = d.degrees else { return 0 };
        let found = Student { mean: d.estimate.mean, standard_error: d.standard_error, degrees };
        let level = 1.0 - (1.0 - self.level) / parts as f64;
        found.real(level).map_or(0, |i| i8::from(i.low > 0.0) - i8::from(i.high < 0.0))
    }

    /// Which way leakage points: by the headline, and at this level too at one of its points.
    fn leakage(self, compared: &Comparison) -> i8 {
        let sure = |up: bool| {
            compared.points.iter().any(|p| {
                let says = if up { p.word.says_more() } else { p.word.says_less() };
                let metric = compared.metrics.iter().find(|m| m.metric == p.metric);
                says && metric
                    .is_some_and(|m| self.shared(&of_metric(m), compared.points.len()) == if up { 1 } else { -1 })
            })
        };
        match compared.headline.verdict {
            v if v.says_more() && sure(true) => 1,
            v if v.says_less() && sure(false) => -1,
            _ => 0,
        }
    }
}

fn figure(d: &Difference) -> String {
    format!("{:+.4} [{:+.4}, {:+.4}]", d.estimate.mean, d.estimate.low, d.estimate.high)
}

fn of_metric(m: &MetricDifference) -> Difference {
    Difference { estimate: m.difference, standard_error: m.standard_error, degrees: m.degrees }
}

/// The claims about every candidate, over all its baselines: supported or contradicted only where every baseline says so.
pub(super) fn all(
    context: &Context<'_>,
    found: &Explanation,
    attacked: &[Attacked<'_>],
    comparisons: &[Comparison],
) -> Vec<ClaimResult> {
    let mut candidates: Vec<&str> = Vec::new();
    for d in &found.memorization_differences {
        if !candidates.contains(&d.candidate.as_str()) && context.claimed.contains(&d.candidate) {
            candidates.push(&d.candidate);
        }
    }
    let scale = Scale { level: context.claim_level };
    let mut out = Vec::new();
    for candidate in candidates {
        let baselines: Vec<&MemorizationDifference> =
            found.memorization_differences.iter().filter(|d| d.candidate == candidate).collect();
        for (claim, statement) in STATEMENTS {
            let said: Vec<(&str, Said)> = baselines
                .iter()
                .map(|d| {
                    let compared = comparisons.iter().find(|c| c.candidate == candidate && c.baseline == d.baseline);
                    let said = match claim {
                        Claim::A => if_fitted(exposure(scale, compared), attacked, d),
                        Claim::B => if_fitted(atypical(scale, found, d), attacked, d),
                        Claim::C => variance(scale, found, attacked, compared, d),
                        Claim::D => theory(scale, found, attacked, d),
                    };
                    (d.baseline.as_str(), said)
                })
                .collect();
            let first = said.first().map_or(CannotTell, |s| s.1.0);
            let outcome = if said.iter().all(|s| s.1.0 == first) { first } else { CannotTell };
            let opening = match outcome {
                Supports => "This run supports the claim",
                Contradicts => "This run contradicts the claim",
                CannotTell if said.iter().any(|s| s.1.0 != CannotTell) => {
                    "This run cannot tell, for the baselines do not agree"
                }
                CannotTell => "This run cannot tell",
            };
            let parts: Vec<String> = said.iter().map(|(name, (_, text))| format!("against {name}, {text}")).collect();
            out.push(ClaimResult {
                claim,
                dataset: context.dataset.into(),
                candidate: candidate.into(),
                statement: statement.into(),
                outcome,
                sentence: format!("{opening}: {}.", parts.join("; ")),
            });
        }
    }
    out
}

/// (a): leakage by the headline's verdict, and accuracy on held-out examples.
fn exposure(scale: Scale, compared: Option<&Comparison>) -> Said {
    let Some(compared) = compared else { return (CannotTell, "no attack was run".into()) };
    let accuracy = compared.metrics.iter().find(|m| m.metric == Property::TestAccuracy.into()).map(of_metric);
    let tested =
        accuracy.as_ref().map_or(String::new(), |d| format!(", and its test accuracy differs by {}", figure(d)));
    let outcome = match (scale.leakage(compared), accuracy.as_ref().map_or(0, |d| scale.shared(d, 2))) {
        (1, 1) => Supports,
        (-1, _) | (1, -1) => Contradicts,
        _ => CannotTell,
    };
    (outcome, format!("{}{tested}", leakage(compared)))
}

/// What the headline says, as a clause about the candidate.
fn leakage(compared: &Comparison) -> String {
    if compared.points.is_empty() {
        return "no verdict of this version was made on leakage".into();
    }
    let at = || at_points(&compared.points);
    match (compared.headline.verdict, condition::withholding(&compared.conditions)) {
        (Verdict::TooFewModels, _) => "there are too few models for a verdict on leakage".into(),
        (Verdict::Withheld, Some(why)) => format!("the verdict on leakage is withheld ({})", why.reason()),
        (v, _) if v.says_more() => format!("it leaks more ({})", at()),
        (v, _) if v.says_less() => format!("it leaks less ({})", at()),
        (Verdict::Equivalent | Verdict::Identical | Verdict::MoreNegligible | Verdict::LessNegligible, _) => {
            format!("it leaks no relevant amount more or less ({})", at())
        }
        _ => format!("leakage is open ({})", at()),
    }
}

/// The claims are about models that fit their members: what others say of them is no evidence either way.
fn if_fitted((outcome, text): Said, attacked: &[Attacked<'_>], d: &MemorizationDifference) -> Said {
    match unfitted(attacked, d) {
        Some(why) if outcome != CannotTell => (CannotTell, format!("{text}; but {why}")),
        _ => (outcome, text),
    }
}

/// Whichever of two recipes does not fit its members.
fn unfitted(attacked: &[Attacked<'_>], d: &MemorizationDifference) -> Option<String> {
    let results = attacked.iter().filter_map(|a| a.result);
    let mut both = results.filter(|r| r.name == d.baseline || r.name == d.candidate);
    let r = both.find(|r| r.member_accuracy.mean < FITTED)?;
    Some(format!(
        "{} fits only {:.1} % of its members and does not interpolate",
        r.name,
        100.0 * r.member_accuracy.mean
    ))
}

/// (b): two halves, both of which must hold: more is memorized (mean square of memorization, less its error, so that noise of few
/// models does not count), and the gain in
/// accuracy is larger on atypical examples than on typical ones of equal difficulty. Atypical are rare groups where the data knows
/// groups, else examples of low influence entropy where that is measurable.
fn atypical(scale: Scale, found: &Explanation, d: &MemorizationDifference) -> Said {
    let memorized = d.hard.iter().find(|n| n.name == Statistic::MeanSquare).map(|n| n.difference);
    let sorted = |by: SortedBy| {
        found
            .entropy_buckets
            .iter()
            .find(|b| b.by == by && b.baseline == d.baseline && b.candidate == d.candidate && b.measurable)
    };
    let rare = sorted(SortedBy::GroupFrequency)
        .map(|b| (b, "on rare groups, compared with frequent ones of equal difficulty,"));
    let typical = rare.or_else(|| sorted(SortedBy::InfluenceEntropy).map(|b| (b, "where few training examples support the answer, compared with equally difficult examples that many support,")));
    let gain = typical.and_then(|(b, words)| b.contrast.map(|c| (c, words)));
    let first = memorized.as_ref().map_or("memorization is unknown".into(), |m| {
        format!("the mean square of memorization differs by {}", figure(m))
    });
    let second = match &gain {
        Some((c, words)) => format!("{words} its accuracy gains more by {}", figure(c)),
        None => "what it gains on atypical examples cannot be measured with these models".into(),
    };
    let sign = |d: &Difference| scale.shared(d, 2);
    let signs = (memorized.as_ref().map_or(0, sign), gain.as_ref().map_or(0, |(c, _)| sign(c)));
    let outcome = match signs {
        (1, 1) => Supports,
        (-1, 0 | -1) | (0, -1) => Contradicts,
        _ => CannotTell,
    };
    let halves = match signs {
        (1, -1) | (-1, 1) => ", so the two halves of the claim point apart",
        (1, 0) | (0, 1) => ", so half of the claim holds and the other half is open",
        _ => "",
    };
    (outcome, format!("{first}, and {second}{halves}"))
}

/// (c): the variance of the confidence over non-members, within a model as the study takes it; across models it stands beside. The claim is that it
/// goes with more leakage, of models that fit their members: without either it says nothing.
fn variance(
    scale: Scale,
    found: &Explanation,
    attacked: &[Attacked<'_>],
    compared: Option<&Comparison>,
    d: &MemorizationDifference,
) -> Said {
    let of = |over: Over| {
        found.variance_differences.iter().find(|v| {
            v.baseline == d.baseline
                && v.candidate == d.candidate
                && v.signal == Spreads::Confidence
                && v.side == Side::NonMember
                && v.over == over
        })
    };
    let Some(within) = of(Over::Examples) else { return (CannotTell, "the pool has no confidences".into()) };
    let across = of(Over::Models)
        .map_or(String::new(), |v| format!("; across models, per example, it differs by {}", figure(&v.difference)));
    let text = format!("the variance within a model differs by {}{across}", figure(&within.difference));
    let leaks = compared.map_or(0, |c| scale.leakage(c));
    match (leaks, unfitted(attacked, d), scale.sign(&within.difference)) {
        (1, None, -1) => (Supports, format!("{text}, where it also leaks more")),
        (1, None, 1) => (Contradicts, format!("{text}, where it leaks more")),
        (1, None, _) => (CannotTell, text),
        (1, Some(why), _) => (CannotTell, format!("{text}; but {why}")),
        (-1, ..) => (CannotTell, format!("{text}, where it leaks less, not more")),
        _ => (CannotTell, format!("{text}, where more leakage is not shown")),
    }
}

/// (d): among models that fit their members, the part of the difference in advantage that the spread of non-members makes, measured in
/// units of the distance between the means, which the interpolating model holds fixed. It is read off two normal distributions: where what was
/// observed does not point the way that these do, a change of scale of all outputs can make it up, and nothing is said.
fn theory(scale: Scale, found: &Explanation, attacked: &[Attacked<'_>], d: &MemorizationDifference) -> Said {
    let wanted = |a: &&AttributionResult| a.baseline == d.baseline && a.candidate == d.candidate;
    let attribution = found.attribution.iter().find(wanted).and_then(|a| Some((a, a.relative_non_member_spread?)));
    let Some((a, part)) = attribution else {
        return (CannotTell, "the difference in advantage could not be attributed".into());
    };
    // Distances of the means in deviations of non-members: the deviation in these units is the inverse.
    let deviation = |m: &MomentsResult| m.gap_in_deviations.map(|gap| 1.0 / gap);
    let Some((before, after)) = deviation(&a.baseline_moments).zip(deviation(&a.candidate_moments)) else {
        return (CannotTell, "phi does not spread over non-members".into());
    };
    let text = format!(
        "the spread of phi on non-members is {after:.3} of the distance between members and non-members (baseline {before:.3}), and this spread alone would change the advantage of one threshold by {}",
        figure(&part)
    );
    if let Some(why) = unfitted(attacked, d) {
        return (CannotTell, format!("{text}; but {why}"));
    }
    let (observed, normal) = (a.observed.as_ref().map_or(0, |o| scale.sign(o)), scale.sign(&a.gaussian));
    if observed == 0 || observed != normal {
        let seen = a.observed.as_ref().map_or("not known".into(), figure);
        return (
            CannotTell,
            format!(
                "{text}; but the advantage of one threshold changes by {seen} as observed and by {} if phi were normal, so that its parts cannot be trusted",
                figure(&a.gaussian)
            ),
        );
    }
    // Where the spread widened and the attacker gained by it, the claim's cause is missing as well.
    let outcome = match (scale.sign(&part), after < before) {
        (1, true) => Supports,
        (-1, _) | (1, false) => Contradicts,
        _ => CannotTell,
    };
    (outcome, text)
}
