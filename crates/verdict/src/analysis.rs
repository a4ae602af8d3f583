//! The whole analysis in its order.

use flatleak_attack::Attack;
use flatleak_pool::Pool;

use crate::explanation::link::Links;
use crate::explanation::memorization::Both;
use crate::explanation::{self, Attacked, Context};
use crate::recipe::{self, Properties, Scored};
use crate::scored::can_run;
use crate::{
    AttackResult, Comparison, Detail, Error, Estimate, Explanation, Frontier, LinkResult, RecipeResult, Results,
    UnderNoise, comparison, figures, frontier, headline, mismatch,
};

/// What the analysis needs beside the pools.
#[derive(Clone, Debug)]
pub struct Options {
    /// Data set, for the record.
    pub dataset: String,
    /// Epochs per recipe, in the order of the pools.
    pub checkpoints: Vec<usize>,
    /// (baseline, candidate) pairs by index of the pools.
    pub pairs: Vec<(usize, usize)>,
    /// Recipes that one run gave at different epochs, by index of the pools; empty where none did.
    pub runs: Vec<Vec<usize>>,
    /// Recipes that the study's claims are about, by index of the pools: sharpness-aware ones.
    pub claimed: Vec<usize>,
    /// Whether influence is swept, and gains by bucket: by far the longest part of an explanation.
    pub influence: bool,
    /// Attacks, in the order of tables; all of them for a verdict. Those whose signal a pool lacks are left out.
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

/// What an analysis gives.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// What `results.json` holds.
    pub results: Results,
    /// Single examples, one entry per recipe.
    pub details: Vec<Detail>,
}

/// Recipes under attack, and set against each other.
pub struct Compared {
    /// One entry per recipe.
    pub recipes: Vec<RecipeResult>,
    /// One entry per pair.
    pub comparisons: Vec<Comparison>,
    /// Leakage against accuracy.
    pub frontier: Option<Frontier>,
    attacked: Vec<AttackedRecipe>,
}

/// Attacks, intervals, comparisons, explanation and figures over the pools of a study: [`compare`], then [`explain`].
///
/// `on_progress` is called after every step and says whether to go on.
///
/// # Errors
/// See [`Error`]; [`Error::Stopped`] when `on_progress` says so.
pub fn analyse(
    pools: &[&Pool],
    options: &Options,
    mut on_progress: impl FnMut(Progress) -> bool,
) -> Result<Analysis, Error> {
    let (first, second) = (steps_to_compare(pools, options), explanation::steps(pools.len(), options.pairs.len()));
    let total = first + second;
    let Compared { recipes, comparisons, frontier, attacked } =
        compare(pools, options, |p| on_progress(Progress { total, ..p }))?;
    let before = Some((recipes.as_slice(), comparisons.as_slice()));
    let mut step = counted(first, total, &mut on_progress);
    let (explain, details) = explain_attacked(pools, options, before, &attacked, &mut step)?;
    let results = Results {
        headline: headline::overall(&comparisons, &recipes, frontier.as_ref()),
        frontiers: frontier.into_iter().collect(),
        mismatch: mismatch::crossed(pools, &options.dataset, options.workers)?,
        recipes,
        comparisons,
        explain,
        figures: figures::draw(pools, &options.dataset)?,
    };
    Ok(Analysis { results, details })
}

/// Attacks every recipe and tests the differences of every pair.
///
/// # Errors
/// As [`analyse`].
pub fn compare(
    pools: &[&Pool],
    options: &Options,
    mut on_progress: impl FnMut(Progress) -> bool,
) -> Result<Compared, Error> {
    let mut step = counted(0, steps_to_compare(pools, options), &mut on_progress);
    let (mut recipes, mut all) = (Vec::new(), Vec::new());
    for (pool, &checkpoint) in pools.iter().zip(&options.checkpoints) {
        let mut attacked = attack_all(pool, options, &mut step)?;
        let found = recipe::properties(pool);
        let property = |name: &str| recipe::property(&found, name, options.seed);
        recipes.push(RecipeResult {
            name: pool.recipe.clone(),
            dataset: options.dataset.clone(),
            checkpoint,
            models: pool.membership.models(),
            protection: "leave-one-block-out".into(),
            test_accuracy: found
                .iter()
                .any(|(name, _)| name == "test-accuracy")
                .then(|| property("test-accuracy"))
                .transpose()?,
            member_accuracy: property("member-accuracy")?,
            non_member_accuracy: property("non-member-accuracy")?,
            noise: under_noise(pool, property)?,
            confidence_variance: recipe::spread(&found, "confidence-variance", options.seed)?,
            phi_variance: recipe::spread(&found, "phi-variance", options.seed)?,
            attacks: attacked.results.clone(),
        });
        attacked.properties = found;
        all.push(attacked);
    }
    let comparisons = compare_all(pools, options, &all, &mut step)?;
    let frontier = frontier::draw(pools, &recipes, &all, options)?;
    Ok(Compared { recipes, comparisons, frontier, attacked: all })
}

/// The explanation alone. `before` holds what an earlier analysis of the same pools found of recipes and comparisons, on which claims
/// rest; `options.attacks` are scored again for what needs single scores, none where it is empty.
///
/// # Errors
/// As [`analyse`].
pub fn explain(
    pools: &[&Pool],
    options: &Options,
    before: Option<(&[RecipeResult], &[Comparison])>,
    mut on_progress: impl FnMut(Progress) -> bool,
) -> Result<(Explanation, Vec<Detail>), Error> {
    let total = options.attacks.len() * pools.len() + explanation::steps(pools.len(), options.pairs.len());
    let mut step = counted(0, total, &mut on_progress);
    let attacked = pools.iter().map(|pool| attack_all(pool, options, &mut step)).collect::<Result<Vec<_>, _>>()?;
    explain_attacked(pools, options, before, &attacked, &mut step)
}

fn explain_attacked(
    pools: &[&Pool],
    options: &Options,
    before: Option<(&[RecipeResult], &[Comparison])>,
    found: &[AttackedRecipe],
    step: &mut impl FnMut() -> Result<(), Error>,
) -> Result<(Explanation, Vec<Detail>), Error> {
    let (recipes, comparisons) = before.unwrap_or_default();
    let both = pools.iter().map(|pool| Both::new(pool)).collect::<Result<Vec<_>, _>>()?;
    let attacked: Vec<Attacked<'_>> = pools
        .iter()
        .zip(found)
        .map(|(pool, f)| Attacked {
            result: recipes.iter().find(|r| r.name == pool.recipe),
            scored: &f.scored,
            links: &f.links,
        })
        .collect();
    let context = Context {
        dataset: &options.dataset,
        seed: options.seed,
        workers: options.workers,
        influence: options.influence,
        claimed: options.claimed.iter().filter_map(|r| pools.get(*r)).map(|p| p.recipe.clone()).collect(),
    };
    explanation::explain(&context, pools, &both, &attacked, (&options.pairs, comparisons), step)
}

/// Accuracy under every level of noise at which it was measured.
fn under_noise(pool: &Pool, property: impl Fn(&str) -> Result<Estimate, Error>) -> Result<Vec<UnderNoise>, Error> {
    let levels = pool.noise.iter().flat_map(|noise| &noise.levels);
    let of = |&deviation: &f64| {
        let [at, lost] = recipe::noise_metrics(deviation);
        Ok(UnderNoise { deviation, accuracy: property(&at)?, lost: property(&lost)? })
    };
    levels.map(of).collect()
}

fn steps_to_compare(pools: &[&Pool], options: &Options) -> usize {
    let distinct = options.attacks.iter().filter(|a| a.same_roc_as().is_none()).count();
    options.attacks.len() * pools.len() + distinct * options.pairs.len()
}

/// A step counter that turns "stop" into an error.
fn counted(
    mut done: usize,
    total: usize,
    on_progress: &mut impl FnMut(Progress) -> bool,
) -> impl FnMut() -> Result<(), Error> {
    move || {
        done += 1;
        if on_progress(Progress { done, total }) { Ok(()) } else { Err(Error::Stopped) }
    }
}

/// One recipe under every attack whose signal its pool has.
#[derive(Default)]
pub(crate) struct AttackedRecipe {
    results: Vec<AttackResult>,
    pub(crate) scored: Vec<(Attack, Scored)>,
    /// Filled by [`compare`].
    pub(crate) properties: Properties,
    links: Vec<LinkResult>,
}

fn attack_all(
    pool: &Pool,
    options: &Options,
    step: &mut impl FnMut() -> Result<(), Error>,
) -> Result<AttackedRecipe, Error> {
    let mut out = AttackedRecipe::default();
    if options.attacks.is_empty() {
        return Ok(out);
    }
    let known = Links::new(Both::new(pool)?.into_finest());
    for &attack in options.attacks.iter().filter(|a| can_run(pool, **a)) {
        let (result, mut scored, link) = recipe::attack(pool, attack, &known, (options.workers, options.seed))?;
        if attack.same_roc_as().is_none() {
            out.links.extend(link.map(|correlation| LinkResult {
                recipe: pool.recipe.clone(),
                dataset: options.dataset.clone(),
                attack: attack.name().into(),
                correlation,
            }));
        }
        if !comparison::is_headline(attack) {
            scored.calls = Vec::new();
        }
        out.results.push(result);
        out.scored.push((attack, scored));
        step()?;
    }
    Ok(out)
}

/// The number of an attack's test among random streams: its name's FNV-1a hash (Fowler, Noll and Vo), so that another attack in the list changes no
/// p-value.
fn test_number(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

fn compare_all(
    pools: &[&Pool],
    options: &Options,
    attacked: &[AttackedRecipe],
    step: &mut impl FnMut() -> Result<(), Error>,
) -> Result<Vec<Comparison>, Error> {
    let mut comparisons = Vec::new();
    for &(a, b) in &options.pairs {
        let paired = comparison::are_paired(pools[a], pools[b]);
        let mut metrics = Vec::new();
        for (attack, first) in &attacked[a].scored {
            // A pool may lack what an attack reads.
            let Some((_, second)) = attacked[b].scored.iter().find(|(other, _)| other == attack) else { continue };
            if attack.same_roc_as().is_some() {
                continue;
            }
            let pair = (pools[a], pools[b]);
            metrics.extend(if paired {
                comparison::attack(pair, *attack, (first, second), options, test_number(attack.name()))?
            } else {
                comparison::unpaired(pair, *attack, (first, second))?
            });
            step()?;
        }
        metrics.extend(comparison::of_properties(
            pools[a],
            (&attacked[a].properties, &attacked[b].properties),
            paired,
            options.seed,
        )?);
        let too_few = paired && comparison::too_few(pools[a].membership.blocks(), options.exchanges);
        comparison::correct(&mut metrics, too_few);
        let (baseline, candidate) = (pools[a].recipe.clone(), pools[b].recipe.clone());
        comparisons.push(Comparison {
            headline: headline::of_comparison(&baseline, &candidate, pools[b].membership.models(), &metrics),
            baseline,
            candidate,
            dataset: options.dataset.clone(),
            pairing: if paired { "paired" } else { "unpaired" }.into(),
            metrics,
        });
    }
    Ok(comparisons)
}
