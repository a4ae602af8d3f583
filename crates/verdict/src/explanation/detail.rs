//! What is known of single examples, for tables and pictures; never part of `results.json`.

use crate::error::Error;
use crate::family::FAMILY;
use crate::table::Scored;
use flatleak_attack::Attack;
use flatleak_explain::pairs::Pairs;
use flatleak_pool::Pool;
use flatleak_stats::{Interval, moments, wilson};

use super::memorization::Both;

/// One recipe's examples.
#[derive(Clone, Debug, PartialEq)]
pub struct Detail {
    /// Recipe name.
    pub recipe: String,
    /// Place of each pool example in its source, (N).
    pub ids: Vec<u32>,
    /// Labels, (N), where they are known.
    pub labels: Option<Vec<u32>>,
    /// 0/1 memorization, (N), with standard errors and 95 % intervals.
    pub memorization: Vec<f64>,
    /// Its standard errors, (N).
    pub standard_errors: Vec<f64>,
    /// Its 95 % intervals, (N).
    pub intervals: Vec<Interval>,
    /// Soft memorization, (N); none where the pool has no confidences.
    pub soft: Option<Vec<f64>>,
    /// By attack of [`FAMILY`] that was run, the rate of right membership calls over the recipe's models with Wilson's 95 % interval, (N).
    /// Targets share shadows, so that the intervals are nominal.
    pub exposure: Vec<(Attack, Vec<Interval>)>,
    /// Influence; none where there are no held-out outputs.
    pub pairs: Option<Pairs>,
}

/// `examples` are where the examples of `pool` stand in the one that was attacked.
pub(super) fn of(
    pool: &Pool,
    both: &Both,
    pairs: Option<Pairs>,
    scored: &[(Attack, Scored)],
    examples: &[usize],
) -> Result<Detail, Error> {
    let models = pool.membership.models() as u64;
    let exposed = |s: &Scored| {
        let rate = |i: usize| {
            let known: Vec<f64> = s.calls.iter().map(|unit| unit[i]).filter(|v| !v.is_nan()).collect();
            if known.is_empty() { 0.5 } else { moments::mean(&known) }
        };
        let one = |i: &usize| wilson((rate(*i) * models as f64).round() as u64, models, 0.95);
        examples.iter().map(one).collect::<Result<Vec<_>, _>>()
    };
    let mut exposure = Vec::new();
    for attack in FAMILY {
        if let Some((_, s)) = scored.iter().find(|(a, s)| *a == attack && !s.calls.is_empty()) {
            exposure.push((attack, exposed(s)?));
        }
    }
    Ok(Detail {
        recipe: pool.recipe.clone(),
        ids: pool.ids.clone(),
        labels: pool.labels.clone(),
        memorization: both.hard.values().to_vec(),
        standard_errors: both.hard.standard_errors(),
        intervals: both.hard.intervals()?,
        soft: both.soft.as_ref().map(|s| s.values().to_vec()),
        exposure,
        pairs,
    })
}
