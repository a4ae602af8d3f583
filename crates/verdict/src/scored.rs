//! One attack on the models of one or two recipes: lineups, scores, measures.

use std::ops::Range;

use flatleak_attack::{Attack, Lineup, Seat};
use flatleak_pool::{Pool, Signal};
use flatleak_stats::Ranking;

use crate::{Error, FPR_LEVELS};

/// Measures per target: AUC, advantage, TPR at each level.
pub(crate) const MEASURES: usize = 2 + FPR_LEVELS.len();

/// One target's measures.
pub(crate) type Measures = [f64; MEASURES];

/// The signal of one attack for one recipe's models, in f64.
pub(crate) struct Evidence<'a> {
    pub(crate) pool: &'a Pool,
    /// Per query and model.
    rows: Vec<Vec<Vec<f64>>>,
    population: Vec<Vec<Vec<f64>>>,
}

/// The models that take part, under every query.
pub(crate) struct Scene<'a> {
    lineups: Vec<Lineup<'a>>,
}

impl<'a> Evidence<'a> {
    pub(crate) fn new(pool: &'a Pool, attack: Attack) -> Self {
        Self::of_queries(pool, attack, 0..pool.queries())
    }

    fn of_queries(pool: &'a Pool, attack: Attack, queries: Range<usize>) -> Self {
        let all = |held_out: bool, signal: Signal| {
            queries.clone().map(|q| pool.query_rows(q, held_out, signal)).collect::<Vec<_>>()
        };
        let population = if attack == Attack::RmiaGamma { all(true, Signal::Phi) } else { Vec::new() };
        Self { pool, rows: all(false, attack.signal()), population }
    }

    fn seat(&self, query: usize, model: usize) -> Seat<'_> {
        Seat {
            block: self.pool.membership.block(model),
            member: self.pool.membership.row(model),
            values: &self.rows[query][model],
            population: self.population.get(query).and_then(|rows| rows.get(model)).map_or(&[], Vec::as_slice),
        }
    }

    /// All models but those of `without`.
    pub(crate) fn scene(&self, without: Option<usize>) -> Result<Scene<'_>, Error> {
        self.cast(self, &vec![false; self.pool.membership.blocks()], without)
    }

    /// The models of these blocks from `other`, the rest from here.
    pub(crate) fn exchanged<'s>(&'s self, other: &'s Self, blocks: &[bool]) -> Result<Scene<'s>, Error> {
        self.cast(other, blocks, None)
    }

    fn cast<'s>(&'s self, other: &'s Self, blocks: &[bool], without: Option<usize>) -> Result<Scene<'s>, Error> {
        let m = &self.pool.membership;
        let lineups = (0..self.rows.len())
            .map(|query| {
                let seats = (0..m.models())
                    .filter(|&k| Some(m.block(k)) != without)
                    .map(|k| if blocks[m.block(k)] { other.seat(query, k) } else { self.seat(query, k) });
                let lineup = Lineup::new(seats.collect(), &self.pool.labels)?;
                Ok(if m.is_balanced() { lineup } else { lineup.with_equal_counts() })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        Ok(Scene { lineups })
    }
}

impl<'a> Scene<'a> {
    /// Who takes part.
    pub(crate) fn lineup(&self) -> &Lineup<'a> {
        &self.lineups[0]
    }

    /// Scores of every model on every example: the mean over queries of each query's score, which for the likelihood ratios is
    /// that of Carlini et al. (2022), and for the others this project's own.
    pub(crate) fn score(&self, attack: Attack) -> Vec<Vec<f64>> {
        let mut sum = attack.score(&self.lineups[0]);
        for lineup in &self.lineups[1..] {
            add(&mut sum, &attack.score(lineup));
        }
        divide(&mut sum, self.lineups.len());
        sum
    }
}

/// Whether a pool has what an attack reads: its signal, and for `rmia-gamma` outputs on examples outside the pool.
pub fn can_run(pool: &Pool, attack: Attack) -> bool {
    let population = pool.test.first().is_some_and(|t| !t.phi.is_empty());
    pool.offers(attack.signal()) && (attack != Attack::RmiaGamma || population)
}

/// Scores of every model of a pool on every pool example, (M, N) as rows, higher = member, each target scored by the models outside its
/// block.
///
/// # Errors
/// Models that form no lineup: fewer than two blocks. The pool has to have what the attack reads ([`can_run`]).
pub fn scores(pool: &Pool, attack: Attack) -> Result<Vec<Vec<f64>>, Error> {
    // View by view: f64 rows of all of them at once would be many times the pool.
    let mut sum: Vec<Vec<f64>> = Vec::new();
    for query in 0..pool.queries() {
        let found = Evidence::of_queries(pool, attack, query..query + 1).scene(None)?.score(attack);
        if query == 0 {
            sum = found;
        } else {
            add(&mut sum, &found);
        }
    }
    divide(&mut sum, pool.queries());
    Ok(sum)
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
