//! One recipe: accuracy, spread, and every attack with its intervals.

use flatleak_attack::{Attack, Lineup};
use flatleak_pool::{Pool, Signal};
use flatleak_stats::{
    Interval, Jackknife, Ranking, best_threshold, block_interval, empirical_epsilon, jackknife, moments, parallel,
    precision,
};
use flatleak_stream::{Purpose, Stream};

use crate::comparison::is_headline;
use crate::explanation::link::Links;
use crate::groups::{self, Leaks};
use crate::scored::{Evidence, MEASURES, Measures, average, block_means, measure, units};
use crate::{AttackResult, DELTA, Error, Estimate, FPR_LEVELS, PRIORS, Spread, TprAtFpr};

/// Draws of a BCa interval.
const DRAWS: usize = 2000;

/// Interval over independent block means: Student's t, or BCa from 64 blocks on.
pub(crate) fn over_blocks(means: &[f64], seed: u64) -> Result<Interval, Error> {
    Ok(block_interval(means, 0.95, DRAWS, &mut Stream::new(seed, Purpose::Bootstrap, 0, 0))?)
}

/// [`over_blocks`] with the standard error of the mean of independent blocks.
pub(crate) fn over_blocks_with_error(means: &[f64], seed: u64) -> Result<Jackknife, Error> {
    let standard_error = (moments::variance(means, 1) / means.len() as f64).sqrt();
    Ok(Jackknife { interval: over_blocks(means, seed)?, standard_error })
}

/// What paired comparisons need of one attack on one recipe.
pub(crate) struct Scored {
    /// Measures per block, from all shadows.
    pub(crate) blocks: Vec<Measures>,
    /// Mean measures over all targets.
    pub(crate) mean: Measures,
    /// Mean measures with each unit of blocks ([`units`]) deleted as targets and as shadows; empty for attacks without shadows.
    pub(crate) deleted: Vec<Measures>,
    /// (B, N) share of a block's targets on which the call at the block's threshold is right; kept for headline attacks.
    pub(crate) calls: Vec<Vec<f64>>,
    /// Leakage by known group; only for headline attacks.
    pub(crate) groups: Leaks,
}

/// Properties of a pool's models by name, one value per block each.
pub(crate) type Properties = Vec<(String, Vec<f64>)>;

/// Accuracies and spreads, that on held-out examples where there are any, and accuracies per group where these are known.
pub(crate) fn properties(pool: &Pool) -> Properties {
    let m = &pool.membership;
    let variance = |signal: Signal, member: bool| {
        m.block_means(|k| moments::variance(&m.side(k, &pool.pool[k].values(signal), member), 0))
    };
    let tested = pool.test.first().is_some_and(|t| !t.is_empty());
    let test = tested.then(|| ("test-accuracy", m.block_means(|k| pool.test[k].accuracy(|_| true))));
    let on_the_pool = [
        ("member-accuracy", m.block_means(|k| pool.pool[k].accuracy(|i| m.row(k)[i]))),
        ("non-member-accuracy", m.block_means(|k| pool.pool[k].accuracy(|i| !m.row(k)[i]))),
        ("confidence-variance.member", variance(Signal::Confidence, true)),
        ("confidence-variance.non-member", variance(Signal::Confidence, false)),
        ("phi-variance.member", variance(Signal::Phi, true)),
        ("phi-variance.non-member", variance(Signal::Phi, false)),
    ];
    let own = test.into_iter().chain(on_the_pool).map(|(name, values)| (name.to_owned(), values));
    let noise = pool.noise.iter().flat_map(|noise| {
        noise.levels.iter().enumerate().flat_map(|(l, level)| {
            let [at, lost] = noise_metrics(*level);
            let lost_by = |k: usize| pool.test[k].accuracy(|_| true) - noise.accuracy[k][l];
            [(at, m.block_means(|k| noise.accuracy[k][l])), (lost, m.block_means(lost_by))]
        })
    });
    own.chain(noise).chain(groups::properties(pool)).collect()
}

/// Names of the accuracy under a level of noise and of what it is less.
pub(crate) fn noise_metrics(level: f64) -> [String; 2] {
    [format!("test-accuracy@noise{level}"), format!("lost-accuracy@noise{level}")]
}

/// The spread under `prefix` among the properties.
pub(crate) fn spread(found: &Properties, prefix: &str, seed: u64) -> Result<Spread, Error> {
    let get = |side: &str| property(found, &format!("{prefix}.{side}"), seed);
    Ok(Spread { member: get("member")?, non_member: get("non-member")? })
}

/// Interval of one property.
pub(crate) fn property(found: &Properties, name: &str, seed: u64) -> Result<Estimate, Error> {
    let values = found.iter().find(|(n, _)| n == name).map_or(&[][..], |(_, v)| v);
    over_blocks(values, seed)
}

/// One attack on one recipe.
///
/// The threshold of the balanced accuracy of a block's targets is learnt on the other blocks' targets, scored
/// without that block's models; in the jackknife it is held, which costs nothing to first order because it is
/// a maximum.
///
/// `links` is what memorization says of the recipe's examples; the estimate that is returned last is its correlation with attack success.
pub(crate) fn attack(
    pool: &Pool,
    attack: Attack,
    links: &Links,
    (workers, seed): (usize, u64),
) -> Result<(AttackResult, Scored, Option<Estimate>), Error> {
    let evidence = Evidence::new(pool, attack)?;
    let scene = evidence.scene(&[])?;
    let lineup = scene.lineup();
    let scores = scene.score()?;
    let targets = measure(lineup, &scores)?;
    let blocks = block_means(lineup, &targets);
    let shadows = attack.uses_shadows();
    let by_group = pool.groups.as_ref().filter(|_| is_headline(attack));

    // With each unit of blocks deleted: the others' measures, and the threshold that its targets will be judged by.
    let units = units(lineup.blocks().len());
    let without = |unit: &[usize]| evidence.scene(&unit.iter().map(|b| lineup.blocks()[*b]).collect::<Vec<_>>());
    let deletions = parallel::map(units.len(), workers, |u| {
        let rest = without(&units[u])?;
        let scores = rest.score()?;
        let mean = if shadows { average(&measure(rest.lineup(), &scores)?) } else { [0.0; MEASURES] };
        let leak = match by_group {
            Some(groups) if shadows => groups::leakage(rest.lineup(), &scores, groups, |_| true)?,
            _ => Vec::new(),
        };
        Ok::<_, Error>((mean, pooled_threshold(rest.lineup(), &scores)?, leak))
    })
    .into_iter()
    .collect::<Result<Vec<_>, _>>()?;
    let mut thresholds = vec![0.0; lineup.blocks().len()];
    for (unit, deleted) in units.iter().zip(&deletions) {
        unit.iter().for_each(|b| thresholds[*b] = deleted.1);
    }
    let deleted: Vec<Measures> = if shadows { deletions.iter().map(|d| d.0).collect() } else { Vec::new() };
    let balanced = balanced_accuracy(lineup, &scores, lineup, &thresholds)?;
    let calls = right_calls(lineup, &scores, &thresholds);
    // Both with every unit deleted as targets, as shadows and from memorization, at the thresholds from before.
    let rest = parallel::map(units.len(), workers, |u| {
        let rest = without(&units[u])?;
        let scores = rest.score()?;
        let balanced = moments::mean(&balanced_accuracy(rest.lineup(), &scores, lineup, &thresholds)?);
        let others: Vec<f64> = (0..thresholds.len()).filter(|b| !units[u].contains(b)).map(|b| thresholds[b]).collect();
        Ok::<_, Error>((balanced, links.correlation(&right_calls(rest.lineup(), &scores, &others), &units[u])))
    })
    .into_iter()
    .collect::<Result<Vec<_>, _>>()?;
    let balanced_interval = if shadows {
        jackknife(moments::mean(&balanced), &rest.iter().map(|r| r.0).collect::<Vec<_>>(), 0.95)?.interval
    } else {
        over_blocks(&balanced, seed)?
    };
    let left_out: Option<Vec<f64>> = rest.iter().map(|r| r.1).collect();
    let link = links
        .correlation(&calls, &[])
        .zip(left_out)
        .map(|(whole, left_out)| Ok::<_, Error>(jackknife(whole, &left_out, 0.95)?.interval))
        .transpose()?;

    let mut leaks = Leaks::default();
    if let Some(groups) = by_group {
        leaks.whole = groups::leakage(lineup, &scores, groups, |_| true)?;
        leaks.units = if shadows {
            deletions.into_iter().map(|d| d.2).collect()
        } else {
            let of = |&block: &usize| groups::leakage(lineup, &scores, groups, |b| b == block);
            lineup.blocks().iter().map(of).collect::<Result<_, _>>()?
        };
    }
    let scored = Scored { mean: average(&targets), blocks, deleted, calls, groups: leaks };
    let interval = |k: usize| -> Result<Estimate, Error> {
        let values: Vec<f64> = if shadows { &scored.deleted } else { &scored.blocks }.iter().map(|m| m[k]).collect();
        Ok(if shadows { jackknife(scored.mean[k], &values, 0.95)?.interval } else { over_blocks(&values, seed)? })
    };
    // Per level: sums of realised FPR and false positives over targets, and the fewest expected ones. One sort per target.
    let mut levels = [(0.0, 0.0, f64::INFINITY); FPR_LEVELS.len()];
    let mut ranking = Ranking::default();
    let mut epsilon = 0.0;
    for (seat, row) in lineup.seats().iter().zip(&scores) {
        ranking.rebuild(row, seat.member)?;
        epsilon += empirical_epsilon(&ranking, DELTA, 0.95)?;
        for ((realised, positives, expected), fpr) in levels.iter_mut().zip(FPR_LEVELS) {
            let point = ranking.tpr_at(fpr);
            *realised += point.realised_fpr;
            *positives += point.false_positives as f64;
            *expected = f64::min(*expected, fpr * ranking.non_members() as f64);
        }
    }
    let n = scores.len() as f64;
    let tpr_at_fpr = FPR_LEVELS
        .iter()
        .zip(levels)
        .enumerate()
        .map(|(k, (&fpr, (realised, positives, expected)))| {
            let tpr = interval(2 + k)?;
            Ok(TprAtFpr {
                fpr,
                tpr,
                precision: PRIORS.map(|prior| precision(tpr.mean, realised / n, prior)),
                realised_fpr: realised / n,
                false_positives: positives / n,
                reliable: expected >= 5.0,
            })
        })
        .collect::<Result<_, Error>>()?;
    let result = AttackResult {
        name: attack.name().into(),
        variant: attack.variant().map(Into::into),
        shadow_recipe: shadows.then(|| pool.recipe.clone()),
        same_roc_as: attack.same_roc_as().map(|a| a.name().into()),
        auc: interval(0)?,
        advantage: interval(1)?,
        balanced_accuracy: balanced_interval,
        tpr_at_fpr,
        nominal_epsilon: Some(epsilon / n),
    };
    Ok((result, scored, link))
}

/// Per block and example, the share of the block's targets whose membership call is right.
fn right_calls(lineup: &Lineup<'_>, scores: &[Vec<f64>], thresholds: &[f64]) -> Vec<Vec<f64>> {
    lineup
        .blocks()
        .iter()
        .zip(thresholds)
        .map(|(&block, threshold)| {
            let mut right = vec![0.0; lineup.examples()];
            let mut targets = 0.0;
            for (seat, row) in lineup.seats().iter().zip(scores).filter(|(s, _)| s.block == block) {
                targets += 1.0;
                for ((sum, score), member) in right.iter_mut().zip(row).zip(seat.member) {
                    *sum += f64::from(u8::from((score >= threshold) == *member));
                }
            }
            right.into_iter().map(|sum| sum / targets).collect()
        })
        .collect()
}

/// The threshold with the best pooled balanced accuracy over all targets of a lineup.
fn pooled_threshold(lineup: &Lineup<'_>, scores: &[Vec<f64>]) -> Result<f64, Error> {
    Ok(best_threshold(lineup.seats().iter().zip(scores).map(|(seat, row)| (row.as_slice(), seat.member)))?)
}

/// Balanced accuracy per block of `lineup` at the threshold of each block of `all`.
fn balanced_accuracy(
    lineup: &Lineup<'_>,
    scores: &[Vec<f64>],
    all: &Lineup<'_>,
    thresholds: &[f64],
) -> Result<Vec<f64>, Error> {
    let targets: Vec<[f64; 1]> = lineup
        .seats()
        .iter()
        .zip(scores)
        .map(|(seat, row)| {
            let threshold = thresholds[all.blocks().binary_search(&seat.block).unwrap_or(0)];
            let (mut hit, mut right, mut members) = (0.0, 0.0, 0.0);
            for (score, member) in row.iter().zip(seat.member) {
                match (member, *score >= threshold) {
                    (true, true) => (hit, members) = (hit + 1.0, members + 1.0),
                    (true, false) => members += 1.0,
                    (false, false) => right += 1.0,
                    (false, true) => {}
                }
            }
            [0.5 * (hit / members + right / (row.len() as f64 - members))]
        })
        .collect();
    Ok(block_means(lineup, &targets).into_iter().map(|[v]| v).collect())
}
