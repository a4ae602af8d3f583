//! One attack on the models of one or two recipes: lineups, scores, measures.

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
    rows: Vec<Vec<f64>>,
    population: Vec<Vec<f64>>,
}

impl<'a> Evidence<'a> {
    pub(crate) fn new(pool: &'a Pool, attack: Attack) -> Self {
        let population = if attack == Attack::RmiaGamma { pool.test_rows(Signal::Phi) } else { Vec::new() };
        Self { pool, rows: pool.rows(attack.signal()), population }
    }

    pub(crate) fn seat(&self, model: usize) -> Seat<'_> {
        Seat {
            block: self.pool.membership.block(model),
            member: self.pool.membership.row(model),
            values: &self.rows[model],
            population: self.population.get(model).map_or(&[], Vec::as_slice),
        }
    }

    /// All models but those of `without`.
    pub(crate) fn lineup(&self, without: Option<usize>) -> Result<Lineup<'_>, Error> {
        let seats = (0..self.rows.len()).map(|m| self.seat(m)).filter(|s| Some(s.block) != without).collect();
        Ok(Lineup::new(seats, &self.pool.labels)?)
    }
}

/// Measures of every target of a lineup.
pub(crate) fn measure(lineup: &Lineup<'_>, scores: &[Vec<f64>]) -> Result<Vec<Measures>, Error> {
    let mut ranking: Option<Ranking> = None;
    lineup
        .seats()
        .iter()
        .zip(scores)
        .map(|(seat, row)| {
            let ranking = match &mut ranking {
                Some(r) => {
                    r.rebuild(row, seat.member)?;
                    r
                }
                none => none.insert(Ranking::new(row, seat.member)?),
            };
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
