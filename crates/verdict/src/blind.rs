//! Are members and non-members alike by themselves?
//!
//! The blind attack (own; in the spirit of Das et al. 2024, arXiv 2406.16201) predicts membership from everything but the target's outputs:
//! what other models put out, how many hold the example, its label, group and features. Above .5, members and non-members differ by
//! themselves, and no AUC of any attack may be read as leakage without it (book/methods/blind.md#blind-test).

use crate::error::Error;
use flatleak_attack::learned::CrossFit;
use flatleak_pool::{BlockId, Design, Matrix, Pool, UnitId};
use flatleak_results::{Blind, BlindStatus};
use flatleak_stats::{FEWEST_UNITS, Range, Replicates, parallel};

use crate::judge::{AUC, Judge, MEASURES, Sheet};
use crate::scored::Scorer;

/// One-sided p-value from which on members and non-members count as different by themselves.
const LEVEL: f64 = 0.01;

/// What decides whether it is run: the designs of all classes of models.
fn status(judge: &Judge<'_>) -> BlindStatus {
    let m = judge.membership();
    let designs = m.designs();
    let equal = || {
        let of = |block: BlockId| {
            let own = (0..m.models()).filter(|&k| m.block(k) == block);
            let sizes: Vec<usize> =
                own.map(|k| (0..m.examples()).filter(|&i| m.row(k)[i] && m.is_scored(k, i)).count()).collect();
            let (least, most) = (sizes.iter().min().copied().unwrap_or(0), sizes.iter().max().copied().unwrap_or(0));
            // Complements are balanced whatever their sizes.
            most - least <= 1 || sizes.len() == flatleak_pool::BLOCK
        };
        judge.units().iter().flatten().all(|&block| of(block))
    };
    if designs.iter().all(|d| *d == Design::Balanced) && equal() {
        BlindStatus::BalancedByDesign
    } else if designs.contains(&Design::Fixed) {
        BlindStatus::FixedByDesign
    } else {
        BlindStatus::Measured
    }
}

/// Runs the blind attack on a judge's pool; `strongest` is the AUC of that attack, where it was run.
///
/// # Errors
/// When a statistic cannot be computed.
pub(crate) fn of(judge: &Judge<'_>, strongest: Option<&Replicates>, workers: usize) -> Result<Blind, Error> {
    let status = status(judge);
    if status != BlindStatus::Measured {
        return Ok(Blind::without(status));
    }
    let Some(scorer) = Scorer::blind(judge, workers) else {
        return Ok(Blind::without(BlindStatus::TooFewModels));
    };
    let whole = judge.aucs(&scorer.score(None)?, None)?;
    let without = |unit| judge.aucs(&scorer.score(Some(UnitId::new(unit)))?, Some(&whole));
    let deleted = parallel::map(judge.units().len(), workers, without).into_iter().collect::<Result<Vec<_>, _>>()?;
    let auc = Replicates::new(whole, deleted)?;
    let two_sided = auc.p_value(0.5);
    let p = if auc.estimate() > 0.5 { 0.5 * two_sided } else { 1.0 - 0.5 * two_sided };
    let (_, members) = judge.sizes();
    let excess = strongest
        .filter(|s| s.units() == auc.units())
        .map(|s| Ok::<_, Error>(s.minus(&auc)?.interval(0.95, Range::Difference)?))
        .transpose()?;
    Ok(Blind {
        status,
        auc: Some(auc.interval(0.95, Range::Rate { of: members })?),
        p_value: Some(p),
        excess,
        mixed_rates: judge.membership().designs().contains(&Design::Mixed),
        beats_chance: auc.units() >= FEWEST_UNITS && beats_chance(p),
    })
}

/// The blind attack on one model of a pool.
///
/// `None` where its outputs have no phi, or too few examples.
pub fn blind_target(pool: &Pool, target: usize) -> Option<CrossFit> {
    CrossFit::of_target(&pool.membership, &pool.pool, &crate::scored::around(pool), target)
}

/// Whether a p-value of the blind attack says that members and non-members differ by themselves.
pub fn beats_chance(p_value: f64) -> bool {
    p_value <= LEVEL
}

/// The sentence of a headline about a recipe whose members and non-members differ by themselves.
pub(crate) fn sentence(recipe: &str, blind: &Blind) -> Option<String> {
    let (auc, excess) = (blind.auc.filter(|_| blind.beats_chance)?, blind.excess);
    let why = match blind.mixed_rates {
        true => "Examples were drawn at different rates, which alone gives members away",
        false => "Members and non-members differ by themselves",
    };
    let more = excess
        .map_or(String::new(), |e| format!("; strongest exceeds it by {:+.3} [{:+.3}, {:+.3}]", e.mean, e.low, e.high));
    Some(format!(
        "{why}: without any output of {recipe} an attacker reaches an AUC of {:.3} [{:.3}, {:.3}]{more}.",
        auc.mean, auc.low, auc.high
    ))
}

impl Judge<'_> {
    /// The AUC of every unit of a sheet.
    fn aucs(&self, sheet: &Sheet, otherwise: Option<&Vec<f64>>) -> Result<Vec<f64>, Error> {
        let filled = otherwise.map(|o| Matrix::with_rows(o.len(), MEASURES, |unit, row| row.fill(o[unit])));
        let found = self.judge(sheet, &[], filled.as_ref().map(Matrix::rows), false)?;
        Ok(found.units.iter().map(|row| row[AUC]).collect())
    }
}
