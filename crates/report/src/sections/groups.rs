//! Known groups: accuracy, memorization and leakage of each.

use std::fmt::Write;

use askama::Template;
use flatleak_results::{Comparison, Estimate, GroupProperty, GroupResult, Metric};
use flatleak_verdict::HEADLINE;

use crate::context::Context;
use crate::plot::{self, Axes};
use crate::say;

#[derive(Template)]
#[template(path = "../src/sections/groups.html")]
struct Groups<'a> {
    context: &'a Context<'a>,
    groups: Vec<Row<'a>>,
    figure: String,
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
    (!groups.is_empty()).then(|| Groups { context, groups, figure: figure(&recipes, &all), leak })
}

/// AUC and share found of the attack that is tabled.
fn found(g: &GroupResult) -> Option<(&Estimate, &Estimate)> {
    g.leakage.iter().find(|l| l.attack == HEADLINE.name()).map(|l| (&l.auc, &l.tpr))
}

/// AUC and share found of a group, or dashes.
fn leakage(g: &Option<&GroupResult>) -> (String, String) {
    g.and_then(found).map_or(("–".into(), "–".into()), |(auc, tpr)| (say::value(auc), say::percent(tpr)))
}

/// Accuracy on unseen examples: held-out where there are any, else the pool's.
fn unseen(g: &GroupResult) -> String {
    say::percent(g.test_accuracy.as_ref().unwrap_or(&g.non_member_accuracy))
}

/// The paired difference of a group's accuracy on unseen examples.
fn accuracy(c: &Comparison, g: &GroupResult) -> String {
    let property = match g.test_accuracy {
        Some(_) => GroupProperty::TestAccuracy,
        None => GroupProperty::NonMemberAccuracy,
    };
    let said = |e: &Estimate| format!("{:+.2} ± {:.2} %", 100.0 * e.mean, 50.0 * (e.high - e.low)).replace('-', "−");
    difference(c, g, property).map_or("–".into(), said)
}

/// The paired difference of a group's memorization.
fn memorization(c: &Comparison, g: &GroupResult) -> String {
    difference(c, g, GroupProperty::Memorization).map_or("–".into(), say::signed)
}

fn difference<'a>(c: &'a Comparison, g: &GroupResult, property: GroupProperty) -> Option<&'a Estimate> {
    let metric = Metric::Group { property, group: g.name.clone() };
    c.metrics.iter().find(|m| m.metric == metric).map(|m| &m.difference)
}

/// Leakage of each group against its share of the pool, one line per recipe.
fn figure(recipes: &[&str], all: &[&GroupResult]) -> String {
    let found = |g: &GroupResult| found(g).map(|(auc, _)| auc.mean);
    let values: Vec<f64> = all.iter().filter_map(|g| found(g)).collect();
    if values.is_empty() {
        return String::new();
    }
    let logs = || all.iter().map(|g| g.frequency.max(1e-6).log10());
    let (low, high) = (logs().fold(f64::INFINITY, f64::min), logs().fold(f64::NEG_INFINITY, f64::max));
    let pad = 0.05 * (high - low).max(0.2);
    let (least, most) = values.iter().fold((1.0f64, 0.0f64), |(a, b), v| (a.min(*v), b.max(*v)));
    let axes = Axes { x: (low - pad, high + pad), y: (least - 0.02, most + 0.02) };
    let steps = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5].map(|v: f64| (v.log10(), format!("{} %", 100.0 * v)));
    let xs: Vec<(f64, String)> = steps.into_iter().filter(|(v, _)| (axes.x.0..=axes.x.1).contains(v)).collect();
    let ys = [least, 0.5 * (least + most), most].map(|v| (v, format!("{v:.2}")));
    let mut body = axes.frame((&xs, "share of the pool"), (&ys, "AUC within the group"));
    for (k, recipe) in recipes.iter().enumerate() {
        let mut points: Vec<(f64, f64)> = all
            .iter()
            .filter(|g| g.recipe == **recipe)
            .filter_map(|g| Some((g.frequency.max(1e-6).log10(), found(g)?)))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let _ = write!(body, "<path class='line c{}' d='{}'/>", k % 6, axes.path(points.into_iter()));
    }
    plot::svg(plot::HEIGHT, "Leakage by group against its frequency", &body)
}
