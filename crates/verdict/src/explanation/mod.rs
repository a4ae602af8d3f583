//! The whole explanation in its order.

pub(crate) mod buckets;
pub(crate) mod claims;
pub(crate) mod context;
pub(crate) mod detail;
mod groups;
pub(crate) mod influence;
pub(crate) mod link;
pub(crate) mod memorization;
mod spread;
pub(crate) mod subject;

use crate::error::Error;
use crate::explanation::detail::Detail;
use flatleak_attack::Attack;
use flatleak_explain::PhiMoments;
use flatleak_pool::{Pool, Signal};
use flatleak_results::{BucketsResult, Comparison, Explanation, LeftOut, Reason};

use crate::judge::ORACLE;
use context::{Attacked, Context, Pair};
use influence::Found;
use memorization::Both;
use spread::Variances;

/// What an explanation costs beside the attacks, in steps of the progress.
pub(crate) fn steps(pools: usize, pairs: usize) -> usize {
    pools + pairs
}

/// What is known of each recipe alone, in the order of the pools.
struct Known {
    influence: Vec<Option<Found>>,
    /// None where the pool has no phi; so with the moments.
    variances: Vec<Option<Variances>>,
    moments: Vec<Option<PhiMoments>>,
}

/// Something without which the explanation of a data set has to do.
fn left_out(context: &Context<'_>, what: impl Into<String>, reason: impl Into<Reason>) -> LeftOut {
    LeftOut { dataset: context.dataset.into(), what: what.into(), reason: reason.into() }
}

/// Explains pools; `both`, `attacked` in their order. `comparisons` are those of the attacks, where there are any.
pub(crate) fn explain(
    context: &Context<'_>,
    pools: &[&Pool],
    both: &[Both],
    attacked: &[Attacked<'_>],
    (pairs, comparisons): (&[(usize, usize)], &[Comparison]),
    mut step: impl FnMut() -> Result<(), Error>,
) -> Result<(Explanation, Vec<Detail>), Error> {
    let mut out = Explanation::default();
    let mut known = each(context, pools, both, &mut out, &mut step)?;
    if attacked.iter().all(|a| a.scored.is_empty()) && pools.iter().any(|p| p.offers(Signal::Phi)) {
        let what = "attacks, their link with memorization and leakage by group";
        out.left_out.push(left_out(context, what, Reason::NotAskedFor));
    }
    for (at, (pool, both)) in pools.iter().zip(both).enumerate() {
        out.memorization.push(memorization::result(context, pool, both)?);
        out.influence.extend(known.influence[at].iter_mut().flat_map(|f| std::mem::take(&mut f.results)));
        out.groups.extend(groups::results(context, pool, &both.hard, attacked[at].scored)?);
        if let Some(v) = &known.variances[at] {
            out.variance.extend(v.results(context, &pool.recipe)?);
        }
        out.link.extend(attacked[at].links.iter().cloned());
    }
    for &(a, b) in pairs {
        let pair = Pair::new(pools[a], pools[b]);
        out.memorization_differences.push(memorization::compared(context, &pair, (&both[a], &both[b]))?);
        two(context, &pair, (a, b), &known, attacked, &mut out)?;
        step()?;
    }
    out.claims = claims::all(context, &out, attacked, comparisons);
    let details = pools
        .iter()
        .zip(both)
        .zip(known.influence)
        .zip(attacked)
        .map(|(((pool, both), found), attacked)| {
            detail::of(pool, both, found.map(|f| f.pairs), attacked.scored, &attacked.examples)
        })
        .collect::<Result<_, _>>()?;
    Ok((out, details))
}

/// What is known of each recipe alone, and what cannot be.
fn each(
    context: &Context<'_>,
    pools: &[&Pool],
    both: &[Both],
    out: &mut Explanation,
    step: &mut impl FnMut() -> Result<(), Error>,
) -> Result<Known, Error> {
    let mut known = Known { influence: Vec::new(), variances: Vec::new(), moments: Vec::new() };
    for (pool, both) in pools.iter().zip(both) {
        let influence = if context.influence { influence::of(context, pool, both)? } else { None };
        if influence.is_none() && context.influence {
            let what = format!("influence under {}", pool.recipe);
            out.left_out.push(left_out(context, what, "the pool has no outputs on held-out examples"));
        }
        let phi = pool.offers(Signal::Phi);
        if !phi {
            let what = format!("confidence, variance, attacks and attribution under {}", pool.recipe);
            out.left_out.push(left_out(context, what, "the pool says who is right, not how sure the models are"));
        }
        known.variances.push(if phi { Some(Variances::new(pool)?) } else { None });
        known.moments.push(phi.then(|| PhiMoments::new(pool)).transpose()?);
        known.influence.push(influence);
        step()?;
    }
    if !context.influence {
        let what = "influence, its entropy and gains by bucket";
        out.left_out.push(left_out(context, what, "over many recipes only `flatleak explain` sweeps them"));
    }
    Ok(known)
}

/// What two recipes differ in beside memorization; of models that cannot be paired, their variances alone.
fn two(
    context: &Context<'_>,
    pair: &Pair<'_>,
    (a, b): (usize, usize),
    known: &Known,
    attacked: &[Attacked<'_>],
    out: &mut Explanation,
) -> Result<(), Error> {
    let name = format!("{} against {}", pair.candidate.recipe, pair.baseline.recipe);
    if let (Some(a), Some(b)) = (&known.variances[a], &known.variances[b]) {
        out.variance_differences.extend(Variances::differences(context, pair, (a, b))?);
    }
    if !pair.paired {
        let reason = "the recipes were trained on different memberships or examples: their models cannot be paired, and intervals are unpaired";
        out.left_out.push(left_out(context, format!("gains by bucket and attribution, {name}"), reason));
        return Ok(());
    }
    if let (Some(one), Some(other)) = (&known.moments[a], &known.moments[b]) {
        let phi = |at: usize| {
            let found = attacked[at].scored.iter().find(|(attack, _)| *attack == Attack::CONFIDENCE);
            found.map(|(_, s)| s.table.of(ORACLE)).transpose()
        };
        let observed = phi(a)?.zip(phi(b)?);
        out.attribution.push(spread::attribution(context, pair, (one, other), observed)?);
    }
    if context.influence
        && let Some(reason) = buckets(context, pair, known.influence[a].as_ref(), &mut out.entropy_buckets)?
    {
        out.left_out.push(left_out(context, format!("gains by bucket, {name}"), reason));
    }
    Ok(())
}

/// Appends the gains of a pair by bucket, or says why there are none.
fn buckets(
    context: &Context<'_>,
    pair: &Pair<'_>,
    found: Option<&Found>,
    to: &mut Vec<BucketsResult>,
) -> Result<Option<Reason>, Error> {
    let Some(found) = found else { return Ok(Some("the baseline has no outputs on held-out examples".into())) };
    let tests = |pool: &Pool| pool.test.iter().map(flatleak_pool::Signals::len).collect::<Vec<_>>();
    if tests(pair.baseline) != tests(pair.candidate) {
        return Ok(Some("the recipes have outputs on different held-out examples".into()));
    }
    let blocks = pair.baseline.membership.blocks();
    if blocks < 6 {
        return Ok(Some(format!("{blocks} blocks give no two halves; 6 are needed").as_str().into()));
    }
    match buckets::of(context, pair, found.measurable)? {
        Some(results) => to.extend(results),
        None => {
            return Ok(Some("half of the models leaves no training example both in and out: train more models".into()));
        }
    }
    Ok(None)
}
