//! How widely the outputs spread, and what the difference comes from.

use askama::Template;
use flatleak_results::{
    AttributionResult, Difference, Estimate, MemorizationDifference, Over, Side, VarianceDifference, VarianceResult,
};

use crate::context::Context;
use crate::plot::rows::{Look, Row as Bar, Scale, around_zero, draw};
use crate::plot::{self, Data, Figure};
use crate::{cell, say};

pub(super) const TITLE: &str = "How widely the outputs spread";

#[derive(Template)]
#[template(path = "../src/sections/variance.html")]
struct Spread<'a> {
    context: &'a Context<'a>,
    rows: Vec<Row<'a>>,
    /// Names the columns of differences.
    differences: Vec<&'a MemorizationDifference>,
    attribution: Vec<Figure>,
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
    let attribution = parts(context, &attribution.collect::<Vec<_>>());
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

/// The parts of every difference in advantage with their intervals, on one scale.
fn parts(context: &Context<'_>, all: &[&AttributionResult]) -> Vec<Figure> {
    let named = |a: &AttributionResult| -> Vec<(&'static str, Estimate)> {
        let rows = [
            ("mean gap", Some(a.gap)),
            ("spread, members", Some(a.member_spread)),
            ("spread, non-members", Some(a.non_member_spread)),
            ("all, if normal", Some(a.gaussian)),
            ("as observed", a.observed),
            ("relative spread, members", a.relative_member_spread),
            ("relative spread, non-m.", a.relative_non_member_spread),
        ];
        rows.into_iter().filter_map(|(name, d)| d.map(|d| (name, d.estimate))).collect()
    };
    let found: Vec<_> = all.iter().map(|a| named(a)).collect();
    let ends = around_zero(found.iter().flatten().map(|(_, e)| e));
    let scale = Scale {
        ends,
        ticks: plot::round(ends, 5),
        reference: Some((0.0, "")),
        zone: None,
        below: ("← helps less", "helps more →"),
        bars: false,
    };
    all.iter().zip(&found).enumerate().map(|(k, (a, rows))| part(context, a, (rows, &scale), k)).collect()
}

/// One of these figures.
fn part(
    context: &Context<'_>,
    a: &AttributionResult,
    (rows, scale): (&[(&'static str, Estimate)], &Scale<'_>),
    k: usize,
) -> Figure {
    let mut data = Data::new(&["part", "difference", "low", "high"]);
    for (name, e) in rows {
        data.push(vec![(*name).into(), e.mean.into(), e.low.into(), e.high.into()]);
    }
    let bar = |(name, e): &(&str, Estimate)| Bar {
        name: (*name).to_owned(),
        bold: false,
        estimate: *e,
        said: say::signed(e),
        look: Look::Sure(e.low > 0.0 || e.high < 0.0),
    };
    let (height, body) = draw(&rows.iter().map(bar).collect::<Vec<_>>(), scale);
    let remainder = a.remainder.map_or(String::new(), |r| say::prose(&format!(" Not normal: {r:+.4}.")));
    Figure {
        id: context.id(&format!("fig-parts-{}", k + 1)),
        name: format!("Parts of the difference in advantage, {} minus {}", a.candidate, a.baseline),
        height,
        body,
        legend: Vec::new(),
        caption: format!(
            "{} minus {}. Distance of the means in deviations of non-members: {} against {}. Spread of members to that of non-members: {} against {}.{remainder}",
            a.candidate,
            a.baseline,
            optional(&a.candidate_moments.gap_in_deviations),
            optional(&a.baseline_moments.gap_in_deviations),
            optional(&a.candidate_moments.deviation_ratio),
            optional(&a.baseline_moments.deviation_ratio),
        ),
        data,
        class: "",
    }
}
