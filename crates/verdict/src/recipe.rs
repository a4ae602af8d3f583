//! One recipe: accuracy, spread, and every attack with its intervals.

use flatleak_attack::Attack;
use flatleak_pool::{Pool, Signal};
use flatleak_stats::{FEWEST_UNITS, Interval, Jackknife, Range, Replicates, Student, moments, parallel, precision};

use crate::comparison::is_headline;
use crate::explanation::link::Links;
use crate::groups::{self, Leak, Leaks};
use crate::judge::{AUC, BALANCED, Judge, MEASURES, ORACLE, Sheet, TPR};
use crate::scored::Scorer;
use crate::{AttackResult, Error, Estimate, FPR_LEVELS, PRIORS, RocFigure, Spread, TprAtFpr};

/// Interval over independent block means by Student's t.
pub(crate) fn over_blocks(means: &[f64], range: Range) -> Result<Interval, Error> {
    Ok(Replicates::independent(means.to_vec())?.interval(0.95, range)?)
}

/// The same for any number, with the standard error of the mean of independent blocks.
pub(crate) fn over_blocks_with_error(means: &[f64]) -> Result<Jackknife, Error> {
    let found = Replicates::independent(means.to_vec())?;
    let standard_error = found.standard_error();
    Ok(Jackknife { interval: found.interval(0.95, Range::Real)?, standard_error, degrees: found.degrees() })
}

/// What comparisons need of one attack on one recipe.
pub(crate) struct Scored {
    /// Measures by unit.
    pub(crate) table: Table,
    /// By unit, (N) share of the unit's targets on which the call at the unit's threshold is right; kept for the attacks that are compared with
    /// single examples.
    pub(crate) calls: Vec<Vec<f64>>,
    /// Leakage by known group; only for headline attacks.
    pub(crate) groups: Leaks,
    /// The AUC, and where pools of other examples are compared the TPR at each level, with errors that cover another draw of examples too.
    like_these: Vec<Student>,
}

impl Scored {
    /// A measure with an error that covers another draw of examples too.
    pub(crate) fn over_examples(&self, measure: usize) -> Option<Student> {
        match measure.checked_sub(TPR) {
            None if measure == AUC => self.like_these.first().copied(),
            None => None,
            Some(level) => self.like_these.get(1 + level).copied(),
        }
    }
}

/// How one attack is run.
pub(crate) struct Run<'a> {
    /// What memorization says of the recipe's examples.
    pub(crate) links: Option<&'a Links>,
    /// Whether TPRs need errors that cover another draw of examples.
    pub(crate) other_examples: bool,
    pub(crate) seed: u64,
    pub(crate) workers: usize,
}

/// Measures by unit, from all shadows and without those of every other unit.
pub(crate) struct Table {
    whole: Vec<Vec<f64>>,
    /// By deleted unit; absent for attacks without shadows, but for the balanced accuracy.
    deleted: Option<Vec<Vec<Vec<f64>>>>,
    /// The scores jump where shadows change, and with them the TPR at a level; areas even that out.
    jumps: bool,
    /// Balanced accuracy by deleted unit and unit: its threshold is learnt on others' targets whatever the attack.
    balanced: Vec<Vec<f64>>,
}

impl Table {
    /// One measure.
    ///
    /// # Errors
    /// A measure that is not finite.
    pub(crate) fn of(&self, measure: usize) -> Result<Replicates, Error> {
        let column = |rows: &[Vec<f64>]| rows.iter().map(|row| row[measure]).collect::<Vec<f64>>();
        if measure == BALANCED {
            return Ok(Replicates::new(column(&self.whole), self.balanced.clone())?);
        }
        let Some(deleted) = &self.deleted else { return Ok(Replicates::independent(column(&self.whole))?) };
        let found = Replicates::new(column(&self.whole), deleted.iter().map(|d| column(d)).collect())?;
        Ok(if self.jumps && measure >= TPR { found.jumping() } else { found })
    }
}

/// Properties of a pool's models by name, one value per block each.
pub(crate) type Properties = Vec<(String, Vec<f64>)>;

/// Accuracies and spreads, that on held-out examples where there are any, and accuracies per group where these are known, over the blocks that
/// have targets.
pub(crate) fn properties(judge: &Judge<'_>, pool: &Pool) -> Properties {
    let m = &pool.membership;
    let by_block = |f: &dyn Fn(usize) -> f64| judge.block_means(f);
    let variance = |signal: Signal, member: bool| {
        by_block(&|k| moments::variance(&m.side(k, &pool.pool[k].values(signal), member), 0))
    };
    let tested = pool.test.first().is_some_and(|t| !t.is_empty());
    let test = tested.then(|| ("test-accuracy", by_block(&|k| pool.test[k].accuracy(|_| true))));
    let on_the_pool = [
        ("member-accuracy", by_block(&|k| pool.pool[k].accuracy(|i| m.row(k)[i]))),
        ("non-member-accuracy", by_block(&|k| pool.pool[k].accuracy(|i| !m.row(k)[i]))),
        ("confidence-variance.member", variance(Signal::Confidence, true)),
        ("confidence-variance.non-member", variance(Signal::Confidence, false)),
        ("phi-variance.member", variance(Signal::Phi, true)),
        ("phi-variance.non-member", variance(Signal::Phi, false)),
    ];
    let own = test.into_iter().chain(on_the_pool).map(|(name, values)| (name.to_owned(), values));
    let noise = pool.noise.iter().flat_map(|noise| {
        noise.levels.iter().enumerate().flat_map(|(l, level)| {
            let [at, lost] = noise_metrics(*level);
            let lost_by = |k: usize| pool.test[k].accuracy(|_| true) - noise.accuracy[k][l];
            [(at, by_block(&|k| noise.accuracy[k][l])), (lost, by_block(&lost_by))]
        })
    });
    own.chain(noise).chain(groups::properties(pool)).collect()
}

/// Names of the accuracy under a level of noise and of what it is less.
pub(crate) fn noise_metrics(level: f64) -> [String; 2] {
    [format!("test-accuracy@noise{level}"), format!("lost-accuracy@noise{level}")]
}

/// The spread under `prefix` among the properties.
pub(crate) fn spread(found: &Properties, prefix: &str, pool: &Pool) -> Result<Spread, Error> {
    let get = |side: &str| property(found, &format!("{prefix}.{side}"), pool);
    Ok(Spread { member: get("member")?, non_member: get("non-member")? })
}

/// Where a property can lie: accuracies are rates, over the examples of one side, what is lost of them and gaps are differences, variances
/// are any number.
pub(crate) fn range_of(name: &str, pool: &Pool) -> Range {
    let (n, t) = (pool.labels.len() as f64, pool.test_labels.len() as f64);
    match name {
        _ if name.contains("-variance") => Range::Real,
        _ if name.starts_with("lost-") || name.starts_with("memorization[") => Range::Difference,
        _ if name.starts_with("test-") => Range::Rate { of: t },
        _ => Range::Rate { of: 0.5 * n },
    }
}

/// Interval of one property.
pub(crate) fn property(found: &Properties, name: &str, pool: &Pool) -> Result<Estimate, Error> {
    let values = found.iter().find(|(n, _)| n == name).map_or(&[][..], |(_, v)| v);
    over_blocks(values, range_of(name, pool))
}

/// Attacks whose mean ROC curves are drawn.
const DRAWN: [Attack; 4] = [Attack::STRONGEST, Attack::LIRA, Attack::RMIA, Attack::CONFIDENCE];

/// FPRs of a drawn curve: ten a decade from 1e-3 to 1; below, a few thousand non-members say nothing.
fn grid() -> Vec<f64> {
    (0..=30).map(|i| libm::pow(10.0, f64::from(i) / 10.0 - 3.0)).collect()
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
    let fprs = if DRAWN.contains(&attack) { grid() } else { Vec::new() };
    let mut whole = judge.judge(&sheet, &fprs, None, false)?.units;
    let shadows = attack.uses_shadows();
    let by_group = pool.groups.as_ref().filter(|_| is_headline(attack));
    let units = judge.units();
    let deletions = parallel::map(units.len(), workers, |unit| {
        let rest = scorer.score(Some(unit))?;
        let found = judge.judge(&rest, &fprs, Some(&whole), !shadows)?;
        let calls = judge.calls(&rest, &found.thresholds);
        Ok::<_, Error>(Deletion {
            threshold: found.threshold,
            measures: found.units,
            balanced: judge.balanced(&rest, &found.thresholds),
            links: links.map(|links| links.correlations(&calls, Some(unit))),
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
        links.estimate(links.correlations(&calls, None), deleted)
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
    measures: Vec<Vec<f64>>,
    balanced: Vec<Option<f64>>,
    links: Option<Vec<Option<f64>>>,
    groups: Option<Vec<Vec<Option<Leak>>>>,
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
                reliable: fpr * non_members as f64 >= FALSE_POSITIVES,
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

/// False positives that are expected where a TPR at a low FPR means anything.
pub(crate) const FALSE_POSITIVES: f64 = 5.0;

/// TPR at an FPR of a score without ties that knows nothing: (floor(f n0) + 1) / (n0 + 1), the mean rank of the (floor(f n0) + 1)-th of n0
/// non-members among all (own; book/methods/measures.md#chance-line).
pub(crate) fn chance(fpr: f64, non_members: usize) -> f64 {
    let n = non_members as f64;
    ((fpr * n + 1e-9).floor() + 1.0) / (n + 1.0)
}
