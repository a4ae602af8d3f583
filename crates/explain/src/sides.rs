//! Values of every example over the models that hold it and over those that do not.

use flatleak_pool::Membership;
use flatleak_stats::{Interval, independent_difference, matched_difference, moments, student_t_critical};

use crate::Error;

/// Rows of values with their design, ready for differences between the two sides, whole or without one unit. A unit is a block
/// where blocks are complementary pairs, else a model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sides {
    /// (B, N) differences in - out of each block, and their sums over blocks.
    Blocks { differences: Vec<Vec<f64>>, sums: Vec<f64> },
    /// (M, N) values and membership, with sums and counts of either side per example.
    Models { rows: Vec<Vec<f64>>, membership: Membership, totals: Vec<[Side; 2]> },
}

/// Sum and number of values on one side.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Side {
    sum: f64,
    count: f64,
}

impl Side {
    fn mean(self) -> f64 {
        self.sum / self.count
    }
}

/// Models that must be left on either side of an example.
pub(crate) fn needed(membership: &Membership) -> usize {
    // Without blocks, one is deleted for the jackknife and one must stay.
    if membership.is_complementary() { 1 } else { 2 }
}

impl Sides {
    /// `rows` holds one row of N values per model.
    pub(crate) fn new(membership: &Membership, rows: Vec<Vec<f64>>) -> Result<Self, Error> {
        let n = membership.examples();
        if membership.is_complementary() {
            let mut differences = Vec::with_capacity(membership.blocks());
            for models in membership.by_block() {
                let mut row = vec![0.0; n];
                for k in models {
                    for ((to, value), member) in row.iter_mut().zip(&rows[k]).zip(membership.row(k)) {
                        *to += if *member { *value } else { -value };
                    }
                }
                differences.push(row);
            }
            let mut sums = vec![0.0; n];
            for row in &differences {
                sums.iter_mut().zip(row).for_each(|(s, v)| *s += v);
            }
            return Ok(Self::Blocks { differences, sums });
        }
        let mut totals = vec![[Side::default(); 2]; n];
        for (k, row) in rows.iter().enumerate() {
            for ((total, value), member) in totals.iter_mut().zip(row).zip(membership.row(k)) {
                let side = &mut total[usize::from(!member)];
                *side = Side { sum: side.sum + value, count: side.count + 1.0 };
            }
        }
        let least = needed(membership);
        if let Some(example) = totals.iter().position(|t| t.iter().any(|s| s.count < least as f64)) {
            let count = |side: usize| totals[example][side].count as usize;
            return Err(Error::OneSided { example, inside: count(0), outside: count(1), needed: least });
        }
        Ok(Self::Models { rows, membership: membership.clone(), totals })
    }

    pub(crate) fn units(&self) -> usize {
        match self {
            Self::Blocks { differences, .. } => differences.len(),
            Self::Models { rows, .. } => rows.len(),
        }
    }

    /// Mean inside minus mean outside, per example.
    pub(crate) fn gaps(&self, without: Option<usize>) -> Vec<f64> {
        match self {
            Self::Blocks { differences, sums } => match without {
                None => sums.iter().map(|s| s / differences.len() as f64).collect(),
                Some(b) => {
                    let rest = differences.len() as f64 - 1.0;
                    sums.iter().zip(&differences[b]).map(|(s, d)| (s - d) / rest).collect()
                }
            },
            Self::Models { rows, membership, totals } => totals
                .iter()
                .enumerate()
                .map(|(i, total)| {
                    let [mut inside, mut outside] = *total;
                    if let Some(k) = without {
                        let side = if membership.row(k)[i] { &mut inside } else { &mut outside };
                        *side = Side { sum: side.sum - rows[k][i], count: side.count - 1.0 };
                    }
                    inside.mean() - outside.mean()
                })
                .collect(),
        }
    }

    /// Mean over examples of each block's differences; `None` without blocks.
    pub(crate) fn block_means(&self) -> Option<Vec<f64>> {
        match self {
            Self::Blocks { differences, .. } => Some(differences.iter().map(|row| moments::mean(row)).collect()),
            Self::Models { .. } => None,
        }
    }

    pub(crate) fn standard_errors(&self) -> Vec<f64> {
        match self {
            Self::Blocks { differences, sums } => {
                let blocks = differences.len() as f64;
                let mut squares = vec![0.0; sums.len()];
                for row in differences {
                    for ((to, d), s) in squares.iter_mut().zip(row).zip(sums) {
                        *to += (d - s / blocks) * (d - s / blocks);
                    }
                }
                squares.into_iter().map(|s| (s / (blocks - 1.0) / blocks).sqrt()).collect()
            }
            Self::Models { rows, membership, totals } => {
                let mut squares = vec![[0.0; 2]; totals.len()];
                for (k, row) in rows.iter().enumerate() {
                    for (i, member) in membership.row(k).iter().enumerate() {
                        let side = usize::from(!member);
                        let d = row[i] - totals[i][side].mean();
                        squares[i][side] += d * d;
                    }
                }
                let part = |square: f64, side: Side| square / (side.count - 1.0) / side.count;
                let both = |(s, t): ([f64; 2], &[Side; 2])| (part(s[0], t[0]) + part(s[1], t[1])).sqrt();
                squares.into_iter().zip(totals).map(both).collect()
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
                let critical = student_t_critical(0.95, self.units() as f64 - 1.0)?;
                let around = |(v, e): (&f64, f64)| Interval { mean: *v, low: v - critical * e, high: v + critical * e };
                Ok(gaps.iter().zip(self.standard_errors()).map(around).collect())
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
