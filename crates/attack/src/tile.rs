//! Examples taken together, a lane each: values of all models, and sums over blocks.

#![allow(
    clippy::needless_range_loop,
    reason = "lanes of several arrays are walked at once, in loops that become vectors"
)]

use flatleak_pool::Matrix;

use crate::Lineup;

/// Examples that are taken together.
pub(crate) const TOGETHER: usize = 16;

/// One number for each of the examples that are taken together.
pub(crate) type Lanes = [f64; TOGETHER];

/// All ones where a model is on a side of an example, else 0.
pub(crate) type Mask = [u64; TOGETHER];

/// The values of all models on some examples, a lane each; lanes behind the last example are on neither side.
pub(crate) struct Tile {
    /// The first of its examples.
    pub(crate) first: usize,
    here: usize,
    /// By seat.
    pub(crate) values: Vec<Lanes>,
    /// By seat, IN and OUT.
    pub(crate) sides: Vec<[Mask; 2]>,
}

/// A value where its model is on the side, else 0; it is not multiplied, for it may be infinite.
#[inline(always)]
pub(crate) fn masked(value: f64, mask: u64) -> f64 {
    f64::from_bits(value.to_bits() & mask)
}

impl Tile {
    pub(crate) fn new(seats: usize) -> Self {
        Self { first: 0, here: 0, values: vec![[0.0; TOGETHER]; seats], sides: vec![[[0; TOGETHER]; 2]; seats] }
    }

    /// Turns to the examples from `first` on. `offset` is taken off each seat's values.
    pub(crate) fn turn(&mut self, lineup: &Lineup<'_>, first: usize, offset: impl Fn(usize) -> f64) {
        (self.first, self.here) = (first, TOGETHER.min(lineup.examples() - first));
        for (k, seat) in lineup.seats.iter().enumerate() {
            let (values, member) = (&seat.values[first..][..self.here], &seat.member[first..][..self.here]);
            let (offset, to, sides) = (offset(k), &mut self.values[k], &mut self.sides[k]);
            for (e, (v, m)) in values.iter().zip(member).enumerate() {
                to[e] = v - offset;
                let mask = if *m { u64::MAX } else { 0 };
                (sides[0][e], sides[1][e]) = (mask, !mask);
            }
            for e in self.here..TOGETHER {
                (to[e], sides[0][e], sides[1][e]) = (0.0, 0, 0);
            }
        }
    }

    /// Its examples, with their lanes.
    pub(crate) fn examples(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        (0..self.here).map({
            let first = self.first;
            move |e| (e, first + e)
        })
    }

    /// The values of one lane and side with their seats, ascending in these.
    pub(crate) fn column(&self, lane: usize, side: usize) -> impl Iterator<Item = (usize, f64)> {
        let is_here = move |(k, _): &(usize, &Lanes)| self.sides[*k][side][lane] != 0;
        self.values.iter().enumerate().filter(is_here).map(move |(k, v)| (k, v[lane]))
    }

    /// Writes what its examples score for some seats: `fit(lane)` is worked out once for all of them, `score(value, fit)` for each.
    #[inline(always)]
    pub(crate) fn score<const F: usize>(
        &self,
        seats: &[usize],
        fit: impl Fn(usize) -> [f64; F],
        score: &impl Fn(f64, [f64; F]) -> f64,
        scores: &mut Matrix,
    ) {
        let mut fits = [[0.0; TOGETHER]; F];
        for e in 0..TOGETHER {
            let fit = fit(e);
            for f in 0..F {
                fits[f][e] = fit[f];
            }
        }
        for &k in seats {
            let (values, mut found) = (&self.values[k], [0.0; TOGETHER]);
            for e in 0..TOGETHER {
                let mut fit = [0.0; F];
                for f in 0..F {
                    fit[f] = fits[f][e];
                }
                found[e] = score(values[e], fit);
            }
            scores[k][self.first..][..self.here].copy_from_slice(&found[..self.here]);
        }
    }
}

/// Calls `visit` with one tile after the other.
pub(crate) fn tiles(lineup: &Lineup<'_>, mut visit: impl FnMut(&Tile)) {
    let mut tile = Tile::new(lineup.seats.len());
    for first in (0..lineup.examples()).step_by(TOGETHER) {
        tile.turn(lineup, first, |_| 0.0);
        visit(&tile);
    }
}

/// Number of values and sums of K functions of them, by lane.
#[derive(Clone, Copy)]
pub(crate) struct Sums<const K: usize> {
    pub(crate) n: Lanes,
    pub(crate) sums: [Lanes; K],
}

impl<const K: usize> Sums<K> {
    pub(crate) const NONE: Self = Self { n: [0.0; TOGETHER], sums: [[0.0; TOGETHER]; K] };

    /// Adds the values where the mask has them.
    #[inline(always)]
    fn add(&mut self, values: &Lanes, mask: &Mask, parts: impl Fn(usize, f64) -> [f64; K]) {
        for e in 0..TOGETHER {
            let parts = parts(e, values[e]);
            self.n[e] += masked(1.0, mask[e]);
            for k in 0..K {
                self.sums[k][e] += masked(parts[k], mask[e]);
            }
        }
    }

    /// One lane's.
    #[inline(always)]
    pub(crate) fn at(&self, e: usize) -> Means<K> {
        let mut sums = [0.0; K];
        for k in 0..K {
            sums[k] = self.sums[k][e];
        }
        Means { n: self.n[e], sums }
    }

    #[inline(always)]
    fn with(&mut self, other: &Self) {
        for e in 0..TOGETHER {
            self.n[e] += other.n[e];
            for k in 0..K {
                self.sums[k][e] += other.sums[k][e];
            }
        }
    }
}

/// From sums over each block, sums over all others: those before and those behind it. (Loops are spelt out where vectors matter: a fold is a
/// function of its own, which is not compiled for them.)
#[inline(always)]
pub(crate) fn without_each<const K: usize>(own: &[[Sums<K>; 2]], start: &[Sums<K>; 2], out: &mut Vec<[Sums<K>; 2]>) {
    out.resize(own.len(), [Sums::NONE; 2]);
    let mut before = *start;
    for (out, own) in out.iter_mut().zip(own) {
        for side in 0..2 {
            out[side] = before[side];
            before[side].with(&own[side]);
        }
    }
    let mut behind = [Sums::NONE; 2];
    for (out, own) in out.iter_mut().zip(own).rev() {
        for side in 0..2 {
            out[side].with(&behind[side]);
            behind[side].with(&own[side]);
        }
    }
}

/// Sums over the seats of every group, on either side; seats of no group are passed over.
#[inline(always)]
pub(crate) fn by_group<const K: usize>(
    tile: &Tile,
    group: impl Fn(usize) -> Option<usize>,
    parts: impl Fn(usize, usize, f64) -> [f64; K],
    out: &mut [[Sums<K>; 2]],
) {
    out.fill([Sums::NONE; 2]);
    for (k, (values, sides)) in tile.values.iter().zip(&tile.sides).enumerate() {
        if let Some(group) = group(k) {
            for side in 0..2 {
                out[group][side].add(
                    values,
                    &sides[side],
                    #[inline(always)]
                    |e, v| parts(side, e, v),
                );
            }
        }
    }
}

/// Means over the shadows of one side, and how many these are; NaN for none.
#[derive(Clone, Copy)]
pub(crate) struct Means<const K: usize> {
    n: f64,
    sums: [f64; K],
}

impl<const K: usize> Means<K> {
    /// The sums over both.
    #[inline(always)]
    pub(crate) fn with(self, other: Self) -> Self {
        let mut sums = self.sums;
        for k in 0..K {
            sums[k] += other.sums[k];
        }
        Self { n: self.n + other.n, sums }
    }

    /// The means; NaN for none.
    #[inline(always)]
    pub(crate) fn means(self) -> [f64; K] {
        let mut means = self.sums;
        for mean in &mut means {
            *mean /= self.n;
        }
        means
    }
}

/// Seats of every block, by position.
pub(crate) fn members(lineup: &Lineup<'_>) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); lineup.blocks().len()];
    lineup.positions().into_iter().enumerate().for_each(|(seat, block)| members[block.index()].push(seat));
    members
}
