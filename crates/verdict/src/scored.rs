//! One attack on the models of one or two recipes: lineups, scores, measures.

use flatleak_attack::quantile::{self, Regression};
use flatleak_attack::{Attack, Lineup, Seat};
use flatleak_pool::{Pool, Signal};
use flatleak_stats::Ranking;

use crate::{Error, FPR_LEVELS};

/// Measures per target: AUC, advantage, TPR at each level.
pub(crate) const MEASURES: usize = 2 + FPR_LEVELS.len();

/// One target's measures.
pub(crate) type Measures = [f64; MEASURES];

/// Most blocks that a jackknife deletes one by one.
const SINGLE: usize = 64;

/// Groups that it deletes of more.
const UNITS: usize = 32;

/// What a jackknife deletes at a time, by place of the blocks: each of them, or, of more than [`SINGLE`], one of [`UNITS`] groups of equal
/// size (the delete-a-group jackknife, Kott 2001, Journal of Official Statistics 17). Every deletion scores all other models, which would
/// cost large pools the square of their size; blocks are independent draws, so that every UNITS-th of them are a random group.
pub(crate) fn units(blocks: usize) -> Vec<Vec<usize>> {
    let n = if blocks > SINGLE { UNITS } else { blocks };
    (0..n).map(|unit| (unit..blocks).step_by(n).collect()).collect()
}

/// The signal of one attack for one recipe's models, in f64.
pub(crate) struct Evidence<'a> {
    pub(crate) pool: &'a Pool,
    attack: Attack,
    plain: Rows,
}

/// The signal under one view, one row per model.
struct Rows {
    pool: Vec<Vec<f64>>,
    population: Vec<Vec<f64>>,
}

/// Who takes part: the models of some blocks from another recipe, those of some not at all.
struct Cast<'e> {
    own: &'e Evidence<'e>,
    other: &'e Evidence<'e>,
    exchanged: Vec<bool>,
    without: Vec<usize>,
}

/// The models that take part, under every query.
pub(crate) struct Scene<'e> {
    cast: Cast<'e>,
    plain: Lineup<'e>,
}

impl<'a> Evidence<'a> {
    pub(crate) fn new(pool: &'a Pool, attack: Attack) -> Result<Self, Error> {
        Ok(Self { pool, attack, plain: Self::rows(pool, attack, 0)? })
    }

    fn rows(pool: &Pool, attack: Attack, query: usize) -> Result<Rows, Error> {
        let population =
            if attack == Attack::RmiaGamma { pool.query_rows(query, true, Signal::Phi)? } else { Vec::new() };
        let rows = pool.query_rows(query, false, attack.signal())?;
        let rows = if attack.needs_features() { beyond_quantiles(pool, rows)? } else { rows };
        Ok(Rows { pool: rows, population })
    }

    /// All models but those of the blocks `without`.
    pub(crate) fn scene(&self, without: &[usize]) -> Result<Scene<'_>, Error> {
        let exchanged = vec![false; self.pool.membership.blocks()];
        Scene::new(Cast { own: self, other: self, exchanged, without: without.to_vec() })
    }

    /// The models of these blocks from `other`, the rest from here.
    pub(crate) fn exchanged<'s>(&'s self, other: &'s Self, blocks: &[bool]) -> Result<Scene<'s>, Error> {
        Scene::new(Cast { own: self, other, exchanged: blocks.to_vec(), without: Vec::new() })
    }
}

impl<'e> Cast<'e> {
    fn lineup<'r>(&self, own: &'r Rows, other: &'r Rows) -> Result<Lineup<'r>, Error>
    where
        'e: 'r,
    {
        let pool = self.own.pool;
        let m = &pool.membership;
        let seat = |k: usize| {
            let block = m.block(k);
            let rows = if self.exchanged[block] { other } else { own };
            Seat {
                block,
                member: m.row(k),
                values: &rows.pool[k],
                population: rows.population.get(k).map_or(&[], Vec::as_slice),
            }
        };
        let seats = (0..m.models()).filter(|&k| !self.without.contains(&m.block(k))).map(seat);
        let lineup = Lineup::new(seats.collect(), &pool.labels)?;
        Ok(if m.is_balanced() { lineup } else { lineup.with_equal_counts() })
    }
}

impl<'e> Scene<'e> {
    fn new(cast: Cast<'e>) -> Result<Self, Error> {
        let plain = cast.lineup(&cast.own.plain, &cast.other.plain)?;
        Ok(Self { cast, plain })
    }

    /// Who takes part.
    pub(crate) fn lineup(&self) -> &Lineup<'e> {
        &self.plain
    }

    /// Scores of every model on every example: the mean over queries of each query's score, which for the likelihood ratios is
    /// that of Carlini et al. (2022), and for the others this project's own.
    ///
    /// Further views are read one at a time: f64 rows of all of them at once would be many times the pool.
    pub(crate) fn score(&self) -> Result<Vec<Vec<f64>>, Error> {
        let (own, other) = (self.cast.own, self.cast.other);
        let attack = own.attack;
        let queries = if attack.reads_plain_view() { 1 } else { own.pool.queries() };
        let mut sum = attack.score(&self.plain);
        for query in 1..queries {
            let rows = Evidence::rows(own.pool, attack, query)?;
            // Another pool's rows are needed only where some of its models take part.
            let theirs = match self.cast.exchanged.contains(&true) {
                true => Some(Evidence::rows(other.pool, attack, query)?),
                false => None,
            };
            let lineup = self.cast.lineup(&rows, theirs.as_ref().unwrap_or(&rows))?;
            add(&mut sum, &attack.score(&lineup));
        }
        divide(&mut sum, queries);
        Ok(sum)
    }
}

/// phi of every model minus the quantile that its outputs on held-out examples let expect.
fn beyond_quantiles(pool: &Pool, mut rows: Vec<Vec<f64>>) -> Result<Vec<Vec<f64>>, Error> {
    let Some(features) = &pool.features else { return Ok(rows) };
    for (row, known) in rows.iter_mut().zip(pool.test_rows(Signal::Phi)) {
        let fit = Regression::fit(&features.test, &known, features.width, quantile::LEVEL)?;
        for (i, v) in row.iter_mut().enumerate() {
            *v -= fit.at(&features.pool[i * features.width..(i + 1) * features.width]);
        }
    }
    Ok(rows)
}

/// Whether a pool has what an attack reads: its signal, for `rmia-gamma` outputs on examples outside the pool, for `label-only` several
/// views, for `quantile` features and enough of those outputs.
pub fn can_run(pool: &Pool, attack: Attack) -> bool {
    let population = pool.test.first().is_some_and(|t| !t.phi.is_empty());
    pool.offers(attack.signal())
        && (attack != Attack::RmiaGamma || population)
        && (!attack.needs_views() || pool.queries() > 1)
        && (!attack.needs_features()
            || population
                && pool.features.as_ref().is_some_and(|f| pool.test_labels.len() >= quantile::fewest(f.width)))
}

/// Scores of every model of a pool on every pool example, (M, N) as rows, higher = member, each target scored by the models outside its
/// block.
///
/// # Errors
/// Models that form no lineup: fewer than two blocks. The pool has to have what the attack reads ([`can_run`]).
pub fn scores(pool: &Pool, attack: Attack) -> Result<Vec<Vec<f64>>, Error> {
    Evidence::new(pool, attack)?.scene(&[])?.score()
}

fn add(sum: &mut [Vec<f64>], more: &[Vec<f64>]) {
    sum.iter_mut().flatten().zip(more.iter().flatten()).for_each(|(to, from)| *to += from);
}

fn divide(sum: &mut [Vec<f64>], n: usize) {
    if n > 1 {
        sum.iter_mut().flatten().for_each(|v| *v /= n as f64);
    }
}

/// Measures of every target of a lineup.
pub(crate) fn measure(lineup: &Lineup<'_>, scores: &[Vec<f64>]) -> Result<Vec<Measures>, Error> {
    let mut ranking = Ranking::default();
    lineup
        .seats()
        .iter()
        .zip(scores)
        .map(|(seat, row)| {
            ranking.rebuild(row, seat.member)?;
            let mut out = [0.0; MEASURES];
            out[0] = ranking.auc();
            out[1] = ranking.advantage();
            for (value, level) in out[2..].iter_mut().zip(FPR_LEVELS) {
                *value = ranking.tpr_at(level).tpr;
            }
            Ok(out)
        })
        .collect()
}

/// Mean over targets.
pub(crate) fn average(targets: &[Measures]) -> Measures {
    let mut out = [0.0; MEASURES];
    for t in targets {
        for (sum, v) in out.iter_mut().zip(t) {
            *sum += v;
        }
    }
    out.map(|sum| sum / targets.len() as f64)
}

/// Mean over the targets of each block, in the order of blocks.
pub(crate) fn block_means<const K: usize>(lineup: &Lineup<'_>, targets: &[[f64; K]]) -> Vec<[f64; K]> {
    lineup
        .blocks()
        .iter()
        .map(|&block| {
            let mut sum = [0.0; K];
            let mut n = 0.0;
            for (_, t) in lineup.seats().iter().zip(targets).filter(|(s, _)| s.block == block) {
                n += 1.0;
                sum.iter_mut().zip(t).for_each(|(s, v)| *s += v);
            }
            sum.map(|s| s / n)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_single_blocks_or_groups_that_hold_each_once() {
        assert_eq!(units(3), [[0], [1], [2]]);
        assert_eq!(units(SINGLE).len(), SINGLE);
        for blocks in [SINGLE + 1, 128, 257] {
            let found = units(blocks);
            assert_eq!(found.len(), UNITS);
            let sizes: Vec<usize> = found.iter().map(Vec::len).collect();
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
            let mut all = found.concat();
            all.sort_unstable();
            assert_eq!(all, (0..blocks).collect::<Vec<_>>());
            // Every UNITS-th block is of one group.
            assert!((0..blocks).all(|b| found[b % UNITS].contains(&b)));
        }
    }
}
