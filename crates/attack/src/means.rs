//! Scores from means over shadows.
#![expect(
    clippy::redundant_closure,
    reason = "a closure can be told to become part of the vectors that call it, a function's name cannot"
)]
#![allow(
    clippy::needless_range_loop,
    reason = "lanes of several arrays are walked at once, in loops that become vectors"
)]

use flatleak_kernel::elementary::in_vectors;
use flatleak_pool::Matrix;

use crate::tile::{Means, Sums, TOGETHER, Tile, masked, members, tiles, without_each};
use crate::{Lineup, Position};

/// Scores of every seat, (M, N) as rows, from means over its shadows: `parts(value)` is what is averaged, `fit([IN, OUT])` is called once per
/// block and example, `score(target's value, fit)` for every seat.
pub(crate) fn score_by_means<const K: usize, const F: usize>(
    lineup: &Lineup<'_>,
    parts: impl Fn(f64) -> [f64; K],
    fit: impl Fn([Means<K>; 2]) -> [f64; F],
    score: impl Fn(f64, [f64; F]) -> f64,
) -> Matrix {
    let (positions, members) = (lineup.positions(), members(lineup));
    let mut scores = Matrix::filled(lineup.seats.len(), lineup.examples(), 0.0);
    let (mut own, mut sums) = (vec![[Sums::NONE; 2]; members.len()], Vec::new());
    tiles(lineup, |tile| {
        in_vectors(
            #[inline(always)]
            || {
                by_seat(
                    tile,
                    &positions,
                    #[inline(always)]
                    |v| parts(v),
                    &mut own,
                );
                without_each(&own, &[Sums::NONE; 2], &mut sums);
            },
        );
        cut_sums(lineup, tile, &positions, &parts, &mut sums);
        in_vectors(
            #[inline(always)]
            || {
                for (sums, seats) in sums.iter().zip(&members) {
                    tile.score(
                        seats,
                        #[inline(always)]
                        |e| fit([sums[0].at(e), sums[1].at(e)]),
                        &score,
                        &mut scores,
                    );
                }
            },
        );
    });
    scores
}

/// Sums of `parts` over the seats of every block, on either side; of each value the parts are worked out once.
#[inline(always)]
fn by_seat<const K: usize>(
    tile: &Tile,
    positions: &[Position],
    parts: impl Fn(f64) -> [f64; K],
    own: &mut [[Sums<K>; 2]],
) {
    own.fill([Sums::NONE; 2]);
    for ((values, sides), &block) in tile.values.iter().zip(&tile.sides).zip(positions) {
        let mut lanes = [[0.0; TOGETHER]; K];
        for e in 0..TOGETHER {
            let found = parts(values[e]);
            for k in 0..K {
                lanes[k][e] = found[k];
            }
        }
        let own = &mut own[block.index()];
        for side in 0..2 {
            for e in 0..TOGETHER {
                own[side].n[e] += masked(1.0, sides[side][e]);
                for k in 0..K {
                    own[side].sums[k][e] += masked(lanes[k][e], sides[side][e]);
                }
            }
        }
    }
}

/// Puts the sums of blocks whose shadows are cut in place.
fn cut_sums<const K: usize>(
    lineup: &Lineup<'_>,
    tile: &Tile,
    positions: &[Position],
    parts: &impl Fn(f64) -> [f64; K],
    sums: &mut [[Sums<K>; 2]],
) {
    let Some(cut) = lineup.cut() else { return };
    for (block, both) in lineup.places().zip(sums.iter_mut()).filter(|(block, _)| cut.concerns(*block)) {
        for (e, i) in tile.examples() {
            for (side, sums) in both.iter_mut().enumerate() {
                let shadows: Vec<(usize, f64)> = tile.column(e, side).filter(|(k, _)| positions[*k] != block).collect();
                let seats: Vec<usize> = shadows.iter().map(|(k, _)| *k).collect();
                let gone = cut.left_out(block, i, &seats, side);
                sums.n[e] = 0.0;
                sums.sums.iter_mut().for_each(|sum| sum[e] = 0.0);
                for (_, v) in shadows.iter().filter(|(k, _)| gone.binary_search(k).is_err()) {
                    sums.n[e] += 1.0;
                    sums.sums.iter_mut().zip(parts(*v)).for_each(|(sum, part)| sum[e] += part);
                }
            }
        }
    }
}
