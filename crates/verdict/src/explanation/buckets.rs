//! Held-out examples sorted by influence entropy and by what could be mistaken for it, and what the candidate gains on each.

use crate::error::Error;
use crate::properties::{over_blocks, over_blocks_with_error};
use flatleak_explain::halves::{AgainstNull, Halves, Outputs, null_order, rank_agreement};
use flatleak_explain::{BUCKETS, Design, ENTROPY_CUT, Influence, Memorization, Strata};
use flatleak_pool::{Matrix, Pool, Signal};
use flatleak_results::{BucketResult, BucketsResult, SortedBy};
use flatleak_stats::{Jackknife, Range, moments};
use flatleak_stream::{Purpose, Stream};

use super::context::{Context, Pair, difference};
use super::influence::frequencies;

/// Number of the split whose halves make the buckets; the reliability averages over others.
const SPLIT: u64 = 1 << 32;

/// Training examples that count as a held-out example's nearest supporters.
const SUPPORTERS: usize = 5;

/// Draws of the contrast's null.
const NULLS: u64 = 20;

/// One value per held-out example.
type Values = Vec<Option<f64>>;

/// What one half of the baseline's models says about the held-out examples.
struct Half {
    design: Design,
    /// Confidences of its models on the held-out examples.
    confidence: Option<Matrix>,
    /// Who of them is right about these.
    right: Matrix<u8>,
    /// 0/1 memorization of its examples.
    memorization: Memorization,
    /// Accuracy of the half's models on each.
    difficulty: Values,
}

impl Half {
    /// Of the pool examples that `usable` names.
    fn new(pool: &Pool, models: &[usize], usable: &[usize]) -> Result<Self, Error> {
        let pool = pool.select(models).of_examples(usable);
        let design = Design::new(&pool.membership)?;
        let tests = pool.held_out();
        let share = |j: usize| pool.test.iter().map(|s| f64::from(s.correct[j])).sum::<f64>() / pool.test.len() as f64;
        let difficulty = (0..tests).map(|j| Some(share(j))).collect();
        let confidence = pool.offers(Signal::Confidence).then(|| pool.test_rows(Signal::Confidence)).transpose()?;
        let right = pool.test_correct()?;
        let memorization = Memorization::new(&pool, Signal::Correct)?;
        Ok(Self { design, confidence, right, memorization, difficulty })
    }

    /// Of confidences where the pool has them: they say more than right and wrong do. `order` says whose outputs stand where.
    fn influence(&self, order: &[usize]) -> Result<Influence<'_>, Error> {
        Ok(match &self.confidence {
            Some(confidence) => Outputs::Confidence(confidence.rows()).influence(&self.design, order)?,
            None => Outputs::Right(self.right.rows()).influence(&self.design, order)?,
        })
    }

    fn entropies(&self, order: &[usize], workers: usize) -> Result<Values, Error> {
        Ok(self.influence(order)?.sweep(workers, |row| row.entropy(ENTROPY_CUT)))
    }

    /// Mean memorization, in this half, of each held-out example's largest supporters.
    fn supporters(&self, order: &[usize], workers: usize) -> Result<Values, Error> {
        let values = self.memorization.values();
        Ok(self.influence(order)?.sweep(workers, |row| {
            let found: Vec<f64> = row.top(SUPPORTERS).into_iter().map(|(train, _)| values[train as usize]).collect();
            (!found.is_empty()).then(|| moments::mean(&found))
        }))
    }
}

/// Values of the held-out examples from one half, the outputs of its models in an order.
type Measure<'a> = &'a dyn Fn(&Half, &[usize]) -> Result<Values, Error>;

/// A sorting that rests on membership, with what it is where membership means nothing.
struct Sorting {
    strata: Strata,
    contrast: Option<Vec<f64>>,
    /// Mean contrasts of draws of the null.
    nulls: Vec<f64>,
    /// Agreement of the two halves on the values, beside the same draws.
    agreement: Option<AgainstNull>,
}

/// All sortings of one pair of recipes; `measurable` says whether the baseline's influence entropies mean anything. `None` where the halves
/// of
/// the blocks leave no training example in and out of their models.
pub(super) fn of(
    context: &Context<'_>,
    pair: &Pair<'_>,
    measurable: bool,
) -> Result<Option<Vec<BucketsResult>>, Error> {
    let membership = &pair.baseline.membership;
    let halves = Halves::new(membership, context.seed, SPLIT);
    let usable = halves.usable(membership);
    if usable.len() < 2 {
        return Ok(None);
    }
    let half = |h: usize| Half::new(pair.baseline, halves.models(h), &usable);
    let sides = [half(0)?, half(1)?];
    let difficulty = [sides[0].difficulty.as_slice(), sides[1].difficulty.as_slice()];
    let right = |pool: &Pool, k: usize, j: usize| f64::from(pool.test[k].correct[j]);
    let gain = |k: usize, j: usize| right(pair.candidate, k, j) - right(pair.baseline, k, j);
    let level = |k: usize, j: usize| right(pair.baseline, k, j);
    let sorted = |values: [&[Option<f64>]; 2]| Strata::new(&halves, values);
    let contrast = |strata: &Strata| strata.contrast(membership, difficulty, gain, level);

    let by_membership = |measure: Measure<'_>| -> Result<Sorting, Error> {
        let draw = |number: Option<u64>| -> Result<[Values; 2], Error> {
            let of = |h: usize| {
                let side = &sides[h];
                let order = match number {
                    None => (0..side.design.models()).collect(),
                    Some(number) => {
                        let purpose = u64::MAX - 1 - h as u64;
                        null_order(&side.design, &mut Stream::new(context.seed, Purpose::Permutation, purpose, number))
                    }
                };
                measure(side, &order)
            };
            Ok([of(0)?, of(1)?])
        };
        let values = draw(None)?;
        let strata = sorted([&values[0], &values[1]]);
        let (mut nulls, mut agreements) = (Vec::new(), Vec::new());
        for number in 0..NULLS {
            let null = draw(Some(number))?;
            nulls.extend(contrast(&sorted([&null[0], &null[1]])).map(|blocks| moments::mean(&blocks)));
            agreements.extend(rank_agreement(&null[0], &null[1]));
        }
        let real = rank_agreement(&values[0], &values[1]).filter(|_| agreements.len() as u64 == NULLS);
        let agreement = real.map(|real| AgainstNull::new(real, &agreements));
        Ok(Sorting { contrast: contrast(&strata), strata, nulls, agreement })
    };

    let mut out = Vec::new();
    let found = by_membership(&|half, order| half.entropies(order, context.workers))?;
    out.push(result(
        context,
        pair,
        SortedBy::InfluenceEntropy,
        &found.strata,
        found.contrast,
        (Some(&found.nulls), measurable),
    )?);
    let found = by_membership(&|half, order| half.supporters(order, context.workers))?;
    let agree = found.agreement.is_some_and(|a| a.exceeds());
    out.push(result(
        context,
        pair,
        SortedBy::SupportersMemorization,
        &found.strata,
        found.contrast,
        (Some(&found.nulls), agree),
    )?);
    out.push(result(context, pair, SortedBy::Difficulty, &sorted(difficulty), None, (None, true))?);
    if let Some(frequency) = frequencies(pair.baseline) {
        let known: Values = frequency.into_iter().map(Some).collect();
        let strata = sorted([&known, &known]);
        out.push(result(context, pair, SortedBy::GroupFrequency, &strata, contrast(&strata), (None, true))?);
    }
    Ok(Some(out))
}

fn result(
    context: &Context<'_>,
    pair: &Pair<'_>,
    by: SortedBy,
    strata: &Strata,
    contrast: Option<Vec<f64>>,
    (nulls, measurable): (Option<&[f64]>, bool),
) -> Result<BucketsResult, Error> {
    let membership = &pair.baseline.membership;
    let accuracy = |pool: &Pool| strata.means(membership, |k, j| f64::from(pool.test[k].correct[j]));
    let (a, b) = (accuracy(pair.baseline), accuracy(pair.candidate));
    let mut buckets = Vec::new();
    for (bucket, ((a, b), examples)) in a.iter().zip(&b).zip(strata.sizes()).enumerate() {
        let (Some(a), Some(b)) = (a, b) else { continue };
        let rate = Range::Rate { of: examples };
        let gains: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
        buckets.push(BucketResult {
            bucket: if bucket < BUCKETS { (bucket + 1).to_string() } else { "none".into() },
            examples,
            baseline: over_blocks(a, rate)?,
            candidate: over_blocks(b, rate)?,
            gain: over_blocks(&gains, Range::Difference)?,
        });
    }
    let chance = nulls.filter(|n| n.len() > 1).map(moments::mean);
    let contrast = contrast.map(|blocks| -> Result<Jackknife, Error> {
        let Jackknife { interval, standard_error: error, degrees } = over_blocks_with_error(&blocks)?;
        let Some(nulls) = nulls.filter(|n| n.len() > 1) else {
            return Ok(Jackknife { interval, standard_error: error, degrees });
        };
        // Less what sorting by noise gives; the error grows by that of one draw of it.
        let widened = (error * error + moments::variance(nulls, 1)).sqrt();
        let (mean, stretch) = (interval.mean - moments::mean(nulls), if error > 0.0 { widened / error } else { 1.0 });
        let (low, high) =
            (mean - stretch * (interval.mean - interval.low), mean + stretch * (interval.high - interval.mean));
        Ok(Jackknife { interval: flatleak_stats::Interval { mean, low, high }, standard_error: widened, degrees })
    });
    Ok(BucketsResult {
        baseline: pair.baseline.recipe.clone(),
        candidate: pair.candidate.recipe.clone(),
        dataset: context.dataset.into(),
        by,
        buckets,
        contrast: contrast.transpose()?.map(difference),
        contrast_by_chance: chance,
        measurable,
    })
}
