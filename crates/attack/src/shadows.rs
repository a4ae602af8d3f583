//! Walks over targets and their shadows.
//!
//! A target's shadows are all models outside its block. Examples are taken [`TOGETHER`], a vector's lane each: sums without each block are
//! made of the sums before and behind it, and medians follow from one sort, so that scoring all M targets costs little more than scoring one.
//! Sums are added and never subtracted: nothing of a block, not even its rounding, is in what its targets are measured with.
#![allow(
    clippy::needless_range_loop,
    reason = "lanes of several arrays are walked at once, in loops that become vectors"
)]

use flatleak_kernel::elementary::in_vectors;
use flatleak_pool::{Matrix, Rows};

use crate::order::Column;
use crate::tile::{Lanes, Sums, TOGETHER, Tile, by_group, masked, members, tiles, without_each};
use crate::{Lineup, Position};

/// Relative size of a variance, beside the mean square, below which it is computed anew: the difference of sums has lost too many digits.
const CANCELLED: f64 = 1e-6;

/// What keeps a deviation from 0.
pub(crate) const FLOOR: f64 = 1e-30;

/// The shadows of one side of one example for the targets of one block; of none all but the number are NaN.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shadows {
    /// How many there are.
    pub(crate) n: f64,
    /// Their mean.
    pub(crate) mean: f64,
    /// Their median; of an even number the mean of the middle two.
    pub(crate) median: f64,
    /// Their variance about the mean, ddof 0.
    pub(crate) variance: f64,
}

impl Shadows {
    /// Of these values, which are put in order.
    fn new(values: &mut [f64]) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
        let half = values.len() / 2;
        let median = match values.len() {
            0 => f64::NAN,
            odd if odd % 2 == 1 => values[half],
            _ => 0.5 * (values[half - 1] + values[half]),
        };
        Self { n, mean, median, variance }
    }

    /// Standard deviation about the mean, ddof 0, plus the 1e-30 that keeps it from 0.
    #[inline(always)]
    pub(crate) fn deviation(&self) -> f64 {
        self.variance.sqrt() + FLOOR
    }

    /// Adds the shadows' count, sum and sum of squares about `centre` to `to`.
    pub(crate) fn pool(&self, to: &mut Pooled, centre: f64) {
        if self.n > 0.0 {
            let away = self.mean - centre;
            to.n += self.n;
            to.sum += self.n * away;
            to.squares += self.n * (self.variance + away * away);
        }
    }
}

/// Sums over one side of one target's shadows and all examples, to pool a deviation. phi stays below a few hundred, so plain sums in f64
/// lose nothing that matters.
#[derive(Clone, Copy, Default)]
pub(crate) struct Pooled {
    n: f64,
    sum: f64,
    squares: f64,
}

impl Pooled {
    /// Mean and variance, ddof 0, about the centre of what was pooled.
    pub(crate) fn moments(self) -> (f64, f64) {
        let Self { n, sum, squares } = self;
        let mean = sum / n;
        (mean, (squares / n - mean * mean).max(0.0))
    }

    /// Standard deviation, ddof 0, plus 1e-30.
    pub(crate) fn deviation(self) -> f64 {
        self.moments().1.sqrt() + FLOOR
    }
}

/// The shadows of one side for the targets of one block, by lane.
#[derive(Clone, Copy)]
struct Side {
    n: Lanes,
    mean: Lanes,
    median: Lanes,
    variance: Lanes,
}

impl Side {
    const NONE: Self =
        Self { n: [0.0; TOGETHER], mean: [0.0; TOGETHER], median: [0.0; TOGETHER], variance: [0.0; TOGETHER] };

    #[inline(always)]
    fn at(&self, e: usize) -> Shadows {
        Shadows { n: self.n[e], mean: self.mean[e], median: self.median[e], variance: self.variance[e] }
    }

    fn set(&mut self, e: usize, found: Shadows) {
        (self.n[e], self.mean[e], self.median[e], self.variance[e]) =
            (found.n, found.mean, found.median, found.variance);
    }

    /// From sums of values and squares; false where a lane's variance has lost too many digits.
    #[inline(always)]
    fn moments(&mut self, sums: &Sums<2>) -> bool {
        let mut is_sound = true;
        for e in 0..TOGETHER {
            let (mean, square) = (sums.sums[0][e] / sums.n[e], sums.sums[1][e] / sums.n[e]);
            (self.n[e], self.mean[e], self.variance[e]) = (sums.n[e], mean, square - mean * mean);
            // False where a value is infinite, too.
            is_sound &= sums.n[e] == 0.0 || self.variance[e] > CANCELLED * square;
        }
        is_sound
    }
}

/// Works out the shadows of every block of a lineup, tile by tile.
struct Walk<'l, 'a> {
    lineup: &'l Lineup<'a>,
    positions: Vec<Position>,
    /// Seats of every block, by position.
    members: Vec<Vec<usize>>,
    own: Vec<[Sums<2>; 2]>,
    sums: Vec<[Sums<2>; 2]>,
    columns: [Column; 2],
    /// By block.
    found: Vec<[Side; 2]>,
    /// Whether sums suffice for the variances.
    is_sound: Vec<[bool; 2]>,
}

impl<'l, 'a> Walk<'l, 'a> {
    fn new(lineup: &'l Lineup<'a>) -> Self {
        let (positions, blocks) = (lineup.positions(), lineup.blocks().len());
        Self {
            lineup,
            members: members(lineup),
            positions,
            own: vec![[Sums::NONE; 2]; blocks],
            sums: Vec::with_capacity(blocks),
            columns: Default::default(),
            found: vec![[Side::NONE; 2]; blocks],
            is_sound: vec![[true; 2]; blocks],
        }
    }

    /// Turns to a tile.
    fn turn(&mut self, tile: &Tile) {
        let Self { positions, own, sums, columns, found, members, is_sound, .. } = self;
        in_vectors(
            #[inline(always)]
            || {
                by_group(tile, |k| Some(positions[k].index()), |_, _, v| [v, v * v], own);
                without_each(own, &[Sums::NONE; 2], sums);
            },
        );
        for (side, column) in columns.iter_mut().enumerate() {
            column.fill(members, |k| (&tile.values[k], &tile.sides[k][side]));
        }
        is_sound.fill([true; 2]);
        in_vectors(
            #[inline(always)]
            || {
                for (block, ((found, sums), members)) in found.iter_mut().zip(&*sums).zip(&*members).enumerate() {
                    for side in 0..2 {
                        is_sound[block][side] = found[side].moments(&sums[side]);
                        let own = members.iter().map(
                            #[inline(always)]
                            |&k| (&tile.values[k], &tile.sides[k][side]),
                        );
                        columns[side].medians(own, &mut found[side].median);
                    }
                }
            },
        );
        for (block, side) in self.lineup.places().flat_map(|block| [(block, 0), (block, 1)]) {
            if !self.is_sound[block.index()][side] {
                self.anew(tile, block, side);
            }
        }
        if let Some(cut) = self.lineup.cut() {
            for block in self.lineup.places().filter(|block| cut.concerns(*block)) {
                for (e, i) in tile.examples() {
                    for side in 0..2 {
                        let others: Vec<(usize, f64)> =
                            tile.column(e, side).filter(|(k, _)| self.positions[*k] != block).collect();
                        let seats: Vec<usize> = others.iter().map(|(k, _)| *k).collect();
                        let gone = cut.left_out(block, i, &seats, side);
                        let kept = others.iter().filter(|(k, _)| gone.binary_search(k).is_err());
                        self.found[block.index()][side]
                            .set(e, Shadows::new(&mut kept.map(|(_, v)| *v).collect::<Vec<_>>()));
                    }
                }
            }
        }
    }

    /// Variances that have lost too many digits, from deviations.
    fn anew(&mut self, tile: &Tile, block: Position, side: usize) {
        let found = &mut self.found[block.index()][side];
        for (e, _) in tile.examples() {
            let (n, mean) = (found.n[e], found.mean[e]);
            let square = self.sums[block.index()][side].sums[1][e] / n;
            let is_sound = found.variance[e] > CANCELLED * square;
            if !is_sound {
                let others = tile.column(e, side).filter(|(k, _)| self.positions[*k] != block);
                found.variance[e] = others.map(|(_, v)| (v - mean) * (v - mean)).sum::<f64>() / n;
            }
        }
    }
}

/// Calls `f(block position, example, [IN shadows, OUT shadows])` for every block and example that is scored for it, and lays out what it
/// returns as one row of N per block, with the default where nothing is scored.
pub(crate) fn per_block<T: Clone + Default>(
    lineup: &Lineup<'_>,
    mut f: impl FnMut(Position, usize, &[Shadows; 2]) -> T,
) -> Matrix<T> {
    let mut rows = Matrix::filled(lineup.blocks().len(), lineup.examples(), T::default());
    let mut walk = Walk::new(lineup);
    tiles(lineup, |tile| {
        walk.turn(tile);
        for (e, i) in tile.examples() {
            for (block, row) in lineup.places().zip(rows.iter_mut()).filter(|(b, _)| lineup.is_scored(*b, i)) {
                row[i] = f(block, i, &walk.found[block.index()].each_ref().map(|side| side.at(e)));
            }
        }
    });
    rows
}

/// Scores of every seat, (M, N) as rows: `fit(block position, example, [IN shadows, OUT shadows])` once per block and example,
/// `score(target's value, fit)` for every seat. What is not scored is worked out too; [`Lineup::blank`] blanks it.
pub(crate) fn score_by_shadows<const F: usize>(
    lineup: &Lineup<'_>,
    fit: impl Fn(Position, usize, &[Shadows; 2]) -> [f64; F],
    score: impl Fn(f64, [f64; F]) -> f64,
) -> Matrix {
    let mut scores = Matrix::filled(lineup.seats.len(), lineup.examples(), 0.0);
    let mut walk = Walk::new(lineup);
    let last = lineup.examples().saturating_sub(1);
    tiles(lineup, |tile| {
        walk.turn(tile);
        in_vectors(
            #[inline(always)]
            || {
                for (block, (found, seats)) in lineup.places().zip(walk.found.iter().zip(&walk.members)) {
                    tile.score(
                        seats,
                        #[inline(always)]
                        |e| fit(block, (tile.first + e).min(last), &[found[0].at(e), found[1].at(e)]),
                        &score,
                        &mut scores,
                    );
                }
            },
        );
    });
    scores
}

/// Scores of every seat from where its value stands among its OUT shadows': `score(how many lie below, how many are equal, how many there
/// are)`.
pub(crate) fn score_by_place(lineup: &Lineup<'_>, score: impl Fn(f64, f64, f64) -> f64) -> Matrix {
    let positions = lineup.positions();
    let mut scores = Matrix::filled(lineup.seats.len(), lineup.examples(), 0.0);
    tiles(lineup, |tile| {
        for (k, row) in scores.iter_mut().enumerate() {
            let block = positions[k];
            if lineup.cut().is_some_and(|cut| cut.concerns(block)) {
                cut_places(lineup, tile, (k, block), &positions, row, &score);
            } else {
                in_vectors(
                    #[inline(always)]
                    || places(tile, k, &positions, row, &score),
                );
            }
        }
    });
    scores
}

/// The scores of one seat by its places among all OUT shadows.
#[inline(always)]
fn places(tile: &Tile, k: usize, positions: &[Position], row: &mut [f64], score: &impl Fn(f64, f64, f64) -> f64) {
    let (value, block) = (tile.values[k], positions[k]);
    let (mut below, mut equal, mut all) = ([0.0; TOGETHER], [0.0; TOGETHER], [0.0; TOGETHER]);
    let others = tile.values.iter().zip(&tile.sides).zip(positions).filter(|(_, at)| **at != block);
    for ((other, sides), _) in others {
        for e in 0..TOGETHER {
            let one = masked(1.0, sides[1][e]);
            all[e] += one;
            below[e] += if other[e] < value[e] { one } else { 0.0 };
            equal[e] += if other[e] == value[e] { one } else { 0.0 };
        }
    }
    for (e, i) in tile.examples() {
        row[i] = score(below[e], equal[e], all[e]);
    }
}

/// The same among the shadows that a cut leaves.
fn cut_places(
    lineup: &Lineup<'_>,
    tile: &Tile,
    (k, block): (usize, Position),
    positions: &[Position],
    row: &mut [f64],
    score: &impl Fn(f64, f64, f64) -> f64,
) {
    let Some(cut) = lineup.cut() else { return };
    for (e, i) in tile.examples() {
        let shadows: Vec<(usize, f64)> = tile.column(e, 1).filter(|(s, _)| positions[*s] != block).collect();
        let seats: Vec<usize> = shadows.iter().map(|(s, _)| *s).collect();
        let gone = cut.left_out(block, i, &seats, 1);
        let kept: Vec<f64> = shadows.iter().filter(|(s, _)| gone.binary_search(s).is_err()).map(|(_, v)| *v).collect();
        let value = tile.values[k][e];
        let count = |is: &dyn Fn(&f64) -> bool| kept.iter().filter(|v| is(v)).count() as f64;
        row[i] = score(count(&|v| *v < value), count(&|v| *v == value), kept.len() as f64);
    }
}

/// Scores of every seat from what its block's row holds: `f(target's value, block row entry, block position, example)`.
pub(crate) fn score_seats<T>(
    lineup: &Lineup<'_>,
    rows: Rows<'_, T>,
    f: impl Fn(f64, &T, Position, usize) -> f64,
) -> Matrix {
    let mut scores = Matrix::filled(lineup.seats.len(), lineup.examples(), 0.0);
    for ((seat, at), row) in lineup.seats.iter().zip(lineup.positions()).zip(scores.iter_mut()) {
        let entries = seat.values.iter().zip(&rows[at.index()]).enumerate();
        row.iter_mut().zip(entries).for_each(|(score, (i, (&v, entry)))| *score = f(v, entry, at, i));
    }
    scores
}
