//! The likelihood ratio by empirical Bayes (own): what the pool says of the spread of variances and of differences shrinks each example's.
//!
//! Before anything is fitted each model's offset is taken off: the median over examples of phi less the example's median over models outside
//! the target's block. The offset needs the target's outputs on all examples, which an attacker who asks about all of them has.

#![allow(
    clippy::needless_range_loop,
    reason = "lanes of several arrays are walked at once, in loops that become vectors"
)]

use flatleak_kernel::elementary::in_vectors;
use flatleak_pool::{Matrix, Rows, Signal};
use flatleak_stats::moments;

use crate::definition::{Definition, Meta};
use crate::lineup::Position;
use crate::shrinkage::{Fit, Hyper, Learner, Summary};
use crate::tile::{Sums, TOGETHER, Tile, by_group, without_each};
use crate::{Lineup, Seat};

/// Likelihood ratio with each model's offset taken off, variances and differences of means shrunk by what the pool says of their spread (own).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EmpiricalBayes;

impl Definition for EmpiricalBayes {
    fn meta(&self) -> Meta {
        Meta::by_shadows("empirical-bayes")
            .of("likelihood ratio shrunk by the pool's own spread", "own; variances after Smyth 2004")
    }

    fn formula(&self) -> &'static str {
        "log N(phi; IN) - log N(phi; OUT) without each model's offset, variances (Smyth 2004) and differences of means shrunk by the pool's own spread (own)"
    }

    fn signal(&self) -> Signal {
        Signal::Phi
    }

    fn score(&self, lineup: &Lineup<'_>) -> Matrix {
        score(lineup)
    }
}

/// Of more blocks than this, a target's offsets and shadows' medians leave out every [`COHORTS`]-th block, not its own alone: medians without
/// each of hundreds of blocks would cost more than all else.
const SINGLE: usize = 16;

/// Groups of blocks of more than [`SINGLE`].
const COHORTS: usize = 8;

/// Groups of so many blocks, or units of blocks, that are left out together; that of each is its position modulo their number.
pub(crate) fn cohorts(blocks: usize) -> usize {
    if blocks > SINGLE { COHORTS } else { blocks }
}

/// log N(phi; IN) - log N(phi; OUT) with the laws of [`Fit`], phi less each model's offset.
fn score(lineup: &Lineup<'_>) -> Matrix {
    let (n, blocks) = (lineup.examples(), lineup.blocks().len());
    let positions = lineup.positions();
    let mut scores = Matrix::filled(lineup.seats.len(), n, f64::NAN);
    let cohorts = cohorts(blocks);
    for group in 0..cohorts {
        let own: Vec<Position> = lineup.places().skip(group).step_by(cohorts).collect();
        let offsets = offsets(lineup, &positions, &own);
        let offsets = offsets.rows();
        let plain = lineup.cut().is_none().then(|| summaries(lineup, &positions, &own, offsets));
        for (at, &block) in own.iter().enumerate() {
            match &plain {
                Some(summaries) => {
                    let summary = |i: usize, _: usize| summaries[at][i];
                    of_block(lineup, &positions, (block, offsets), summary, &mut scores);
                }
                None => {
                    let summary = |i: usize, part: usize| cut_summary(lineup, &positions, (block, offsets), i, part);
                    of_block(lineup, &positions, (block, offsets), summary, &mut scores);
                }
            }
        }
    }
    scores
}

/// Of every seat and part of the examples, its offset beside the models outside `own` blocks, over the examples that teach the part.
fn offsets(lineup: &Lineup<'_>, positions: &[Position], own: &[Position]) -> Matrix {
    let n = lineup.examples();
    let is_shadow = |k: &usize| !own.contains(&positions[*k]);
    let shadows: Vec<usize> = (0..lineup.seats.len()).filter(is_shadow).collect();
    let kept: Vec<usize> = (0..n).filter(|&i| own.iter().any(|&b| lineup.is_scored(b, i))).collect();
    let mut values = vec![0.0; shadows.len()];
    let centre: Vec<f64> = kept
        .iter()
        .map(|&i| {
            values.iter_mut().zip(&shadows).for_each(|(v, &k)| *v = lineup.seats[k].values[i]);
            moments::median_in_place(&mut values)
        })
        .collect();
    // Examples that teach each part, with their centres.
    let mut taught = vec![Vec::new(); lineup.parts()];
    for (&i, &c) in kept.iter().zip(&centre) {
        lineup.teach(i, |part| taught[part].push((i, c)));
    }
    let mut gaps: Vec<f64> = Vec::with_capacity(kept.len());
    let mut offset = |seat: &Seat<'_>, taught: &[(usize, f64)]| {
        gaps.clear();
        gaps.extend(taught.iter().map(|&(i, c)| seat.values[i] - c));
        if gaps.is_empty() { 0.0 } else { moments::median_in_place(&mut gaps) }
    };
    Matrix::with_rows(lineup.seats.len(), taught.len(), |k, row| {
        row.iter_mut().zip(&taught).for_each(|(to, taught)| *to = offset(&lineup.seats[k], taught));
    })
}

/// What is summed up of a value's distance from the centre.
#[inline(always)]
fn about_centre(distance: f64) -> [f64; 2] {
    [distance, distance * distance]
}

/// The shadows of every example for the targets of each of the blocks `own`, (own, N), where no shadows are cut.
///
/// Values outside all of `own` are summed up once for all of them, about their own mean on either side; a block's shadows of the other blocks
/// are then added. Nothing of a block is in what its targets are measured with, not even its rounding.
fn summaries(lineup: &Lineup<'_>, positions: &[Position], own: &[Position], offsets: Rows<'_>) -> Vec<Vec<Summary>> {
    let n = lineup.examples();
    let place: Vec<Option<usize>> = positions.iter().map(|at| own.iter().position(|b| b == at)).collect();
    let others = |k: usize| place[k].is_none().then_some(0);
    let mut tile = Tile::new(lineup.seats.len());
    let (mut rest, mut about) = ([[Sums::<1>::NONE; 2]], [[Sums::<2>::NONE; 2]]);
    let (mut apart, mut sums) = (vec![[Sums::<2>::NONE; 2]; own.len()], Vec::new());
    let mut found = vec![Vec::with_capacity(n); own.len()];
    for first in (0..n).step_by(TOGETHER) {
        tile.turn(lineup, first, |k| offsets[k][0]);
        let mut centres = [[0.0; TOGETHER]; 2];
        in_vectors(
            #[inline(always)]
            || {
                by_group(
                    &tile,
                    others,
                    #[inline(always)]
                    |_, _, v| [v],
                    &mut rest,
                );
                for (centre, sums) in centres.iter_mut().zip(&rest[0]) {
                    for e in 0..TOGETHER {
                        centre[e] = if sums.n[e] > 0.0 { sums.sums[0][e] / sums.n[e] } else { 0.0 };
                    }
                }
                by_group(
                    &tile,
                    others,
                    #[inline(always)]
                    |side, e, v| about_centre(v - centres[side][e]),
                    &mut about,
                );
                let own = |k: usize| place[k];
                by_group(
                    &tile,
                    own,
                    #[inline(always)]
                    |side, e, v| about_centre(v - centres[side][e]),
                    &mut apart,
                );
                without_each(&apart, &about[0], &mut sums);
            },
        );
        for (found, sums) in found.iter_mut().zip(&sums) {
            found.extend(tile.examples().map(|(e, _)| {
                let side = |side: usize| {
                    let Sums { n, sums } = &sums[side];
                    (n[e], centres[side][e], sums[0][e], sums[1][e])
                };
                Summary::of_centred([side(0), side(1)])
            }));
        }
    }
    found
}

/// The shadows of one example for the targets of a block, less those that a cut leaves out.
fn cut_summary(
    lineup: &Lineup<'_>,
    positions: &[Position],
    (block, offsets): (Position, Rows<'_>),
    i: usize,
    part: usize,
) -> Summary {
    let mut sides = [Vec::new(), Vec::new()];
    for (k, seat) in lineup.seats.iter().enumerate().filter(|(k, _)| positions[*k] != block) {
        sides[usize::from(!seat.member[i])].push(k);
    }
    if let Some(cut) = lineup.cut().filter(|cut| cut.concerns(block)) {
        for (side, shadows) in sides.iter_mut().enumerate() {
            let gone = cut.left_out(block, i, shadows, side);
            shadows.retain(|k| gone.binary_search(k).is_err());
        }
    }
    Summary::new(sides.map(|side| side.into_iter().map(|k| lineup.seats[k].values[i] - offsets[k][part]).collect()))
}

/// Scores of the targets of one block, given the shadows of an example with the offsets of a part.
fn of_block(
    lineup: &Lineup<'_>,
    positions: &[Position],
    (block, offsets): (Position, Rows<'_>),
    summary: impl Fn(usize, usize) -> Summary,
    scores: &mut Matrix,
) {
    let scored: Vec<usize> = (0..lineup.examples()).filter(|&i| lineup.is_scored(block, i)).collect();
    let seats: Vec<usize> = (0..lineup.seats.len()).filter(|&k| positions[k] == block).collect();
    let mut learners = vec![Learner::default(); lineup.parts()];
    for &i in &scored {
        lineup.teach(i, |part| learners[part].add(&summary(i, part)));
    }
    let known: Vec<Hyper> = learners.iter().map(Learner::hyper).collect();
    for &i in &scored {
        let part = lineup.part(i);
        let fit = Fit::new(&summary(i, part), &known[part]);
        for &k in &seats {
            scores[k][i] = fit.log_ratio(lineup.seats[k].values[i] - offsets[k][part]);
        }
    }
}
