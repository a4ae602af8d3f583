//! Several data sets: what they say together.

use crate::error::Error;
use flatleak_results::{
    Comparison, Family, Frontier, Headline, Metric, MetricDifference, PointResult, PooledDifference, Verdict, Word,
};
use flatleak_stats::{FEWEST_UNITS, Student, random_effects};

use crate::comparison::point_result;
use crate::headline::phrases::at_point;
use crate::headline::{agreed, by_verdict, distinct};
use crate::words::Tested;

/// A standard error that is no larger is rounding: what is compared are rates and spreads of the order of 1.
const ROUNDING: f64 = 1e-12;

/// Random-effects summaries of every AUC, every property and every point of the headline that all data sets of a pair of recipes have.
///
/// # Errors
/// When a statistic cannot be computed.
pub fn pool_differences(comparisons: &[Comparison], family: &Family) -> Result<Vec<PooledDifference>, Error> {
    let mut out = Vec::new();
    for (first, c) in comparisons.iter().enumerate() {
        let alike = |o: &&Comparison| o.baseline == c.baseline && o.candidate == c.candidate;
        if comparisons[..first].iter().any(|o| alike(&o)) {
            continue;
        }
        let all: Vec<&Comparison> = comparisons.iter().filter(alike).collect();
        let is_point = |name: &Metric| all.iter().all(|o| o.points.iter().any(|p| p.metric == *name));
        let shown = |m: &&MetricDifference| !m.metric.is_of_group() && (!m.metric.is_tpr() || is_point(&m.metric));
        for metric in c.metrics.iter().filter(shown) {
            let found: Vec<_> =
                all.iter().filter_map(|o| o.metrics.iter().find(|m| m.metric == metric.metric)).collect();
            // A difference without spread carries infinite weight, and one that could not be estimated none: neither can be pooled.
            let spreads = |m: &&MetricDifference| m.standard_error > ROUNDING && m.standard_error.is_finite();
            if found.len() < 2 || found.len() < all.len() || !found.iter().all(spreads) {
                continue;
            }
            let effects: Vec<f64> = found.iter().map(|m| m.difference.mean).collect();
            let errors: Vec<f64> = found.iter().map(|m| m.standard_error).collect();
            let summary = random_effects(&effects, &errors, 0.95)?;
            let effect = Student {
                mean: summary.interval.mean,
                standard_error: summary.standard_error,
                degrees: found.len() as f64 - 1.0,
            };
            out.push(PooledDifference {
                baseline: c.baseline.clone(),
                candidate: c.candidate.clone(),
                metric: metric.metric.clone(),
                datasets: found.len(),
                difference: summary.interval,
                between: summary.between,
                heterogeneity: summary.heterogeneity,
                p_value: summary.p_value,
                point: if is_point(&metric.metric) {
                    Some(summarised(&all, &metric.metric, effect, family)?)
                } else {
                    None
                },
            });
        }
    }
    Ok(out)
}

/// What is said of data sets like these at a point: fewer than four of them are too few for any word. The smallest relevant difference of a TPR is the
/// mean of the data sets' own.
fn summarised(all: &[&Comparison], metric: &Metric, effect: Student, family: &Family) -> Result<PointResult, Error> {
    let own: Vec<&PointResult> = all.iter().filter_map(|c| c.points.iter().find(|p| p.metric == *metric)).collect();
    let relevant = own.iter().map(|p| p.relevant).sum::<f64>() / own.len().max(1) as f64;
    let level = family.words(all[0].points.len());
    // More data sets would be needed, not more models.
    point_result(metric.clone(), &Tested::against(effect, relevant), level, relevant)
}

/// The verdict over data sets, candidate by candidate: what every one of them says, and what follows for data sets like these.
pub fn across(
    comparisons: &[Comparison],
    pooled: &[PooledDifference],
    found: &[(String, Headline)],
    frontiers: &[Frontier],
) -> Headline {
    if comparisons.is_empty() || frontiers.len() == found.len() {
        return apart(found);
    }
    let candidates = distinct(comparisons.iter().map(|c| c.candidate.as_str()));
    let all: Vec<Headline> = candidates.into_iter().map(|c| of_candidate(c, comparisons, pooled)).collect();
    let verdicts: Vec<Verdict> = all.iter().map(|h| h.verdict).collect();
    let verdict = agreed(&verdicts).unwrap_or(Verdict::Varies);
    Headline { verdict, sentence: all.into_iter().map(|h| h.sentence).collect::<Vec<_>>().join(" ") }
}

/// Every data set with its own answer.
fn apart(found: &[(String, Headline)]) -> Headline {
    let verdicts: Vec<Verdict> = found.iter().map(|(_, h)| h.verdict).collect();
    let each: Vec<String> = found.iter().map(|(name, h)| format!("On {name}: {}", h.sentence)).collect();
    Headline { verdict: agreed(&verdicts).unwrap_or(Verdict::Varies), sentence: each.join(" ") }
}

fn of_candidate(candidate: &str, comparisons: &[Comparison], pooled: &[PooledDifference]) -> Headline {
    let mine: Vec<&Comparison> = comparisons.iter().filter(|c| c.candidate == candidate).collect();
    let (mut sentences, mut verdicts) = (Vec::new(), Vec::new());
    for baseline in distinct(mine.iter().map(|c| c.baseline.as_str())) {
        let own: Vec<&Comparison> = mine.iter().filter(|c| c.baseline == baseline).copied().collect();
        let said: Vec<Verdict> = own.iter().map(|c| c.headline.verdict).collect();
        verdicts.push(agreed(&said).unwrap_or(Verdict::Varies));
        let parts: Vec<String> = by_verdict(&own, |c| &c.dataset)
            .into_iter()
            .map(|(word, on)| format!("{word} on {}", on.join(", ")))
            .collect();
        let points: Vec<&PointResult> = pooled
            .iter()
            .filter(|p| p.baseline == baseline && p.candidate == candidate)
            .filter_map(|p| p.point.as_ref())
            .collect();
        sentences.push(format!(
            "{candidate} against {baseline}: {}.{}",
            parts.join("; "),
            like_these(&points, own.len())
        ));
    }
    Headline { verdict: agreed(&verdicts).unwrap_or(Verdict::Varies), sentence: sentences.join(" ") }
}

/// What follows for data sets like these.
fn like_these(points: &[&PointResult], datasets: usize) -> String {
    if datasets < FEWEST_UNITS {
        return format!(" {datasets} data sets are too few to say what holds for others like these.");
    }
    let said: Vec<String> = points.iter().filter(|p| p.word != Word::TooFewModels).map(|p| at_point(p)).collect();
    if said.is_empty() {
        return String::new();
    }
    format!(" For data sets like these, by random effects over {datasets}: {}.", said.join("; "))
}

#[cfg(test)]
mod tests {
    use flatleak_results::{Estimate, Measure, Pairing};

    use super::*;
    use crate::family::headline_metric;

    fn comparison(dataset: &str, mean: f64, verdict: Verdict) -> Comparison {
        let metric = MetricDifference {
            metric: headline_metric(Measure::Auc),
            difference: Estimate { mean, low: mean - 0.01, high: mean + 0.01 },
            standard_error: 0.004,
            degrees: Some(15.0),
            p_value: 0.01,
            p_adjusted: None,
            word: Word::Open,
        };
        let point = PointResult {
            metric: headline_metric(Measure::Auc),
            word: Word::Open,
            difference: metric.difference,
            level: 0.95,
            p_adjusted: 0.01,
            relevant: 0.01,
            at_most_relevant: false,
            detectable: None,
            models_needed: None,
        };
        Comparison {
            baseline: "sgd".into(),
            candidate: "sam".into(),
            dataset: dataset.into(),
            pairing: Pairing::Paired,
            models: 32,
            headline: Headline { verdict, sentence: String::new() },
            points: vec![point],
            conditions: Vec::new(),
            metrics: vec![metric],
        }
    }

    fn said(all: &[(&str, f64, Verdict)]) -> (Headline, Vec<PooledDifference>) {
        let comparisons: Vec<Comparison> = all.iter().map(|(d, m, v)| comparison(d, *m, *v)).collect();
        let family = Family::new(Default::default(), comparisons.len() + 1, 2 * comparisons.len(), 1);
        let pooled = pool_differences(&comparisons, &family).unwrap();
        let found: Vec<_> = comparisons.iter().map(|c| (c.dataset.clone(), c.headline.clone())).collect();
        (across(&comparisons, &pooled, &found, &[]), pooled)
    }

    /// A difference that is the same in every block of one data set weighs nothing against those of others: it is not pooled.
    #[test]
    fn differences_without_spread_are_not_pooled() {
        let with = |error: f64| {
            let mut all = ["a", "b", "c"].map(|data| comparison(data, 0.02, Verdict::Open));
            all[1].metrics[0].standard_error = error;
            pool_differences(&all, &Family::new(Default::default(), 4, 6, 1)).unwrap().len()
        };
        assert_eq!([0.004, 1e-9].map(with), [1, 1]);
        assert_eq!([0.0, 1e-17, 1e-200, f64::NAN, f64::INFINITY].map(with), [0; 5]);
    }

    #[test]
    fn every_data_set_must_agree_and_three_say_nothing_of_a_fourth() {
        use Verdict::{Equivalent, More, Open, RelevantlyMore, Varies};
        let (two, _) = said(&[("a", 0.02, More), ("b", 0.03, RelevantlyMore)]);
        assert_eq!(two.verdict, More);
        assert_eq!(
            two.sentence,
            "sam against sgd: relevantly more on b; more on a. 2 data sets are too few to say what holds for others like these."
        );
        assert_eq!(said(&[("a", 0.02, More), ("b", 0.0, Open)]).0.verdict, Varies);
        let (four, pooled) = said(&[
            ("a", 0.05, RelevantlyMore),
            ("b", 0.052, RelevantlyMore),
            ("c", 0.049, RelevantlyMore),
            ("d", 0.051, RelevantlyMore),
        ]);
        assert_eq!(pooled[0].point.as_ref().unwrap().word, Word::RelevantlyMore);
        assert!(
            four.sentence
                .contains("For data sets like these, by random effects over 4: AUC relevantly more, by +0.051 ["),
            "{}",
            four.sentence
        );
        // Data sets that differ say less about others than about themselves.
        let (apart, pooled) = said(&[
            ("a", 0.15, RelevantlyMore),
            ("b", 0.02, More),
            ("c", 0.0, Equivalent),
            ("d", 0.05, RelevantlyMore),
        ]);
        assert_eq!((apart.verdict, pooled[0].point.as_ref().unwrap().word), (Varies, Word::Open));
    }
}
