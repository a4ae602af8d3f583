//! Measures of the targets of a pool, by unit: what every estimate is a mean of.

use std::borrow::Cow;

use crate::error::Error;
use flatleak_pool::{BlockId, Matrix, Membership, Pool, Rows, UnitId, Units};
use flatleak_results::{DELTA, FPR_LEVELS, Measure};
use flatleak_stats::{Judged, Ranking, best_thresholds, empirical_epsilon, interpolate, moments};

/// Most blocks that are deleted one by one.
const SINGLE: usize = 64;

/// Groups that are deleted of more.
const UNITS: usize = 32;

/// What is measured of every target, by place: AUC, the advantage at the target's own best threshold, balanced accuracy at a threshold from
/// others, TPR at each level, and perhaps the TPR of a curve.
pub(crate) const AUC: usize = 0;
pub(crate) const ORACLE: usize = 1;
pub(crate) const BALANCED: usize = 2;
pub(crate) const TPR: usize = 3;
/// Measures without a curve.
pub(crate) const MEASURES: usize = TPR + FPR_LEVELS.len();

/// What comparisons test, with the place of each among the measures.
pub(crate) fn compared() -> impl Iterator<Item = (usize, Measure)> {
    let rates = FPR_LEVELS.into_iter().enumerate().map(|(k, level)| (TPR + k, Measure::Tpr(level)));
    std::iter::once((AUC, Measure::Auc)).chain(rates)
}

/// Scores of some models on every example, higher = member.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    /// Index of each model in the pool.
    pub(crate) models: Vec<usize>,
    /// One row of N per model; NaN where an example is not scored.
    pub(crate) scores: Matrix,
}

/// Targets of a pool, and units of blocks that are deleted together.
pub(crate) struct Judge<'a> {
    pool: &'a Pool,
    /// Blocks of each unit: each block, or, of more than [`SINGLE`], one of [`UNITS`] groups of equal size (the delete-a-group jackknife,
    /// Kott 2001, Journal of Official Statistics 17). Blocks without a target are in none.
    units: Units,
    /// By block, what its targets' members are told from others among.
    strata: Vec<Option<Vec<u32>>>,
    /// By model.
    is_target: Vec<bool>,
}

/// One sheet judged.
pub(crate) struct Verdicts {
    /// Measures by unit; balanced accuracies are filled in by [`Judge::balanced`].
    pub(crate) units: Matrix,
    /// The best threshold over all targets of the sheet, and without each unit.
    pub(crate) threshold: f64,
    pub(crate) thresholds: Vec<f64>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(pool: &'a Pool) -> Self {
        let m = &pool.membership;
        let is_target: Vec<bool> = (0..m.models()).map(|k| m.is_target(k)).collect();
        let mut blocks: Vec<BlockId> = (0..m.models()).filter(|&k| is_target[k]).map(|k| m.block(k)).collect();
        blocks.sort_unstable();
        blocks.dedup();
        let strata = m.block_ids().map(|block| m.strata(block)).collect();
        Self { pool, units: units(&blocks), strata, is_target }
    }

    pub(crate) fn membership(&self) -> &Membership {
        &self.pool.membership
    }

    pub(crate) fn pool(&self) -> &'a Pool {
        self.pool
    }

    /// What is deleted together.
    pub(crate) fn units(&self) -> &Units {
        &self.units
    }

    /// Targets of a sheet: model, unit and row.
    pub(crate) fn targets<'s>(&'s self, sheet: &'s Sheet) -> impl Iterator<Item = (usize, UnitId, &'s [f64])> {
        let all = sheet.models.iter().zip(&sheet.scores).filter(|(k, _)| self.is_target[**k]);
        all.filter_map(|(&k, row)| Some((k, self.units.of(self.membership().block(k))?, row)))
    }

    /// The fewest scored non-members, and the mean number of scored members, of a target.
    pub(crate) fn sizes(&self) -> (usize, f64) {
        let m = self.membership();
        let mut sizes = Vec::new();
        for k in (0..m.models()).filter(|&k| self.is_target[k]) {
            let scored = |side: bool| (0..m.examples()).filter(|&i| m.row(k)[i] == side && m.is_scored(k, i)).count();
            sizes.push((scored(false), scored(true) as f64));
        }
        let members: Vec<f64> = sizes.iter().map(|s| s.1).collect();
        (sizes.iter().map(|s| s.0).min().unwrap_or(0), moments::mean(&members))
    }

    /// Means over the targets of each block, and over the blocks of each unit, of what `f` gives; `None` for a unit of which no target has
    /// one.
    pub(crate) fn by_unit(&self, found: Vec<(usize, Vec<f64>)>) -> Vec<Option<Vec<f64>>> {
        let m = self.membership();
        let mean = |rows: &[&Vec<f64>]| -> Option<Vec<f64>> {
            let first = rows.first()?;
            let column = |k: usize| rows.iter().map(|r| r[k]).sum::<f64>() / rows.len() as f64;
            Some((0..first.len()).map(column).collect())
        };
        let of_block = |&block: &BlockId| {
            let own: Vec<&Vec<f64>> = found.iter().filter(|(k, _)| m.block(*k) == block).map(|(_, v)| v).collect();
            mean(&own)
        };
        let of_unit = |blocks: &[BlockId]| {
            let own: Vec<Vec<f64>> = blocks.iter().filter_map(of_block).collect();
            mean(&own.iter().collect::<Vec<_>>())
        };
        self.units.iter().map(of_unit).collect()
    }

    /// Measures of a sheet by unit. Where `only_thresholds` is set, thresholds alone are learnt; where there are `fprs`, the TPR of the curve
    /// at each is appended.
    ///
    /// A unit whose targets all lost a side to a deletion has the measures `otherwise`.
    pub(crate) fn judge(
        &self,
        sheet: &Sheet,
        fprs: &[f64],
        otherwise: Option<Rows<'_>>,
        only_thresholds: bool,
    ) -> Result<Verdicts, Error> {
        let judged: Vec<Judged<'_>> = self
            .targets(sheet)
            .map(|(k, unit, scores)| Judged { scores, member: self.membership().row(k), group: unit.index() })
            .collect();
        let found = best_thresholds(&judged, self.units.len())?;
        let mut measured = Vec::new();
        if !only_thresholds {
            let mut ranking = Ranking::default();
            for (k, _, row) in self.targets(sheet) {
                measured.extend(self.measure(k, row, fprs, &mut ranking)?.map(|values| (k, values)));
            }
        }
        let units = self.by_unit(measured);
        let mut filled = Matrix::filled(self.units.len(), MEASURES + fprs.len(), 0.0);
        for (unit, (row, found)) in filled.iter_mut().zip(&units).enumerate() {
            let known = found.as_deref().or_else(|| otherwise?.get(unit));
            known.into_iter().for_each(|known| row.copy_from_slice(known));
        }
        Ok(Verdicts { units: filled, threshold: found.all, thresholds: found.without })
    }

    /// Measures of one target; `None` where a deletion left it one side alone.
    fn measure(
        &self,
        model: usize,
        row: &[f64],
        fprs: &[f64],
        ranking: &mut Ranking,
    ) -> Result<Option<Vec<f64>>, Error> {
        let (scores, member) = self.scored(model, row);
        if !member.contains(&true) || !member.contains(&false) {
            return Ok(None);
        }
        let strata = self.strata[self.membership().block(model).index()].as_ref();
        let within = strata.map(|strata| auc_within(row, self.membership().row(model), strata, ranking)).transpose()?;
        ranking.rebuild(&scores, &member)?;
        let mut out = vec![0.0; MEASURES];
        out[AUC] = within.unwrap_or_else(|| ranking.auc());
        out[ORACLE] = ranking.advantage();
        for (value, level) in out[TPR..].iter_mut().zip(FPR_LEVELS) {
            *value = ranking.tpr_at(level).tpr;
        }
        out.extend(interpolate(&ranking.curve(), fprs));
        Ok(Some(out))
    }

    /// Scores and membership of the examples that are scored for a target.
    fn scored<'s>(&'s self, model: usize, row: &'s [f64]) -> (Cow<'s, [f64]>, Cow<'s, [bool]>) {
        let member = self.membership().row(model);
        if !row.iter().fold(false, |is_nan, s| is_nan | s.is_nan()) {
            return (row.into(), member.into());
        }
        let kept = row.iter().zip(member).filter(|(s, _)| !s.is_nan());
        let (scores, member): (Vec<f64>, Vec<bool>) = kept.map(|(s, m)| (*s, *m)).unzip();
        (scores.into(), member.into())
    }

    /// Balanced accuracy of the targets of each unit at the threshold of their unit; `None` for a unit that is not in the sheet.
    pub(crate) fn balanced(&self, sheet: &Sheet, thresholds: &[f64]) -> Vec<Option<f64>> {
        let m = self.membership();
        let of = |(k, unit, row): (usize, UnitId, &[f64])| {
            let threshold = thresholds[unit.index()];
            // Of members and of others, how many are scored and on how many the call is right.
            let (mut scored, mut right) = ([0u32; 2], [0u32; 2]);
            for (score, member) in row.iter().zip(m.row(k)) {
                let is_scored = u32::from(!score.is_nan());
                let is_right = is_scored & u32::from((*score >= threshold) == *member);
                let inside = u32::from(*member);
                scored[0] += is_scored & inside;
                scored[1] += is_scored & (1 - inside);
                right[0] += is_right & inside;
                right[1] += is_right & (1 - inside);
            }
            let [[members, others], [hits, rejected]] = [scored, right].map(|both| both.map(f64::from));
            (members > 0.0 && others > 0.0).then(|| (k, vec![0.5 * (hits / members + rejected / others)]))
        };
        self.by_unit(self.targets(sheet).filter_map(of).collect()).into_iter().map(|v| v.map(|v| v[0])).collect()
    }

    /// Per unit and example, the share of the unit's targets, of those for which the example is scored, on which the call at the unit's
    /// threshold is right; NaN where it is scored for none.
    pub(crate) fn calls(&self, sheet: &Sheet, thresholds: &[f64]) -> Matrix {
        let n = self.membership().examples();
        let mut right = Matrix::filled(self.units.len(), n, 0.0);
        let mut seen = right.clone();
        for (k, unit, row) in self.targets(sheet) {
            let threshold = thresholds[unit.index()];
            let to = right[unit.index()].iter_mut().zip(&mut seen[unit.index()]);
            for (((right, seen), score), member) in to.zip(row).zip(self.membership().row(k)) {
                *seen += if score.is_nan() { 0.0 } else { 1.0 };
                // A score that is none reaches no threshold, and counts for nobody.
                let is_right = ((*score >= threshold) == *member) & !score.is_nan();
                *right += if is_right { 1.0 } else { 0.0 };
            }
        }
        right.values_mut().iter_mut().zip(seen.values()).for_each(|(right, seen)| *right /= seen);
        right
    }

    /// Mean over targets of the realised FPR and of the false positives at each level, and of the nominal epsilon.
    pub(crate) fn realised(&self, sheet: &Sheet) -> Result<([[f64; 2]; FPR_LEVELS.len()], f64), Error> {
        let (mut levels, mut epsilon, mut n) = ([[0.0; 2]; FPR_LEVELS.len()], 0.0, 0.0);
        let mut ranking = Ranking::default();
        for (k, _, row) in self.targets(sheet) {
            let (scores, member) = self.scored(k, row);
            ranking.rebuild(&scores, &member)?;
            epsilon += empirical_epsilon(&ranking, DELTA, 0.95)?;
            n += 1.0;
            for (sums, fpr) in levels.iter_mut().zip(FPR_LEVELS) {
                let point = ranking.tpr_at(fpr);
                *sums = [sums[0] + point.realised_fpr, sums[1] + point.false_positives as f64];
            }
        }
        Ok((levels.map(|sums| sums.map(|sum| sum / n)), epsilon / n))
    }

    /// Mean over the targets of each block of one value per model, over the blocks that have targets, ascending.
    pub(crate) fn block_means(&self, of_model: &dyn Fn(usize) -> f64) -> Vec<f64> {
        let m = self.membership();
        self.units
            .all_blocks()
            .into_iter()
            .map(|block| {
                let own: Vec<f64> =
                    (0..m.models()).filter(|&k| m.block(k) == block && self.is_target[k]).map(of_model).collect();
                moments::mean(&own)
            })
            .collect()
    }

    /// Targets of a sheet by unit, with the scores and membership of their scored examples and where these stand.
    pub(crate) fn each_scored(&self, sheet: &Sheet, mut visit: impl FnMut(UnitId, &[f64], &[bool], &[usize])) {
        for (k, unit, row) in self.targets(sheet) {
            let (scores, member) = self.scored(k, row);
            let at: Vec<usize> = (0..row.len()).filter(|&i| !row[i].is_nan()).collect();
            visit(unit, &scores, &member, &at);
        }
    }
}

/// The AUC of one target among the examples of each stratum: pairs of a member and another in one stratum alone are compared.
fn auc_within(row: &[f64], member: &[bool], strata: &[u32], ranking: &mut Ranking) -> Result<f64, Error> {
    let mut scored: Vec<usize> = (0..row.len()).filter(|&i| !row[i].is_nan()).collect();
    scored.sort_by_key(|&i| strata[i]);
    let (mut won, mut all) = (0.0, 0.0);
    for group in scored.chunk_by(|a, b| strata[*a] == strata[*b]) {
        let (values, members): (Vec<f64>, Vec<bool>) = group.iter().map(|&i| (row[i], member[i])).unzip();
        if members.contains(&true) && members.contains(&false) {
            ranking.rebuild(&values, &members)?;
            let pairs = (ranking.members() * ranking.non_members()) as f64;
            (won, all) = (won + ranking.auc() * pairs, all + pairs);
        }
    }
    Ok(if all > 0.0 { won / all } else { 0.5 })
}

/// What a jackknife deletes at a time, of blocks with targets. Every deletion scores all other models, which would cost large pools the square
/// of their size; blocks are independent draws, so that every UNITS-th of them are a random group.
fn units(blocks: &[BlockId]) -> Units {
    let n = if blocks.len() > SINGLE { UNITS } else { blocks.len() };
    Units::new((0..n).map(|unit| blocks[unit..].iter().copied().step_by(n).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_single_blocks_or_groups_that_hold_each_once() {
        let some = |n: usize| (0..n).map(BlockId::new).collect::<Vec<_>>();
        assert_eq!(units(&some(3)), Units::single(some(3)));
        assert_eq!(units(&some(SINGLE)).len(), SINGLE);
        for blocks in [SINGLE + 1, 128, 257].map(some) {
            let found = units(&blocks);
            assert_eq!(found.len(), UNITS);
            let sizes: Vec<usize> = found.iter().map(<[BlockId]>::len).collect();
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
            let mut all: Vec<BlockId> = found.iter().flatten().copied().collect();
            all.sort_unstable();
            assert_eq!(all, blocks);
            // Every UNITS-th block is of one group.
            assert!(blocks.iter().all(|b| found.of(*b) == Some(UnitId::new(b.index() % UNITS))));
        }
    }

    #[test]
    fn pairs_are_compared_within_strata_alone() {
        // Strata (0, 1, 4) and (2, 3): members 0 and 3. Of 0 against 1 and 4 one is won, of 3 against 2 one.
        let row = [1.0, 0.5, 9.0, 9.5, 2.0, f64::NAN];
        let member = [true, false, false, true, false, true];
        let found = auc_within(&row, &member, &[7, 7, 3, 3, 7, 3], &mut Ranking::default()).unwrap();
        assert!((found - 2.0 / 3.0).abs() < 1e-15);
    }
}
