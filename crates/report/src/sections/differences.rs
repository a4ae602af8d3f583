//! The differences between recipes.

use askama::Template;
use flatleak_results::{Comparison, MetricDifference, Pairing, PointResult, Word};

use crate::context::Context;
use crate::plot::rows::{Look, Row, Scale, around_zero, draw};
use crate::plot::{self, Data, Figure};
use crate::{cell, say};

pub(super) const TITLE: &str = "The differences";

#[derive(Template)]
#[template(path = "../src/sections/differences.html")]
struct Differences<'a> {
    context: &'a Context<'a>,
    /// Whether all comparisons are model by model.
    paired: bool,
    /// AUC differences of every comparison, on one scale.
    forests: Vec<Figure>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let paired = context.comparisons.iter().all(|c| c.pairing == Pairing::Paired);
    (!context.comparisons.is_empty()).then(|| Differences { context, paired, forests: forests(context) })
}

/// One forest a comparison: the AUC differences of every attack. All share one scale.
fn forests(context: &Context<'_>) -> Vec<Figure> {
    /// More comparisons than are drawn.
    const MOST: usize = 12;
    let of = |c: &'_ Comparison| c.metrics.iter().filter(|m| m.metric.is_auc()).cloned().collect::<Vec<_>>();
    let found: Vec<(String, Vec<MetricDifference>)> = context
        .comparisons
        .iter()
        .take(MOST)
        .map(|c| (format!("{} minus {}", c.candidate, c.baseline), of(c)))
        .collect();
    forest(found, &|k| context.id(&format!("fig-difference-{}", k + 1)), context.document.family.relevant.auc)
}

/// Differences by attack with their intervals around zero, one figure a title, all on one scale; names of corrected metrics in bold.
pub(super) fn forest(
    found: Vec<(String, Vec<MetricDifference>)>,
    id: &dyn Fn(usize) -> String,
    relevant: f64,
) -> Vec<Figure> {
    let ends = around_zero(found.iter().flat_map(|(_, m)| m).map(|m| &m.difference));
    let one = |(k, (title, metrics)): (usize, (String, Vec<MetricDifference>))| {
        let mut data = Data::new(&["metric", "difference", "low", "high", "p"]);
        let mut rows = Vec::new();
        for m in &metrics {
            let e = m.difference;
            data.push(vec![
                m.metric.to_string().as_str().into(),
                e.mean.into(),
                e.low.into(),
                e.high.into(),
                m.p_value.into(),
            ]);
            rows.push(Row {
                name: m.metric.attack_name().unwrap_or_default().to_owned(),
                bold: m.p_adjusted.is_some(),
                estimate: e,
                said: say::signed(&e),
                look: Look::Sure(e.low > 0.0 || e.high < 0.0),
            });
        }
        let scale = Scale {
            ends,
            ticks: plot::round(ends, 6),
            reference: Some((0.0, "")),
            zone: Some((-relevant.min(ends.1), relevant.min(ends.1))),
            below: ("← leaks less", "leaks more →"),
            bars: false,
        };
        let (height, body) = draw(&rows, &scale);
        Figure {
            id: id(k),
            name: format!("AUC, {title}"),
            height,
            body,
            legend: Vec::new(),
            caption: format!("AUC, {title}; 95 % intervals."),
            data,
            class: "",
        }
    };
    found.into_iter().enumerate().map(one).collect()
}

/// What these models can tell at a point that is open, and how many could tell more.
fn planned(p: &PointResult, models: usize) -> (String, String) {
    if p.word != Word::Open {
        return ("–".into(), "–".into());
    }
    let some = |n: Option<usize>| n.map_or("over 10000".into(), |n| n.to_string());
    // Fewer than there are were not enough.
    let low = |n: Option<usize>| n.map(|n| n.max(models));
    let needed = p.models_needed.map(|n| format!("{} ({} to {})", some(n.about), some(low(n.low)), some(n.high)));
    (p.detectable.map_or("–".into(), |d| format!("{d:.4}")), needed.unwrap_or("–".into()))
}
