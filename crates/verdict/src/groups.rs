//! Known groups of examples: where atypical ones are marked, who gets them right, who learns them by heart, who gives them away?

use flatleak_attack::Attack;
use flatleak_explain::Memorization;
use flatleak_pool::{Groups, Pool, Signals};
use flatleak_stats::{Range, Ranking, Replicates, jackknife, moments};

use crate::explanation::Context;
use crate::judge::{Judge, Sheet};
use crate::recipe::{Scored, over_blocks, range_of};
use crate::{Error, Estimate, GroupLeakage, GroupResult};

/// FPR over all non-members at which a group's members are counted as found.
const LEVEL: f64 = 0.01;

/// What is measured of a group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Test,
    Member,
    NonMember,
}

impl Side {
    fn metric(self, group: &str) -> String {
        let side = match self {
            Self::Test => "test",
            Self::Member => "member",
            Self::NonMember => "non-member",
        };
        format!("{side}-accuracy[{group}]")
    }
}

/// Accuracy of each block on one side of one group, over both models and all their examples; `None` where a block has no such
/// example.
fn by_block(pool: &Pool, groups: &Groups, group: u32, side: Side) -> Option<Vec<f64>> {
    let m = &pool.membership;
    let mut hits = vec![0u64; m.blocks()];
    let mut all = hits.clone();
    for model in 0..m.models() {
        let mut count = |signals: &Signals, of: &[u32], keep: &dyn Fn(usize) -> bool| {
            for (_, correct) in signals.correct.iter().enumerate().filter(|(i, _)| of[*i] == group && keep(*i)) {
                hits[m.block(model)] += u64::from(*correct);
                all[m.block(model)] += 1;
            }
        };
        match side {
            Side::Test => count(&pool.test[model], &groups.test, &|_| true),
            Side::Member => count(&pool.pool[model], &groups.pool, &|i| m.row(model)[i]),
            Side::NonMember => count(&pool.pool[model], &groups.pool, &|i| !m.row(model)[i]),
        }
    }
    hits.iter().zip(&all).map(|(h, n)| (*n > 0).then(|| *h as f64 / *n as f64)).collect()
}

/// AUC and share found of one group, mean over targets.
pub(crate) type Leak = [f64; 2];

/// Leakage by unit and group, from all shadows and without each unit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaks {
    /// By unit and group.
    pub(crate) whole: Vec<Vec<Option<Leak>>>,
    /// By deleted unit, unit and group; of attacks without shadows too.
    pub(crate) deleted: Vec<Vec<Vec<Option<Leak>>>>,
}

/// By unit and group: the AUC among the group's examples, and the share of its members found at the threshold that accuses 1 % of all
/// non-members. Mean over the unit's targets that have members and non-members in the group; `None` where none has.
pub(crate) fn leakage(judge: &Judge<'_>, sheet: &Sheet, groups: &Groups) -> Result<Vec<Vec<Option<Leak>>>, Error> {
    let mut sums = vec![vec![[0.0; 3]; groups.names.len()]; judge.units().len()];
    let mut ranking = Ranking::default();
    let mut failed = None;
    judge.each_scored(sheet, |unit, scores, member, at| {
        let mut of_target = || -> Result<(), Error> {
            ranking.rebuild(scores, member)?;
            let threshold = ranking.tpr_at(LEVEL).threshold.unwrap_or(f64::INFINITY);
            for (group, sum) in (0u32..).zip(&mut sums[unit]) {
                let own = at.iter().zip(scores).zip(member).filter(|((i, _), _)| groups.pool[**i] == group);
                let (values, mine): (Vec<f64>, Vec<bool>) = own.map(|((_, s), m)| (*s, *m)).unzip();
                let members = mine.iter().filter(|m| **m).count();
                if members == 0 || members == mine.len() {
                    continue;
                }
                let found = values.iter().zip(&mine).filter(|(v, m)| **m && **v >= threshold).count();
                ranking.rebuild(&values, &mine)?;
                *sum = [sum[0] + ranking.auc(), sum[1] + found as f64 / members as f64, sum[2] + 1.0];
            }
            Ok(())
        };
        if let Err(e) = of_target() {
            failed.get_or_insert(e);
        }
    });
    let mean = |[auc, tpr, n]: [f64; 3]| (n > 0.0).then(|| [auc / n, tpr / n]);
    failed.map_or_else(|| Ok(sums.into_iter().map(|unit| unit.into_iter().map(mean).collect()).collect()), Err)
}

/// One entry per group that the pool holds; none where the data has no groups.
pub(crate) fn results(
    context: &Context<'_>,
    pool: &Pool,
    memorization: &Memorization,
    scored: &[(Attack, Scored)],
) -> Result<Vec<GroupResult>, Error> {
    let Some(groups) = &pool.groups else { return Ok(Vec::new()) };
    let mut out = Vec::new();
    for (group, name) in (0u32..).zip(&groups.names) {
        let count = |of: &[u32]| of.iter().filter(|g| **g == group).count();
        let estimate = |side: Side| -> Result<Option<Estimate>, Error> {
            by_block(pool, groups, group, side).map(|v| over_blocks(&v, range_of("accuracy", pool))).transpose()
        };
        let Some(member_accuracy) = estimate(Side::Member)? else { continue };
        let Some(non_member_accuracy) = estimate(Side::NonMember)? else { continue };
        out.push(GroupResult {
            recipe: pool.recipe.clone(),
            dataset: context.dataset.into(),
            name: name.clone(),
            pool: count(&groups.pool),
            frequency: count(&groups.pool) as f64 / groups.pool.len() as f64,
            test: count(&groups.test),
            test_accuracy: if pool.test.is_empty() { None } else { estimate(Side::Test)? },
            member_accuracy,
            non_member_accuracy,
            memorization: memorized(memorization, &groups.pool, group)?,
            leakage: scored.iter().filter_map(|(a, s)| leaked(*a, s, group).transpose()).collect::<Result<_, _>>()?,
        });
    }
    Ok(out)
}

/// Mean memorization of a group's examples, with the jackknife over units.
fn memorized(memorization: &Memorization, groups: &[u32], group: u32) -> Result<Estimate, Error> {
    let mean = |values: &[f64]| {
        let mine: Vec<f64> = values.iter().zip(groups).filter(|(_, g)| **g == group).map(|(v, _)| *v).collect();
        moments::mean(&mine)
    };
    let left_out: Vec<f64> = (0..memorization.units()).map(|u| mean(&memorization.without(u))).collect();
    Ok(jackknife(mean(memorization.values()), &left_out, 0.95)?.interval)
}

/// Leakage of one group with its interval; `None` where a unit has no target with both sides in the group.
fn leaked(attack: Attack, scored: &Scored, group: u32) -> Result<Option<GroupLeakage>, Error> {
    let g = group as usize;
    let column = |units: &[Vec<Option<Leak>>], k: usize, gone: Option<usize>| -> Option<Vec<f64>> {
        let of =
            |(u, groups): (usize, &Vec<Option<Leak>>)| if Some(u) == gone { Some(0.0) } else { Some(groups[g]?[k]) };
        units.iter().enumerate().map(of).collect()
    };
    let estimate = |k: usize| -> Result<Option<Estimate>, Error> {
        let Some(whole) = column(&scored.groups.whole, k, None).filter(|w| !w.is_empty()) else { return Ok(None) };
        let deleted: Option<Vec<Vec<f64>>> =
            scored.groups.deleted.iter().enumerate().map(|(d, units)| column(units, k, Some(d))).collect();
        let Some(deleted) = deleted else { return Ok(None) };
        Ok(Some(Replicates::new(whole, deleted)?.interval(0.95, Range::Rate { of: FEW_MEMBERS })?))
    };
    Ok(estimate(0)?.zip(estimate(1)?).map(|(auc, tpr)| GroupLeakage { attack: attack.name(), auc, tpr }))
}

/// Members of a group that a target has at least, for the limits of a rate that is exactly 0 or 1.
const FEW_MEMBERS: f64 = 10.0;

/// Accuracies on unseen examples per group, by metric name, one value per block.
pub(crate) fn properties(pool: &Pool) -> Vec<(String, Vec<f64>)> {
    let Some(groups) = &pool.groups else { return Vec::new() };
    let mut out = Vec::new();
    for (group, name) in (0u32..).zip(&groups.names) {
        let of = |side| by_block(pool, groups, group, side);
        for side in [Side::Test, Side::NonMember] {
            out.extend(of(side).map(|values| (side.metric(name), values)));
        }
        // A block has every example once in and once out: the difference is the mean memorization of the group by this block.
        if let Some((seen, unseen)) = of(Side::Member).zip(of(Side::NonMember)) {
            let values = seen.iter().zip(&unseen).map(|(a, b)| a - b).collect();
            out.push((format!("memorization[{name}]"), values));
        }
    }
    out
}
