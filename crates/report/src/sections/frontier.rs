//! Leakage against accuracy.

use std::fmt::Write;

use askama::Template;
use flatleak_results::{Document, Frontier, FrontierPoint};
use flatleak_verdict::HEADLINE;

use crate::context::Context;
use crate::plot::{self, Axes};
use crate::say;

#[derive(Template)]
#[template(path = "../src/sections/frontier.html")]
struct Tradeoff<'a> {
    context: &'a Context<'a>,
    frontier: &'a Frontier,
    svg: String,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let several = |f: &&Frontier| context.covers(&f.dataset) && f.points.len() > 2;
    let frontier = context.document.frontiers.iter().find(several)?;
    Some(Tradeoff { context, frontier, svg: figure(&frontier.points) })
}

/// Gradients that a model of a recipe took.
fn gradients(d: &Document, recipe: &str) -> String {
    let found = d.study.recipes.iter().find(|r| r.name == recipe).map_or(0.0, |r| r.gradients);
    if found > 0.0 { say::grouped(found.round() as u64) } else { "–".into() }
}

/// Leakage against held-out accuracy, a numbered cross of intervals per recipe; a line joins those that nothing beats on both.
fn figure(points: &[FrontierPoint]) -> String {
    let axes = Axes {
        x: plot::reach(points.iter().map(|p| &p.test_accuracy)),
        y: plot::reach(points.iter().map(|p| &p.leakage)),
    };
    let mut body =
        axes.frame((&plot::ticks(axes.x), "test accuracy"), (&plot::ticks(axes.y), "AUC of the strongest attack"));
    let mut best: Vec<&FrontierPoint> = points.iter().filter(|p| p.pareto).collect();
    best.sort_by(|a, b| a.test_accuracy.mean.total_cmp(&b.test_accuracy.mean));
    let line = axes.path(best.iter().map(|p| (p.test_accuracy.mean, p.leakage.mean)));
    let _ = write!(body, "<path class='line c0' stroke-dasharray='4 3' d='{line}'/>");
    for (k, p) in points.iter().enumerate() {
        let (t, l) = (p.test_accuracy, p.leakage);
        let class = if p.pareto { "sure" } else { "unsure" };
        let (x, y) = (axes.x(t.mean), axes.y(l.mean));
        let _ =
            write!(body, "<path class='whisker thin {class}' d='M{:.1} {y:.1}H{:.1}'/>", axes.x(t.low), axes.x(t.high));
        let _ =
            write!(body, "<path class='whisker thin {class}' d='M{x:.1} {:.1}V{:.1}'/>", axes.y(l.low), axes.y(l.high));
        let _ = write!(body, "<circle class='dot {class}' cx='{x:.1}' cy='{y:.1}' r='2.5'/>");
        let _ = write!(body, "<text x='{:.1}' y='{:.1}'>{}</text>", x + 4.0, y - 4.0, k + 1);
    }
    plot::svg(plot::HEIGHT, "Leakage against test accuracy, with 95 % intervals", &body)
}
