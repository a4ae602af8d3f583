//! Several data sets: what they say together.

use flatleak_stats::random_effects;

use crate::{Comparison, Error, Headline, PooledDifference, Verdict};

/// Random-effects summaries of every AUC and every property that all data sets of a pair of recipes have.
///
/// # Errors
/// When a statistic cannot be computed.
pub fn pool_differences(comparisons: &[Comparison]) -> Result<Vec<PooledDifference>, Error> {
    let mut out = Vec::new();
    for (first, c) in comparisons.iter().enumerate() {
        let alike = |o: &&Comparison| o.baseline == c.baseline && o.candidate == c.candidate;
        if comparisons[..first].iter().any(|o| alike(&o)) {
            continue;
        }
        let all: Vec<&Comparison> = comparisons.iter().filter(alike).collect();
        for metric in c.metrics.iter().filter(|m| !m.metric.contains(".tpr@") && !m.metric.contains('[')) {
            let found: Vec<_> =
                all.iter().filter_map(|o| o.metrics.iter().find(|m| m.metric == metric.metric)).collect();
            // A difference without spread carries infinite weight: it cannot be pooled.
            if found.len() < 2 || found.len() < all.len() || found.iter().any(|m| m.standard_error <= 0.0) {
                continue;
            }
            let effects: Vec<f64> = found.iter().map(|m| m.difference.mean).collect();
            let errors: Vec<f64> = found.iter().map(|m| m.standard_error).collect();
            let summary = random_effects(&effects, &errors, 0.95)?;
            out.push(PooledDifference {
                baseline: c.baseline.clone(),
                candidate: c.candidate.clone(),
                metric: metric.metric.clone(),
                datasets: found.len(),
                difference: summary.interval,
                between: summary.between,
                heterogeneity: summary.heterogeneity,
                p_value: summary.p_value,
            });
        }
    }
    Ok(out)
}

/// The verdict over data sets: more or less only where every one of them says so.
pub fn across(candidate: &str, found: &[(String, Headline)]) -> Headline {
    let named = |v: Verdict| {
        let names: Vec<&str> = found.iter().filter(|(_, h)| h.verdict == v).map(|(n, _)| n.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let all = |v: Verdict| found.iter().all(|(_, h)| h.verdict == v);
    let n = found.len();
    let (verdict, opening) = if all(Verdict::More) {
        (Verdict::More, format!("Yes, {candidate} leaks more about its training data on all {n} data sets"))
    } else if all(Verdict::Less) {
        (Verdict::Less, format!("{candidate} leaks less about its training data on all {n} data sets"))
    } else if all(Verdict::NotDistinguishable) || all(Verdict::TooFewModels) {
        (
            found[0].1.verdict,
            format!("This run cannot say on any of {n} data sets whether {candidate} leaks more or less"),
        )
    } else {
        (Verdict::Mixed, format!("Neither more nor less: over {n} data sets the answer for {candidate} differs"))
    };
    let parts: Vec<String> = [
        ("more", Verdict::More),
        ("less", Verdict::Less),
        ("depends on attack and baseline", Verdict::Mixed),
        ("no difference shown", Verdict::NotDistinguishable),
        ("too few models", Verdict::TooFewModels),
    ]
    .into_iter()
    .filter_map(|(word, v)| named(v).map(|names| format!("{word}: {names}")))
    .collect();
    Headline { verdict, sentence: format!("{opening} ({}).", parts.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_data_set_must_agree() {
        let found = |verdicts: &[Verdict]| {
            let list: Vec<_> = verdicts
                .iter()
                .enumerate()
                .map(|(i, v)| (format!("d{i}"), Headline { verdict: *v, sentence: String::new() }))
                .collect();
            across("sam", &list)
        };
        assert_eq!(found(&[Verdict::More; 2]).verdict, Verdict::More);
        assert_eq!(found(&[Verdict::Less; 3]).verdict, Verdict::Less);
        assert_eq!(found(&[Verdict::NotDistinguishable; 2]).verdict, Verdict::NotDistinguishable);
        let mixed = found(&[Verdict::More, Verdict::NotDistinguishable]);
        assert_eq!(mixed.verdict, Verdict::Mixed);
        assert!(mixed.sentence.contains("more: d0; no difference shown: d1"), "{}", mixed.sentence);
    }
}
