//! What a run says about the study's claims (Kim et al. 2026, arXiv 2310.00488), each with its figures.

use super::{Attacked, Context};
use crate::{
    AttributionResult, ClaimOutcome, ClaimResult, Comparison, Difference, Explanation, MemorizationDifference,
    MetricDifference, Verdict,
};
use ClaimOutcome::{CannotTell, Contradicts, Supports};

/// Accuracy on members from which a recipe counts as interpolating.
const FITTED: f64 = 0.99;

const STATEMENTS: [(&str, &str); 4] = [
    ("a", "the candidate is more exposed to membership inference although it tests better"),
    ("b", "the candidate captures atypical sub-patterns better and memorizes more"),
    ("c", "this goes with a lower variance of the confidence on unseen examples"),
    ("d", "in an interpolating model that lower variance is what raises the attacker's advantage"),
];

/// What one comparison says, with its figures.
type Said = (ClaimOutcome, String);

/// Which way a difference points: its 95 % interval lies on one side of 0.
fn sign(d: &Difference) -> i8 {
    i8::from(d.estimate.low > 0.0) - i8::from(d.estimate.high < 0.0)
}

fn figure(d: &Difference) -> String {
    let more = match d.models_needed {
        Some(n) if sign(d) == 0 => format!(" (about {n} models would settle it)"),
        _ => String::new(),
    };
    format!("{:+.4} [{:+.4}, {:+.4}]{more}", d.estimate.mean, d.estimate.low, d.estimate.high)
}

fn of_metric(m: &MetricDifference) -> Difference {
    Difference { estimate: m.difference, standard_error: m.standard_error, models_needed: m.models_needed }
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
                        "a" => exposure(compared),
                        "b" => atypical(found, d),
                        "c" => variance(found, compared, d),
                        _ => theory(found, attacked, d),
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
                    "This run cannot tell: the baselines do not agree"
                }
                CannotTell => "This run cannot tell",
            };
            let parts: Vec<String> = said.iter().map(|(name, (_, text))| format!("against {name}, {text}")).collect();
            out.push(ClaimResult {
                claim: claim.into(),
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
fn exposure(compared: Option<&Comparison>) -> Said {
    let Some(compared) = compared else { return (CannotTell, "no attack was run".into()) };
    let accuracy = compared.metrics.iter().find(|m| m.metric == "test-accuracy").map(of_metric);
    let tested =
        accuracy.as_ref().map_or(String::new(), |d| format!(", and its test accuracy differs by {}", figure(d)));
    let outcome = match (compared.headline.verdict, accuracy.as_ref().map_or(0, sign)) {
        (Verdict::More, 1) => Supports,
        (Verdict::Less, _) | (Verdict::More, -1) => Contradicts,
        _ => CannotTell,
    };
    (outcome, format!("{}{tested}", leakage(compared)))
}

/// What the headline's points say, with the figures of those that say something.
fn leakage(compared: &Comparison) -> String {
    let family: Vec<&MetricDifference> = compared.metrics.iter().filter(|m| m.p_adjusted.is_some()).collect();
    if compared.headline.verdict == Verdict::TooFewModels {
        return "there are too few models for a verdict on leakage".into();
    }
    let under = |verdict: Verdict, word: &str| {
        let found: Vec<String> = family
            .iter()
            .filter(|m| m.verdict == verdict)
            .map(|m| format!("{} ({})", m.metric, figure(&of_metric(m))))
            .collect();
        (!found.is_empty()).then(|| format!("{word} in {}", found.join(" and ")))
    };
    let parts: Vec<String> =
        [under(Verdict::More, "more"), under(Verdict::Less, "less")].into_iter().flatten().collect();
    match parts.is_empty() {
        true => "no difference in leakage is shown".into(),
        false => format!("it leaks {}", parts.join(" and ")),
    }
}

/// (b): two halves, both of which must hold: more is memorized (mean square of memorization, less its error, so that noise of few
/// models does not count), and the gain in
/// accuracy is larger on atypical examples than on typical ones of equal difficulty. Atypical are rare groups where the data knows
/// groups, else examples of low influence entropy where that is measurable.
fn atypical(found: &Explanation, d: &MemorizationDifference) -> Said {
    let memorized = d.hard.iter().find(|n| n.name == "mean-square").map(|n| n.difference);
    let sorted = |by: &str| {
        found
            .entropy_buckets
            .iter()
            .find(|b| b.by == by && b.baseline == d.baseline && b.candidate == d.candidate && b.measurable)
    };
    let rare =
        sorted("group-frequency").map(|b| (b, "on rare groups, compared with frequent ones of equal difficulty,"));
    let typical = rare.or_else(|| sorted("influence-entropy").map(|b| (b, "where few training examples support the answer, compared with equally difficult examples that many support,")));
    let gain = typical.and_then(|(b, words)| b.contrast.map(|c| (c, words)));
    let first = memorized.as_ref().map_or("memorization is unknown".into(), |m| {
        format!("the mean square of memorization differs by {}", figure(m))
    });
    let second = match &gain {
        Some((c, words)) => format!("{words} its accuracy gains more by {}", figure(c)),
        None => "what it gains on atypical examples cannot be measured with these models".into(),
    };
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

/// (c): the variance of the confidence over non-members, within a model as the study takes it; across models it stands beside.
fn variance(found: &Explanation, compared: Option<&Comparison>, d: &MemorizationDifference) -> Said {
    let of = |over: &str| {
        found.variance_differences.iter().find(|v| {
            v.baseline == d.baseline
                && v.candidate == d.candidate
                && v.signal == "confidence"
                && v.side == "non-member"
                && v.over == over
        })
    };
    let Some(within) = of("over-examples") else { return (CannotTell, "the pool has no confidences".into()) };
    let across = of("over-models")
        .map_or(String::new(), |v| format!("; across models, per example, it differs by {}", figure(&v.difference)));
    let leaks = match compared.map(|c| c.headline.verdict) {
        Some(Verdict::More) => " (where it also leaks more)",
        Some(Verdict::Less) => " (where it leaks less)",
        _ => "",
    };
    let outcome = match sign(&within.difference) {
        -1 => Supports,
        1 => Contradicts,
        _ => CannotTell,
    };
    let text = format!("the variance within a model differs by {}{leaks}{across}", figure(&within.difference));
    (outcome, text)
}

/// (d): among models that fit their members, the part of the difference in advantage that the spread of non-members makes, measured in
/// units of the distance between the means, which the interpolating model holds fixed.
fn theory(found: &Explanation, attacked: &[Attacked<'_>], d: &MemorizationDifference) -> Said {
    let wanted = |a: &&AttributionResult| a.baseline == d.baseline && a.candidate == d.candidate;
    let attribution = found.attribution.iter().find(wanted).and_then(|a| Some((a, a.relative_non_member_spread?)));
    let Some((a, part)) = attribution else {
        return (CannotTell, "the difference in advantage could not be attributed".into());
    };
    // Distances of the means in deviations of non-members: the deviation in these units is the inverse.
    let deviation = |m: &crate::MomentsResult| m.gap_in_deviations.map(|gap| 1.0 / gap);
    let Some((before, after)) = deviation(&a.baseline_moments).zip(deviation(&a.candidate_moments)) else {
        return (CannotTell, "phi does not spread over non-members".into());
    };
    let text = format!(
        "the spread of phi on non-members is {after:.3} of the distance between members and non-members (baseline {before:.3}), which changes the advantage of one threshold by {}",
        figure(&part)
    );
    let unfitted = attacked
        .iter()
        .filter_map(|a| a.result)
        .find(|r| (r.name == d.baseline || r.name == d.candidate) && r.member_accuracy.mean < FITTED);
    if let Some(r) = unfitted {
        let fit = 100.0 * r.member_accuracy.mean;
        return (
            CannotTell,
            format!("{text}; but {} fits only {fit:.1} % of its members and does not interpolate", r.name),
        );
    }
    // Where the spread widened and the attacker gained by it, the claim's cause is missing as well.
    let outcome = match (sign(&part), after < before) {
        (1, true) => Supports,
        (-1, _) | (1, false) => Contradicts,
        _ => CannotTell,
    };
    (outcome, text)
}
