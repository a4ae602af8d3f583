//! Why: members and non-members apart.

use std::fmt::Write;

use askama::Template;
use flatleak_results::Figure;

use crate::context::Context;
use crate::plot::{self, Axes};

#[derive(Template)]
#[template(path = "../src/sections/densities.html")]
struct Densities<'a> {
    recipes: Vec<(&'a str, String)>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let figures = context.figures();
    let densities = figures.iter().flat_map(|f| f.phi_member.iter().chain(&f.phi_non_member));
    let peak = densities.copied().fold(0.0, f64::max);
    let recipes: Vec<_> = figures.into_iter().map(|f| (f.recipe.as_str(), figure(f, peak))).collect();
    (!recipes.is_empty()).then_some(Densities { recipes })
}

/// Densities of phi over members and non-members of one recipe.
fn figure(f: &Figure, peak: f64) -> String {
    let (Some(&low), Some(&high)) = (f.phi_edges.first(), f.phi_edges.last()) else { return String::new() };
    let axes = Axes { x: (low, high), y: (0.0, peak * 1.05) };
    let step = ((high - low) / 5.0).ceil().max(1.0);
    let mut xs = Vec::new();
    let mut at = (low / step).ceil() * step;
    while at <= high {
        xs.push((at, format!("{at:.0}").replace('-', "−")));
        at += step;
    }
    let mut body = axes.frame((&xs, "phi: how sure the model is of the true label"), (&[], "share of examples"));
    for (class, values) in [("non", &f.phi_non_member), ("mem", &f.phi_member)] {
        let mut points = vec![(low, 0.0)];
        for (edge, v) in f.phi_edges.windows(2).zip(values) {
            points.extend([(edge[0], *v), (edge[1], *v)]);
        }
        points.push((high, 0.0));
        let _ = write!(body, "<path class='hist {class}' d='{}Z'/>", axes.path(points.into_iter()));
    }
    plot::svg(plot::HEIGHT, "Distribution of phi over members and non-members", &body)
}
