//! One recipe: accuracy, spread, and every attack with its intervals.

use crate::error::Error;
use crate::table::{Scored, Table};
use flatleak_attack::Attack;
use flatleak_pool::{Matrix, Pool, UnitId};
use flatleak_results::{AttackResult, Estimate, FPR_LEVELS, PRIORS, RocFigure, TprAtFpr};
use flatleak_stats::{FEWEST_UNITS, Range, parallel, precision};

use crate::explanation::link::Links;
use crate::family::{chance, is_drawn, is_of_family, is_reliable};
use crate::groups::{self, Leak, Leaks};
use crate::judge::{AUC, BALANCED, Judge, MEASURES, ORACLE, Sheet, TPR};
use crate::scored::Scorer;

/// How one attack is run.
pub(crate) struct Run<'a> {
    /// What memorization says of the recipe's examples.
    pub(crate) links: Option<&'a Links>,
    /// Whether TPRs need errors that cover another draw of examples.
    pub(crate) other_examples: bool,
    pub(crate) seed: u64,
    pub(crate) workers: usize,
}

/// FPRs of a drawn curve: ten a decade, from the first that is no less than one false positive among so many non-members, to 1; from 1e-5 on at least.
fn grid(non_members: usize) -> Vec<f64> {
    const DEEPEST: u32 = 50;
    let steps = libm::floor(10.0 * libm::log10(non_members.max(1) as f64));
    let first = (steps as u32).min(DEEPEST);
    (0..=first).rev().map(|i| libm::pow(10.0, -f64::from(i) / 10.0)).collect()
}

/// One attack on one recipe.
///
/// The threshold of the balanced accuracy of a unit's targets is learnt on the other units' targets, scored without that unit's models; when
/// another unit is deleted it is learnt anew, without both.
///
pub(crate) fn attack(judge: &Judge<'_>, attack: Attack, run: &Run<'_>) -> Result<Attacked, Error> {
    let (pool, links, workers) = (judge.pool(), run.links, run.workers);
    let scorer = Scorer::new(judge, attack, workers)?;
    let sheet = scorer.score(None)?;
    let fprs = if is_drawn(attack) { grid(judge.sizes().0) } else { Vec::new() };
    let mut whole = judge.judge(&sheet, &fprs, None, false)?.units;
    let shadows = attack.uses_shadows();
    let by_group = pool.groups.as_ref().filter(|_| is_of_family(attack));
    let units = judge.units();
    let deletions = parallel::map(units.len(), workers, |unit| {
        let unit = UnitId::new(unit);
        let rest = scorer.score(Some(unit))?;
        let found = judge.judge(&rest, &fprs, Some(whole.rows()), !shadows)?;
        let calls = judge.calls(&rest, &found.thresholds);
        Ok::<_, Error>(Deletion {
            threshold: found.threshold,
            measures: found.units,
            balanced: judge.balanced(&rest, &found.thresholds),
            links: links.map(|links| links.correlations(calls.rows(), Some(unit))),
            groups: by_group.map(|groups| groups::leakage(judge, &rest, groups)).transpose()?,
        })
    })
    .into_iter()
    .collect::<Result<Vec<_>, _>>()?;
    let thresholds: Vec<f64> = deletions.iter().map(|d| d.threshold).collect();
    let balanced = judge.balanced(&sheet, &thresholds);
    for (row, balanced) in whole.iter_mut().zip(&balanced) {
        row[BALANCED] = balanced.unwrap_or(0.5);
    }
    let calls = judge.calls(&sheet, &thresholds);
    let link = links.map(|links| {
        let deleted = deletions.iter().map(|d| d.links.clone().unwrap_or_default()).collect();
        links.estimate(links.correlations(calls.rows(), None), deleted)
    });
    let leaks = by_group.map(|groups| {
        Ok::<_, Error>(Leaks {
            whole: groups::leakage(judge, &sheet, groups)?,
            deleted: deletions.iter().filter_map(|d| d.groups.clone()).collect(),
        })
    });
    let filled = |row: &Vec<Option<f64>>| {
        row.iter().zip(&whole).map(|(found, own)| found.unwrap_or(own[BALANCED])).collect::<Vec<f64>>()
    };
    let table = Table {
        balanced: deletions.iter().map(|d| filled(&d.balanced)).collect(),
        jumps: attack.has_class_thresholds(),
        deleted: shadows.then(|| deletions.iter().map(|d| d.measures.clone()).collect()),
        whole,
    };
    let auc = table.of(AUC)?;
    let mut like_these = vec![judge.population(&sheet, &auc)];
    if run.other_examples {
        let rates = (0..FPR_LEVELS.len()).map(|k| table.of(TPR + k)).collect::<Result<Vec<_>, _>>()?;
        like_these.extend(judge.resampled(&sheet, &rates, run.seed));
    }
    let scored = Scored { table, calls, groups: leaks.transpose()?.unwrap_or_default(), like_these };
    let found = result(judge, pool, attack, &sheet, &scored)?;
    let curve = (!fprs.is_empty()).then(|| curve(judge, &scored.table, attack, &fprs)).transpose()?;
    Ok(Attacked {
        result: AttackResult { variant: scorer.method(attack).or(found.variant), ..found },
        scored,
        curve,
        link: link.transpose()?.flatten(),
    })
}

/// What [`attack`] gives.
pub(crate) struct Attacked {
    pub(crate) result: AttackResult,
    pub(crate) scored: Scored,
    /// For the attacks that are drawn.
    pub(crate) curve: Option<RocFigure>,
    /// Rank correlation of memorization with attack success.
    pub(crate) link: Option<Estimate>,
}

/// One unit left out as targets and as shadows.
struct Deletion {
    threshold: f64,
    measures: Matrix,
    balanced: Vec<Option<f64>>,
    links: Option<Vec<Option<f64>>>,
    groups: Option<Matrix<Option<Leak>>>,
}

/// The mean ROC curve, its band from the same variance as every other interval.
fn curve(judge: &Judge<'_>, table: &Table, attack: Attack, fprs: &[f64]) -> Result<RocFigure, Error> {
    let (_, members) = judge.sizes();
    let at = |k: usize| Ok::<_, Error>(table.of(MEASURES + k)?.interval(0.95, Range::Rate { of: members })?);
    let tpr = (0..fprs.len()).map(at).collect::<Result<_, _>>()?;
    Ok(RocFigure { attack: attack.name(), fpr: fprs.to_vec(), tpr })
}

/// Every figure of one attack, from its measures by unit; realised rates and epsilons from its scores.
fn result(
    judge: &Judge<'_>,
    pool: &Pool,
    attack: Attack,
    sheet: &Sheet,
    scored: &Scored,
) -> Result<AttackResult, Error> {
    let table = &scored.table;
    let (non_members, members) = judge.sizes();
    let rate = |k: usize| Ok::<_, Error>(table.of(k)?.interval(0.95, Range::Rate { of: members })?);
    let (levels, epsilon) = judge.realised(sheet)?;
    let tpr_at_fpr = FPR_LEVELS
        .iter()
        .zip(levels)
        .enumerate()
        .map(|(k, (&fpr, [realised, positives]))| {
            let tpr = rate(TPR + k)?;
            Ok(TprAtFpr {
                fpr,
                tpr,
                chance: chance(fpr, non_members),
                precision: PRIORS.map(|prior| precision(tpr.mean, realised, prior)),
                realised_fpr: realised,
                false_positives: positives,
                reliable: is_reliable(fpr, non_members, realised),
            })
        })
        .collect::<Result<_, Error>>()?;
    let balanced = rate(BALANCED)?;
    let auc = table.of(AUC)?;
    let wide = scored.over_examples(AUC).filter(|_| auc.units() >= FEWEST_UNITS);
    let population = wide.map(|wide| wide.rate(0.95, members)).transpose()?;
    let equal = pool.membership.is_complementary();
    Ok(AttackResult {
        name: attack.name(),
        variant: attack.variant().map(Into::into),
        shadow_recipe: attack.uses_shadows().then(|| pool.recipe.clone()),
        same_roc_as: attack.same_roc_as(equal),
        auc: rate(AUC)?,
        population,
        advantage: Estimate {
            mean: 2.0 * balanced.mean - 1.0,
            low: 2.0 * balanced.low - 1.0,
            high: 2.0 * balanced.high - 1.0,
        },
        oracle_advantage: table.of(ORACLE)?.estimate(),
        balanced_accuracy: balanced,
        tpr_at_fpr,
        nominal_epsilon: Some(epsilon),
    })
}
