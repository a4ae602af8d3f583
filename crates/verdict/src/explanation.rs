//! Memorization of the pools, as results.

use flatleak_explain::{Memorization, Statistic};
use flatleak_pool::{Pool, Signal};
use flatleak_stats::{Interval, moments};

use crate::{Error, Explanation, IdentityResult, MemorizationDifference, MemorizationResult, NamedEstimate};

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

/// Memorization per recipe, and paired differences per (baseline, candidate).
pub(crate) fn explain(pools: &[&Pool], pairs: &[(usize, usize)], dataset: &str) -> Result<Explanation, Error> {
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
    Ok(Explanation { memorization, differences })
}

fn named(f: impl Fn(Statistic) -> Result<Interval, flatleak_explain::Error>) -> Result<Vec<NamedEstimate>, Error> {
    Statistic::ALL.into_iter().map(|s| Ok(NamedEstimate { name: s.name().into(), estimate: f(s)?.into() })).collect()
}
