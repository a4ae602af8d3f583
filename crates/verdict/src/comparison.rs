//! Two recipes, paired by model index.

use flatleak_attack::Attack;
use flatleak_pool::Pool;
use flatleak_stats::{
    Budget, holm, jackknife, models_needed, moments, sign_flip_test, smallest_p, swap_test, welch_test,
};

use crate::recipe::{Properties, Scored, over_blocks};
use crate::scored::{Evidence, average, measure};
use crate::{Error, Estimate, Exchanges, FPR_LEVELS, MetricDifference, Options, Verdict};

/// The fixed family on which headlines rest.
pub(crate) const FAMILY: [&str; 3] = ["lira-online-fixed.auc", "rmia.auc", "confidence.auc"];

/// Significance level.
pub(crate) const LEVEL: f64 = 0.05;

/// Which measures a comparison tests: AUC and the TPR levels.
const TESTED: [usize; 5] = [0, 2, 3, 4, 5];

fn metric_name(attack: Attack, measure: usize) -> String {
    match measure {
        0 => format!("{}.auc", attack.name()),
        k => format!("{}.tpr@{}", attack.name(), FPR_LEVELS[k - 2]),
    }
}

/// Whether headlines rest on an attack.
pub(crate) fn is_headline(attack: Attack) -> bool {
    FAMILY.iter().any(|f| f.strip_suffix(".auc") == Some(attack.name()))
}

/// What the test of one attack may spend; it stops early once p is clearly large.
fn budget(attack: Attack, exchanges: Exchanges, workers: usize) -> Budget {
    let max_draws = if is_headline(attack) { exchanges.headline } else { exchanges.other };
    // A twentieth of the draws: at p = .05 the estimate is then as exact as without stopping.
    Budget { max_draws, stop_after: max_draws.div_ceil(20), workers }
}

/// Whether the models of two recipes were trained on the same examples, one by one, as far as labels tell.
pub(crate) fn share_examples(baseline: &Pool, candidate: &Pool) -> bool {
    baseline.membership == candidate.membership && baseline.labels == candidate.labels && baseline.ids == candidate.ids
}

/// Whether the models of two recipes can be exchanged for each other under attack: they share their examples, and their outputs have the same shape.
pub(crate) fn are_paired(baseline: &Pool, candidate: &Pool) -> bool {
    let held_out = |pool: &Pool| pool.test.iter().map(flatleak_pool::Signals::len).collect::<Vec<_>>();
    share_examples(baseline, candidate)
        && baseline.queries() == candidate.queries()
        && held_out(baseline) == held_out(candidate)
}

/// Differences of one attack's measures between recipes whose models have nothing to do with each other: independent estimates, Welch's
/// interval and p-value.
pub(crate) fn unpaired(
    (baseline, candidate): (&Pool, &Pool),
    attack: Attack,
    (a, b): (&Scored, &Scored),
) -> Result<Vec<MetricDifference>, Error> {
    let side = |scored: &Scored, k: usize| -> Result<(f64, f64, f64), Error> {
        let column = |rows: &[crate::scored::Measures]| rows.iter().map(|m| m[k]).collect::<Vec<f64>>();
        if attack.uses_shadows() {
            let left_out = column(&scored.deleted);
            let error = jackknife(scored.mean[k], &left_out, 0.95)?.standard_error;
            return Ok((scored.mean[k], error, left_out.len() as f64 - 1.0));
        }
        let blocks = column(&scored.blocks);
        Ok((moments::mean(&blocks), standard_error(&blocks), blocks.len() as f64 - 1.0))
    };
    TESTED
        .iter()
        .map(|&k| {
            let (found, p) = welch_test(side(a, k)?, side(b, k)?, 0.95)?;
            let fewer = if baseline.membership.models() < candidate.membership.models() { baseline } else { candidate };
            Ok(entry(metric_name(attack, k), (found.interval, found.standard_error), p, fewer))
        })
        .collect()
}

/// Paired differences of one attack's measures.
pub(crate) fn attack(
    (baseline, candidate): (&Pool, &Pool),
    attack: Attack,
    (a, b): (&Scored, &Scored),
    options: &Options,
    test: u64,
) -> Result<Vec<MetricDifference>, Error> {
    let (budget, seed) = (budget(attack, options.exchanges, options.workers), options.seed);
    let observed: Vec<f64> = TESTED.iter().map(|&k| b.mean[k] - a.mean[k]).collect();
    let by_block = |k: usize| -> Vec<f64> { a.blocks.iter().zip(&b.blocks).map(|(a, b)| b[k] - a[k]).collect() };
    let p_values = if attack.uses_shadows() {
        let (ea, eb) = (Evidence::new(baseline, attack)?, Evidence::new(candidate, attack)?);
        swap_test(a.blocks.len(), budget, seed, test, &observed, |swaps| {
            let side = |first: &Evidence<'_>, second: &Evidence<'_>| {
                let scene = first.exchanged(second, swaps)?;
                Ok::<_, Error>(average(&measure(scene.lineup(), &scene.score()?)?))
            };
            let (a, b) = (side(&ea, &eb)?, side(&eb, &ea)?);
            Ok::<_, Error>(TESTED.iter().map(|&k| b[k] - a[k]).collect())
        })?
    } else {
        TESTED.iter().map(|&k| sign_flip_test(&by_block(k), budget, seed, test)).collect::<Result<_, _>>()?
    };
    TESTED
        .iter()
        .zip(observed)
        .zip(p_values)
        .map(|((&k, difference), p)| {
            let (interval, error) = if attack.uses_shadows() {
                let left_out: Vec<f64> = a.deleted.iter().zip(&b.deleted).map(|(a, b)| b[k] - a[k]).collect();
                let found = jackknife(difference, &left_out, 0.95)?;
                (found.interval, found.standard_error)
            } else {
                (over_blocks(&by_block(k), seed)?, standard_error(&by_block(k)))
            };
            Ok(entry(metric_name(attack, k), (interval, error), p, baseline))
        })
        .collect()
}

/// Mean, standard error and degrees of freedom of independent blocks, for a comparison with others.
pub(crate) fn independent(blocks: &[f64]) -> (f64, f64, f64) {
    (moments::mean(blocks), standard_error(blocks), blocks.len() as f64 - 1.0)
}

/// Differences of the properties that both pools have; paired where `paired`.
pub(crate) fn of_properties(
    baseline: &Pool,
    (a, b): (&Properties, &Properties),
    paired: bool,
    seed: u64,
) -> Result<Vec<MetricDifference>, Error> {
    let both = a.iter().filter_map(|(name, a)| {
        let (_, b) = b.iter().find(|(other, _)| other == name)?;
        Some((name.clone(), a, b))
    });
    both.map(|(name, a, b)| {
        if !paired {
            let (found, p) = welch_test(independent(a), independent(b), 0.95)?;
            return Ok(entry(name, (found.interval, found.standard_error), p, baseline));
        }
        let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
        let budget = Budget { max_draws: 9999, stop_after: u64::MAX, workers: 1 };
        let p = sign_flip_test(&differences, budget, seed, 0)?;
        let estimate = (over_blocks(&differences, seed)?, standard_error(&differences));
        Ok(entry(name, estimate, p, baseline))
    })
    .collect()
}

fn entry(metric: String, (difference, error): (Estimate, f64), p_value: f64, pool: &Pool) -> MetricDifference {
    MetricDifference {
        metric,
        difference,
        standard_error: error,
        p_value,
        p_adjusted: None,
        verdict: direction(p_value, difference.mean),
        models_needed: models_needed(difference.mean, error, pool.membership.models(), flatleak_pool::BLOCK),
    }
}

/// Standard error of the mean of independent blocks.
fn standard_error(blocks: &[f64]) -> f64 {
    (moments::variance(blocks, 1) / blocks.len() as f64).sqrt()
}

fn direction(p: f64, difference: f64) -> Verdict {
    match (p <= LEVEL, difference > 0.0) {
        (false, _) => Verdict::NotDistinguishable,
        (true, true) => Verdict::More,
        (true, false) => Verdict::Less,
    }
}

/// Holm over the headline family, in place; the family's verdicts follow the corrected p-values. `too_few` says that no verdict is possible
/// whatever is found.
pub(crate) fn correct(metrics: &mut [MetricDifference], too_few: bool) {
    let family: Vec<usize> = FAMILY.iter().filter_map(|name| metrics.iter().position(|m| m.metric == *name)).collect();
    let raw: Vec<f64> = family.iter().map(|&i| metrics[i].p_value).collect();
    for (&i, p) in family.iter().zip(holm(&raw)) {
        metrics[i].p_adjusted = Some(p);
        metrics[i].verdict = if too_few { Verdict::TooFewModels } else { direction(p, metrics[i].difference.mean) };
    }
}

/// Whether so few blocks can be exchanged that the smallest possible p-value of the family is no verdict.
pub(crate) fn too_few(blocks: usize, exchanges: Exchanges) -> bool {
    smallest_p(blocks, budget(Attack::Rmia, exchanges, 1)) * FAMILY.len() as f64 > LEVEL
}
