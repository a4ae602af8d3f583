//! One pool against guessing: does it leak at all? (own; book/methods/words.md#one-pool-against-guessing)

use crate::error::Error;
use crate::family::{Point, chance, points};
use crate::table::Scored;
use flatleak_pool::Pool;
use flatleak_results::{AgainstGuessing, Condition, Estimate, FPR_LEVELS, Family, GuessingPoint, Relevant, Verdict};
use flatleak_stats::{Range, Ranking, Student, clopper_pearson, delong, limits};

use crate::condition::{self, Knowledge};
use crate::judge::Judge;

/// The verdict over points with limits.
pub(crate) fn verdict(points: &[GuessingPoint], enough: bool) -> Verdict {
    if !enough || points.is_empty() {
        Verdict::TooFewModels
    } else if points.iter().any(GuessingPoint::is_below) {
        Verdict::Inverted
    } else if points.iter().all(GuessingPoint::is_small) {
        Verdict::NoRelevantLeak
    } else if points.iter().any(GuessingPoint::is_above) {
        Verdict::Leaks
    } else {
        Verdict::Open
    }
}

/// A point with its smallest relevant excess: of an AUC the smallest relevant difference, of a TPR half its level.
pub(crate) fn point(point: Point, estimate: Estimate, level: f64, chance: f64, relevant: &Relevant) -> GuessingPoint {
    let relevant = match point {
        Point::Auc => relevant.auc,
        Point::Tpr(at) => 0.5 * FPR_LEVELS[at],
    };
    GuessingPoint { metric: point.metric(), estimate, level, chance, relevant }
}

/// What a score that knows nothing reaches.
fn line(point: Point, non_members: usize) -> f64 {
    match point {
        Point::Auc => 0.5,
        Point::Tpr(k) => chance(FPR_LEVELS[k], non_members),
    }
}

/// A pool's verdict, of the attack of headlines.
pub(crate) fn of(judge: &Judge<'_>, scored: &Scored, family: &Family) -> Result<AgainstGuessing, Error> {
    let (non_members, members) = judge.sizes();
    let at = points(non_members);
    let level = family.guessing(at.len());
    let mut out = Vec::new();
    let mut enough = true;
    for p in at {
        let found = Student::from(&scored.table.of(p.measure())?);
        enough &= found.has_enough_units();
        let line = line(p, non_members);
        let estimate = match found.standard_error == 0.0 && found.mean == line {
            // Outputs that do not vary at all tell nothing, exactly.
            true => Estimate { mean: line, low: line, high: line },
            false => found.rate(level, members)?,
        };
        out.push(point(p, estimate, level, line, &family.relevant));
    }
    Ok(AgainstGuessing { verdict: verdict(&out, enough), points: out })
}

/// One model of a pool against guessing: DeLong's error of the AUC, on the logit scale, and limits of Clopper & Pearson of the TPR, over the examples
/// of this model as if these were independent. `scores` are those of the attack of headlines on the model's scored examples, `conditions` those of
/// [`target_conditions`].
///
/// # Errors
/// Fewer than two examples of either side.
pub fn of_target(
    (scores, member): (&[f64], &[bool]),
    conditions: &[Condition],
    relevant: &Relevant,
) -> Result<AgainstGuessing, Error> {
    let members = member.iter().filter(|m| **m).count();
    let non_members = member.len() - members;
    let at = points(non_members);
    let level = Family::new(*relevant, 0, 1, 0).guessing(at.len());
    let ranking = Ranking::new(scores, member)?;
    let mut out = Vec::new();
    for p in at {
        let estimate = match p {
            Point::Auc => {
                let (auc, error) = delong(scores, member)?;
                let few = members.min(non_members);
                limits(auc, error, few as f64 - 1.0, level, Range::Rate { of: few as f64 })?
            }
            Point::Tpr(k) => {
                clopper_pearson(ranking.tpr_at(FPR_LEVELS[k]).true_positives as u64, members as u64, level)?
            }
        };
        out.push(point(p, estimate, level, line(p, non_members), relevant));
    }
    let verdict = condition::under(verdict(&out, true), conditions);
    Ok(AgainstGuessing { verdict, points: out })
}

/// The conditions of one model of a pool, where a blind attack beats chance or does not.
pub fn target_conditions(pool: &Pool, target: usize, blind: bool) -> Vec<Condition> {
    let right = pool.pool[target].accuracy(|i| pool.membership.row(target)[i]);
    condition::about(pool.recipe.clone(), right, blind, &Knowledge::new(pool))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(metric: Point, low: f64, high: f64) -> GuessingPoint {
        let chance = if metric == Point::Auc { 0.5 } else { 0.0132 };
        point(metric, Estimate { mean: 0.5 * (low + high), low, high }, 0.975, chance, &Relevant::default())
    }

    #[test]
    fn every_word_about_one_pool() {
        let tpr = Point::Tpr(2);
        let cases = [
            (at(Point::Auc, 0.52, 0.56), at(tpr, 0.01, 0.03), Verdict::Leaks),
            (at(Point::Auc, 0.49, 0.53), at(tpr, 0.02, 0.05), Verdict::Leaks),
            (at(Point::Auc, 0.49, 0.53), at(tpr, 0.01, 0.03), Verdict::Open),
            (at(Point::Auc, 0.496, 0.504), at(tpr, 0.01, 0.016), Verdict::NoRelevantLeak),
            // Shown, and too small to matter.
            (at(Point::Auc, 0.501, 0.507), at(tpr, 0.01, 0.016), Verdict::NoRelevantLeak),
            (at(Point::Auc, 0.496, 0.504), at(tpr, 0.01, 0.03), Verdict::Open),
            (at(Point::Auc, 0.40, 0.45), at(tpr, 0.02, 0.05), Verdict::Inverted),
        ];
        for (auc, tpr, wanted) in cases {
            let points = [auc, tpr];
            assert_eq!(verdict(&points, true), wanted, "{points:?}");
            assert_eq!(verdict(&points, false), Verdict::TooFewModels);
        }
        assert_eq!(verdict(&[], true), Verdict::TooFewModels);
    }
}
