//! Variances over examples and over models, and what they do to the advantage of one threshold.

use crate::error::Error;
use flatleak_explain::{PhiMoments, Variance};
use flatleak_pool::{Pool, Signal};
use flatleak_results::{
    AttributionResult, Difference, MomentsResult, Over, Side, Spreads, VarianceDifference, VarianceResult,
};
use flatleak_stats::{Jackknife, Range, Replicates};

use super::context::{Context, Pair, difference};

/// Every variance: signal, side, kind.
const KINDS: [(Spreads, Side, Over); 8] = [
    (Spreads::Confidence, Side::Member, Over::Examples),
    (Spreads::Confidence, Side::NonMember, Over::Examples),
    (Spreads::Confidence, Side::Member, Over::Models),
    (Spreads::Confidence, Side::NonMember, Over::Models),
    (Spreads::Phi, Side::Member, Over::Examples),
    (Spreads::Phi, Side::NonMember, Over::Examples),
    (Spreads::Phi, Side::Member, Over::Models),
    (Spreads::Phi, Side::NonMember, Over::Models),
];

/// All variances of one recipe, in the order of [`KINDS`]; `None` where an example has too few models for the kind.
pub(super) struct Variances(Vec<Option<Variance>>);

impl Variances {
    pub(super) fn new(pool: &Pool) -> Result<Self, Error> {
        let one = |(signal, side, over): (Spreads, Side, Over)| {
            let signal = match signal {
                Spreads::Confidence => Signal::Confidence,
                Spreads::Phi => Signal::Phi,
            };
            match Variance::new(pool, signal, side == Side::Member, over) {
                Ok(found) => Ok(Some(found)),
                Err(flatleak_explain::Error::OneSided { .. }) => Ok(None),
                Err(e) => Err(Error::from(e)),
            }
        };
        Ok(Self(KINDS.into_iter().map(one).collect::<Result<_, _>>()?))
    }

    pub(super) fn results(&self, context: &Context<'_>, recipe: &str) -> Result<Vec<VarianceResult>, Error> {
        self.0
            .iter()
            .zip(KINDS)
            .filter_map(|(found, (signal, side, over))| {
                let found = found.as_ref()?;
                Some(found.estimate().map_err(Error::from).map(|e| VarianceResult {
                    recipe: recipe.into(),
                    dataset: context.dataset.into(),
                    signal,
                    side,
                    over,
                    variance: e.interval,
                }))
            })
            .collect()
    }

    pub(super) fn differences(
        context: &Context<'_>,
        pair: &Pair<'_>,
        (a, b): (&Self, &Self),
    ) -> Result<Vec<VarianceDifference>, Error> {
        let mut out = Vec::new();
        for ((a, b), (signal, side, over)) in a.0.iter().zip(&b.0).zip(KINDS) {
            let (Some(a), Some(b)) = (a, b) else { continue };
            let found = if pair.paired { b.difference(a)? } else { b.unpaired_difference(a)? };
            out.push(VarianceDifference {
                baseline: pair.baseline.recipe.clone(),
                candidate: pair.candidate.recipe.clone(),
                dataset: context.dataset.into(),
                signal,
                side,
                over,
                difference: difference(found),
            });
        }
        Ok(out)
    }
}

/// `None` for what no number says, such as a ratio to nothing.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn moments(found: &PhiMoments) -> Result<MomentsResult, Error> {
    let m = found.moments();
    Ok(MomentsResult {
        member_mean: m.member_mean,
        member_deviation: m.member_deviation,
        non_member_mean: m.non_member_mean,
        non_member_deviation: m.non_member_deviation,
        gap_in_deviations: finite((m.member_mean - m.non_member_mean) / m.non_member_deviation),
        deviation_ratio: finite(m.member_deviation / m.non_member_deviation),
        gaussian_advantage: found.advantage()?.interval.mean,
    })
}

/// The attribution of a paired difference; `observed` holds the phi attack's advantage, at each target's own best threshold, of either recipe.
pub(super) fn attribution(
    context: &Context<'_>,
    pair: &Pair<'_>,
    (a, b): (&PhiMoments, &PhiMoments),
    observed: Option<(Replicates, Replicates)>,
) -> Result<AttributionResult, Error> {
    let (parts, relative) = (b.attribute(a)?, b.attribute_relative(a)?);
    let seen = observed
        .map(|(a, b)| -> Result<Difference, Error> {
            let found = b.minus(&a)?;
            let interval = found.interval(0.95, Range::Difference)?;
            let standard_error = found.standard_error();
            Ok(difference(Jackknife { interval, standard_error, degrees: found.degrees() }))
        })
        .transpose()?;
    Ok(AttributionResult {
        baseline: pair.baseline.recipe.clone(),
        candidate: pair.candidate.recipe.clone(),
        dataset: context.dataset.into(),
        baseline_moments: moments(a)?,
        candidate_moments: moments(b)?,
        observed: seen,
        gaussian: difference(parts.whole),
        remainder: seen.map(|s| s.estimate.mean - parts.whole.interval.mean),
        gap: difference(parts.gap),
        member_spread: difference(parts.member_spread),
        non_member_spread: difference(parts.non_member_spread),
        relative_member_spread: relative.map(|r| difference(r.member_spread)),
        relative_non_member_spread: relative.map(|r| difference(r.non_member_spread)),
    })
}
