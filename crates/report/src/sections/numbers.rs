//! Three figures a recipe: how accurate, how exposed, how many are found.

use askama::Template;
use flatleak_results::{Estimate, Measure, Metric, RecipeResult};
use flatleak_verdict::{HEADLINE, headline_metric};

use crate::context::Context;
use crate::plot::rows::{Look, Row, Scale, draw};
use crate::plot::{self, Data, Figure, Tick};
use crate::{cell, say};

pub(super) const TITLE: &str = "The numbers that matter";

#[derive(Template)]
#[template(path = "../src/sections/numbers.html")]
struct Numbers<'a> {
    context: &'a Context<'a>,
    figures: Vec<Figure>,
    /// Level of the FPR that the sample supports, and what guessing finds there.
    level: Option<(f64, f64)>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let level = supported(context);
    let auc = headline_metric(Measure::Auc);
    let mut shown = vec![Shown::accuracy(context), Shown::leakage(&auc)];
    let tpr = level.map(|(fpr, _)| headline_metric(Measure::Tpr(fpr)));
    shown.extend(tpr.iter().zip(level).map(|(metric, level)| Shown::found(metric, level)));
    let figures = shown.iter().filter_map(|s| bars(context, s, &context.id(s.id))).collect();
    (!context.recipes.is_empty()).then_some(Numbers { context, figures, level })
}

/// The FPR of the verdict; where there is none, the smallest at which every recipe has five false positives or more.
pub(crate) fn supported(context: &Context<'_>) -> Option<(f64, f64)> {
    let of = |metric: &Metric| match metric {
        Metric::Attack { measure: Measure::Tpr(fpr), .. } => Some(*fpr),
        _ => None,
    };
    let guessed = context.recipes.iter().filter_map(|r| r.guessing.as_ref()).flat_map(|g| &g.points);
    let decided = context.comparisons.iter().flat_map(|c| &c.points).find_map(|p| of(&p.metric));
    let decided = decided.or_else(|| guessed.clone().find_map(|p| of(&p.metric)));
    let headline = |r: &&'_ RecipeResult| r.attack(&HEADLINE.name()).map(|a| a.tpr_at_fpr.clone());
    let all: Vec<_> = context.recipes.iter().filter_map(headline).collect();
    let reliable = |fpr: f64| all.iter().all(|levels| levels.iter().any(|t| t.fpr == fpr && t.reliable));
    let fpr = decided.or_else(|| all.first()?.iter().map(|t| t.fpr).find(|fpr| reliable(*fpr)))?;
    let chance = all.iter().flatten().filter(|t| t.fpr == fpr).map(|t| t.chance).fold(0.0, f64::max);
    Some((fpr, chance))
}

/// A property that is drawn for every recipe.
pub(crate) struct Shown<'a> {
    id: &'static str,
    /// Of the figure.
    name: String,
    /// Under the scale.
    title: String,
    /// What whoever guesses gets.
    guessing: Option<f64>,
    of: Property<'a>,
}

/// Where its values come from.
enum Property<'a> {
    TestAccuracy,
    NonMemberAccuracy,
    Attack(&'a Metric),
}

impl<'a> Shown<'a> {
    /// On held-out examples; where there are none, on those of the pool that a model was not trained on.
    fn accuracy(context: &Context<'_>) -> Self {
        let (name, title, of) = if context.recipes.iter().any(|r| r.test_accuracy.is_some()) {
            ("Accuracy on held-out examples", "test accuracy", Property::TestAccuracy)
        } else {
            (
                "Accuracy on non-members: no examples were held out",
                "accuracy on non-members",
                Property::NonMemberAccuracy,
            )
        };
        Self { id: "fig-accuracy", name: name.into(), title: title.into(), guessing: None, of }
    }

    /// The AUC of the strongest attack.
    pub(crate) fn leakage(auc: &'a Metric) -> Self {
        let (name, title) = ("Leakage against guessing".into(), "AUC of the strongest attack".into());
        Self { id: "fig-leakage", name, title, guessing: Some(0.5), of: Property::Attack(auc) }
    }

    fn found(tpr: &'a Metric, (fpr, chance): (f64, f64)) -> Self {
        let name = format!("Members found while {} % of the others are accused wrongly", 100.0 * fpr);
        let title = format!("members found (TPR @ {} % FPR)", 100.0 * fpr);
        let guessing = Some(if chance > 0.0 { chance } else { fpr });
        Self { id: "fig-found", name, title, guessing, of: Property::Attack(tpr) }
    }

    fn value(&self, r: &RecipeResult) -> Option<Estimate> {
        match self.of {
            Property::TestAccuracy => r.test_accuracy,
            Property::NonMemberAccuracy => Some(r.non_member_accuracy),
            Property::Attack(metric) => attacked(r, metric),
        }
    }
}

/// What an attack reaches on a recipe.
fn attacked(r: &RecipeResult, metric: &Metric) -> Option<Estimate> {
    let Metric::Attack { attack, measure } = metric else { return None };
    r.attack(attack)?.estimate(*measure)
}

/// One bar a recipe with its interval.
pub(crate) fn bars(context: &Context<'_>, shown: &Shown<'_>, id: &str) -> Option<Figure> {
    let found: Vec<(&RecipeResult, Estimate)> =
        context.recipes.iter().filter_map(|r| Some((*r, shown.value(r)?))).collect();
    if found.is_empty() {
        return None;
    }
    let several = context.dataset().is_none() && context.document.study.datasets.len() > 1;
    let mut data = Data::new(&["recipe", "dataset", "value", "low", "high"]);
    let mut rows = Vec::new();
    for (r, e) in &found {
        data.push(vec![r.name.as_str().into(), r.dataset.as_str().into(), e.mean.into(), e.low.into(), e.high.into()]);
        rows.push(Row {
            name: if several { format!("{} ({})", r.name, r.dataset) } else { r.name.clone() },
            bold: false,
            estimate: *e,
            said: say::percent(e),
            look: Look::Recipe(r.name.clone(), context.hue(&r.name)),
        });
    }
    let (ends, ticks) = range(shown, &found);
    let scale = Scale {
        ends,
        ticks,
        reference: shown.guessing.map(|v| (v, "guessing")),
        zone: None,
        below: ("", &shown.title),
        bars: shown.guessing.is_some(),
    };
    let (height, body) = draw(&rows, &scale);
    let caption = format!("{}.", shown.name);
    Some(Figure {
        id: id.into(),
        name: shown.name.clone(),
        height,
        body,
        legend: Vec::new(),
        caption,
        data,
        class: "small",
    })
}

/// Ends and ticks: rates of attacks from guessing on, accuracies as far apart as they are.
fn range(shown: &Shown<'_>, found: &[(&RecipeResult, Estimate)]) -> ((f64, f64), Vec<Tick>) {
    let (low, high) = plot::reach(found.iter().map(|(_, e)| e));
    let is_auc = matches!(shown.of, Property::Attack(m) if m.is_auc());
    match shown.guessing {
        Some(_) if is_auc => {
            let ends = (low.min(0.5), high.clamp(0.6, 1.0));
            (ends, plot::round(ends, 5))
        }
        Some(chance) => {
            let ends = (0.0, high.max(3.0 * chance).min(1.0));
            (ends, plot::percents(ends, 4))
        }
        None => {
            let room = (0.04 - (high - low)).max(0.0) / 2.0;
            let ends = ((low - room).max(0.0), (high + room).min(1.0));
            (ends, plot::percents(ends, 4))
        }
    }
}

/// The AUC in the table.
fn leakage(r: &RecipeResult) -> String {
    cell::optional(attacked(r, &headline_metric(Measure::Auc)).as_ref(), cell::value)
}

/// The TPR in the table.
fn found(r: &RecipeResult, fpr: &f64) -> String {
    cell::optional(attacked(r, &headline_metric(Measure::Tpr(*fpr))).as_ref(), cell::percent)
}
