//! Memorization per recipe and its differences.

use crate::error::Error;
use flatleak_explain::Memorization;
use flatleak_pool::{Pool, Signal};
use flatleak_results::{
    IdentityResult, MemorizationDifference, MemorizationResult, NamedDifference, NamedEstimate, Statistic,
};
use flatleak_stats::{Jackknife, moments};

use super::context::{Context, Pair, difference};

/// Bins of the joint histogram, from -1 to 1.
const JOINT: usize = 20;

/// Hard (0/1) and, where there are confidences, soft (p_y) memorization of one recipe.
pub(crate) struct Both {
    pub(crate) hard: Memorization,
    pub(crate) soft: Option<Memorization>,
}

impl Both {
    pub(crate) fn new(pool: &Pool) -> Result<Self, Error> {
        let soft = pool.offers(Signal::Confidence).then(|| Memorization::new(pool, Signal::Confidence)).transpose()?;
        Ok(Self { hard: Memorization::new(pool, Signal::Correct)?, soft })
    }

    /// [`Both::finest`] by value.
    pub(crate) fn into_finest(self) -> Memorization {
        self.soft.unwrap_or(self.hard)
    }

    /// Soft memorization where there is one: its errors are smaller.
    pub(crate) fn finest(&self) -> &Memorization {
        self.soft.as_ref().unwrap_or(&self.hard)
    }
}

pub(super) fn result(context: &Context<'_>, pool: &Pool, both: &Both) -> Result<MemorizationResult, Error> {
    let identity = both.hard.identity(pool);
    Ok(MemorizationResult {
        recipe: pool.recipe.clone(),
        dataset: context.dataset.into(),
        hard: named(&both.hard)?,
        soft: both.soft.as_ref().map_or(Ok(Vec::new()), named)?,
        mean_standard_error: moments::mean(&both.hard.standard_errors()),
        identity: IdentityResult {
            memorization: identity.memorization,
            accuracy_gap: identity.accuracy_gap,
            holds: identity.holds(),
            balanced: identity.balanced,
        },
        histogram: both.hard.histogram(),
        soft_histogram: both.soft.as_ref().map_or(Vec::new(), Memorization::histogram),
    })
}

pub(super) fn compared(
    context: &Context<'_>,
    pair: &Pair<'_>,
    (a, b): (&Both, &Both),
) -> Result<MemorizationDifference, Error> {
    let all = |a: &Memorization, b: &Memorization| -> Result<Vec<NamedDifference>, Error> {
        let one = |s: Statistic| -> Result<NamedDifference, Error> {
            let found = if pair.paired { b.difference(a, s)? } else { b.unpaired_difference(a, s)? };
            Ok(NamedDifference { name: s, difference: difference(found) })
        };
        Statistic::ALL.into_iter().map(one).collect()
    };
    let soft = match (&a.soft, &b.soft) {
        (Some(a), Some(b)) => all(a, b)?,
        _ => Vec::new(),
    };
    let (x, y) = (a.finest().values(), b.finest().values());
    // Archives may have lost different examples: only the same ones can be set side by side.
    let alike = pair.baseline.ids == pair.candidate.ids && pair.baseline.labels == pair.candidate.labels;
    Ok(MemorizationDifference {
        baseline: pair.baseline.recipe.clone(),
        candidate: pair.candidate.recipe.clone(),
        dataset: context.dataset.into(),
        pairing: pair.pairing(),
        hard: all(&a.hard, &b.hard)?,
        soft,
        // Undefined where one recipe memorizes every example alike.
        correlation: if alike { moments::correlation(x, y).ok() } else { None },
        joint: if alike { joint(x, y) } else { Vec::new() },
    })
}

fn joint(x: &[f64], y: &[f64]) -> Vec<Vec<usize>> {
    let bin = |v: f64| (((v + 1.0) / 2.0 * JOINT as f64 + 1e-9) as usize).min(JOINT - 1);
    let mut counts = vec![vec![0; JOINT]; JOINT];
    for (x, y) in x.iter().zip(y) {
        counts[bin(*x)][bin(*y)] += 1;
    }
    counts
}

fn named(m: &Memorization) -> Result<Vec<NamedEstimate>, Error> {
    let one = |s: Statistic| -> Result<NamedEstimate, Error> {
        let Jackknife { interval, .. } = m.statistic(s)?;
        Ok(NamedEstimate { name: s, estimate: interval })
    };
    Statistic::ALL.into_iter().map(one).collect()
}
