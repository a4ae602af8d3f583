//! Accuracy under noise on the inputs.

use askama::Template;
use flatleak_results::{Estimate, RecipeResult, UnderNoise};

use crate::context::{Context, MOST};
use crate::plot::curves::{Curve, draw};
use crate::plot::{self, Axes, Data, Figure};
use crate::{cell, say};

pub(super) const TITLE: &str = "Accuracy under noise";

#[derive(Template)]
#[template(path = "../src/sections/noise.html")]
struct Noise<'a> {
    context: &'a Context<'a>,
    figure: Figure,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let first = context.recipes.iter().take(MOST);
    let curves: Vec<_> = first.filter_map(|r| Some((r.name.as_str(), curve(r)?))).collect();
    (!curves.is_empty()).then(|| Noise { context, figure: figure(context, curves) })
}

/// Test accuracy by the deviation of the noise, where it was measured.
fn curve(r: &RecipeResult) -> Option<Vec<(f64, Estimate)>> {
    let clean = (0.0, r.test_accuracy?);
    let mut points: Vec<_> = r.noise.iter().map(|n| (n.deviation, n.accuracy)).chain([clean]).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    Some(points).filter(|p| p.len() > 1)
}

/// Accuracy against the deviation of noise on inputs, the first point without any; one curve per recipe with its intervals.
fn figure(context: &Context<'_>, curves: Vec<(&str, Vec<(f64, Estimate)>)>) -> Figure {
    let all = curves.iter().flat_map(|(_, points)| points);
    let most = all.clone().map(|p| p.0).fold(0.0, f64::max);
    let axes = Axes::new((-0.03 * most, 1.03 * most), plot::reach(all.map(|p| &p.1)));
    let mut data = Data::new(&["recipe", "noise", "accuracy", "low", "high"]);
    for (recipe, points) in &curves {
        for (x, e) in points {
            data.push(vec![(*recipe).into(), (*x).into(), e.mean.into(), e.low.into(), e.high.into()]);
        }
    }
    let legend = context.legend(curves.iter().map(|c| c.0));
    let said = |points: &[(f64, Estimate)]| points.last().map_or(String::new(), |(_, e)| say::percent(e));
    let curves: Vec<Curve<'_>> = curves
        .into_iter()
        .map(|(recipe, points)| Curve { recipe, hue: context.hue(recipe), said: said(&points), points })
        .collect();
    let mut body = axes
        .frame((&plot::round((0.0, most), 4), "deviation of the noise"), (&plot::percents(axes.y, 4), "test accuracy"));
    body += &draw(&axes, &curves);
    Figure {
        id: context.id("fig-noise"),
        name: "Test accuracy under noise on the inputs".into(),
        height: axes.height,
        body,
        legend,
        caption: "Bands are 95 % intervals over models.".into(),
        data,
        class: "",
    }
}

/// Accuracy under noise, and in brackets what is lost.
fn put(n: &UnderNoise) -> String {
    cell::estimate(&n.accuracy, &format!("{} ({:.2})", say::percent(&n.accuracy), 100.0 * n.lost.mean))
}
