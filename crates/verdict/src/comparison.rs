//! Two recipes, paired by model index or not.

use flatleak_attack::Attack;
use flatleak_pool::Pool;
use flatleak_stats::{FEWEST_UNITS, Range, Replicates, limits, models_needed, p_of, welch_test};

use crate::judge::{AUC, TPR};
use crate::recipe::{FALSE_POSITIVES, Properties, Scored, range_of};
use crate::{Error, Estimate, FPR_LEVELS, MetricDifference, Verdict};

/// The attack on which headlines rest.
pub(crate) const HEADLINE: Attack = Attack::Strongest;

/// Attacks whose calls on single examples and whose leakage by group are kept: the headline's, and those of the literature.
const KEPT: [Attack; 4] = [HEADLINE, Attack::LIRA, Attack::RMIA, Attack::CONFIDENCE];

/// Significance level.
pub(crate) const LEVEL: f64 = 0.05;

/// Which measures a comparison tests: AUC and the TPR levels.
fn tested() -> impl Iterator<Item = usize> {
    std::iter::once(AUC).chain(TPR..TPR + FPR_LEVELS.len())
}

fn metric_name(attack: Attack, measure: usize) -> String {
    match measure.checked_sub(TPR) {
        None => format!("{attack}.auc"),
        Some(level) => format!("{attack}.tpr@{}", FPR_LEVELS[level]),
    }
}

/// Whether single examples and groups are set against an attack.
pub(crate) fn is_headline(attack: Attack) -> bool {
    KEPT.iter().any(|kept| kept.family() == attack.family() && kept.temperature() == attack.temperature())
}

/// The points at which a headline is judged, by the design and not by the outcome (METHODS section 10): the AUC, and the TPR at the smallest
/// level at which the target with the fewest scored non-members expects 5 false positives; below 50 of them the AUC alone.
pub(crate) fn points(fewest_non_members: usize) -> Vec<String> {
    let n = fewest_non_members as f64;
    let level = FPR_LEVELS.iter().position(|f| f * n >= FALSE_POSITIVES - 1e-9);
    std::iter::once(AUC).chain(level.map(|k| TPR + k)).map(|k| metric_name(HEADLINE, k)).collect()
}

/// Whether the models of two recipes were trained on the same examples, one by one, as far as labels tell.
pub(crate) fn share_examples(baseline: &Pool, candidate: &Pool) -> bool {
    baseline.membership == candidate.membership && baseline.labels == candidate.labels && baseline.ids == candidate.ids
}

/// Whether the models of two recipes can be set against each other one by one under attack: they share their examples, and their outputs have
/// the same shape.
pub(crate) fn are_paired(baseline: &Pool, candidate: &Pool) -> bool {
    let held_out = |pool: &Pool| pool.test.iter().map(flatleak_pool::Signals::len).collect::<Vec<_>>();
    share_examples(baseline, candidate)
        && baseline.queries() == candidate.queries()
        && held_out(baseline) == held_out(candidate)
}

/// Differences of one attack's measures between two recipes: unit by unit where they are paired, else of independent estimates with
/// Satterthwaite's degrees of freedom. Interval and p-value are one t on the variance of [`Replicates`].
pub(crate) fn attack(
    (baseline, candidate): (&Pool, &Pool),
    attack: Attack,
    (a, b): (&Scored, &Scored),
    paired: bool,
) -> Result<Vec<MetricDifference>, Error> {
    let one = |k: usize| {
        let (a, b) = (a.table.of(k)?, b.table.of(k)?);
        difference(metric_name(attack, k), (&a, &b), paired, Range::Difference, (baseline, candidate))
    };
    tested().map(one).collect()
}

/// Differences of the properties that both pools have.
pub(crate) fn of_properties(
    (baseline, candidate): (&Pool, &Pool),
    (a, b): (&Properties, &Properties),
    paired: bool,
) -> Result<Vec<MetricDifference>, Error> {
    let both = a.iter().filter_map(|(name, a)| {
        let (_, b) = b.iter().find(|(other, _)| other == name)?;
        Some((name.clone(), a, b))
    });
    both.map(|(name, a, b)| {
        let (a, b) = (Replicates::independent(a.clone())?, Replicates::independent(b.clone())?);
        let range = match range_of(&name, baseline) {
            Range::Rate { .. } => Range::Difference,
            other => other,
        };
        difference(name, (&a, &b), paired, range, (baseline, candidate))
    })
    .collect()
}

fn difference(
    metric: String,
    (a, b): (&Replicates, &Replicates),
    paired: bool,
    range: Range,
    (baseline, candidate): (&Pool, &Pool),
) -> Result<MetricDifference, Error> {
    let enough = a.units().min(b.units()) >= FEWEST_UNITS;
    let (interval, error, p) = if paired && a.units() == b.units() {
        let d = b.minus(a)?;
        (d.interval(0.95, range)?, d.standard_error(), d.p_value(0.0))
    } else {
        let side = |of: &Replicates| (of.estimate(), of.standard_error(), of.degrees());
        let (found, _) = welch_test(side(a), side(b), 0.95)?;
        let (mean, error) = (found.interval.mean, found.standard_error);
        let degrees = satterthwaite(a, b);
        if enough {
            (limits(mean, error, degrees, 0.95, range)?, error, p_of(mean, error, degrees))
        } else {
            (Estimate { mean, low: -1.0, high: 1.0 }, error, 1.0)
        }
    };
    let models = baseline.membership.models().min(candidate.membership.models());
    Ok(MetricDifference {
        metric,
        difference: interval,
        standard_error: error,
        p_value: p,
        p_adjusted: None,
        verdict: if enough { direction(p, interval.mean) } else { Verdict::TooFewModels },
        models_needed: models_needed(interval.mean, error, models, flatleak_pool::BLOCK),
    })
}

/// Degrees of freedom of the sum of two variances (Satterthwaite 1946).
fn satterthwaite(a: &Replicates, b: &Replicates) -> f64 {
    let (va, vb) = (a.variance(), b.variance());
    let spread = va * va / a.degrees() + vb * vb / b.degrees();
    if spread > 0.0 { (va + vb) * (va + vb) / spread } else { a.degrees() + b.degrees() }
}

fn direction(p: f64, difference: f64) -> Verdict {
    match (p <= LEVEL, difference > 0.0) {
        (false, _) => Verdict::NotDistinguishable,
        (true, true) => Verdict::More,
        (true, false) => Verdict::Less,
    }
}

/// Corrects the headline's points in place for their number, over all `comparisons` of the document, by Bonferroni: the simultaneous interval
/// at that level excludes 0 exactly where the corrected p is below .05. Their verdicts follow.
pub(crate) fn correct(metrics: &mut [MetricDifference], points: &[String], comparisons: usize) {
    let family = (points.len() * comparisons) as f64;
    for m in metrics.iter_mut().filter(|m| points.contains(&m.metric)) {
        let p = (m.p_value * family).min(1.0);
        m.p_adjusted = Some(p);
        if m.verdict != Verdict::TooFewModels {
            m.verdict = direction(p, m.difference.mean);
        }
    }
}
