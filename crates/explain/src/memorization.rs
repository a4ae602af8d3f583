//! Memorization (Feldman & Zhang 2020, arXiv 2008.03703, eq. 1 over random subsets; book/methods/explanation.md#memorization).

use flatleak_pool::{Pool, Signal};
use flatleak_results::Statistic;
use flatleak_stats::{Interval, Jackknife, Range, Student, jackknife, limits, mean_of_blocks, moments, welch};

use crate::Error;
use crate::sides::{Sides, Unit};

/// Limits of the middle of the distribution: below, an example is learnt without being seen; above, only by heart.
pub const MIDDLE: (f64, f64) = (0.25, 0.85);

/// What a sum of thirds may miss a limit by.
pub(crate) const ROUNDING: f64 = 1e-9;

/// Where a statistic lies, of so many examples.
fn range(statistic: Statistic, examples: usize) -> Range {
    match statistic {
        Statistic::Mean => Range::Difference,
        Statistic::MeanSquare => Range::Real,
        Statistic::Low | Statistic::Middle | Statistic::High => Range::Rate { of: examples as f64 },
    }
}

/// The statistic of these values with these squared errors.
fn of(statistic: Statistic, values: &[f64], errors: &[f64]) -> f64 {
    let share = |keep: fn(f64) -> bool| values.iter().filter(|v| keep(**v)).count() as f64 / values.len() as f64;
    match statistic {
        Statistic::Mean => moments::mean(values),
        Statistic::MeanSquare => values.iter().zip(errors).map(|(v, e)| v * v - e).sum::<f64>() / values.len() as f64,
        Statistic::Low => share(|v| v < MIDDLE.0 - ROUNDING),
        Statistic::Middle => share(|v| v >= MIDDLE.0 - ROUNDING && v <= MIDDLE.1 + ROUNDING),
        Statistic::High => share(|v| v > MIDDLE.1 + ROUNDING),
    }
}

/// Memorization of every pool example under one recipe: mem_i = mean of the signal over the models that were trained on
/// example i, minus its mean over the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Memorization {
    sides: Sides,
    /// From all models, (N).
    all: Vec<f64>,
}

/// Both sides of `mean_i mem_i = mean accuracy on members - mean accuracy on the pool's non-members`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Identity {
    /// Mean memorization.
    pub memorization: f64,
    /// Accuracy pooled over (model, member example) minus that over (model, non-member example).
    pub accuracy_gap: f64,
    /// Whether every example is in as many models as every other, without which the two differ by more than rounding.
    pub balanced: bool,
}

impl Identity {
    /// Whether they agree to rounding, as they must in a balanced design.
    pub fn holds(&self) -> bool {
        (self.memorization - self.accuracy_gap).abs() < 1e-9
    }
}

impl Memorization {
    /// From correct predictions ([`Signal::Correct`], 0/1) or, as the soft variant, confidences ([`Signal::Confidence`]).
    ///
    /// # Errors
    /// An example that too few models hold, or lack.
    pub fn new(pool: &Pool, signal: Signal) -> Result<Self, Error> {
        let sides = Sides::new(&pool.membership, pool.rows(signal)?)?;
        let all = sides.gaps(None);
        Ok(Self { sides, all })
    }

    /// What intervals delete, one at a time: blocks, or models where the design has no blocks.
    pub fn units(&self) -> impl ExactSizeIterator<Item = Unit> + use<> {
        self.sides.units()
    }

    /// mem_i of every example.
    pub fn values(&self) -> &[f64] {
        &self.all
    }

    /// mem_i of every example from all models but those of one unit.
    pub fn without(&self, unit: Unit) -> Vec<f64> {
        self.sides.gaps(Some(unit))
    }

    /// mem_i of every example from all models but those of these units; one that is named twice is left out once.
    pub fn without_all(&self, units: &[Unit]) -> Vec<f64> {
        self.sides.gaps_without(units)
    }

    /// Standard error of every mem_i. In complementary blocks: the deviation of the block differences (ddof 1) over sqrt(B), for
    /// the two models of a block are not independent and the binomial formula does not apply. Elsewhere
    /// sqrt(var_in / n_in + var_out / n_out).
    pub fn standard_errors(&self) -> Vec<f64> {
        self.sides.squared_errors(None).into_iter().map(f64::sqrt).collect()
    }

    /// Mean over examples of each block's differences, whose mean is the mean memorization; `None` in designs without blocks.
    pub fn block_means(&self) -> Option<Vec<f64>> {
        self.sides.block_means()
    }

    fn at(&self, statistic: Statistic, without: Option<Unit>) -> f64 {
        // Only one statistic reads the errors, and they cost a pass over all units.
        let errors = if statistic == Statistic::MeanSquare { self.sides.squared_errors(without) } else { Vec::new() };
        match without {
            None => of(statistic, &self.all, &errors),
            Some(unit) => of(statistic, &self.without(unit), &errors),
        }
    }

    /// The 95 % interval of every mem_i. Of 0/1 outcomes: Bonett and Price's for matched pairs in complementary blocks, Agresti and
    /// Caffo's elsewhere, which have a width even where all models agree; of confidences Student's t around mem_i.
    ///
    /// # Errors
    /// Fewer than two units.
    pub fn intervals(&self) -> Result<Vec<Interval>, Error> {
        self.sides.intervals(&self.all)
    }

    /// A statistic of the distribution with its 95 % interval: Student's t over blocks for the mean, which is a mean of
    /// independent blocks, and the delete-one-unit jackknife for shares and in designs without blocks. Intervals hold for the
    /// pool's size: with few models noise widens the distribution of mem.
    ///
    /// # Errors
    /// Fewer than two units.
    pub fn statistic(&self, statistic: Statistic) -> Result<Jackknife, Error> {
        let found = self.compare(None, statistic)?;
        let degrees = self.units().len() as f64 - 1.0;
        let interval =
            limits(found.interval.mean, found.standard_error, degrees, 0.95, range(statistic, self.all.len()))?;
        Ok(Jackknife { interval, ..found })
    }

    /// The paired difference `self - baseline` of a statistic, with the same intervals. Both must come from one design.
    ///
    /// # Errors
    /// Fewer than two units.
    pub fn difference(&self, baseline: &Self, statistic: Statistic) -> Result<Jackknife, Error> {
        self.compare(Some(baseline), statistic)
    }

    /// The difference `self - baseline` of pools with different memberships: Welch's interval of two independent estimates.
    ///
    /// # Errors
    /// Fewer than two units.
    pub fn unpaired_difference(&self, baseline: &Self, statistic: Statistic) -> Result<Jackknife, Error> {
        let side = |m: &Self| -> Result<Student, Error> {
            let Jackknife { interval, standard_error, degrees } = m.statistic(statistic)?;
            Ok(Student { mean: interval.mean, standard_error, degrees })
        };
        Ok(welch(side(baseline)?, side(self)?, 0.95)?)
    }

    fn compare(&self, baseline: Option<&Self>, statistic: Statistic) -> Result<Jackknife, Error> {
        if let (Statistic::Mean, Some(blocks)) = (statistic, self.sides.block_means()) {
            let other = baseline.and_then(|b| b.sides.block_means());
            let differences: Vec<f64> =
                blocks.iter().enumerate().map(|(b, v)| v - other.as_ref().map_or(0.0, |o| o[b])).collect();
            return Ok(mean_of_blocks(&differences, 0.95)?);
        }
        let at = |unit: Option<Unit>| self.at(statistic, unit) - baseline.map_or(0.0, |b| b.at(statistic, unit));
        let left_out: Vec<f64> = self.units().map(|u| at(Some(u))).collect();
        Ok(jackknife(at(None), &left_out, 0.95)?)
    }

    /// Counts of mem in equal bins from -1 to 1, the last closed. With complementary pairs 0/1 memorization takes multiples of 1/B:
    /// the bins' width is one of these, at least 1/20, so that no bin is empty for arithmetic's sake.
    pub fn histogram(&self) -> Vec<usize> {
        let bins = 2 * (4..=20).rev().find(|d| self.units().len().is_multiple_of(*d)).unwrap_or(20);
        let mut counts = vec![0; bins];
        for v in &self.all {
            // Sums of thirds and the like end a rounding error below their bin's edge.
            let at = ((v + 1.0) / 2.0 * bins as f64 + 1e-9).floor().clamp(0.0, bins as f64 - 1.0);
            counts[at as usize] += 1;
        }
        counts
    }

    /// Both sides of the identity (own; book/methods/explanation.md#memorization-identity): checked at every run.
    pub fn identity(&self, pool: &Pool) -> Identity {
        let (mut hits, mut all) = ([0.0; 2], [0.0; 2]);
        for (model, signals) in pool.pool.iter().enumerate() {
            for (correct, member) in signals.correct.iter().zip(pool.membership.row(model)) {
                hits[usize::from(!member)] += f64::from(*correct);
                all[usize::from(!member)] += 1.0;
            }
        }
        Identity {
            memorization: moments::mean(&self.all),
            accuracy_gap: hits[0] / all[0] - hits[1] / all[1],
            balanced: self.sides.balanced(),
        }
    }
}
