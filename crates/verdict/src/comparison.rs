//! Two recipes, paired by model index or not.

use flatleak_attack::Attack;
use flatleak_pool::Pool;
use flatleak_stats::{FEWEST_UNITS, Range, Relevant, Replicates, Student, blocks_needed, smallest_detectable};
use serde::{Deserialize, Serialize};

use crate::judge::{AUC, TPR};
use crate::recipe::{FALSE_POSITIVES, Properties, Scored, range_of};
use crate::words::{Said, Tested, Word};
use crate::{Error, Estimate, FPR_LEVELS, MetricDifference, Pairing, PointResult};

/// The attack on which headlines rest.
pub(crate) const HEADLINE: Attack = Attack::STRONGEST;

/// Attacks whose calls on single examples and whose leakage by group are kept: the headline's, and those of the literature.
const KEPT: [Attack; 4] = [HEADLINE, Attack::LIRA, Attack::RMIA, Attack::CONFIDENCE];

/// Level of intervals that stand for themselves.
pub(crate) const LEVEL: f64 = 0.95;

/// Errors that a document may make (own; book/methods/words.md#levels).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Family {
    /// Smallest relevant differences.
    pub relevant: Relevant,
    /// Comparisons of the whole document: every pair that it names, on each data set; a summary over data sets is one more.
    pub comparisons: usize,
    /// Pools of the whole document.
    pub pools: usize,
    /// Recipes that the study's claims are about, on each data set.
    pub claimed: usize,
    /// Error of each of its families: words, sets, claims. Less at a look at a growing pool.
    pub alpha: f64,
}

impl Default for Family {
    fn default() -> Self {
        Self::new(Relevant::default(), 0, 0, 0)
    }
}

impl Family {
    /// Error of each family.
    pub const ALPHA: f64 = 0.05;

    /// The families of a document of so many comparisons, pools and claimed recipes, 5 % each.
    pub fn new(relevant: Relevant, comparisons: usize, pools: usize, claimed: usize) -> Self {
        Self { relevant, comparisons, pools, claimed, alpha: Self::ALPHA }
    }

    /// The level of the interval on which one of the four claims about one recipe rests.
    pub(crate) fn claims(&self) -> f64 {
        1.0 - self.alpha / (4 * self.claimed.max(1)) as f64
    }

    /// The level of each of `points` simultaneous intervals of a comparison.
    pub(crate) fn words(&self, points: usize) -> f64 {
        1.0 - self.alpha / (points.max(1) * self.comparisons.max(1)) as f64
    }

    /// The level of each of `points` simultaneous intervals of a pool.
    pub(crate) fn guessing(&self, points: usize) -> f64 {
        1.0 - self.alpha / (points.max(1) * self.pools.max(1)) as f64
    }
}

/// A point at which a headline is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    Auc,
    /// The TPR at this place of [`FPR_LEVELS`].
    Tpr(usize),
}

impl Point {
    /// Its place among the measures of a target.
    pub(crate) fn measure(self) -> usize {
        match self {
            Self::Auc => AUC,
            Self::Tpr(level) => TPR + level,
        }
    }

    /// The metric's name.
    pub(crate) fn metric(self) -> String {
        metric_name(HEADLINE, self.measure())
    }
}

/// The points at which a headline is judged, by the design and not by the outcome (own; book/methods/words.md#operating-points): the AUC, and the
/// TPR at the smallest level at which the target with the fewest scored non-members expects 5 false positives; below 50 of them the AUC alone.
pub(crate) fn points(fewest_non_members: usize) -> Vec<Point> {
    let n = fewest_non_members as f64;
    let level = FPR_LEVELS.iter().position(|f| f * n >= FALSE_POSITIVES - 1e-9);
    std::iter::once(Point::Auc).chain(level.map(Point::Tpr)).collect()
}

/// Which measures a comparison tests: AUC and the TPR levels.
fn tested() -> impl Iterator<Item = usize> {
    std::iter::once(AUC).chain(TPR..TPR + FPR_LEVELS.len())
}

fn metric_name(attack: Attack, measure: usize) -> String {
    match measure.checked_sub(TPR) {
        None => format!("{attack}.auc"),
        Some(level) => format!("{attack}.tpr@{}", FPR_LEVELS[level]),
    }
}

/// Whether single examples and groups are set against an attack.
pub(crate) fn is_headline(attack: Attack) -> bool {
    KEPT.iter().any(|kept| kept.family() == attack.family() && kept.temperature() == attack.temperature())
}

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
        let one = |k: usize| metric(metric_name(attack, k), self.contrast(both, k, 1.0)?, Range::Difference, None);
        tested().map(one).collect()
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
            let delta = (name == "test-accuracy").then_some(relevant.accuracy);
            metric(name, found, range, delta)
        })
        .collect()
    }
}

/// What is said at a point at a level, with what can be detected there; not yet how many models would tell more.
pub(crate) fn point_result(metric: String, tested: &Tested, level: f64, relevant: f64) -> Result<PointResult, Error> {
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
fn metric(name: String, found: Student, range: Range, delta: Option<f64>) -> Result<MetricDifference, Error> {
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
