//! How widely the outputs spread, and what the difference comes from.

use askama::Template;
use flatleak_results::{
    AttributionResult, Difference, Estimate, MemorizationDifference, Over, Side, VarianceDifference, VarianceResult,
};

use crate::context::Context;
use crate::{plot, say};

#[derive(Template)]
#[template(path = "../src/sections/variance.html")]
struct Spread<'a> {
    context: &'a Context<'a>,
    rows: Vec<Row<'a>>,
    /// Names the columns of differences.
    differences: Vec<&'a MemorizationDifference>,
    attribution: Vec<(&'a AttributionResult, String)>,
}

/// One kind of variance over all recipes, and its differences.
struct Row<'a> {
    name: String,
    all: Vec<&'a VarianceResult>,
    differences: Vec<&'a Difference>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let explain = &context.document.explain;
    let rows = rows(context);
    let differences = explain.memorization_differences.iter().filter(|m| context.covers(&m.dataset)).collect();
    let attribution = explain.attribution.iter().filter(|a| context.covers(&a.dataset));
    let attribution: Vec<_> = attribution.map(|a| (a, parts(a))).collect();
    let any = !rows.is_empty() || !attribution.is_empty();
    any.then_some(Spread { context, rows, differences, attribution })
}

fn rows<'a>(context: &Context<'a>) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    let explain = &context.document.explain;
    for v in explain.variance.iter().filter(|v| context.covers(&v.dataset)) {
        let sides = if v.side == Side::Member { "members" } else { "non-members" };
        let over = if v.over == Over::Models { "across models, per example" } else { "across examples, per model" };
        let name = format!("{}, {sides}, {over}", v.signal);
        match rows.iter_mut().find(|r| r.name == name) {
            Some(row) => row.all.push(v),
            None => {
                let same = |x: &&VarianceDifference| {
                    context.covers(&x.dataset) && x.signal == v.signal && x.side == v.side && x.over == v.over
                };
                let differences = explain.variance_differences.iter().filter(same).map(|x| &x.difference).collect();
                rows.push(Row { name, all: vec![v], differences });
            }
        }
    }
    rows
}

fn optional(v: &Option<f64>) -> String {
    v.map_or("–".into(), |v| format!("{v:.2}"))
}

/// The parts of a difference in advantage with their intervals.
fn parts(a: &AttributionResult) -> String {
    let rows: Vec<(&str, Estimate)> = [
        ("mean gap", Some(a.gap)),
        ("spread, members", Some(a.member_spread)),
        ("spread, non-members", Some(a.non_member_spread)),
        ("all, if normal", Some(a.gaussian)),
        ("as observed", a.observed),
        ("relative spread, members", a.relative_member_spread),
        ("relative spread, non-m.", a.relative_non_member_spread),
    ]
    .into_iter()
    .filter_map(|(name, d)| d.map(|d| (name, d.estimate)))
    .collect();
    plot::whiskers(
        &rows,
        ("← helps less", "helps more →"),
        "Parts of the difference in advantage, helping the attacker to the right",
    )
}
