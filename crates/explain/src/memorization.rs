//! Memorization (Feldman & Zhang 2020, arXiv 2008.03703, eq. 1 over random subsets).

use flatleak_pool::{Pool, Signal};
use flatleak_stats::{Interval, jackknife, moments, student_t};

use crate::Error;

/// Limits of the middle of the distribution: below, an example is learnt without being seen; above, only by heart.
pub const MIDDLE: (f64, f64) = (0.25, 0.85);

/// A statistic of the distribution of memorization over examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// Mean over examples.
    Mean,
    /// Share below .25.
    Low,
    /// Share from .25 to .85.
    Middle,
    /// Share above .85.
    High,
}

impl Statistic {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 4] = [Self::Mean, Self::Low, Self::Middle, Self::High];

    /// Name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Low => "share-below-0.25",
            Self::Middle => "share-middle",
            Self::High => "share-above-0.85",
        }
    }

    /// The statistic of these values.
    pub fn of(self, values: &[f64]) -> f64 {
        let share = |keep: fn(f64) -> bool| values.iter().filter(|v| keep(**v)).count() as f64 / values.len() as f64;
        match self {
            Self::Mean => moments::mean(values),
            Self::Low => share(|v| v < MIDDLE.0),
            Self::Middle => share(|v| (MIDDLE.0..=MIDDLE.1).contains(&v)),
            Self::High => share(|v| v > MIDDLE.1),
        }
    }
}

/// Memorization of every pool example under one recipe.
///
/// With B blocks, each of which splits the pool, c_b,in(i) is the mean of the signal over the models of block b that were trained on
/// example i and c_b,out(i) over the others: mem_i = mean_b [c_b,in(i) - c_b,out(i)], which is Feldman & Zhang's difference of means
/// because every block holds as many models of each kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Memorization {
    /// (B, N) differences c_b,in - c_b,out.
    differences: Vec<Vec<f64>>,
}

/// Both sides of `mean_i mem_i = mean accuracy on members - mean accuracy on the pool's non-members`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Identity {
    /// Mean memorization.
    pub memorization: f64,
    /// Accuracy pooled over (model, member example) minus that over (model, non-member example).
    pub accuracy_gap: f64,
}

impl Identity {
    /// Whether they agree to rounding.
    pub fn holds(&self) -> bool {
        (self.memorization - self.accuracy_gap).abs() < 1e-9
    }
}

impl Memorization {
    /// From correct predictions ([`Signal::Correct`], 0/1) or, as the soft variant, confidences ([`Signal::Confidence`]).
    ///
    /// # Errors
    /// A block in which an example is in all models or in none.
    pub fn new(pool: &Pool, signal: Signal) -> Result<Self, Error> {
        let m = &pool.membership;
        let rows = pool.rows(signal);
        let n = m.examples();
        let mut differences = Vec::with_capacity(m.blocks());
        for block in 0..m.blocks() {
            let models: Vec<usize> = (0..m.models()).filter(|&k| m.block(k) == block).collect();
            // Per example, sums and counts of the models that hold it and of those that do not.
            let mut sides = vec![[(0.0, 0.0); 2]; n];
            for &k in &models {
                for ((side, member), value) in sides.iter_mut().zip(m.row(k)).zip(&rows[k]) {
                    let (sum, count) = &mut side[usize::from(!member)];
                    (*sum, *count) = (*sum + value, *count + 1.0);
                }
            }
            if let Some(example) = sides.iter().position(|s| s[0].1 == 0.0 || s[1].1 == 0.0) {
                return Err(Error::Block { block, example });
            }
            differences
                .push(sides.iter().map(|[inside, outside]| inside.0 / inside.1 - outside.0 / outside.1).collect());
        }
        Ok(Self { differences })
    }

    /// Number of blocks, B.
    pub fn blocks(&self) -> usize {
        self.differences.len()
    }

    /// mem_i of every example, from all blocks but `without`.
    pub fn values(&self, without: Option<usize>) -> Vec<f64> {
        let kept: Vec<&Vec<f64>> =
            (0..self.blocks()).filter(|b| Some(*b) != without).map(|b| &self.differences[b]).collect();
        let n = self.differences.first().map_or(0, Vec::len);
        (0..n).map(|i| kept.iter().map(|row| row[i]).sum::<f64>() / kept.len() as f64).collect()
    }

    /// Standard error of every mem_i: the deviation of its block differences (ddof 1) over sqrt(B). With complementary pairs
    /// the two models of a block are not independent, so the binomial formula does not apply.
    pub fn standard_errors(&self) -> Vec<f64> {
        let n = self.differences.first().map_or(0, Vec::len);
        let blocks = self.blocks() as f64;
        (0..n)
            .map(|i| {
                let column: Vec<f64> = self.differences.iter().map(|row| row[i]).collect();
                (moments::variance(&column, 1) / blocks).sqrt()
            })
            .collect()
    }

    /// A statistic of the distribution with its 95 % interval over blocks: Student's t for the mean, which is a mean of
    /// independent blocks, and the delete-one-block jackknife for shares. They hold for the pool's size: with few blocks noise widens
    /// the distribution of mem.
    ///
    /// # Errors
    /// Fewer than two blocks.
    pub fn statistic(&self, statistic: Statistic) -> Result<Interval, Error> {
        self.compare(None, statistic)
    }

    /// The paired difference `self - baseline` of a statistic, with the same intervals.
    ///
    /// # Errors
    /// Fewer than two blocks.
    pub fn difference(&self, baseline: &Self, statistic: Statistic) -> Result<Interval, Error> {
        self.compare(Some(baseline), statistic)
    }

    fn compare(&self, baseline: Option<&Self>, statistic: Statistic) -> Result<Interval, Error> {
        let at = |without: Option<usize>| {
            let other = baseline.map_or(0.0, |b| statistic.of(&b.values(without)));
            statistic.of(&self.values(without)) - other
        };
        if statistic == Statistic::Mean {
            let block = |b: usize| {
                moments::mean(&self.differences[b]) - baseline.map_or(0.0, |o| moments::mean(&o.differences[b]))
            };
            return Ok(student_t(&(0..self.blocks()).map(block).collect::<Vec<_>>(), 0.95)?);
        }
        let left_out: Vec<f64> = (0..self.blocks()).map(|b| at(Some(b))).collect();
        Ok(jackknife(at(None), &left_out, 0.95)?.interval)
    }

    /// Counts of mem in equal bins from -1 to 1, the last closed. With complementary pairs 0/1 memorization takes multiples of 1/B:
    /// the bins' width is one of these, at least 1/20, so that no bin is empty for arithmetic's sake.
    pub fn histogram(&self) -> Vec<usize> {
        let bins = 2 * (4..=20).rev().find(|d| self.blocks().is_multiple_of(*d)).unwrap_or(20);
        let mut counts = vec![0; bins];
        for v in self.values(None) {
            // Sums of thirds and the like end a rounding error below their bin's edge.
            let at = ((v + 1.0) / 2.0 * bins as f64 + 1e-9).floor().clamp(0.0, bins as f64 - 1.0);
            counts[at as usize] += 1;
        }
        counts
    }

    /// Both sides of the identity of METHODS (own): checked at every run.
    pub fn identity(&self, pool: &Pool) -> Identity {
        let (mut hits, mut all) = ([0.0; 2], [0.0; 2]);
        for (model, signals) in pool.pool.iter().enumerate() {
            for (correct, member) in signals.correct.iter().zip(pool.membership.row(model)) {
                hits[usize::from(!member)] += f64::from(*correct);
                all[usize::from(!member)] += 1.0;
            }
        }
        Identity { memorization: moments::mean(&self.values(None)), accuracy_gap: hits[0] / all[0] - hits[1] / all[1] }
    }
}
