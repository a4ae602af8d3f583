//! Held-out examples sorted by influence entropy and by what could be mistaken for it, and what the candidate gains on each.

use flatleak_explain::halves::{Halves, null_order};
use flatleak_explain::pairs::{Keep, sweep};
use flatleak_explain::{BUCKETS, Design, ENTROPY_CUT, Influence, Memorization, Strata};
use flatleak_pool::{Pool, Signal};
use flatleak_stats::{Jackknife, moments};
use flatleak_stream::{Purpose, Stream};

use super::influence::frequencies;
use super::{Context, Pair, difference};
use crate::recipe::over_blocks;
use crate::{BucketResult, BucketsResult, Error};

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
    /// The half as a pool of its own.
    pool: Pool,
    design: Design,
    /// Confidences of its models on the held-out examples.
    confidence: Option<Vec<Vec<f64>>>,
    /// Accuracy of the half's models on each.
    difficulty: Values,
}

impl Half {
    fn new(pool: &Pool, models: &[usize]) -> Result<Self, Error> {
        let pool = pool.select(models);
        let design = Design::new(&pool.membership)?;
        let tests = pool.test_labels.len();
        let share = |j: usize| pool.test.iter().map(|s| f64::from(s.correct[j])).sum::<f64>() / pool.test.len() as f64;
        let difficulty = (0..tests).map(|j| Some(share(j))).collect();
        let confidence = pool.offers(Signal::Confidence).then(|| pool.test_rows(Signal::Confidence));
        Ok(Self { pool, design, confidence, difficulty })
    }

    /// Of confidences where the pool has them: they say more than right and wrong do. `order` says whose outputs stand where.
    fn influence(&self, order: &[usize]) -> Result<Influence<'_>, Error> {
        Ok(match &self.confidence {
            Some(rows) => {
                Influence::soft(&self.design, &order.iter().map(|&k| rows[k].as_slice()).collect::<Vec<_>>())?
            }
            None => {
                let row = |&k: &usize| self.pool.test[k].correct.as_slice();
                Influence::hard(&self.design, &order.iter().map(row).collect::<Vec<_>>())?
            }
        })
    }

    fn entropies(&self, order: &[usize], workers: usize) -> Result<Values, Error> {
        Ok(self.influence(order)?.sweep(workers, |row| row.entropy(ENTROPY_CUT)))
    }

    /// Mean memorization, in this half, of each held-out example's largest supporters.
    fn supporters(&self, workers: usize) -> Result<Values, Error> {
        let memorization = Memorization::new(&self.pool, Signal::Correct)?;
        let values = memorization.values();
        let keep = Keep { per_test: SUPPORTERS, overall: 0 };
        let order: Vec<usize> = (0..self.design.models()).collect();
        let pairs = sweep(&self.influence(&order)?, values, keep, workers)?;
        let mean = |row: &Vec<flatleak_explain::pairs::Pair>| {
            let found: Vec<f64> = row.iter().map(|p| values[p.train as usize]).collect();
            (!found.is_empty()).then(|| moments::mean(&found))
        };
        Ok(pairs.per_test.iter().map(mean).collect())
    }
}

/// All sortings of one pair of recipes; `measurable` says whether the baseline's influence entropies mean anything.
pub(super) fn of(context: &Context<'_>, pair: &Pair<'_>, measurable: bool) -> Result<Vec<BucketsResult>, Error> {
    let membership = &pair.baseline.membership;
    let halves = Halves::new(membership, context.seed, SPLIT);
    let half = |h: usize| Half::new(pair.baseline, halves.models(h));
    let sides = [half(0)?, half(1)?];
    let difficulty = [sides[0].difficulty.as_slice(), sides[1].difficulty.as_slice()];
    let gain =
        |k: usize, j: usize| f64::from(pair.candidate.test[k].correct[j]) - f64::from(pair.baseline.test[k].correct[j]);
    let sorted = |values: [&[Option<f64>]; 2]| Strata::new(&halves, values);
    let contrast = |strata: &Strata| strata.contrast(membership, difficulty, gain);
    let plain: Vec<usize> = (0..sides[0].design.models()).collect();
    let plain_second: Vec<usize> = (0..sides[1].design.models()).collect();

    let mut out = Vec::new();
    let entropy = [sides[0].entropies(&plain, context.workers)?, sides[1].entropies(&plain_second, context.workers)?];
    let strata = sorted([&entropy[0], &entropy[1]]);
    let nulls = (0..NULLS)
        .map(|draw| {
            let of = |h: usize| {
                let mut stream = Stream::new(context.seed, Purpose::Permutation, u64::MAX - 1 - h as u64, draw);
                sides[h].entropies(&null_order(&sides[h].design, &mut stream), context.workers)
            };
            let values = [of(0)?, of(1)?];
            Ok(contrast(&sorted([&values[0], &values[1]])).map(|blocks| moments::mean(&blocks)))
        })
        .collect::<Result<Vec<Option<f64>>, Error>>()?;
    let nulls: Vec<f64> = nulls.into_iter().flatten().collect();
    out.push(result(context, pair, "influence-entropy", &strata, contrast(&strata), (Some(&nulls), measurable))?);

    let supporters = [sides[0].supporters(context.workers)?, sides[1].supporters(context.workers)?];
    let strata = sorted([&supporters[0], &supporters[1]]);
    out.push(result(context, pair, "supporters-memorization", &strata, contrast(&strata), (None, measurable))?);
    let strata = sorted(difficulty);
    out.push(result(context, pair, "difficulty", &strata, None, (None, true))?);
    if let Some(frequency) = frequencies(pair.baseline) {
        let known: Values = frequency.into_iter().map(Some).collect();
        let strata = sorted([&known, &known]);
        out.push(result(context, pair, "group-frequency", &strata, contrast(&strata), (None, true))?);
    }
    Ok(out)
}

fn result(
    context: &Context<'_>,
    pair: &Pair<'_>,
    by: &str,
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
        let gains: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
        buckets.push(BucketResult {
            bucket: if bucket < BUCKETS { (bucket + 1).to_string() } else { "none".into() },
            examples,
            baseline: over_blocks(a, context.seed)?.into(),
            candidate: over_blocks(b, context.seed)?.into(),
            gain: over_blocks(&gains, context.seed)?.into(),
        });
    }
    let chance = nulls.filter(|n| n.len() > 1).map(moments::mean);
    let contrast = contrast.map(|blocks| -> Result<Jackknife, Error> {
        let interval = over_blocks(&blocks, context.seed)?;
        let error = (moments::variance(&blocks, 1) / blocks.len() as f64).sqrt();
        let Some(nulls) = nulls.filter(|n| n.len() > 1) else {
            return Ok(Jackknife { interval, standard_error: error });
        };
        // Less what sorting by noise gives; the error grows by that of one draw of it.
        let widened = (error * error + moments::variance(nulls, 1)).sqrt();
        let (mean, stretch) = (interval.mean - moments::mean(nulls), if error > 0.0 { widened / error } else { 1.0 });
        let (low, high) =
            (mean - stretch * (interval.mean - interval.low), mean + stretch * (interval.high - interval.mean));
        Ok(Jackknife { interval: flatleak_stats::Interval { mean, low, high }, standard_error: widened })
    });
    Ok(BucketsResult {
        baseline: pair.baseline.recipe.clone(),
        candidate: pair.candidate.recipe.clone(),
        dataset: context.dataset.into(),
        by: by.into(),
        buckets,
        contrast: contrast.transpose()?.map(|found| difference(found, pair)),
        contrast_by_chance: chance,
        measurable,
    })
}
