//! Walks over targets and their shadows.
//!
//! A target's shadows are all models outside its block. Every example's values are gathered and sorted once; what leaving any one block out
//! does to a median, a mean or a deviation
//! is then a matter of a few operations ([`Side`]), so that scoring all M targets costs little more than scoring one.

use std::borrow::Cow;

use flatleak_pool::{Matrix, Rows};

use crate::Lineup;
use crate::lineup::{Cut, Position};

/// Examples that are gathered together: a cache line of each model's values is read once.
const TOGETHER: usize = 8;

/// Relative size of a variance, beside the mean square, below which it is computed anew: the difference of sums has lost too many digits.
const CANCELLED: f64 = 1e-6;

/// What keeps a deviation from 0.
pub(crate) const FLOOR: f64 = 1e-30;

/// Count, sum and sum of squares.
#[derive(Clone, Copy, Default)]
struct Sums {
    n: f64,
    sum: f64,
    squares: f64,
}

impl Sums {
    fn with(self, other: Self) -> Self {
        Self { n: self.n + other.n, sum: self.sum + other.sum, squares: self.squares + other.squares }
    }
}

/// One model's value.
#[derive(Clone, Copy)]
struct Value {
    value: f64,
    /// Position of the model's block among the lineup's.
    block: Position,
    /// Position of the model.
    seat: u32,
}

/// The values of one side, IN or OUT, of one example.
#[derive(Default)]
pub(crate) struct Side {
    /// The values, ascending.
    sorted: Vec<Value>,
    /// Where each block's values stand in `sorted`: positions from `starts[b]` to `starts[b + 1]`, ascending.
    positions: Vec<u32>,
    starts: Vec<u32>,
    /// Over all blocks but each: sums of those before and behind it are added, never subtracted, so that nothing of a block, not even its
    /// rounding, is in what its targets
    /// are measured with.
    others: Vec<Sums>,
}

impl Side {
    fn rebuild(&mut self, blocks: usize) {
        self.sorted.sort_unstable_by(|a, b| a.value.total_cmp(&b.value));
        self.starts.clear();
        self.starts.resize(blocks + 1, 0);
        for v in &self.sorted {
            self.starts[v.block.index() + 1] += 1;
        }
        for b in 0..blocks {
            self.starts[b + 1] += self.starts[b];
        }
        self.positions.clear();
        self.positions.resize(self.sorted.len(), 0);
        // Filling moves each start to the next block's, which is undone by looking one place to the left.
        for (at, v) in self.sorted.iter().enumerate() {
            let next = &mut self.starts[v.block.index()];
            self.positions[*next as usize] = at as u32;
            *next += 1;
        }
        self.starts.rotate_right(1);
        self.starts[0] = 0;
        self.others.clear();
        let mut before = Sums::default();
        for b in 0..blocks {
            self.others.push(before);
            before = before.with(self.own(Position::new(b)));
        }
        let mut behind = Sums::default();
        for b in (0..blocks).rev() {
            self.others[b] = self.others[b].with(behind);
            behind = behind.with(self.own(Position::new(b)));
        }
    }

    /// Positions of a block's values.
    fn of(&self, block: Position) -> &[u32] {
        &self.positions[self.starts[block.index()] as usize..self.starts[block.index() + 1] as usize]
    }

    fn own(&self, block: Position) -> Sums {
        let mut own = Sums::default();
        for &at in self.of(block) {
            let v = self.sorted[at as usize].value;
            own = own.with(Sums { n: 1.0, sum: v, squares: v * v });
        }
        own
    }

    /// The side without a block.
    fn without(&self, block: Position) -> Shadows<'_> {
        Shadows { side: self, gone: Cow::Borrowed(self.of(block)), sums: self.others[block.index()] }
    }

    /// The side without a block and the shadows that a cut leaves out for its targets.
    fn cut(&self, cut: &Cut<'_>, block: Position, example: usize, side: usize) -> Shadows<'_> {
        let others = self.sorted.iter().filter(|v| v.block != block);
        let mut shadows: Vec<usize> = others.map(|v| v.seat as usize).collect();
        shadows.sort_unstable();
        let left_out = cut.left_out(block, example, &shadows, side);
        let is_gone = |v: &Value| v.block == block || left_out.binary_search(&(v.seat as usize)).is_ok();
        let gone = (0u32..).zip(&self.sorted).filter(|(_, v)| is_gone(v)).map(|(at, _)| at).collect();
        let mut shadows = Shadows { side: self, gone: Cow::Owned(gone), sums: Sums::default() };
        shadows.sums = shadows.about(0.0);
        shadows
    }
}

/// The shadows of both sides of an example for the targets of a block.
fn shadows<'a>(
    lineup: &Lineup<'_>,
    example: usize,
    [inside, outside]: [&'a Side; 2],
    block: Position,
) -> [Shadows<'a>; 2] {
    match lineup.cut().filter(|cut| cut.concerns(block)) {
        Some(cut) => [inside.cut(cut, block, example, 0), outside.cut(cut, block, example, 1)],
        None => [inside.without(block), outside.without(block)],
    }
}

/// The shadows of one side of one example for the targets of one block.
pub(crate) struct Shadows<'a> {
    side: &'a Side,
    /// Positions left out, ascending.
    gone: Cow<'a, [u32]>,
    /// Of what is left.
    sums: Sums,
}

impl Shadows<'_> {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.side.sorted.len() - self.gone.len()
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        let mut gone = self.gone.iter().peekable();
        let left = (0u32..).zip(&self.side.sorted).filter(move |(at, _)| gone.next_if_eq(&at).is_none());
        left.map(|(_, v)| v.value)
    }

    /// Their k-th smallest value.
    fn at(&self, k: usize) -> f64 {
        let skipped = self.gone.iter().fold(k, |k, &gone| k + usize::from(gone as usize <= k));
        self.side.sorted[skipped].value
    }

    /// The median; of an even number the mean of the middle two. NaN for none.
    pub(crate) fn median(&self) -> f64 {
        let n = self.len();
        match n {
            0 => f64::NAN,
            _ if n % 2 == 1 => self.at(n / 2),
            _ => 0.5 * (self.at(n / 2 - 1) + self.at(n / 2)),
        }
    }

    /// Count, sum and sum of squares about `centre`.
    fn about(&self, centre: f64) -> Sums {
        self.values().fold(Sums::default(), |all, v| {
            let d = v - centre;
            all.with(Sums { n: 1.0, sum: d, squares: d * d })
        })
    }

    /// The mean; NaN for none.
    pub(crate) fn mean(&self) -> f64 {
        let others = self.sums;
        others.sum / others.n
    }

    /// Standard deviation about the mean, ddof 0, plus the 1e-30 that keeps it from 0.
    pub(crate) fn deviation(&self) -> f64 {
        self.variance().sqrt() + FLOOR
    }

    /// Variance about the mean, ddof 0.
    pub(crate) fn variance(&self) -> f64 {
        let others = self.sums;
        let (mean, square) = (others.sum / others.n, others.squares / others.n);
        let variance = square - mean * mean;
        // Also where a value is infinite.
        let sound = variance > CANCELLED * square;
        if sound { variance } else { self.about(self.mean()).squares / others.n }
    }

    /// How many lie below `value`, and how many are equal to it.
    pub(crate) fn rank(&self, value: f64) -> (usize, usize) {
        let sorted = &self.side.sorted;
        let (low, high) = (sorted.partition_point(|v| v.value < value), sorted.partition_point(|v| v.value <= value));
        let gone = |end: usize| self.gone.iter().filter(|&&g| (g as usize) < end).count();
        let (low, high) = (low - gone(low), high - gone(high));
        (low, high - low)
    }

    /// Adds the shadows' count, sum and sum of squares about `centre` to `to`.
    pub(crate) fn pool(&self, to: &mut Pooled, centre: f64) {
        let others = self.sums;
        let squares = others.squares - 2.0 * centre * others.sum + others.n * centre * centre;
        let sound = squares > CANCELLED * (others.squares + others.n * centre * centre);
        let found =
            if sound { Sums { n: others.n, sum: others.sum - others.n * centre, squares } } else { self.about(centre) };
        to.0 = to.0.with(found);
    }
}

/// Sums over one side of one target's shadows and all examples, to pool a deviation. phi stays below a few hundred, so plain sums in f64
/// lose nothing that matters.
#[derive(Clone, Copy, Default)]
pub(crate) struct Pooled(Sums);

impl Pooled {
    /// Mean and variance, ddof 0, about the centre of what was pooled.
    pub(crate) fn moments(self) -> (f64, f64) {
        let Sums { n, sum, squares } = self.0;
        let mean = sum / n;
        (mean, (squares / n - mean * mean).max(0.0))
    }

    /// Standard deviation, ddof 0, plus 1e-30.
    pub(crate) fn deviation(self) -> f64 {
        self.moments().1.sqrt() + FLOOR
    }
}

/// Calls `visit(example, IN, OUT)` for every example.
fn walk(lineup: &Lineup<'_>, mut visit: impl FnMut(usize, &Side, &Side)) {
    let (n, blocks) = (lineup.examples(), lineup.blocks().len());
    let block_of = lineup.positions();
    let (mut inside, mut outside) = (Side::default(), Side::default());
    let mut gathered = vec![(0.0, false); TOGETHER * lineup.seats.len()];
    for first in (0..n).step_by(TOGETHER) {
        let here = TOGETHER.min(n - first);
        for (at, seat) in lineup.seats.iter().enumerate() {
            let (row, member) = (&seat.values[first..first + here], &seat.member[first..first + here]);
            for (e, (v, m)) in row.iter().zip(member).enumerate() {
                gathered[e * lineup.seats.len() + at] = (*v, *m);
            }
        }
        for (e, all) in gathered.chunks(lineup.seats.len()).take(here).enumerate() {
            inside.sorted.clear();
            outside.sorted.clear();
            for ((&(value, m), &block), seat) in all.iter().zip(&block_of).zip(0u32..) {
                let side = if m { &mut inside } else { &mut outside };
                side.sorted.push(Value { value, block, seat });
            }
            inside.rebuild(blocks);
            outside.rebuild(blocks);
            visit(first + e, &inside, &outside);
        }
    }
}

/// Seats of every block, by position.
fn targets(lineup: &Lineup<'_>) -> Vec<(Position, Vec<usize>)> {
    let mut members: Vec<(Position, Vec<usize>)> = lineup.places().map(|at| (at, Vec::new())).collect();
    lineup.positions().into_iter().enumerate().for_each(|(seat, block)| members[block.index()].1.push(seat));
    members
}

/// Calls `f(block position, example, [IN shadows, OUT shadows])` for every block and example that is scored for it, and lays out what it
/// returns as one row of N per block, with the default where nothing is scored.
pub(crate) fn per_block<T: Clone + Default>(
    lineup: &Lineup<'_>,
    mut f: impl FnMut(Position, usize, &[Shadows<'_>; 2]) -> T,
) -> Matrix<T> {
    let mut rows = Matrix::filled(lineup.blocks().len(), lineup.examples(), T::default());
    walk(lineup, |i, inside, outside| {
        for (b, row) in lineup.places().zip(rows.iter_mut()).filter(|(b, _)| lineup.is_scored(*b, i)) {
            row[i] = f(b, i, &shadows(lineup, i, [inside, outside], b));
        }
    });
    rows
}

/// Scores of every seat, (M, N) as rows: `fit(block position, example, [IN shadows, OUT shadows])` once per block and example that is scored
/// for it, `score(target's value, fit, OUT shadows)` for every seat.
pub(crate) fn score_by_shadows<T>(
    lineup: &Lineup<'_>,
    mut fit: impl FnMut(Position, usize, &[Shadows<'_>; 2]) -> T,
    score: impl Fn(f64, &T, &Shadows<'_>) -> f64,
) -> Matrix {
    let mut scores = Matrix::filled(lineup.seats.len(), lineup.examples(), 0.0);
    let members = targets(lineup);
    walk(lineup, |i, inside, outside| {
        for (b, seats) in members.iter().filter(|(b, _)| lineup.is_scored(*b, i)) {
            let both = shadows(lineup, i, [inside, outside], *b);
            let found = fit(*b, i, &both);
            for &k in seats {
                scores[k][i] = score(lineup.seats[k].values[i], &found, &both[1]);
            }
        }
    });
    scores
}

/// Sums over the shadows of one side.
#[derive(Clone, Copy)]
pub(crate) struct Means<const K: usize> {
    n: f64,
    sums: [f64; K],
}

impl<const K: usize> Means<K> {
    const NONE: Self = Self { n: 0.0, sums: [0.0; K] };

    /// The sums over both.
    pub(crate) fn with(self, other: Self) -> Self {
        let mut sums = self.sums;
        sums.iter_mut().zip(other.sums).for_each(|(sum, more)| *sum += more);
        Self { n: self.n + other.n, sums }
    }

    /// The means; NaN for none.
    pub(crate) fn means(self) -> [f64; K] {
        self.sums.map(|sum| sum / self.n)
    }
}

/// Scores of every seat, (M, N) as rows, from means over its shadows: `parts(value)` is what is averaged, `fit([IN, OUT])` is called once per
/// block and example, `score(target's value, fit)` for every seat.
///
/// Sums run over the shadows only, those before and those behind the block: subtracting a block from a total would lose the small means.
pub(crate) fn score_by_means<const K: usize, T>(
    lineup: &Lineup<'_>,
    parts: impl Fn(f64) -> [f64; K],
    fit: impl Fn([Means<K>; 2]) -> T,
    score: impl Fn(f64, &T) -> f64,
) -> Matrix {
    let (n, blocks, models) = (lineup.examples(), lineup.blocks().len(), lineup.seats.len());
    let block_of = lineup.positions();
    let mut scores = Matrix::filled(models, n, 0.0);
    let mut gathered = vec![(0, Means::NONE); TOGETHER * models];
    let mut sums = vec![[Means::NONE; 2]; blocks];
    for first in (0..n).step_by(TOGETHER) {
        let here = TOGETHER.min(n - first);
        for (k, seat) in lineup.seats.iter().enumerate() {
            for e in 0..here {
                let (side, value) = (usize::from(!seat.member[first + e]), seat.values[first + e]);
                gathered[e * models + k] = (side, Means { n: 1.0, sums: parts(value) });
            }
        }
        for e in 0..here {
            let all = &gathered[e * models..][..models];
            all_sums(all, &block_of, &mut sums);
            if let Some(cut) = lineup.cut() {
                cut_sums(cut, all, &block_of, first + e, &mut sums);
            }
            let fits: Vec<T> = sums.iter().map(|both| fit(*both)).collect();
            for ((seat, row), &block) in lineup.seats.iter().zip(scores.iter_mut()).zip(&block_of) {
                row[first + e] = score(seat.values[first + e], &fits[block.index()]);
            }
        }
    }
    scores
}

/// Without the shadows that a cut leaves out.
fn cut_sums<const K: usize>(
    cut: &Cut<'_>,
    all: &[(usize, Means<K>)],
    block_of: &[Position],
    example: usize,
    sums: &mut [[Means<K>; 2]],
) {
    let all_blocks = (0..sums.len()).map(Position::new);
    for (block, both) in all_blocks.zip(sums).filter(|(block, _)| cut.concerns(*block)) {
        for (side, sum) in both.iter_mut().enumerate() {
            let is_shadow = |k: &usize| block_of[*k] != block && all[*k].0 == side;
            let shadows: Vec<usize> = (0..all.len()).filter(is_shadow).collect();
            let gone = cut.left_out(block, example, &shadows, side);
            let kept = shadows.iter().filter(|k| gone.binary_search(k).is_err());
            *sum = kept.fold(Means::NONE, |sum, &k| sum.with(all[k].1));
        }
    }
}

fn all_sums<const K: usize>(all: &[(usize, Means<K>)], block_of: &[Position], sums: &mut [[Means<K>; 2]]) {
    let add = |to: &mut [Means<K>; 2], more: &[Means<K>; 2]| to.iter_mut().zip(more).for_each(|(a, b)| *a = a.with(*b));
    let mut own = vec![[Means::NONE; 2]; sums.len()];
    for ((side, value), &block) in all.iter().zip(block_of) {
        let sum = &mut own[block.index()][*side];
        *sum = sum.with(*value);
    }
    let mut before = [Means::NONE; 2];
    for (sum, own) in sums.iter_mut().zip(&own) {
        *sum = before;
        add(&mut before, own);
    }
    let mut behind = [Means::NONE; 2];
    for (sum, own) in sums.iter_mut().zip(&own).rev() {
        add(sum, &behind);
        add(&mut behind, own);
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
