//! Leakage against accuracy: which recipe should be shipped?

use flatleak_attack::Attack;
use flatleak_pool::Pool;
use flatleak_stats::{Range, Replicates, jackknife, moments, welch};
use serde::{Deserialize, Serialize};

use crate::analysis::AttackedRecipe;
use crate::comparison::{HEADLINE, share_examples};
use crate::judge::AUC;
use crate::{Error, Estimate, Options, RecipeResult};

/// Recipes by leakage and accuracy on one data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frontier {
    /// Data set.
    pub dataset: String,
    /// One entry per recipe, in their order.
    pub points: Vec<FrontierPoint>,
    /// The recipe with the least leakage among those without a measurable loss of accuracy.
    pub recommended: String,
    /// That in words.
    pub sentence: String,
    /// Differences at equal accuracy, for pairs whose baseline was measured at several epochs.
    pub matched: Vec<MatchedDifference>,
}

/// One recipe's place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrontierPoint {
    /// Recipe name.
    pub recipe: String,
    /// Epoch of measurement.
    pub checkpoint: usize,
    /// Accuracy on held-out examples.
    pub test_accuracy: Estimate,
    /// Accuracy on members.
    pub member_accuracy: Estimate,
    /// Its test accuracy less that of the most accurate recipe, model by model where they share their examples.
    pub loss: Estimate,
    /// The attack of headlines.
    pub attack: String,
    /// That attack's AUC.
    pub leakage: Estimate,
    /// No other recipe is at least as accurate and leaks no more.
    pub pareto: bool,
}

/// Leakage of a candidate less that of its baseline where the baseline is as accurate, interpolated along its epochs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MatchedDifference {
    /// Baseline recipe.
    pub baseline: String,
    /// Candidate recipe.
    pub candidate: String,
    /// `test-accuracy` or `member-accuracy`.
    pub at: String,
    /// Candidate - baseline in the AUC of the attack of headlines, with a delete-one-block jackknife interval; null where the baseline reaches
    /// that accuracy at no epoch that was measured.
    pub difference: Option<Estimate>,
}

/// One recipe as the frontier needs it.
struct Place<'a> {
    pool: &'a Pool,
    result: &'a RecipeResult,
    test: Vec<f64>,
    member: Vec<f64>,
    /// AUC of the attack of headlines.
    leakage: Option<Replicates>,
    /// Blocks of each unit of it.
    units: &'a [Vec<usize>],
}

/// The frontier over recipes with held-out accuracy; `None` for fewer than two.
pub(crate) fn draw(
    pools: &[&Pool],
    recipes: &[RecipeResult],
    attacked: &[AttackedRecipe],
    options: &Options,
) -> Result<Option<Frontier>, Error> {
    let mut places = Vec::new();
    for ((pool, result), attacked) in pools.iter().zip(recipes).zip(attacked) {
        let of = |name: &str| attacked.properties.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        let Some((test, member)) = of("test-accuracy").zip(of("member-accuracy")) else { return Ok(None) };
        let is_headline = |(attack, _): &&(Attack, crate::recipe::Scored)| *attack == HEADLINE;
        let leakage = attacked.scored.iter().find(is_headline).map(|(_, s)| s.table.of(AUC)).transpose()?;
        places.push(Place { pool, result, test, member, leakage, units: &attacked.units });
    }
    if places.len() < 2 || places.iter().any(|p| strongest(p.result).is_none()) {
        return Ok(None);
    }
    let best = (0..places.len())
        .max_by(|a, b| moments::mean(&places[*a].test).total_cmp(&moments::mean(&places[*b].test)).then(b.cmp(a)))
        .unwrap_or(0);
    let mut points = Vec::new();
    for place in &places {
        points.push(point(place, &places[best])?);
    }
    let worse = |a: &FrontierPoint, b: &FrontierPoint| {
        let (x, y) = ((a.test_accuracy.mean, a.leakage.mean), (b.test_accuracy.mean, b.leakage.mean));
        y.0 >= x.0 && y.1 <= x.1 && x != y
    };
    let dominated: Vec<bool> = points.iter().map(|a| points.iter().any(|b| worse(a, b))).collect();
    points.iter_mut().zip(dominated).for_each(|(p, d)| p.pareto = !d);
    let (recommended, sentence) = recommend(&points, best);
    let mut matched = Vec::new();
    for &(b, c) in &options.pairs {
        let Some(run) = options.runs.iter().find(|run| run.len() > 1 && run.contains(&b) && !run.contains(&c)) else {
            continue;
        };
        for at in ["test-accuracy", "member-accuracy"] {
            let difference = at_equal(at, run, c, &places)?;
            let name = |r: usize| recipes[r].name.clone();
            matched.push(MatchedDifference { baseline: name(b), candidate: name(c), at: at.into(), difference });
        }
    }
    Ok(Some(Frontier { dataset: options.dataset.clone(), points, recommended, sentence, matched }))
}

/// The attack of headlines with its AUC.
fn strongest(result: &RecipeResult) -> Option<(&str, Estimate)> {
    let name = HEADLINE.name();
    result.attack(&name).map(|a| (a.name.as_str(), a.auc))
}

fn point(place: &Place<'_>, best: &Place<'_>) -> Result<FrontierPoint, Error> {
    let loss = if std::ptr::eq(place, best) {
        Estimate { mean: 0.0, low: 0.0, high: 0.0 }
    } else if share_examples(place.pool, best.pool) {
        let differences: Vec<f64> = place.test.iter().zip(&best.test).map(|(a, b)| a - b).collect();
        Replicates::independent(differences)?.interval(0.95, Range::Difference)?
    } else {
        let side = |values: &[f64]| {
            Replicates::independent(values.to_vec()).map(|r| (r.estimate(), r.standard_error(), r.degrees()))
        };
        welch(side(&best.test)?, side(&place.test)?, 0.95)?.interval
    };
    let (attack, leakage) = strongest(place.result).unwrap_or(("", loss));
    let r = place.result;
    Ok(FrontierPoint {
        recipe: r.name.clone(),
        checkpoint: r.checkpoint,
        test_accuracy: r.test_accuracy.unwrap_or(loss),
        member_accuracy: r.member_accuracy,
        loss,
        attack: attack.into(),
        leakage,
        pareto: false,
    })
}

/// Accuracy that a second recommendation may give up.
const GIVEN_UP: f64 = 0.01;

/// Least leakage among those whose loss of accuracy may be none, and among those who lose little.
fn recommend(points: &[FrontierPoint], best: usize) -> (String, String) {
    let least = |eligible: &dyn Fn(&FrontierPoint) -> bool| {
        let all = points.iter().filter(|p| eligible(p));
        all.min_by(|a, b| a.leakage.mean.total_cmp(&b.leakage.mean)).unwrap_or(&points[best])
    };
    let (first, second) = (least(&|p| p.loss.high >= 0.0), least(&|p| p.loss.mean >= -GIVEN_UP));
    let most = &points[best];
    let place = |p: &FrontierPoint| {
        let loss = if p.recipe == most.recipe {
            "none is more accurate".to_owned()
        } else {
            let e = p.loss;
            format!("test accuracy {:+.4} [{:+.4}, {:+.4}] beside {}", e.mean, e.low, e.high, most.recipe)
        };
        format!("AUC {:.3} [{:.3}, {:.3}] under {}; {loss}", p.leakage.mean, p.leakage.low, p.leakage.high, p.attack)
    };
    let mut sentence = format!(
        "Among these {} recipes, {} leaks least at no measurable loss of accuracy ({})",
        points.len(),
        first.recipe,
        place(first)
    );
    if second.recipe != first.recipe {
        sentence += &format!(", and {} where one point of accuracy may be given up ({})", second.recipe, place(second));
    }
    (first.recipe.clone(), sentence)
}

/// The candidate's leakage less that of the baseline's run where it is as accurate.
fn at_equal(at: &str, run: &[usize], candidate: usize, places: &[Place<'_>]) -> Result<Option<Estimate>, Error> {
    let units = places[candidate].units;
    let accuracy = |r: usize, without: Option<usize>| {
        let values = if at == "test-accuracy" { &places[r].test } else { &places[r].member };
        let gone = |b: &usize| without.is_some_and(|unit| units[unit].contains(b));
        let kept: Vec<f64> = (0..values.len()).filter(|b| !gone(b)).map(|b| values[b]).collect();
        moments::mean(&kept)
    };
    let leakage = |r: usize, without: Option<usize>| {
        let found = places[r].leakage.as_ref()?;
        match without {
            None => Some(found.estimate()),
            Some(unit) => (unit < found.units()).then(|| found.without(unit)),
        }
    };
    let difference = |without: Option<usize>| -> Option<f64> {
        let mut curve: Vec<(usize, f64, f64)> = Vec::new();
        for &r in run {
            curve.push((places[r].result.checkpoint, accuracy(r, without), leakage(r, without)?));
        }
        curve.sort_by_key(|p| p.0);
        let wanted = accuracy(candidate, without);
        Some(leakage(candidate, without)? - interpolated(&curve, wanted)?)
    };
    let Some(whole) = difference(None) else { return Ok(None) };
    let left_out: Option<Vec<f64>> = (0..units.len()).map(|unit| difference(Some(unit))).collect();
    let Some(left_out) = left_out else { return Ok(None) };
    Ok(Some(jackknife(whole, &left_out, 0.95)?.interval))
}

/// The leakage where the accuracy passes `wanted` for the first time; points are (epoch, accuracy, leakage).
fn interpolated(curve: &[(usize, f64, f64)], wanted: f64) -> Option<f64> {
    curve.windows(2).find_map(|w| {
        let ((_, a, x), (_, b, y)) = (w[0], w[1]);
        let inside = (a.min(b)..=a.max(b)).contains(&wanted);
        let share = if a == b { 0.0 } else { (wanted - a) / (b - a) };
        inside.then_some(x + share * (y - x))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leakage_is_interpolated_where_accuracy_is_passed() {
        let curve = [(10, 0.5, 0.6), (20, 0.7, 0.8), (40, 0.6, 0.9)];
        assert_eq!(interpolated(&curve, 0.6), Some(0.7));
        assert_eq!(interpolated(&curve, 0.7), Some(0.8));
        assert_eq!(interpolated(&curve, 0.4), None);
        assert_eq!(interpolated(&curve, 0.75), None);
    }

    #[test]
    fn the_least_leaking_without_loss_is_recommended() {
        let estimate = |mean: f64| Estimate { mean, low: mean - 0.01, high: mean + 0.01 };
        let point = |name: &str, test: f64, loss: f64, leakage: f64| FrontierPoint {
            recipe: name.into(),
            checkpoint: 1,
            test_accuracy: estimate(test),
            member_accuracy: estimate(1.0),
            loss: estimate(loss),
            attack: "rmia".into(),
            leakage: estimate(leakage),
            pareto: false,
        };
        let points = [point("a", 0.8, 0.0, 0.7), point("b", 0.795, -0.005, 0.65), point("c", 0.7, -0.1, 0.5)];
        let (name, sentence) = recommend(&points, 0);
        assert_eq!(name, "b");
        assert!(sentence.contains("[-0.0150, +0.0050] beside a") && !sentence.contains("given up"), "{sentence}");
    }
}
