//! Leakage against accuracy.

use std::fmt::Write;

use askama::Template;
use flatleak_results::{Document, Estimate, Frontier, FrontierPoint};
use flatleak_verdict::HEADLINE;

use crate::context::Context;
use crate::plot::scatter::{Point, draw};
use crate::plot::{self, Axes, Data, Figure};
use crate::{cell, say};

pub(super) const TITLE: &str = "Leakage against accuracy";

#[derive(Template)]
#[template(path = "../src/sections/frontier.html")]
struct Tradeoff<'a> {
    context: &'a Context<'a>,
    frontier: &'a Frontier,
    figure: Figure,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let several = |f: &&Frontier| context.covers(&f.dataset) && f.points.len() > 2;
    let frontier = context.document.frontiers.iter().find(several)?;
    Some(Tradeoff { context, frontier, figure: figure(context, &frontier.points) })
}

/// Gradients that a model of a recipe took.
fn gradients(d: &Document, recipe: &str) -> String {
    let found = d.study.recipes.iter().find(|r| r.name == recipe).map_or(0.0, |r| r.gradients);
    if found > 0.0 { say::grouped(found.round() as u64) } else { "–".into() }
}

/// Leakage against held-out accuracy, a cross of intervals and a name a recipe; a line joins those that nothing beats on both.
fn figure(context: &Context<'_>, points: &[FrontierPoint]) -> Figure {
    /// Up to so many recipes have their intervals drawn, and the usual height.
    const FEW: usize = 12;
    let few = points.len() <= FEW;
    // Of many, the means make the scale: a few that lie far off must not press all others together.
    let ends = |of: fn(&FrontierPoint) -> Estimate| {
        let narrow = |e: Estimate| if few { e } else { Estimate { low: e.mean, high: e.mean, ..e } };
        plot::reach(points.iter().map(|p| narrow(of(p))).collect::<Vec<_>>().iter())
    };
    let mut axes = Axes::new(ends(|p| p.test_accuracy), ends(|p| p.leakage));
    axes.height += 7.0 * points.len().saturating_sub(FEW) as f64;
    let mut body = axes
        .frame((&plot::percents(axes.x, 5), "test accuracy"), (&plot::round(axes.y, 6), "AUC of the strongest attack"));
    let mut best: Vec<&FrontierPoint> = points.iter().filter(|p| p.pareto).collect();
    best.sort_by(|a, b| a.test_accuracy.mean.total_cmp(&b.test_accuracy.mean));
    let line = axes.path(best.iter().map(|p| (p.test_accuracy.mean, p.leakage.mean)));
    let _ = write!(body, "<path class='pareto' d='{line}'/>");
    let mut data = Data::new(&["recipe", "accuracy", "accuracy low", "accuracy high", "auc", "auc low", "auc high"]);
    let mut drawn = Vec::new();
    for p in points {
        let (x, y) = (p.test_accuracy, p.leakage);
        let numbers = [x.mean, x.low, x.high, y.mean, y.low, y.high].map(plot::Datum::Number);
        data.push(std::iter::once(p.recipe.as_str().into()).chain(numbers).collect());
        drawn.push(Point {
            recipe: &p.recipe,
            hue: context.hue(&p.recipe),
            x,
            y,
            said: format!("test accuracy {}, AUC {}", say::percent(&x), say::value(&y)),
            whiskers: few,
            bold: p.pareto,
        });
    }
    body += &draw(&axes, &drawn);
    let without = if few { "" } else { " Intervals of so many would hide each other: they stand in the table." };
    Figure {
        id: context.id("fig-frontier"),
        name: "Leakage against test accuracy".into(),
        height: axes.height,
        body,
        legend: Vec::new(),
        caption: format!(
            "Right is more accurate, low leaks less. Recipes in bold are those that no other beats on both; a dashed line joins them.{without}"
        ),
        data,
        class: "large",
    }
}
