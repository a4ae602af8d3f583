//! Verdicts in words.

use crate::blind;
use crate::comparison::HEADLINE;
use crate::{Comparison, Frontier, Headline, MetricDifference, RecipeResult, Verdict};

/// Most recipes of a study that asks one question.
pub const FEW: usize = 4;

/// The verdict over the points of one comparison of `models` models per recipe.
pub(crate) fn of_comparison(baseline: &str, candidate: &str, models: usize, metrics: &[MetricDifference]) -> Headline {
    let family: Vec<&MetricDifference> = metrics.iter().filter(|m| m.p_adjusted.is_some()).collect();
    let with = |v: Verdict| family.iter().filter(|m| m.verdict == v).copied().collect::<Vec<_>>();
    let (more, less) = (with(Verdict::More), with(Verdict::Less));
    let list = |found: &[&MetricDifference]| found.iter().map(|m| say(m)).collect::<Vec<_>>().join(", ");
    let (verdict, sentence) = if family.iter().any(|m| m.verdict == Verdict::TooFewModels) {
        (Verdict::TooFewModels, format!("too few models for any verdict on {candidate} against {baseline}"))
    } else if !more.is_empty() && !less.is_empty() {
        (
            Verdict::Mixed,
            format!("{candidate} against {baseline} is mixed: more in {}; less in {}", list(&more), list(&less)),
        )
    } else if !more.is_empty() {
        (Verdict::More, format!("{candidate} leaks more than {baseline} ({})", list(&more)))
    } else if !less.is_empty() {
        (Verdict::Less, format!("{candidate} leaks less than {baseline} ({})", list(&less)))
    } else {
        // What is said of one metric alone is no promise once it is corrected for the others.
        let needed = family.iter().filter_map(|m| m.models_needed).filter(|n| *n > models).min();
        let more = needed.map_or(String::new(), |n| format!("; about {n} models per recipe would settle it"));
        (
            Verdict::NotDistinguishable,
            format!("no difference in leakage between {candidate} and {baseline} could be shown{more}"),
        )
    };
    Headline { verdict, sentence }
}

fn say(m: &MetricDifference) -> String {
    format!("{} {:+.4} [{:+.4}, {:+.4}]", m.metric, m.difference.mean, m.difference.low, m.difference.high)
}

/// The verdict over several baselines of one candidate: more or less only if every comparison says so. The sentence
/// names attacks; their figures stand with the comparisons.
///
/// Over more recipes than one question is about, the answer is the frontier's.
pub(crate) fn overall(comparisons: &[Comparison], recipes: &[RecipeResult], frontier: Option<&Frontier>) -> Headline {
    let mut found = said(comparisons, recipes, frontier);
    for text in recipes.iter().filter_map(|r| blind::sentence(&r.name, r.blind.as_ref()?)) {
        found.sentence = format!("{} {text}", found.sentence);
    }
    found
}

fn said(comparisons: &[Comparison], recipes: &[RecipeResult], frontier: Option<&Frontier>) -> Headline {
    if let Some(f) = frontier.filter(|_| recipes.len() > FEW) {
        return Headline { verdict: Verdict::Mixed, sentence: format!("{}.", f.sentence) };
    }
    let Some(last) = comparisons.last() else {
        return Headline { verdict: Verdict::NotDistinguishable, sentence: alone(recipes) };
    };
    let mine: Vec<&Comparison> = comparisons.iter().filter(|c| c.candidate == last.candidate).collect();
    let verdict = mine[0].headline.verdict;
    let agree = mine.iter().all(|c| c.headline.verdict == verdict);
    let against = mine.iter().map(|c| c.baseline.as_str()).collect::<Vec<_>>().join(" and than ");
    let details = mine.iter().map(|c| in_short(c)).collect::<Vec<_>>().join(". ");
    let candidate = &last.candidate;
    let (verdict, opening) = match (verdict, agree) {
        (Verdict::More, true) => {
            (verdict, format!("Yes, {candidate} leaks more about its training data than {against}"))
        }
        (Verdict::Less, true) => (verdict, format!("{candidate} leaks less about its training data than {against}")),
        (Verdict::NotDistinguishable | Verdict::TooFewModels, true) => {
            (verdict, format!("This run cannot say whether {candidate} leaks more or less than {against}"))
        }
        _ => (
            Verdict::Mixed,
            format!(
                "Neither more nor less: whether {candidate} leaks more depends on the attack and on what it is compared with"
            ),
        ),
    };
    Headline { verdict, sentence: format!("{opening}. {details}.") }
}

/// How far an attacker gets against one recipe.
fn alone(recipes: &[RecipeResult]) -> String {
    let nothing = || "One recipe alone: nothing to compare.".to_owned();
    let Some(recipe) = recipes.first() else { return nothing() };
    let Some(best) = recipe.attack(&HEADLINE.name()) else { return nothing() };
    let at = best.tpr_at_fpr.iter().find(|t| t.fpr == 0.001);
    let found = at.map_or(String::new(), |t| {
        format!(
            "; it finds {:.1} % [{:.1}, {:.1}] of the members while accusing {:.2} % of the others",
            100.0 * t.tpr.mean,
            100.0 * t.tpr.low,
            100.0 * t.tpr.high,
            100.0 * t.realised_fpr
        )
    });
    format!(
        "An attacker tells members of {} from others with an AUC of {:.3} [{:.3}, {:.3}], where .5 is guessing{found}.",
        recipe.name, best.auc.mean, best.auc.low, best.auc.high
    )
}

/// One comparison without figures.
fn in_short(c: &Comparison) -> String {
    let family: Vec<&MetricDifference> = c.metrics.iter().filter(|m| m.p_adjusted.is_some()).collect();
    let says = |v: Verdict, word: &str| {
        let names: Vec<&str> = family.iter().filter(|m| m.verdict == v).map(|m| m.metric.as_str()).collect();
        (!names.is_empty()).then(|| format!("{word} in {}", names.join(" and ")))
    };
    let parts: Vec<String> = [says(Verdict::More, "more"), says(Verdict::Less, "less")].into_iter().flatten().collect();
    let found = match (parts.is_empty(), c.headline.verdict) {
        (false, _) => parts.join(", "),
        (true, Verdict::TooFewModels) => "too few models for any verdict".into(),
        (true, _) => "no difference shown".into(),
    };
    format!("Against {}: {found}", c.baseline)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Estimate;

    fn comparison(baseline: &str, verdicts: [Verdict; 2]) -> Comparison {
        let metrics: Vec<MetricDifference> = ["strongest.auc", "strongest.tpr@0.01"]
            .iter()
            .zip(verdicts)
            .map(|(name, verdict)| MetricDifference {
                metric: (*name).into(),
                difference: Estimate { mean: 0.01, low: 0.005, high: 0.015 },
                standard_error: 0.0025,
                p_value: 0.01,
                p_adjusted: Some(0.03),
                verdict,
                models_needed: Some(64),
            })
            .collect();
        Comparison {
            baseline: baseline.into(),
            candidate: "sam".into(),
            dataset: "d".into(),
            pairing: "paired".into(),
            headline: of_comparison(baseline, "sam", 32, &metrics),
            metrics,
        }
    }

    #[test]
    fn more_is_said_only_if_both_baselines_agree() {
        use Verdict::{Less, More, NotDistinguishable as Open, TooFewModels as Few};
        let verdict = |a, b| overall(&[comparison("sgd", a), comparison("sgd-2x", b)], &[], None);
        assert_eq!(verdict([More, Open], [More; 2]).verdict, More);
        assert_eq!(verdict([More; 2], [Open; 2]).verdict, Verdict::Mixed);
        assert_eq!(verdict([More, Less], [More; 2]).verdict, Verdict::Mixed);
        assert_eq!(verdict([Less; 2], [Open, Less]).verdict, Less);
        assert_eq!(verdict([Open; 2], [Open; 2]).verdict, Open);
        assert_eq!(verdict([Few; 2], [Few; 2]).verdict, Few);
        let mixed = verdict([More, Less], [Open; 2]).sentence;
        assert!(mixed.contains("Against sgd: more in strongest.auc, less in strongest.tpr@0.01. "), "{mixed}");
        assert!(mixed.contains("Against sgd-2x: no difference shown."), "{mixed}");
        let open = comparison("sgd", [Open; 2]);
        assert!(open.headline.sentence.ends_with("could be shown; about 64 models per recipe would settle it"));
        let enough = of_comparison("sgd", "sam", 64, &open.metrics).sentence;
        assert!(enough.ends_with("could be shown"), "{enough}");
    }
}
