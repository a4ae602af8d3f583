//! Properties of a recipe's models: accuracies and spreads, by block.

use flatleak_pool::{Pool, Signal};
use flatleak_results::{Estimate, GroupProperty, Metric, Property, Side, Spread, Spreads};
use flatleak_stats::{Interval, Jackknife, Range, Replicates, moments};

use crate::error::Error;
use crate::groups;
use crate::judge::Judge;

/// Interval over independent block means by Student's t.
pub(crate) fn over_blocks(means: &[f64], range: Range) -> Result<Interval, Error> {
    Ok(Replicates::independent(means.to_vec())?.interval(0.95, range)?)
}

/// The same for any number, with the standard error of the mean of independent blocks.
pub(crate) fn over_blocks_with_error(means: &[f64]) -> Result<Jackknife, Error> {
    let found = Replicates::independent(means.to_vec())?;
    let standard_error = found.standard_error();
    Ok(Jackknife { interval: found.interval(0.95, Range::Real)?, standard_error, degrees: found.degrees() })
}

/// Properties of a pool's models, one value per block each.
pub(crate) type Properties = Vec<(Metric, Vec<f64>)>;

/// Accuracies and spreads, that on held-out examples where there are any, and accuracies per group where these are known, over the blocks that
/// have targets.
pub(crate) fn properties(judge: &Judge<'_>, pool: &Pool) -> Properties {
    let m = &pool.membership;
    let by_block = |f: &dyn Fn(usize) -> f64| judge.block_means(f);
    let variance = |signal: Signal, member: bool| {
        by_block(&|k| moments::variance(&m.side(k, &pool.pool[k].values(signal), member), 0))
    };
    let tested = pool.test.first().is_some_and(|t| !t.is_empty());
    let test = tested.then(|| (Property::TestAccuracy, by_block(&|k| pool.test[k].accuracy(|_| true))));
    let on_the_pool = [
        (Property::MemberAccuracy, by_block(&|k| pool.pool[k].accuracy(|i| m.row(k)[i]))),
        (Property::NonMemberAccuracy, by_block(&|k| pool.pool[k].accuracy(|i| !m.row(k)[i]))),
        (Property::Variance(Spreads::Confidence, Side::Member), variance(Signal::Confidence, true)),
        (Property::Variance(Spreads::Confidence, Side::NonMember), variance(Signal::Confidence, false)),
        (Property::Variance(Spreads::Phi, Side::Member), variance(Signal::Phi, true)),
        (Property::Variance(Spreads::Phi, Side::NonMember), variance(Signal::Phi, false)),
    ];
    let noise = pool.noise.iter().flat_map(|noise| {
        noise.levels.iter().enumerate().flat_map(|(l, &level)| {
            let lost_by = |k: usize| pool.test[k].accuracy(|_| true) - noise.accuracy[k][l];
            [
                (Property::NoisyAccuracy(level), by_block(&|k| noise.accuracy[k][l])),
                (Property::LostAccuracy(level), by_block(&lost_by)),
            ]
        })
    });
    let own = test.into_iter().chain(on_the_pool).chain(noise);
    own.map(|(property, values)| (property.into(), values)).chain(groups::properties(pool)).collect()
}

/// The values of a property by block; none where it was not measured.
pub(crate) fn values(found: &Properties, property: Property) -> Option<&[f64]> {
    let wanted = Metric::from(property);
    found.iter().find(|(metric, _)| *metric == wanted).map(|(_, values)| values.as_slice())
}

/// The spread of a signal among the properties.
pub(crate) fn spread(found: &Properties, signal: Spreads, pool: &Pool) -> Result<Spread, Error> {
    let get = |side| property(found, Property::Variance(signal, side), pool);
    Ok(Spread { member: get(Side::Member)?, non_member: get(Side::NonMember)? })
}

/// Where a property can lie: accuracies are rates, over the examples of one side, what is lost of them and gaps are differences, variances
/// are any number.
pub(crate) fn range_of(metric: &Metric, pool: &Pool) -> Range {
    let (n, t) = (pool.examples() as f64, pool.held_out() as f64);
    match metric {
        Metric::Property(Property::Variance(..)) => Range::Real,
        Metric::Property(Property::LostAccuracy(_)) | Metric::Group { property: GroupProperty::Memorization, .. } => {
            Range::Difference
        }
        Metric::Property(Property::TestAccuracy | Property::NoisyAccuracy(_))
        | Metric::Group { property: GroupProperty::TestAccuracy, .. } => Range::Rate { of: t },
        _ => Range::Rate { of: 0.5 * n },
    }
}

/// Interval of one property.
pub(crate) fn property(found: &Properties, property: Property, pool: &Pool) -> Result<Estimate, Error> {
    over_blocks(values(found, property).unwrap_or_default(), range_of(&property.into(), pool))
}
