//! The answer: in everyday words, with its size and its certainty, and one picture.

use askama::Template;
use flatleak_results::{Estimate, Metric};
use flatleak_verdict::HEADLINE;

use crate::context::Context;
use crate::plain::{self, Plain};
use crate::plot::rows::{Look, Row, Scale, around_zero, draw};
use crate::plot::{self, Data, Figure};
use crate::say;

pub(super) const TITLE: &str = "The answer";

/// Most rows of the picture of differences.
const ROWS: usize = 8;

#[derive(Template)]
#[template(path = "../src/sections/answer.html")]
struct Answer<'a> {
    context: &'a Context<'a>,
    plain: Plain,
    size: Option<String>,
    /// The verdict with its figures, as the terminal has it.
    exact: Vec<String>,
    figure: Option<Figure>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let d = context.document;
    let figure = differences(context).or_else(|| leakage(context));
    let exact = say::parts(&d.headline.sentence);
    Some(Answer { context, plain: plain::of(d), size: plain::size(d), exact, figure })
}

/// The points of every comparison, in units of the smallest difference that matters: AUC and TPR on one scale.
fn differences(context: &Context<'_>) -> Option<Figure> {
    let several = context.document.study.datasets.len() > 1;
    let mut data = Data::new(&[
        "candidate",
        "baseline",
        "dataset",
        "metric",
        "difference",
        "low",
        "high",
        "smallest that matters",
    ]);
    let mut rows = Vec::new();
    for c in &context.document.comparisons {
        for p in c.points.iter().filter(|p| p.relevant > 0.0) {
            let e = p.difference;
            let [mean, low, high] = [e.mean, e.low, e.high].map(|v| v / p.relevant);
            let place = if several { format!(" ({})", c.dataset) } else { String::new() };
            rows.push(Row {
                name: format!("{} − {}{place}: {}", c.candidate, c.baseline, plain::everyday(&p.metric)),
                bold: false,
                estimate: Estimate { mean, low, high },
                said: format!("{} {}, relevant from {:.4} on", p.metric, say::signed(&e), p.relevant),
                look: Look::Sure(low > 0.0 || high < 0.0),
            });
            data.push(vec![
                c.candidate.as_str().into(),
                c.baseline.as_str().into(),
                c.dataset.as_str().into(),
                p.metric.to_string().as_str().into(),
                e.mean.into(),
                e.low.into(),
                e.high.into(),
                p.relevant.into(),
            ]);
        }
    }
    if rows.is_empty() || rows.len() > ROWS {
        return None;
    }
    let (low, high) = around_zero(rows.iter().map(|r| &r.estimate));
    let ends = (low.min(-1.6), high.max(1.6));
    let scale = Scale {
        ends,
        ticks: plot::round(ends, 6),
        reference: Some((0.0, "no difference")),
        zone: Some((-1.0, 1.0)),
        below: ("← gives away less", "gives away more →"),
        bars: false,
    };
    let (height, body) = draw(&rows, &scale);
    Some(Figure {
        id: "fig-answer".into(),
        name: "Differences in leakage, in units of the smallest that matters".into(),
        height,
        body,
        legend: Vec::new(),
        caption: "Picks: how often the attacker picks the right one of a member and another example. Found: how many members it finds at few false \
                  alarms. All lines hold together with 95 % confidence. Inside the shaded band, from −1 to 1, a difference is too small to matter. Strong \
                  lines exclude no difference, pale ones do not."
            .into(),
        data,
        class: "",
    })
}

/// Leakage of every recipe, from guessing on.
fn leakage(context: &Context<'_>) -> Option<Figure> {
    let auc = Metric::attack(HEADLINE.name(), flatleak_results::Measure::Auc);
    super::numbers::bars(context, &super::numbers::Shown::leakage(&auc), "fig-answer")
}
