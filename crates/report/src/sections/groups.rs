//! Known groups: accuracy, memorization and leakage of each.

use askama::Template;
use flatleak_results::{Comparison, Estimate, GroupProperty, GroupResult, Metric};
use flatleak_verdict::HEADLINE;

use crate::cell;
use crate::context::Context;
use crate::plot::curves::{Curve, draw};
use crate::plot::{self, Axes, Data, Figure};

pub(super) const TITLE: &str = "Known groups";

#[derive(Template)]
#[template(path = "../src/sections/groups.html")]
struct Groups<'a> {
    context: &'a Context<'a>,
    groups: Vec<Row<'a>>,
    figure: Option<Figure>,
    /// Whether leakage by group was measured.
    leak: bool,
}

/// One group over all recipes.
struct Row<'a> {
    first: &'a GroupResult,
    /// One place per recipe; a recipe whose models do not all have members and non-members of the group has none.
    all: Vec<Option<&'a GroupResult>>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let all: Vec<_> = context.document.explain.groups.iter().filter(|g| context.covers(&g.dataset)).collect();
    let recipes = context.explained();
    let mut groups: Vec<Row<'_>> = Vec::new();
    for g in &all {
        if !groups.iter().any(|r| r.first.name == g.name) {
            let of = |r: &&str| all.iter().copied().find(|x| x.recipe == **r && x.name == g.name);
            groups.push(Row { first: g, all: recipes.iter().map(of).collect() });
        }
    }
    let leak = groups.iter().flat_map(|g| &g.all).flatten().any(|g| found(g).is_some());
    (!groups.is_empty()).then(|| Groups { context, groups, figure: figure(context, &recipes, &all), leak })
}

/// AUC and share found of the attack that is tabled.
fn found(g: &GroupResult) -> Option<(&Estimate, &Estimate)> {
    g.leakage.iter().find(|l| l.attack == HEADLINE.name()).map(|l| (&l.auc, &l.tpr))
}

/// AUC and share found of a group, or dashes.
fn leakage(g: &Option<&GroupResult>) -> String {
    let found = g.and_then(found);
    cell::optional(found.map(|f| f.0), cell::value) + &cell::optional(found.map(|f| f.1), cell::percent)
}

/// Accuracy on unseen examples: held-out where there are any, else the pool's.
fn unseen(g: &Option<&GroupResult>) -> String {
    cell::optional(g.map(|g| g.test_accuracy.as_ref().unwrap_or(&g.non_member_accuracy)), cell::percent)
}

/// Memorization of a group.
fn memorized(g: &Option<&GroupResult>) -> String {
    cell::optional(g.map(|g| &g.memorization), cell::value)
}

/// The paired difference of a group's accuracy on unseen examples.
fn accuracy(c: &Comparison, g: &GroupResult) -> String {
    let property = match g.test_accuracy {
        Some(_) => GroupProperty::TestAccuracy,
        None => GroupProperty::NonMemberAccuracy,
    };
    let said = |e: &Estimate| {
        let text = format!("{:+.2} ± {:.2} %", 100.0 * e.mean, 50.0 * (e.high - e.low)).replace('-', "−");
        cell::estimate(e, &text)
    };
    cell::optional(difference(c, g, property), said)
}

/// The paired difference of a group's memorization.
fn memorization(c: &Comparison, g: &GroupResult) -> String {
    cell::optional(difference(c, g, GroupProperty::Memorization), cell::signed)
}

fn difference<'a>(c: &'a Comparison, g: &GroupResult, property: GroupProperty) -> Option<&'a Estimate> {
    let metric = Metric::Group { property, group: g.name.clone() };
    c.metrics.iter().find(|m| m.metric == metric).map(|m| &m.difference)
}

/// Leakage of each group against its share of the pool, one line a recipe.
fn figure(context: &Context<'_>, recipes: &[&str], all: &[&GroupResult]) -> Option<Figure> {
    let leak = |g: &GroupResult| found(g).map(|(auc, _)| *auc);
    let values: Vec<Estimate> = all.iter().filter_map(|g| leak(g)).collect();
    if values.is_empty() {
        return None;
    }
    let log = |g: &GroupResult| g.frequency.max(1e-6).log10();
    let logs = || all.iter().map(|g| log(g));
    let (low, high) = (logs().fold(f64::INFINITY, f64::min), logs().fold(f64::NEG_INFINITY, f64::max));
    let pad = 0.05 * (high - low).max(0.2);
    let axes = Axes::new((low - pad, high + pad), plot::reach(values.iter()));
    let steps = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5].map(|v: f64| (v.log10(), format!("{} %", 100.0 * v)));
    let xs: Vec<plot::Tick> = steps.into_iter().filter(|(v, _)| (axes.x.0..=axes.x.1).contains(v)).collect();
    let mut data = Data::new(&["recipe", "group", "frequency", "auc", "low", "high"]);
    let mut curves = Vec::new();
    for recipe in recipes {
        let mut own: Vec<(&GroupResult, Estimate)> =
            all.iter().filter(|g| g.recipe == **recipe).filter_map(|g| Some((*g, leak(g)?))).collect();
        own.sort_by(|a, b| a.0.frequency.total_cmp(&b.0.frequency));
        for (g, e) in &own {
            let texts = [(*recipe).into(), g.name.as_str().into()];
            data.push(texts.into_iter().chain([g.frequency, e.mean, e.low, e.high].map(plot::Datum::Number)).collect());
        }
        let points = own.iter().map(|(g, e)| (log(g), *e)).collect();
        curves.push(Curve { recipe, hue: context.hue(recipe), points, said: format!("{} groups", own.len()) });
    }
    let mut body = axes.frame((&xs, "share of the pool"), (&plot::round(axes.y, 5), "AUC within the group"));
    body += &draw(&axes, &curves);
    Some(Figure {
        id: context.id("fig-groups"),
        name: "Leakage of each group against its size".into(),
        height: axes.height,
        body,
        legend: context.legend(recipes.iter().copied()),
        caption: format!("Leakage of each group (AUC, {HEADLINE}) against its size; bands are 95 %."),
        data,
        class: "",
    })
}
