//! Accuracy under noise on the inputs.

use std::fmt::Write;

use askama::Template;
use flatleak_results::{Estimate, RecipeResult};

use crate::context::{Context, MOST};
use crate::plot::{self, Axes};
use crate::say;

#[derive(Template)]
#[template(path = "../src/sections/noise.html")]
struct Noise<'a> {
    context: &'a Context<'a>,
    svg: String,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let first = context.recipes.iter().take(MOST).enumerate();
    let curves: Vec<_> = first.filter_map(|(k, r)| Some((k, curve(r)?))).collect();
    (!curves.is_empty()).then(|| Noise { context, svg: figure(&curves) })
}

/// Test accuracy by the deviation of the noise, where it was measured.
fn curve(r: &RecipeResult) -> Option<Vec<(f64, Estimate)>> {
    let clean = (0.0, r.test_accuracy?);
    let mut points: Vec<_> = r.noise.iter().map(|n| (n.deviation, n.accuracy)).chain([clean]).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    Some(points).filter(|p| p.len() > 1)
}

/// Accuracy against the deviation of noise on inputs, the first point without any; one curve per recipe with its intervals.
fn figure(curves: &[(usize, Vec<(f64, Estimate)>)]) -> String {
    let all = curves.iter().flat_map(|(_, points)| points);
    let most = all.clone().map(|p| p.0).fold(0.0, f64::max);
    let axes = Axes { x: (-0.03 * most, 1.03 * most), y: plot::reach(all.map(|p| &p.1)) };
    let mut body =
        axes.frame((&plot::ticks((0.0, most)), "deviation of the noise"), (&plot::ticks(axes.y), "test accuracy"));
    for (k, points) in curves {
        let outline = points.iter().map(|(x, e)| (*x, e.high)).chain(points.iter().rev().map(|(x, e)| (*x, e.low)));
        let _ = write!(body, "<path class='band c{k}' d='{}Z'/>", axes.path(outline));
        let _ = write!(body, "<path class='line c{k}' d='{}'/>", axes.path(points.iter().map(|(x, e)| (*x, e.mean))));
    }
    plot::svg(plot::HEIGHT, "Test accuracy under noise on the inputs", &body)
}
