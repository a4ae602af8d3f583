//! The whole analysis in its order.

use flatleak_attack::Attack;
use flatleak_pool::Pool;

use crate::recipe::{self, Scored};
use crate::{Comparison, Error, RecipeResult, Results, comparison, explanation, figures, groups, headline};

/// What the analysis needs beside the pools.
#[derive(Clone, Debug)]
pub struct Options {
    /// Data set, for the record.
    pub dataset: String,
    /// Epochs per recipe, in the order of the pools.
    pub checkpoints: Vec<usize>,
    /// (baseline, candidate) pairs by index of the pools.
    pub pairs: Vec<(usize, usize)>,
    /// Attacks, in the order of tables; all of them for a verdict.
    pub attacks: Vec<Attack>,
    /// Most random exchanges per test.
    pub exchanges: Exchanges,
    /// Root seed of permutations and bootstraps.
    pub seed: u64,
    /// Threads. No result depends on it.
    pub workers: usize,
}

/// How many random exchanges of models a permutation test may score; all are scored where there are no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchanges {
    /// For the attacks on which the headline rests.
    pub headline: u64,
    /// For the others.
    pub other: u64,
}

impl Default for Exchanges {
    fn default() -> Self {
        Self { headline: 999, other: 99 }
    }
}

/// How far the analysis is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps done.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
}

/// Attacks, intervals, comparisons and figures over the pools of a study.
///
/// `on_progress` is called after every step and says whether to go on.
///
/// # Errors
/// See [`Error`]; [`Error::Stopped`] when `on_progress` says so.
pub fn analyse(
    pools: &[&Pool],
    options: &Options,
    mut on_progress: impl FnMut(Progress) -> bool,
) -> Result<Results, Error> {
    let distinct = options.attacks.iter().filter(|a| a.same_roc_as().is_none()).count();
    let total = options.attacks.len() * pools.len() + distinct * options.pairs.len();
    let mut done = 0;
    let mut step = || {
        done += 1;
        if on_progress(Progress { done, total }) { Ok(()) } else { Err(Error::Stopped) }
    };

    let mut recipes = Vec::new();
    let mut scored: Vec<Vec<(Attack, Scored)>> = Vec::new();
    for (pool, &checkpoint) in pools.iter().zip(&options.checkpoints) {
        let (mut results, mut kept) = (Vec::new(), Vec::new());
        for &attack in &options.attacks {
            let (result, measures) = recipe::attack(pool, attack, options.workers, options.seed)?;
            results.push(result);
            kept.push((attack, measures));
            step()?;
        }
        scored.push(kept);
        let found = recipe::properties(pool);
        recipes.push(RecipeResult {
            name: pool.recipe.clone(),
            dataset: options.dataset.clone(),
            checkpoint,
            models: pool.membership.models(),
            protection: "leave-one-block-out".into(),
            test_accuracy: recipe::property(&found, "test-accuracy", options.seed)?,
            member_accuracy: recipe::property(&found, "member-accuracy", options.seed)?,
            non_member_accuracy: recipe::property(&found, "non-member-accuracy", options.seed)?,
            groups: groups::results(pool, options.seed)?,
            confidence_variance: recipe::spread(&found, "confidence-variance", options.seed)?,
            phi_variance: recipe::spread(&found, "phi-variance", options.seed)?,
            attacks: results,
        });
    }

    let mut comparisons = Vec::new();
    for &(a, b) in &options.pairs {
        let mut metrics = Vec::new();
        for (index, ((attack, first), (_, second))) in scored[a].iter().zip(&scored[b]).enumerate() {
            if attack.same_roc_as().is_some() {
                continue;
            }
            let pair = (pools[a], pools[b]);
            metrics.extend(comparison::attack(pair, *attack, (first, second), options, index as u64)?);
            step()?;
        }
        metrics.extend(comparison::of_properties(pools[a], pools[b], options.seed)?);
        comparison::correct(&mut metrics, pools[a].membership.blocks(), options.exchanges);
        let (baseline, candidate) = (pools[a].recipe.clone(), pools[b].recipe.clone());
        comparisons.push(Comparison {
            headline: headline::of_comparison(&baseline, &candidate, &metrics),
            baseline,
            candidate,
            dataset: options.dataset.clone(),
            pairing: "paired".into(),
            metrics,
        });
    }
    let explain = explanation::explain(pools, &scored, &options.pairs, &options.dataset)?;
    Ok(Results {
        headline: headline::overall(&comparisons),
        recipes,
        comparisons,
        explain,
        figures: figures::draw(pools, &options.dataset)?,
    })
}
