//! Leakage against accuracy: which recipe should be shipped? (own; book/methods/words.md#frontier)

use crate::attacked::AttackedRecipe;
use crate::error::Error;
use crate::family::{HEADLINE, Point, points};
use crate::options::Options;
use crate::table::Scored;
use flatleak_attack::Attack;
use flatleak_pool::{BlockId, Pool, UnitId, Units};
use flatleak_results::{
    Comparison, Estimate, Frontier, FrontierPoint, LeastSet, MatchedDifference, Property, RecipeResult,
};
use flatleak_stats::{FEWEST_UNITS, Replicates, Student, jackknife, moments};

use crate::comparison::{Sides, share_examples};
use crate::judge::AUC;
use crate::sets::cannot_be_told;
use crate::{condition, headline};

/// One recipe as the frontier needs it.
struct Place<'a> {
    pool: &'a Pool,
    result: &'a RecipeResult,
    test: Vec<f64>,
    member: Vec<f64>,
    /// The attack of headlines.
    scored: &'a Scored,
    /// Its AUC.
    leakage: Replicates,
    /// What its intervals delete together.
    units: &'a Units,
    non_members: usize,
}

impl Place<'_> {
    /// Its test accuracy less another's.
    fn accuracy_beside(&self, other: &Self) -> Result<Student, Error> {
        let (own, theirs) = (Replicates::independent(self.test.clone())?, Replicates::independent(other.test.clone())?);
        let paired = share_examples(self.pool, other.pool);
        Ok(Student::contrast(&own, 1.0, &theirs, paired)?)
    }
}

/// The frontier over recipes with held-out accuracy; `None` for fewer than two.
pub(crate) fn draw(
    pools: &[&Pool],
    recipes: &[RecipeResult],
    attacked: &[AttackedRecipe],
    comparisons: &[Comparison],
    options: &Options,
) -> Result<Option<Frontier>, Error> {
    let mut places = Vec::new();
    for ((pool, result), attacked) in pools.iter().zip(recipes).zip(attacked) {
        let of = |property| crate::properties::values(&attacked.properties, property).map(<[f64]>::to_vec);
        let Some((test, member)) = of(Property::TestAccuracy).zip(of(Property::MemberAccuracy)) else {
            return Ok(None);
        };
        let is_headline = |(attack, _): &&(Attack, Scored)| *attack == HEADLINE;
        let Some((_, scored)) = attacked.scored.iter().find(is_headline) else { return Ok(None) };
        let (leakage, units, non_members) = (scored.table.of(AUC)?, &attacked.units, attacked.non_members);
        places.push(Place { pool, result, test, member, scored, leakage, units, non_members });
    }
    if places.len() < 2 {
        return Ok(None);
    }
    let best = (0..places.len())
        .max_by(|a, b| moments::mean(&places[*a].test).total_cmp(&moments::mean(&places[*b].test)).then(b.cmp(a)))
        .unwrap_or(0);
    let level = 1.0 - options.family.alpha / (places.len() as f64 - 1.0);
    let mut drawn = Vec::new();
    for place in &places {
        drawn.push(point(place, &places[best], level)?);
    }
    let worse = |a: &FrontierPoint, b: &FrontierPoint| {
        let (x, y) = ((a.test_accuracy.mean, a.leakage.mean), (b.test_accuracy.mean, b.leakage.mean));
        y.0 >= x.0 && y.1 <= x.1 && x != y
    };
    let dominated: Vec<bool> = drawn.iter().map(|a| drawn.iter().any(|b| worse(a, b))).collect();
    drawn.iter_mut().zip(dominated).for_each(|(p, d)| p.pareto = !d);
    let sets = sets(&places, options.family.alpha)?;
    let recommended = recommended(&sets, &drawn, comparisons, options.family.relevant.accuracy);
    let sentence = sentence(&drawn, &sets, &recommended, &drawn[best].recipe, options.family.relevant.accuracy);
    let mut matched = Vec::new();
    for &(b, c) in &options.pairs {
        let Some(run) = options.runs.iter().find(|run| run.len() > 1 && run.contains(&b) && !run.contains(&c)) else {
            continue;
        };
        for at in [Property::TestAccuracy, Property::MemberAccuracy] {
            let difference = at_equal(at, run, c, &places)?;
            let name = |r: usize| recipes[r].name.clone();
            matched.push(MatchedDifference { baseline: name(b), candidate: name(c), at, difference });
        }
    }
    Ok(Some(Frontier { dataset: options.dataset.clone(), points: drawn, sets, recommended, sentence, matched }))
}

fn point(place: &Place<'_>, best: &Place<'_>, level: f64) -> Result<FrontierPoint, Error> {
    let none = Estimate { mean: 0.0, low: 0.0, high: 0.0 };
    let loss = if std::ptr::eq(place, best) { none } else { place.accuracy_beside(best)?.difference(level)? };
    let r = place.result;
    let attack = HEADLINE.name();
    Ok(FrontierPoint {
        recipe: r.name.clone(),
        checkpoint: r.checkpoint,
        test_accuracy: r.test_accuracy.unwrap_or(none),
        member_accuracy: r.member_accuracy,
        loss,
        leakage: r.attack(&attack).map_or(none, |a| a.auc),
        attack,
        pareto: false,
    })
}

/// One set per operating point, over the recipes of which something may be said: no condition withholds it, and there are blocks enough.
fn sets(places: &[Place<'_>], alpha: f64) -> Result<Vec<LeastSet>, Error> {
    let fair =
        |p: &&Place<'_>| condition::withholding(&p.result.conditions).is_none() && p.leakage.units() >= FEWEST_UNITS;
    let fair: Vec<&Place<'_>> = places.iter().filter(fair).collect();
    if fair.len() < 2 {
        return Ok(Vec::new());
    }
    let at = points(fair.iter().map(|p| p.non_members).min().unwrap_or(0));
    let share = alpha / at.len() as f64;
    // How two pools are matched takes a look at all of their memberships: once for both points.
    let sides: Vec<Vec<Sides<'_>>> =
        fair.iter().map(|i| fair.iter().map(|j| Sides::new(j.pool, i.pool)).collect()).collect();
    let of = |point: Point| {
        let difference =
            |i: usize, j: usize| sides[i][j].contrast((fair[j].scored, fair[i].scored), point.measure(), 1.0);
        let stays = cannot_be_told(fair.len(), share, &difference)?;
        let names = |wanted: bool| {
            let own = fair.iter().zip(&stays).filter(|(_, s)| **s == wanted);
            own.map(|(p, _)| p.result.name.clone()).collect()
        };
        Ok(LeastSet { metric: point.metric(), recipes: names(true), not_among_the_least: names(false) })
    };
    at.into_iter().map(of).collect()
}

/// Recipes in every set whose accuracy is not shown to lie more than `delta` below the best, without any that is said to leak more than another
/// one, or than which another leaks less.
fn recommended(sets: &[LeastSet], points: &[FrontierPoint], comparisons: &[Comparison], delta: f64) -> Vec<String> {
    let Some(first) = sets.first() else { return Vec::new() };
    let said_more = |name: &String| {
        comparisons
            .iter()
            .any(|c| (c.candidate == *name && headline::says_up(c)) || (c.baseline == *name && headline::says_down(c)))
    };
    let accurate = |name: &String| points.iter().any(|p| p.recipe == *name && p.loss.high > -delta);
    let all = first.recipes.iter().filter(|name| sets.iter().all(|s| s.recipes.contains(name)));
    all.filter(|name| accurate(name) && !said_more(name)).cloned().collect()
}

/// Recommended recipes that are named with their cost.
const NAMED: usize = 6;

fn sentence(points: &[FrontierPoint], sets: &[LeastSet], recommended: &[String], best: &str, delta: f64) -> String {
    let n = points.len();
    let Some(first) = sets.first() else {
        return format!(
            "Among these {n} recipes none is recommended: too few models, or too few recipes of which anything may be said"
        );
    };
    let of = first.recipes.len() + first.not_among_the_least.len();
    let among = if of < n {
        format!("Of the {of} among these {n} recipes that can be judged,")
    } else {
        format!("Of these {n} recipes,")
    };
    if recommended.is_empty() {
        return format!(
            "{among} none is recommended: no recipe is at once among the least leaking at every point, said to leak no more than another, and within {delta} of the best test accuracy"
        );
    }
    let cost = |name: &String| {
        let e =
            points.iter().find(|p| p.recipe == *name).map_or(Estimate { mean: 0.0, low: 0.0, high: 0.0 }, |p| p.loss);
        if name == best {
            format!("{name} (none is more accurate)")
        } else {
            format!("{name} (test accuracy {:+.3} [{:+.3}, {:+.3}] beside {best})", e.mean, e.low, e.high)
        }
    };
    let mut listed: Vec<String> = recommended.iter().take(NAMED).map(cost).collect();
    if recommended.len() > NAMED {
        listed.push(format!("and {} more", recommended.len() - NAMED));
    }
    let (them, they) = if recommended.len() == 1 {
        ("one is", "it cannot be told from the least leaking and is")
    } else {
        ("these are", "they cannot be told from the least leaking and are")
    };
    format!(
        "{among} {them} recommended: {}; {they} not shown to be relevantly less accurate than the best",
        listed.join(", ")
    )
}

/// The candidate's leakage less that of the baseline's run where it is as accurate.
fn at_equal(at: Property, run: &[usize], candidate: usize, places: &[Place<'_>]) -> Result<Option<Estimate>, Error> {
    let units = places[candidate].units;
    // Accuracies are of the blocks that have targets.
    let blocks = units.all_blocks();
    let accuracy = |r: usize, without: Option<UnitId>| {
        let values = if at == Property::TestAccuracy { &places[r].test } else { &places[r].member };
        let is_left = |block: BlockId| without.is_none() || units.of(block) != without;
        let kept: Vec<f64> = values.iter().zip(&blocks).filter(|(_, b)| is_left(**b)).map(|(v, _)| *v).collect();
        moments::mean(&kept)
    };
    let leakage = |r: usize, without: Option<UnitId>| {
        let found = &places[r].leakage;
        match without {
            None => Some(found.estimate()),
            Some(unit) => (unit.index() < found.units()).then(|| found.without(unit.index())),
        }
    };
    let difference = |without: Option<UnitId>| -> Option<f64> {
        let mut curve: Vec<(usize, f64, f64)> = Vec::new();
        for &r in run {
            curve.push((places[r].result.checkpoint, accuracy(r, without), leakage(r, without)?));
        }
        curve.sort_by_key(|p| p.0);
        let wanted = accuracy(candidate, without);
        Some(leakage(candidate, without)? - interpolated(&curve, wanted)?)
    };
    let Some(whole) = difference(None) else { return Ok(None) };
    let left_out: Option<Vec<f64>> = units.ids().map(|unit| difference(Some(unit))).collect();
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
    fn the_recommended_are_in_every_set_and_accurate_enough() {
        let estimate = |mean: f64| Estimate { mean, low: mean - 0.004, high: mean + 0.004 };
        let point = |name: &str, loss: f64| FrontierPoint {
            recipe: name.into(),
            checkpoint: 1,
            test_accuracy: estimate(0.8 + loss),
            member_accuracy: estimate(1.0),
            loss: estimate(loss),
            attack: "strongest".into(),
            leakage: estimate(0.6),
            pareto: false,
        };
        let points = [point("a", 0.0), point("b", -0.005), point("c", -0.1), point("d", -0.012)];
        let set = |metric: &str, stays: &[&str], leaves: &[&str]| LeastSet {
            metric: metric.parse().unwrap(),
            recipes: stays.iter().map(|s| (*s).into()).collect(),
            not_among_the_least: leaves.iter().map(|s| (*s).into()).collect(),
        };
        let sets =
            [set("strongest.auc", &["b", "c", "d"], &["a"]), set("strongest.tpr@0.01", &["a", "b", "c", "d"], &[])];
        let found = recommended(&sets, &points, &[], 0.01);
        assert_eq!(found, ["b", "d"]);
        let text = sentence(&points, &sets, &found, "a", 0.01);
        assert!(text.starts_with("Of these 4 recipes, these are recommended: b "), "{text}");
        assert!(text.contains("b (test accuracy -0.005 [-0.009, -0.001] beside a)") && !text.contains("c ("), "{text}");
        assert!(recommended(&[], &points, &[], 0.01).is_empty());
        assert!(sentence(&points, &[], &[], "a", 0.01).contains("none is recommended: too few models"));
        let apart = [set("strongest.auc", &["c"], &["a", "b", "d"]), sets[1].clone()];
        assert!(recommended(&apart, &points, &[], 0.01).is_empty());
        assert!(sentence(&points, &apart, &[], "a", 0.01).contains("no recipe is at once"));
    }
}
