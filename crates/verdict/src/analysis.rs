//! The whole analysis in its order.

use crate::attacked::AttackedRecipe;
use crate::error::Error;
use crate::explanation::detail::Detail;
use crate::options::{Options, Progress, Stage};
use flatleak_pool::{Matrix, Pool};
use flatleak_results::{
    Comparison, Condition, Estimate, Explanation, Frontier, LeftOut, LinkResult, Pairing, Property, Protection,
    RecipeResult, Results, Spreads, UnderNoise, Verdict, Word,
};

use crate::condition::Knowledge;
use crate::explanation;
use crate::explanation::context::{Attacked, Context};
use crate::explanation::link::Links;
use crate::explanation::memorization::Both;
use crate::explanation::subject::Explained;
use crate::judge::{AUC, Judge};
use crate::recipe::{self, Run};
use crate::scored::can_run;
use crate::{blind, comparison, condition, family, figures, frontier, guessing, headline, mismatch, properties};

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
    let Compared { recipes, comparisons, frontier, mut attacked } =
        compare(pools, options, |p| on_progress(Progress { total, ..p }))?;
    let curves = attacked.iter_mut().map(|a| std::mem::take(&mut a.curves)).collect();
    let before = Some((recipes.as_slice(), comparisons.as_slice()));
    let mut step = counted(first, (first, total), &mut on_progress);
    let (explain, details) = explain_attacked(pools, options, before, &attacked, &mut step)?;
    let results = Results {
        headline: headline::overall(&comparisons, &recipes, frontier.as_ref()),
        frontiers: frontier.into_iter().collect(),
        mismatch: mismatch::crossed(pools, &options.dataset, options.workers)?,
        recipes,
        comparisons,
        explain,
        figures: figures::draw(pools, curves, &options.dataset)?,
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
    let attacks = steps_to_compare(pools, options);
    let mut step = counted(0, (attacks, attacks), &mut on_progress);
    let (mut recipes, mut all) = (Vec::new(), Vec::new());
    let other_examples = have_other_examples(pools, options);
    for ((pool, &checkpoint), other_examples) in pools.iter().zip(&options.checkpoints).zip(other_examples) {
        let judge = Judge::new(pool);
        let mut attacked = attack_all(&judge, options, other_examples, &mut step)?;
        let found = properties::properties(&judge, pool);
        let property = |of: Property| properties::property(&found, of, pool);
        let mut result = RecipeResult {
            name: pool.recipe.clone(),
            dataset: options.dataset.clone(),
            checkpoint,
            models: pool.membership.models(),
            protection: Protection::LeaveOneBlockOut,
            test_accuracy: properties::values(&found, Property::TestAccuracy)
                .is_some()
                .then(|| property(Property::TestAccuracy))
                .transpose()?,
            member_accuracy: property(Property::MemberAccuracy)?,
            non_member_accuracy: property(Property::NonMemberAccuracy)?,
            noise: under_noise(pool, property)?,
            confidence_variance: properties::spread(&found, Spreads::Confidence, pool)?,
            phi_variance: properties::spread(&found, Spreads::Phi, pool)?,
            blind: attacked.blind.clone(),
            guessing: attacked.guessing.take(),
            conditions: Vec::new(),
            attacks: attacked.results.clone(),
        };
        result.conditions = condition::of(&result, &Knowledge::new(pool));
        if let Some(g) = &mut result.guessing {
            g.verdict = condition::under(g.verdict, &result.conditions);
        }
        recipes.push(result);
        attacked.properties = found;
        all.push(attacked);
    }
    let comparisons = compare_all(pools, options, &recipes, &all)?;
    let frontier = frontier::draw(pools, &recipes, &all, &comparisons, options)?;
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
    let attacks = steps_to_compare(pools, options);
    let total = attacks + explanation::steps(pools.len(), options.pairs.len());
    let mut step = counted(0, (attacks, total), &mut on_progress);
    let attacked =
        pools.iter().map(|p| attack_all(&Judge::new(p), options, false, &mut step)).collect::<Result<Vec<_>, _>>()?;
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
    let explained: Vec<Explained<'_>> = pools.iter().map(|pool| Explained::new(pool)).collect();
    if explained.iter().any(|e| e.pool.examples() == 0) {
        let mut out = Explanation::default();
        out.left_out.push(LeftOut {
            dataset: options.dataset.clone(),
            what: "the whole explanation".into(),
            reason: "no example has two models on either side once a block is deleted".into(),
        });
        return Ok((out, Vec::new()));
    }
    let (pools, usable): (Vec<&Pool>, Vec<Vec<usize>>) =
        explained.iter().map(|e| (e.pool.as_ref(), e.examples.clone())).unzip();
    let pools = pools.as_slice();
    let both = pools.iter().map(|pool| Both::new(pool)).collect::<Result<Vec<_>, _>>()?;
    let attacked: Vec<Attacked<'_>> = pools
        .iter()
        .zip(found)
        .zip(usable)
        .map(|((pool, f), examples)| Attacked {
            result: recipes.iter().find(|r| r.name == pool.recipe),
            scored: &f.scored,
            links: &f.links,
            examples,
        })
        .collect();
    let context = Context {
        dataset: &options.dataset,
        seed: options.seed,
        workers: options.workers,
        influence: options.influence,
        claim_level: options.family.claims(),
        claimed: options.claimed.iter().filter_map(|r| pools.get(*r)).map(|p| p.recipe.clone()).collect(),
    };
    explanation::explain(&context, pools, &both, &attacked, (&options.pairs, comparisons), step)
}

/// Accuracy under every level of noise at which it was measured.
fn under_noise(pool: &Pool, property: impl Fn(Property) -> Result<Estimate, Error>) -> Result<Vec<UnderNoise>, Error> {
    let levels = pool.noise.iter().flat_map(|noise| &noise.levels);
    let of = |&deviation: &f64| {
        let (accuracy, lost) = (Property::NoisyAccuracy(deviation), Property::LostAccuracy(deviation));
        Ok(UnderNoise { deviation, accuracy: property(accuracy)?, lost: property(lost)? })
    };
    levels.map(of).collect()
}

fn steps_to_compare(pools: &[&Pool], options: &Options) -> usize {
    options.attacks.len() * pools.len()
}

/// A step counter that turns "stop" into an error; of all steps the first are attacks.
fn counted(
    mut done: usize,
    (attacks, total): (usize, usize),
    on_progress: &mut impl FnMut(Progress) -> bool,
) -> impl FnMut() -> Result<(), Error> {
    move || {
        done += 1;
        let stage = if done <= attacks { Stage::Attacks } else { Stage::Explanation };
        if on_progress(Progress { stage, done, total }) { Ok(()) } else { Err(Error::Stopped) }
    }
}

/// By pool, whether it is set against one of other examples.
fn have_other_examples(pools: &[&Pool], options: &Options) -> Vec<bool> {
    let mut out = vec![false; pools.len()];
    for &(a, b) in &options.pairs {
        if comparison::Sides::new(pools[a], pools[b]).pairing == Pairing::OtherExamples {
            (out[a], out[b]) = (true, true);
        }
    }
    out
}

fn attack_all(
    judge: &Judge<'_>,
    options: &Options,
    other_examples: bool,
    step: &mut impl FnMut() -> Result<(), Error>,
) -> Result<AttackedRecipe, Error> {
    let pool = judge.pool();
    let mut out = AttackedRecipe::default();
    if options.attacks.is_empty() {
        return Ok(out);
    }
    out.units = judge.units().clone();
    out.non_members = judge.sizes().0;
    let explained = Explained::new(pool);
    let known = match explained.examples.as_slice() {
        [] => None,
        _ => Some(Links::new(Both::new(&explained.pool)?.into_finest(), &explained, judge)),
    };
    let run = Run { links: known.as_ref(), other_examples, seed: options.seed, workers: options.workers };
    for &attack in options.attacks.iter().filter(|a| can_run(pool, **a)) {
        let mut found = recipe::attack(judge, attack, &run)?;
        if found.result.same_roc_as.is_none() {
            out.links.extend(found.link.map(|correlation| LinkResult {
                recipe: pool.recipe.clone(),
                dataset: options.dataset.clone(),
                attack: attack.name(),
                correlation,
            }));
        }
        if !family::is_of_family(attack) {
            found.scored.calls = Matrix::default();
        }
        out.curves.extend(found.curve);
        out.results.push(found.result);
        out.scored.push((attack, found.scored));
        step()?;
    }
    let strongest = out.scored.iter().find(|(attack, _)| *attack == family::HEADLINE);
    out.guessing = strongest.map(|(_, scored)| guessing::of(judge, scored, &options.family)).transpose()?;
    let strongest = strongest.map(|(_, scored)| scored.table.of(AUC)).transpose()?;
    out.blind = strongest.map(|s| blind::of(judge, Some(&s), options.workers)).transpose()?;
    Ok(out)
}

fn compare_all(
    pools: &[&Pool],
    options: &Options,
    recipes: &[RecipeResult],
    attacked: &[AttackedRecipe],
) -> Result<Vec<Comparison>, Error> {
    options.pairs.iter().map(|&(a, b)| compare_two(pools, options, recipes, attacked, (a, b))).collect()
}

fn compare_two(
    pools: &[&Pool],
    options: &Options,
    recipes: &[RecipeResult],
    attacked: &[AttackedRecipe],
    (a, b): (usize, usize),
) -> Result<Comparison, Error> {
    let sides = comparison::Sides::new(pools[a], pools[b]);
    let mut metrics = Vec::new();
    let mut points = Vec::new();
    let at = family::points(attacked[a].non_members.min(attacked[b].non_members));
    for (attack, first) in &attacked[a].scored {
        // A pool may lack what an attack reads.
        let Some((_, second)) = attacked[b].scored.iter().find(|(other, _)| other == attack) else { continue };
        let equal = pools[a].membership.is_complementary() && pools[b].membership.is_complementary();
        if attack.same_roc_as(equal).is_none() {
            metrics.extend(sides.attack(*attack, (first, second))?);
        }
        if *attack == family::HEADLINE {
            for point in &at {
                points.push(sides.at((first, second), *point, &options.family, at.len())?);
            }
        }
    }
    let properties = (&attacked[a].properties, &attacked[b].properties);
    metrics.extend(sides.properties(properties, &options.family.relevant)?);
    for m in &mut metrics {
        if let Some(point) = points.iter().find(|p| p.metric == m.metric) {
            (m.p_adjusted, m.word) = (Some(point.p_adjusted), point.word);
        }
    }
    let conditions: Vec<Condition> = [a, b].iter().flat_map(|r| recipes[*r].conditions.iter().cloned()).collect();
    let models = pools[a].membership.models().min(pools[b].membership.models());
    let (baseline, candidate) = (pools[a].recipe.clone(), pools[b].recipe.clone());
    let headline = headline::of_comparison((&baseline, &candidate), models, sides.pairing, &points, &conditions);
    if headline.verdict == Verdict::Withheld {
        // What the headline withholds no table says.
        points.iter_mut().for_each(|p| p.word = Word::Withheld);
        metrics.iter_mut().filter(|m| m.p_adjusted.is_some()).for_each(|m| m.word = Word::Withheld);
    }
    let (dataset, pairing) = (options.dataset.clone(), sides.pairing);
    Ok(Comparison { baseline, candidate, dataset, pairing, models, headline, points, conditions, metrics })
}
