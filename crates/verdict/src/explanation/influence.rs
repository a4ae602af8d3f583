//! Influence per recipe: all pairs swept once, beside what chance gives.

use crate::error::Error;
use flatleak_explain::halves::{AgainstNull, Outputs, Reliability, null_order, reliability};
use flatleak_explain::pairs::{HIGH, Keep, Pair, Pairs, count_high, sweep};
use flatleak_explain::{Design, ENTROPY_CUT};
use flatleak_pool::{Pool, Signal};
use flatleak_results::{Form, InfluenceResult, NullResult, PairResult};
use flatleak_stats::moments;
use flatleak_stream::{Purpose, Stream};

use super::context::Context;
use super::memorization::Both;

/// What is kept of all pairs.
pub(crate) const KEEP: Keep = Keep { per_test: 5, overall: 40 };

/// Pairs in the results; the table has those of every held-out example.
const LISTED: usize = 20;

/// Draws that say how many high-influence pairs chance gives.
const DRAWS: u64 = 3;

/// Held-out examples that the reliability of entropies is measured on, at most: evenly spaced ones.
const JUDGED: usize = 4000;

/// Influence of one recipe: results of both forms, and the pairs of the hard one for tables and pictures.
pub(super) struct Found {
    pub(super) results: Vec<InfluenceResult>,
    pub(super) pairs: Pairs,
    /// Whether the order of influence entropies, soft where there are confidences, is reproducible beyond its null.
    pub(super) measurable: bool,
}

/// `None` for a pool without held-out outputs.
pub(super) fn of(context: &Context<'_>, pool: &Pool, both: &Both) -> Result<Option<Found>, Error> {
    if pool.test.first().is_none_or(|s| s.is_empty()) {
        return Ok(None);
    }
    let design = Design::new(&pool.membership)?;
    let right = pool.test_correct()?;
    let (result, pairs, mut measurable) =
        form(context, pool, both.hard.values(), &design, (Form::Hard, Outputs::Right(right.rows())))?;
    let mut results = vec![result];
    if let Some(memorization) = &both.soft {
        let rows = pool.test_rows(Signal::Confidence)?;
        let (result, _, exceeds) =
            form(context, pool, memorization.values(), &design, (Form::Soft, Outputs::Confidence(rows.rows())))?;
        results.push(result);
        measurable = exceeds;
    }
    Ok(Some(Found { results, pairs, measurable }))
}

/// Error at which the threshold of a high influence is two of them.
const WANTED: f64 = HIGH.1 as f64 / 2.0;

/// One form of influence: the sweep over all pairs, how many high ones chance gives, and whether the order of entropies is reproducible
/// beyond
/// its null.
fn form(
    context: &Context<'_>,
    pool: &Pool,
    memorization: &[f64],
    design: &Design,
    (form, outputs): (Form, Outputs<'_>),
) -> Result<(InfluenceResult, Pairs, bool), Error> {
    let judged = reliable(context, pool, outputs)?;
    let everyone: Vec<usize> = (0..design.models()).collect();
    let whole = outputs.influence(design, &everyone)?;
    let pairs = sweep(&whole, memorization, KEEP, context.workers)?;
    let draws = (0..DRAWS)
        .map(|draw| {
            let mut stream = Stream::new(context.seed, Purpose::Permutation, u64::MAX, draw);
            let order = null_order(design, &mut stream);
            Ok(count_high(&outputs.influence(design, &order)?, memorization, context.workers)? as f64)
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let known: Vec<f64> = pairs.entropy.iter().flatten().map(|e| libm::exp(*e)).collect();
    let (standard_error, models_needed) = whole.typical_error(WANTED);
    let result = InfluenceResult {
        recipe: pool.recipe.clone(),
        dataset: context.dataset.into(),
        form,
        pairs: (memorization.len() * pairs.entropy.len()) as u64,
        high: pairs.high,
        high_by_chance: moments::mean(&draws),
        discovered: pairs.discovered,
        standard_error,
        models_needed,
        reliability: judged.halves.map(null),
        follows_frequency: judged.frequency.map(null),
        without_influence: pairs.entropy.iter().filter(|e| e.is_none()).count(),
        supporters: (!known.is_empty()).then(|| moments::mean(&known)),
        top: pairs.overall.iter().take(LISTED).map(|p| listed(pool, memorization, p)).collect(),
    };
    Ok((result, pairs, judged.halves.is_some_and(|h| h.exceeds())))
}

/// Reliability on at most [`JUDGED`] held-out examples.
fn reliable(context: &Context<'_>, pool: &Pool, outputs: Outputs<'_>) -> Result<Reliability, Error> {
    let tests = pool.held_out();
    let step = tests.div_ceil(JUDGED).max(1);
    let frequency = frequencies(pool).map(|f| f.into_iter().step_by(step).collect::<Vec<_>>());
    let seeded = (context.seed, context.workers);
    let judge =
        |outputs: Outputs<'_>| Ok(reliability(&pool.membership, outputs, ENTROPY_CUT, frequency.as_deref(), seeded)?);
    let kept: Vec<usize> = (0..tests).step_by(step).collect();
    match outputs {
        whole if step == 1 => judge(whole),
        Outputs::Right(rows) => judge(Outputs::Right(rows.of_columns(&kept).rows())),
        Outputs::Confidence(rows) => judge(Outputs::Confidence(rows.of_columns(&kept).rows())),
    }
}

/// Pool frequency of every held-out example's group.
pub(super) fn frequencies(pool: &Pool) -> Option<Vec<f64>> {
    let groups = pool.groups.as_ref()?;
    let mut counts = vec![0usize; groups.names.len()];
    groups.pool.iter().for_each(|g| counts[*g as usize] += 1);
    Some(groups.test.iter().map(|g| counts[*g as usize] as f64 / groups.pool.len() as f64).collect())
}

pub(super) fn listed(pool: &Pool, memorization: &[f64], pair: &Pair) -> PairResult {
    let (i, j) = (pair.train as usize, pair.test as usize);
    PairResult {
        train: pool.ids[i],
        train_label: pool.labels.as_ref().map(|labels| labels[i]),
        test: pair.test,
        test_label: pool.test_labels.as_ref().map(|labels| labels[j]),
        influence: pair.interval,
        memorization: memorization[i],
        q_value: (!pair.q_value.is_nan()).then_some(pair.q_value),
    }
}

fn null(found: AgainstNull) -> NullResult {
    NullResult {
        real: found.real,
        null: found.null,
        deviation: found.deviation,
        distance: found.distance(),
        exceeds: found.exceeds(),
    }
}
