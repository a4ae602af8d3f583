//! Verdicts in words.

use crate::comparison::FAMILY;
use crate::{Comparison, Headline, MetricDifference, Verdict};

/// The verdict over the headline family of one comparison.
pub(crate) fn of_comparison(baseline: &str, candidate: &str, metrics: &[MetricDifference]) -> Headline {
    let family: Vec<&MetricDifference> =
        FAMILY.iter().filter_map(|name| metrics.iter().find(|m| m.metric == *name)).collect();
    let with = |v: Verdict| family.iter().filter(|m| m.verdict == v).copied().collect::<Vec<_>>();
    let (more, less) = (with(Verdict::More), with(Verdict::Less));
    let list = |found: &[&MetricDifference]| found.iter().map(|m| say(m)).collect::<Vec<_>>().join(", ");
    let all = family.len();
    let (verdict, sentence) = if family.iter().any(|m| m.verdict == Verdict::TooFewModels) {
        (Verdict::TooFewModels, format!("too few models for any verdict on {candidate} against {baseline}"))
    } else if !more.is_empty() && !less.is_empty() {
        (
            Verdict::Mixed,
            format!("{candidate} against {baseline} is mixed: more under {}; less under {}", list(&more), list(&less)),
        )
    } else if !more.is_empty() {
        (
            Verdict::More,
            format!(
                "{candidate} leaks more than {baseline} under {} of {all} headline attacks ({})",
                more.len(),
                list(&more)
            ),
        )
    } else if !less.is_empty() {
        (
            Verdict::Less,
            format!(
                "{candidate} leaks less than {baseline} under {} of {all} headline attacks ({})",
                less.len(),
                list(&less)
            ),
        )
    } else {
        let needed = family.iter().filter_map(|m| m.models_needed).min();
        let more = needed.map_or(String::new(), |n| format!("; about {n} models per recipe would settle it"));
        (
            Verdict::NotDistinguishable,
            format!("no difference in leakage between {candidate} and {baseline} could be shown{more}"),
        )
    };
    Headline { verdict, sentence }
}

fn say(m: &MetricDifference) -> String {
    let attack = m.metric.trim_end_matches(".auc");
    format!("{attack} AUC {:+.4} [{:+.4}, {:+.4}]", m.difference.mean, m.difference.low, m.difference.high)
}

/// The verdict over several baselines of one candidate: more or less only if every comparison says so.
pub(crate) fn overall(comparisons: &[Comparison]) -> Headline {
    let Some(last) = comparisons.last() else {
        let sentence = "one recipe alone: nothing to compare".to_owned();
        return Headline { verdict: Verdict::NotDistinguishable, sentence };
    };
    let mine: Vec<&Comparison> = comparisons.iter().filter(|c| c.candidate == last.candidate).collect();
    let verdict = mine[0].headline.verdict;
    let agree = mine.iter().all(|c| c.headline.verdict == verdict);
    let against = mine.iter().map(|c| c.baseline.as_str()).collect::<Vec<_>>().join(" and than ");
    let details = mine.iter().map(|c| c.headline.sentence.as_str()).collect::<Vec<_>>().join("; ");
    let (verdict, opening) = match (verdict, agree) {
        (Verdict::More, true) => (verdict, format!("{} leaks more than {against}", last.candidate)),
        (Verdict::Less, true) => (verdict, format!("{} leaks less than {against}", last.candidate)),
        (Verdict::NotDistinguishable | Verdict::TooFewModels, true) => {
            (verdict, format!("It cannot be said whether {} leaks more or less", last.candidate))
        }
        _ => (Verdict::Mixed, format!("The answer for {} depends on attack and baseline", last.candidate)),
    };
    Headline { verdict, sentence: format!("{opening}: {details}.") }
}
