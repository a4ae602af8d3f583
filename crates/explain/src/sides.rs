//! Values of every example over the models that hold it and over those that do not.

use flatleak_pool::{Matrix, Membership};
use flatleak_stats::{Interval, independent_difference, matched_difference, moments, student_t_critical};

use crate::Error;

/// What one deletion leaves out: a block where blocks are complementary pairs, else a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit(usize);

impl Unit {
    /// The unit of a model.
    pub fn of(membership: &Membership, model: usize) -> Self {
        Self(if membership.is_complementary() { membership.block(model).index() } else { model })
    }
}

/// Rows of values with their design, ready for differences between the two sides, whole or without some [`Unit`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sides {
    /// (B, N) differences in - out of each block, and over blocks their sums and sums of squares.
    Blocks { differences: Matrix, sums: Vec<f64>, squares: Vec<f64> },
    /// (M, N) values and membership, with sums and counts of either side per example.
    Models { rows: Matrix, membership: Membership, totals: Vec<[Side; 2]> },
}

/// Number, sum and sum of squares of the values on one side.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Side {
    pub(crate) count: f64,
    sum: f64,
    squares: f64,
}

impl Side {
    /// With a value added (`sign` 1) or taken away (-1).
    pub(crate) fn plus(self, value: f64, sign: f64) -> Self {
        Self { count: self.count + sign, sum: self.sum + sign * value, squares: self.squares + sign * value * value }
    }

    fn mean(self) -> f64 {
        self.sum / self.count
    }

    /// Of two values or more, ddof 1.
    pub(crate) fn variance(self) -> f64 {
        ((self.squares - self.sum * self.sum / self.count) / (self.count - 1.0)).max(0.0)
    }

    /// Squared standard error of the mean; 0 for a single value, of which nothing is known.
    fn squared_error(self) -> f64 {
        if self.count < 2.0 { 0.0 } else { self.variance() / self.count }
    }
}

/// Models that must be left on either side of an example.
pub(crate) fn needed(membership: &Membership) -> usize {
    // Without blocks, one is deleted for the jackknife and one must stay.
    if membership.is_complementary() { 1 } else { 2 }
}

impl Sides {
    /// `rows` holds one row of N values per model.
    pub(crate) fn new(membership: &Membership, rows: Matrix) -> Result<Self, Error> {
        let n = membership.examples();
        if membership.is_complementary() {
            let mut differences = Matrix::filled(membership.blocks(), n, 0.0);
            for (row, models) in differences.iter_mut().zip(membership.by_block()) {
                for k in models {
                    for ((to, value), member) in row.iter_mut().zip(&rows[k]).zip(membership.row(k)) {
                        *to += if *member { *value } else { -value };
                    }
                }
            }
            let (mut sums, mut squares) = (vec![0.0; n], vec![0.0; n]);
            for row in &differences {
                for ((s, q), v) in sums.iter_mut().zip(&mut squares).zip(row) {
                    *s += v;
                    *q += v * v;
                }
            }
            return Ok(Self::Blocks { differences, sums, squares });
        }
        let mut totals = vec![[Side::default(); 2]; n];
        for (k, row) in rows.iter().enumerate() {
            for ((total, value), member) in totals.iter_mut().zip(row).zip(membership.row(k)) {
                let side = &mut total[usize::from(!member)];
                *side = side.plus(*value, 1.0);
            }
        }
        let least = needed(membership);
        if let Some(example) = totals.iter().position(|t| t.iter().any(|s| s.count < least as f64)) {
            let count = |side: usize| totals[example][side].count as usize;
            return Err(Error::OneSided { example, inside: count(0), outside: count(1), needed: least });
        }
        Ok(Self::Models { rows, membership: membership.clone(), totals })
    }

    /// All units, ascending.
    pub(crate) fn units(&self) -> impl ExactSizeIterator<Item = Unit> + use<> {
        let count = match self {
            Self::Blocks { differences, .. } => differences.len(),
            Self::Models { rows, .. } => rows.len(),
        };
        (0..count).map(Unit)
    }

    /// Mean inside minus mean outside, per example.
    pub(crate) fn gaps(&self, without: Option<Unit>) -> Vec<f64> {
        self.gaps_without(without.as_slice())
    }

    /// The same without several units; one that is named twice is left out once.
    pub(crate) fn gaps_without(&self, units: &[Unit]) -> Vec<f64> {
        let mut units = units.to_vec();
        units.sort_unstable();
        units.dedup();
        match self {
            Self::Blocks { differences, sums, .. } => {
                let rest = (differences.len() - units.len()) as f64;
                let mut out = sums.clone();
                for &b in &units {
                    out.iter_mut().zip(&differences[b.0]).for_each(|(s, d)| *s -= d);
                }
                out.iter_mut().for_each(|s| *s /= rest);
                out
            }
            Self::Models { .. } => {
                self.rest(&units).into_iter().map(|[inside, outside]| inside.mean() - outside.mean()).collect()
            }
        }
    }

    /// Designs without blocks: both sides of every example, less these models.
    fn rest(&self, units: &[Unit]) -> Vec<[Side; 2]> {
        let Self::Models { rows, membership, totals } = self else { return Vec::new() };
        let mut out = totals.clone();
        for &Unit(k) in units {
            for ((sides, value), member) in out.iter_mut().zip(&rows[k]).zip(membership.row(k)) {
                let side = &mut sides[usize::from(!member)];
                *side = side.plus(*value, -1.0);
            }
        }
        out
    }

    /// Mean over examples of each block's differences; `None` without blocks.
    pub(crate) fn block_means(&self) -> Option<Vec<f64>> {
        match self {
            Self::Blocks { differences, .. } => Some(differences.iter().map(moments::mean).collect()),
            Self::Models { .. } => None,
        }
    }

    /// Squared standard error of every gap. In blocks that of the mean of their differences, elsewhere the sum of either side's.
    pub(crate) fn squared_errors(&self, without: Option<Unit>) -> Vec<f64> {
        match self {
            Self::Blocks { differences, sums, squares } => {
                let left = differences.len() as f64 - if without.is_some() { 1.0 } else { 0.0 };
                let of = |sum: f64, square: f64| Side { count: left, sum, squares: square }.squared_error();
                match without {
                    None => sums.iter().zip(squares).map(|(s, q)| of(*s, *q)).collect(),
                    Some(b) => {
                        let all = sums.iter().zip(squares).zip(&differences[b.0]);
                        all.map(|((s, q), d)| of(s - d, q - d * d)).collect()
                    }
                }
            }
            Self::Models { .. } => {
                self.rest(without.as_slice()).into_iter().map(|[a, b]| a.squared_error() + b.squared_error()).collect()
            }
        }
    }

    /// 95 % interval of every gap; `gaps` are those of all models.
    pub(crate) fn intervals(&self, gaps: &[f64]) -> Result<Vec<Interval>, Error> {
        let exact = |v: &f64| *v == 0.0 || v.abs() == 1.0;
        match self {
            Self::Blocks { differences, .. } if differences.iter().flatten().all(exact) => (0..gaps.len())
                .map(|i| {
                    let count = |wanted: f64| differences.iter().filter(|d| d[i] == wanted).count() as u64;
                    Ok(matched_difference(count(1.0), count(-1.0), differences.len() as u64, 0.95)?)
                })
                .collect(),
            Self::Models { rows, totals, .. } if rows.iter().flatten().all(exact) => totals
                .iter()
                .map(|t| {
                    let [inside, outside] = t.map(|s| (s.sum as u64, s.count as u64));
                    Ok(independent_difference(inside, outside, 0.95)?)
                })
                .collect(),
            _ => {
                let critical = student_t_critical(0.95, self.units().len() as f64 - 1.0)?;
                let around = |(v, e): (&f64, f64)| Interval { mean: *v, low: v - critical * e, high: v + critical * e };
                Ok(gaps.iter().zip(self.squared_errors(None)).map(|(v, e)| around((v, e.sqrt()))).collect())
            }
        }
    }

    /// Whether every example has as many models inside as every other.
    pub(crate) fn balanced(&self) -> bool {
        match self {
            Self::Blocks { .. } => true,
            Self::Models { totals, .. } => totals.iter().all(|t| t[0].count == totals[0][0].count),
        }
    }
}

/// The examples that can be explained: those with enough models on both sides. What a design without blocks needs is two of each,
/// one of which the jackknife deletes.
pub fn usable(membership: &Membership) -> Vec<usize> {
    let needed = needed(membership);
    let inside = |i: usize| (0..membership.models()).filter(|&k| membership.row(k)[i]).count();
    let enough = |i: &usize| inside(*i) >= needed && membership.models() - inside(*i) >= needed;
    (0..membership.examples()).filter(enough).collect()
}
