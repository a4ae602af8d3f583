//! Every figure of results as one long table, a figure a row.

use flatleak_results::{
    Comparison, Document, Estimate, Measure, Metric, PointResult, PooledDifference, Property, RecipeResult,
    SMALLEST_GROUP,
};
use serde::Serialize;
use serde_json::Value;

use crate::columns::{Column, Table};

/// What kind of figure a row holds.
#[derive(Clone, Copy)]
enum Kind {
    /// Of a recipe.
    Recipe,
    /// Of a candidate less its baseline, with an interval of its own.
    Difference,
    /// The same at a headline's point, with the interval that holds for all of them together.
    Point,
    /// A difference over several data sets.
    Pooled,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Recipe => "recipe",
            Self::Difference => "difference",
            Self::Point => "point",
            Self::Pooled => "pooled",
        }
    }
}

/// One row.
struct Figure<'a> {
    kind: Kind,
    dataset: &'a str,
    recipe: &'a str,
    baseline: &'a str,
    metric: String,
    estimate: Estimate,
    level: f64,
    p: Option<f64>,
    p_adjusted: Option<f64>,
    word: String,
    models: Option<usize>,
}

/// Level of every interval that is no point's.
const LEVEL: f64 = 0.95;

/// All figures of recipes, comparisons and summaries: `kind, dataset, recipe, baseline, metric, estimate, low, high, level, p_value, p_adjusted, word,
/// models`. Differences are recipe less baseline; what a row has not is empty. Groups of fewer than [`SMALLEST_GROUP`] examples have no row.
pub(crate) fn table(d: &Document) -> Table {
    let mut rows: Vec<Figure<'_>> = d.recipes.iter().flat_map(of_recipe).collect();
    let large = |metric: &Metric| {
        let Some(group) = metric.group() else { return true };
        let mut all = d.explain.groups.iter().filter(|g| g.name == group).peekable();
        all.peek().is_some() && all.all(|g| g.pool >= SMALLEST_GROUP)
    };
    rows.extend(d.comparisons.iter().flat_map(of_comparison));
    rows.extend(d.pooled.iter().flat_map(of_pooled));
    rows.retain(|row| row.metric.parse::<Metric>().is_ok_and(|m| large(&m)));
    let text = |of: &dyn Fn(&Figure<'_>) -> String| Column::Text(rows.iter().map(of).collect());
    let numbers = |of: &dyn Fn(&Figure<'_>) -> f64| Column::Numbers(rows.iter().map(of).collect());
    Table {
        columns: vec![
            ("kind", text(&|r| r.kind.name().into())),
            ("dataset", text(&|r| r.dataset.into())),
            ("recipe", text(&|r| r.recipe.into())),
            ("baseline", text(&|r| r.baseline.into())),
            ("metric", text(&|r| r.metric.clone())),
            ("estimate", numbers(&|r| r.estimate.mean)),
            ("low", numbers(&|r| r.estimate.low)),
            ("high", numbers(&|r| r.estimate.high)),
            ("level", numbers(&|r| r.level)),
            ("p_value", numbers(&|r| r.p.unwrap_or(f64::NAN))),
            ("p_adjusted", numbers(&|r| r.p_adjusted.unwrap_or(f64::NAN))),
            ("word", text(&|r| r.word.clone())),
            ("models", numbers(&|r| r.models.map_or(f64::NAN, |m| m as f64))),
        ],
    }
}

fn of_recipe(r: &RecipeResult) -> Vec<Figure<'_>> {
    let of = |metric: Metric, estimate: Estimate| Figure {
        kind: Kind::Recipe,
        dataset: &r.dataset,
        recipe: &r.name,
        baseline: "",
        metric: metric.to_string(),
        estimate,
        level: LEVEL,
        p: None,
        p_adjusted: None,
        word: String::new(),
        models: Some(r.models),
    };
    let test = r.test_accuracy.map(|e| (Property::TestAccuracy, e));
    let accuracies =
        [(Property::MemberAccuracy, r.member_accuracy), (Property::NonMemberAccuracy, r.non_member_accuracy)];
    let noisy = r.noise.iter().map(|n| (Property::NoisyAccuracy(n.deviation), n.accuracy));
    let properties = test.into_iter().chain(accuracies).chain(noisy);
    let mut out: Vec<Figure<'_>> = properties.map(|(property, e)| of(property.into(), e)).collect();
    for a in &r.attacks {
        let levels = a.tpr_at_fpr.iter().map(|t| Measure::Tpr(t.fpr));
        for measure in Measure::PLAIN.iter().copied().chain(levels) {
            out.extend(a.estimate(measure).map(|e| of(Metric::attack(&a.name, measure), e)));
        }
    }
    out
}

fn of_comparison(c: &Comparison) -> Vec<Figure<'_>> {
    let models = Some(c.models).filter(|m| *m > 0);
    let differences = c.metrics.iter().map(|m| Figure {
        kind: Kind::Difference,
        dataset: &c.dataset,
        recipe: &c.candidate,
        baseline: &c.baseline,
        metric: m.metric.to_string(),
        estimate: m.difference,
        level: LEVEL,
        p: Some(m.p_value),
        p_adjusted: m.p_adjusted,
        word: word(&m.word),
        models,
    });
    let points = c.points.iter().map(|p| point(p, Kind::Point, &c.dataset, (&c.candidate, &c.baseline), models));
    points.chain(differences).collect()
}

fn of_pooled(p: &PooledDifference) -> Vec<Figure<'_>> {
    let whole = Figure {
        kind: Kind::Pooled,
        dataset: "",
        recipe: &p.candidate,
        baseline: &p.baseline,
        metric: p.metric.to_string(),
        estimate: p.difference,
        level: LEVEL,
        p: Some(p.p_value),
        p_adjusted: None,
        word: String::new(),
        models: None,
    };
    let at_point = p.point.iter().map(|at| point(at, Kind::Pooled, "", (&p.candidate, &p.baseline), None));
    std::iter::once(whole).chain(at_point).collect()
}

fn point<'a>(
    p: &PointResult,
    kind: Kind,
    dataset: &'a str,
    (recipe, baseline): (&'a str, &'a str),
    models: Option<usize>,
) -> Figure<'a> {
    Figure {
        kind,
        dataset,
        recipe,
        baseline,
        metric: p.metric.to_string(),
        estimate: p.difference,
        level: p.level,
        p: None,
        p_adjusted: Some(p.p_adjusted),
        word: word(&p.word),
        models,
    }
}

/// A word as `results.json` has it.
fn word(word: &impl Serialize) -> String {
    serde_json::to_value(word).ok().as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
}
