//! Differences over all data sets.

use askama::Template;
use flatleak_results::{Document, Measure, MetricDifference, Word};
use flatleak_verdict::headline_metric;

use crate::context::Context;
use crate::plot::Figure;

pub(super) const TITLE: &str = "Over all data sets";

#[derive(Template)]
#[template(path = "../src/sections/pooled.html")]
struct Pooled<'a> {
    context: &'a Context<'a>,
    figures: Vec<Figure>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let figures = forests(context.document);
    (!figures.is_empty()).then_some(Pooled { context, figures })
}

/// One forest per pair of recipes over all data sets: the pooled AUC differences of every attack.
fn forests(d: &Document) -> Vec<Figure> {
    let mut out: Vec<(String, Vec<MetricDifference>)> = Vec::new();
    for p in d.pooled.iter().filter(|p| p.metric.is_auc()) {
        let title = format!("{} minus {}", p.candidate, p.baseline);
        let headline = (p.metric == headline_metric(Measure::Auc)).then_some(p.p_value);
        let row = MetricDifference {
            metric: p.metric.clone(),
            difference: p.difference,
            standard_error: 0.0,
            degrees: None,
            p_value: p.p_value,
            p_adjusted: headline,
            word: Word::Open,
        };
        match out.last_mut().filter(|(t, _)| *t == title) {
            Some((_, rows)) => rows.push(row),
            None => out.push((title, vec![row])),
        }
    }
    super::differences::forest(out, &|k| format!("fig-pooled-{}", k + 1), d.family.relevant.auc)
}
