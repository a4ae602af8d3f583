//! Known groups of examples as results.

use flatleak_attack::Attack;
use flatleak_explain::Memorization;
use flatleak_pool::{Matrix, Pool};
use flatleak_results::{Estimate, GroupLeakage, GroupResult};
use flatleak_stats::{Range, Replicates, jackknife, moments};

use super::context::Context;
use crate::error::Error;
use crate::groups::{Leak, Where, by_block};
use crate::properties::over_blocks;
use crate::table::Scored;

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
        let estimate = |side: Where| -> Result<Option<Estimate>, Error> {
            by_block(pool, groups, group, side)
                .map(|v| over_blocks(&v, Range::Rate { of: 0.5 * pool.examples() as f64 }))
                .transpose()
        };
        let Some(member_accuracy) = estimate(Where::Member)? else { continue };
        let Some(non_member_accuracy) = estimate(Where::NonMember)? else { continue };
        out.push(GroupResult {
            recipe: pool.recipe.clone(),
            dataset: context.dataset.into(),
            name: name.clone(),
            pool: count(&groups.pool),
            frequency: count(&groups.pool) as f64 / groups.pool.len() as f64,
            test: count(&groups.test),
            test_accuracy: if pool.test.is_empty() { None } else { estimate(Where::Test)? },
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
    let left_out: Vec<f64> = memorization.units().map(|u| mean(&memorization.without(u))).collect();
    Ok(jackknife(mean(memorization.values()), &left_out, 0.95)?.interval)
}

/// Leakage of one group with its interval; `None` where a unit has no target with both sides in the group.
fn leaked(attack: Attack, scored: &Scored, group: u32) -> Result<Option<GroupLeakage>, Error> {
    let g = group as usize;
    let column = |units: &Matrix<Option<Leak>>, k: usize, gone: Option<usize>| -> Option<Vec<f64>> {
        let of = |(u, groups): (usize, &[Option<Leak>])| if Some(u) == gone { Some(0.0) } else { Some(groups[g]?[k]) };
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
