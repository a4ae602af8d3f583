//! Memorization of the pools, as results.

use flatleak_attack::Attack;
use flatleak_explain::{Memorization, Statistic};
use flatleak_pool::{Pool, Signal};
use flatleak_stats::{Interval, moments, student_t};

use crate::recipe::Scored;
use crate::{
    Error, Estimate, Explanation, IdentityResult, LinkResult, MemorizationDifference, MemorizationResult, NamedEstimate,
};

/// Hard (0/1) and soft (p_y) memorization of one recipe.
struct Both {
    hard: Memorization,
    soft: Memorization,
}

impl Both {
    fn new(pool: &Pool) -> Result<Self, Error> {
        Ok(Self { hard: Memorization::new(pool, Signal::Correct)?, soft: Memorization::new(pool, Signal::Confidence)? })
    }
}

/// Memorization per recipe, paired differences per (baseline, candidate), and what memorization says about attack success;
/// `scored` holds the attacks of every pool.
pub(crate) fn explain(
    pools: &[&Pool],
    scored: &[Vec<(Attack, Scored)>],
    pairs: &[(usize, usize)],
    dataset: &str,
) -> Result<Explanation, Error> {
    let all = pools.iter().map(|pool| Both::new(pool)).collect::<Result<Vec<_>, _>>()?;
    let memorization = pools
        .iter()
        .zip(&all)
        .map(|(pool, both)| {
            let identity = both.hard.identity(pool);
            Ok(MemorizationResult {
                recipe: pool.recipe.clone(),
                dataset: dataset.into(),
                hard: named(|s| both.hard.statistic(s))?,
                soft: named(|s| both.soft.statistic(s))?,
                mean_standard_error: moments::mean(&both.hard.standard_errors()),
                identity: IdentityResult {
                    memorization: identity.memorization,
                    accuracy_gap: identity.accuracy_gap,
                    holds: identity.holds(),
                },
                histogram: both.hard.histogram(),
                soft_histogram: both.soft.histogram(),
            })
        })
        .collect::<Result<_, Error>>()?;
    let differences = pairs
        .iter()
        .map(|&(a, b)| {
            Ok(MemorizationDifference {
                baseline: pools[a].recipe.clone(),
                candidate: pools[b].recipe.clone(),
                dataset: dataset.into(),
                hard: named(|s| all[b].hard.difference(&all[a].hard, s))?,
                soft: named(|s| all[b].soft.difference(&all[a].soft, s))?,
                // Undefined where one recipe memorizes every example alike.
                correlation: moments::correlation(&all[a].hard.values(None), &all[b].hard.values(None)).ok(),
            })
        })
        .collect::<Result<_, Error>>()?;
    let mut links = Vec::new();
    for ((pool, both), attacks) in pools.iter().zip(&all).zip(scored) {
        for (attack, found) in attacks.iter().filter(|(_, s)| !s.calls.is_empty()) {
            links.extend(link(&both.soft, &found.calls)?.map(|correlation| LinkResult {
                recipe: pool.recipe.clone(),
                dataset: dataset.into(),
                attack: attack.name().into(),
                correlation,
            }));
        }
    }
    Ok(Explanation { memorization, differences, links })
}

/// Rank correlation over examples of memorization with the rate of right membership calls, block by block: a block's targets are set
/// against memorization from all other blocks, so that nothing of the target explains its own exposure. Mean over blocks with
/// its 95 % interval; `None` where one side is constant.
fn link(memorization: &Memorization, calls: &[Vec<f64>]) -> Result<Option<Estimate>, Error> {
    let found: Vec<f64> = calls
        .iter()
        .enumerate()
        .filter_map(|(block, right)| moments::rank_correlation(&memorization.values(Some(block)), right).ok())
        .collect();
    if found.len() < calls.len() {
        return Ok(None);
    }
    Ok(Some(student_t(&found, 0.95)?.into()))
}

fn named(f: impl Fn(Statistic) -> Result<Interval, flatleak_explain::Error>) -> Result<Vec<NamedEstimate>, Error> {
    Statistic::ALL.into_iter().map(|s| Ok(NamedEstimate { name: s.name().into(), estimate: f(s)?.into() })).collect()
}
