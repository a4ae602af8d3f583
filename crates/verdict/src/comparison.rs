//! Two recipes, paired by model index or not.

use crate::error::Error;
use crate::family::Point;
use crate::properties::{Properties, range_of};
use crate::table::Scored;
use flatleak_attack::Attack;
use flatleak_pool::Pool;
use flatleak_results::{
    Estimate, FPR_LEVELS, Family, Metric, MetricDifference, Pairing, PointResult, Property, Relevant, Word,
};
use flatleak_stats::{FEWEST_UNITS, Range, Replicates, Student, blocks_needed, smallest_detectable};

use crate::judge::compared;
use crate::words::{Said, Tested};

/// Level of intervals that stand for themselves.
pub(crate) const LEVEL: f64 = 0.95;

/// Whether the models of two recipes saw the same examples, one by one, as far as labels tell, whoever was trained on which.
fn same_examples(baseline: &Pool, candidate: &Pool) -> bool {
    baseline.labels == candidate.labels && baseline.ids == candidate.ids
}

/// Whether the models of two recipes were trained on the same examples, one by one, as far as labels tell.
pub(crate) fn share_examples(baseline: &Pool, candidate: &Pool) -> bool {
    baseline.membership == candidate.membership && same_examples(baseline, candidate)
}

/// Whether the models of two recipes can be set against each other one by one under attack: they share their examples, and their outputs have
/// the same shape.
pub(crate) fn are_paired(baseline: &Pool, candidate: &Pool) -> bool {
    let held_out = |pool: &Pool| pool.test.iter().map(flatleak_pool::Signals::len).collect::<Vec<_>>();
    share_examples(baseline, candidate)
        && baseline.queries() == candidate.queries()
        && held_out(baseline) == held_out(candidate)
}

/// Two pools to set against each other, and how.
#[derive(Clone, Copy)]
pub(crate) struct Sides<'a> {
    pub(crate) baseline: &'a Pool,
    pub(crate) candidate: &'a Pool,
    pub(crate) pairing: Pairing,
}

impl<'a> Sides<'a> {
    pub(crate) fn new(baseline: &'a Pool, candidate: &'a Pool) -> Self {
        let pairing = if are_paired(baseline, candidate) {
            Pairing::Paired
        } else if same_examples(baseline, candidate) {
            Pairing::Unpaired
        } else {
            Pairing::OtherExamples
        };
        Self { baseline, candidate, pairing }
    }

    /// candidate - c baseline of one measure of one attack: unit by unit where models are paired, else of independent estimates; of the
    /// variance over examples too where these differ.
    pub(crate) fn contrast(&self, (a, b): (&Scored, &Scored), measure: usize, c: f64) -> Result<Student, Error> {
        let (of_a, of_b) = (a.table.of(measure)?, b.table.of(measure)?);
        if self.pairing == Pairing::OtherExamples {
            let wide = |scored: &Scored, of: &Replicates| scored.over_examples(measure).unwrap_or_else(|| of.into());
            return Ok(wide(b, &of_b).plus(-c, &wide(a, &of_a)));
        }
        Ok(Student::contrast(&of_b, c, &of_a, self.pairing == Pairing::Paired)?)
    }

    /// The difference at a point against the smallest relevant one (own; book/methods/words.md#relevant-differences): for a TPR a share of the
    /// baseline's, by contrasts of their own, but never less than half the level itself.
    fn tested(&self, both: (&Scored, &Scored), point: Point, relevant: &Relevant) -> Result<(Tested, f64), Error> {
        let measure = point.measure();
        let difference = self.contrast(both, measure, 1.0)?;
        let Point::Tpr(level) = point else { return Ok((Tested::against(difference, relevant.auc), relevant.auc)) };
        let (share, floor) = (relevant.tpr * both.0.table.of(measure)?.estimate(), 0.5 * FPR_LEVELS[level]);
        if share < floor {
            return Ok((Tested::against(difference, floor), floor));
        }
        let above = self.contrast(both, measure, 1.0 + relevant.tpr)?;
        let below = self.contrast(both, measure, 1.0 - relevant.tpr)?;
        Ok((Tested { difference, above, below }, share))
    }

    /// Blocks of the smaller pool, and models of each.
    fn blocks(&self) -> (usize, usize) {
        let of = |pool: &Pool| (pool.membership.blocks(), pool.membership.models());
        let (blocks, models) = of(self.baseline).min(of(self.candidate));
        (blocks, models.div_ceil(blocks.max(1)))
    }

    /// What is said at a point, with what these models can tell there.
    pub(crate) fn at(
        &self,
        both: (&Scored, &Scored),
        point: Point,
        family: &Family,
        points: usize,
    ) -> Result<PointResult, Error> {
        let level = family.words(points);
        let (tested, delta) = self.tested(both, point, &family.relevant)?;
        let (blocks, size) = self.blocks();
        let d = tested.difference;
        let models_needed = match d.says_something() && blocks >= FEWEST_UNITS {
            true => Some(blocks_needed(d.standard_error, blocks, delta, level)?.times(size)),
            false => None,
        };
        Ok(PointResult { models_needed, ..point_result(point.metric(), &tested, level, delta)? })
    }

    /// Differences of one attack's measures.
    pub(crate) fn attack(&self, attack: Attack, both: (&Scored, &Scored)) -> Result<Vec<MetricDifference>, Error> {
        let one = |(place, measure)| {
            let found = self.contrast(both, place, 1.0)?;
            metric(Metric::attack(attack.name(), measure), found, Range::Difference, None)
        };
        compared().map(one).collect()
    }

    /// Differences of the properties that both pools have; accuracies on held-out examples against the smallest relevant one.
    pub(crate) fn properties(
        &self,
        (a, b): (&Properties, &Properties),
        relevant: &Relevant,
    ) -> Result<Vec<MetricDifference>, Error> {
        let both = a.iter().filter_map(|(name, a)| {
            let (_, b) = b.iter().find(|(other, _)| other == name)?;
            Some((name.clone(), a, b))
        });
        both.map(|(name, a, b)| {
            let (a, b) = (Replicates::independent(a.clone())?, Replicates::independent(b.clone())?);
            let range = match range_of(&name, self.baseline) {
                Range::Rate { .. } => Range::Difference,
                other => other,
            };
            let found = Student::contrast(&b, 1.0, &a, self.pairing == Pairing::Paired)?;
            let delta = (name == Property::TestAccuracy.into()).then_some(relevant.accuracy);
            metric(name, found, range, delta)
        })
        .collect()
    }
}

/// What is said at a point at a level, with what can be detected there; not yet how many models would tell more.
pub(crate) fn point_result(metric: Metric, tested: &Tested, level: f64, relevant: f64) -> Result<PointResult, Error> {
    let Said { word, interval, at_most_delta } = tested.at(level)?;
    let d = tested.difference;
    Ok(PointResult {
        metric,
        word,
        difference: interval,
        level,
        p_adjusted: (d.p_value() * (1.0 - LEVEL) / (1.0 - level)).min(1.0),
        relevant,
        at_most_relevant: at_most_delta,
        detectable: match d.says_something() {
            true => Some(smallest_detectable(d.standard_error, d.degrees, level)?),
            false => None,
        },
        models_needed: None,
    })
}

/// One metric's difference with its own 95 % interval; a word about its size where there is a relevant one.
fn metric(name: Metric, found: Student, range: Range, delta: Option<f64>) -> Result<MetricDifference, Error> {
    let word = match delta {
        Some(delta) => Tested::against(found, delta).at(LEVEL)?.word,
        None => direction(&found)?,
    };
    let difference = match range {
        // Of a number without bounds nothing can be said either where its spread is not known, but limits have to be numbers.
        Range::Real if !found.says_something() => Estimate { mean: found.mean, low: found.mean, high: found.mean },
        Range::Real => found.real(LEVEL)?,
        _ => found.difference(LEVEL)?,
    };
    Ok(MetricDifference {
        metric: name,
        difference,
        standard_error: found.standard_error,
        degrees: Some(found.degrees),
        p_value: found.p_value(),
        p_adjusted: None,
        word,
    })
}

/// More or less by the 95 % interval alone, where no size is relevant by itself.
fn direction(found: &Student) -> Result<Word, Error> {
    let said = Tested::against(*found, f64::MAX).at(LEVEL)?.word;
    Ok(match said {
        Word::MoreNegligible => Word::More,
        Word::LessNegligible => Word::Less,
        Word::Equivalent => Word::Open,
        other => other,
    })
}
