//! What is learnt by heart.

use std::fmt::Write;

use askama::Template;
use flatleak_results::{
    LABEL, MemorizationDifference, MemorizationResult, Pairing, Picture, PictureKind, Statistic, shortened,
};

use crate::context::Context;
use crate::plot::{self, Axes};
use crate::say;

#[derive(Template)]
#[template(path = "../src/sections/memorization.html")]
struct ByHeart<'a> {
    context: &'a Context<'a>,
    recipes: Vec<(&'a MemorizationResult, String)>,
    cumulative: String,
    differences: Vec<(&'a MemorizationDifference, String)>,
    pictures: Vec<(&'a Picture, String)>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let explain = &context.document.explain;
    let recipes: Vec<_> = explain.memorization.iter().filter(|m| context.covers(&m.dataset)).collect();
    let shapes: Vec<_> = recipes.iter().enumerate().map(|(k, m)| (k % 6, m.histogram.as_slice())).collect();
    let differences = explain.memorization_differences.iter().filter(|m| context.covers(&m.dataset));
    Some(ByHeart {
        context,
        cumulative: cumulative(&shapes),
        differences: differences.map(|m| (m, joint(m))).collect(),
        pictures: context.pictures(PictureKind::Memorized),
        recipes: recipes.into_iter().map(|m| (m, histogram(&m.histogram))).collect(),
    })
}

impl ByHeart<'_> {
    /// Whether every design is balanced, so that mean memorization is the gap of accuracy.
    fn balanced(&self) -> bool {
        self.recipes.iter().all(|(m, _)| m.identity.balanced)
    }
}

/// Number of examples by memorization, on a logarithmic axis: most examples are not memorized at all.
fn histogram(counts: &[usize]) -> String {
    let top = counts.iter().copied().max().unwrap_or(1).max(10) as f64;
    let axes = Axes { x: (-1.0, 1.0), y: (0.0, (top + 1.0).log10()) };
    let xs: Vec<(f64, String)> =
        [(-1.0, "−1"), (-0.5, "−0.5"), (0.0, "0"), (0.5, "0.5"), (1.0, "1")].map(|(v, l)| (v, l.to_owned())).to_vec();
    let ys: Vec<(f64, String)> =
        (0..=4).map(|p| 10f64.powi(p)).filter(|v| *v <= top).map(|v| ((v + 1.0).log10(), format!("{v:.0}"))).collect();
    let mut body = axes.frame((&xs, "memorization"), (&ys, "examples"));
    let width = 2.0 / counts.len() as f64;
    let mut points = vec![(-1.0, 0.0)];
    for (i, n) in counts.iter().enumerate() {
        let (left, y) = (-1.0 + width * i as f64, (*n as f64 + 1.0).log10());
        points.extend([(left, y), (left + width, y)]);
    }
    points.push((1.0, 0.0));
    let _ = write!(body, "<path class='hist mem' d='{}Z'/>", axes.path(points.into_iter()));
    plot::svg(plot::HEIGHT, "Number of examples by memorization", &body)
}

/// Cumulative share of examples by memorization, one line per recipe.
fn cumulative(shapes: &[(usize, &[usize])]) -> String {
    let axes = Axes { x: (-1.0, 1.0), y: (0.0, 1.0) };
    let xs = [(-1.0, "−1"), (-0.5, "−0.5"), (0.0, "0"), (0.25, "0.25"), (0.85, "0.85")].map(|(v, l)| (v, l.to_owned()));
    let ys = [0.0, 0.5, 1.0].map(|v| (v, format!("{:.0} %", 100.0 * v)));
    let mut body = axes.frame((&xs, "memorization at most"), (&ys, "share of examples"));
    for (k, counts) in shapes {
        let all = counts.iter().sum::<usize>().max(1) as f64;
        let width = 2.0 / counts.len().max(1) as f64;
        let mut sum = 0.0;
        let mut points = vec![(-1.0, 0.0)];
        for (i, n) in counts.iter().enumerate() {
            sum += *n as f64 / all;
            points.push((-1.0 + width * (i as f64 + 1.0), sum));
        }
        let _ = write!(body, "<path class='line c{k}' d='{}'/>", axes.path(points.into_iter()));
    }
    plot::svg(plot::HEIGHT, "Cumulative distribution of memorization", &body)
}

/// Examples by memorization under two recipes: the darker a square, the more (logarithmically).
fn joint(m: &MemorizationDifference) -> String {
    let axes = Axes { x: (-1.0, 1.0), y: (-1.0, 1.0) };
    let ticks: Vec<(f64, String)> =
        [(-1.0, "−1"), (-0.5, "−0.5"), (0.0, "0"), (0.5, "0.5"), (1.0, "1")].map(|(v, l)| (v, l.to_owned())).to_vec();
    let x = format!("memorization, {}", shortened(&m.baseline, LABEL));
    let mut body = axes.frame((&ticks, &x), (&ticks, &shortened(&m.candidate, LABEL)));
    let top = m.joint.iter().flatten().copied().max().unwrap_or(1).max(1) as f64;
    let width = 2.0 / m.joint.len().max(1) as f64;
    for (i, row) in m.joint.iter().enumerate() {
        for (j, n) in row.iter().enumerate().filter(|(_, n)| **n > 0) {
            let (left, up) = (-1.0 + width * i as f64, -1.0 + width * (j as f64 + 1.0));
            let (x, y) = (axes.x(left), axes.y(up));
            let (w, h) = (axes.x(left + width) - x, axes.y(up - width) - y);
            let shade = 0.15 + 0.85 * (*n as f64 + 1.0).ln() / (top + 1.0).ln();
            let _ = write!(
                body,
                "<rect class='cell' x='{x:.1}' y='{y:.1}' width='{w:.1}' height='{h:.1}' fill-opacity='{shade:.2}'><title>{n}</title></rect>"
            );
        }
    }
    let _ = write!(body, "<path class='chance' d='{}'/>", axes.path([(-1.0, -1.0), (1.0, 1.0)].into_iter()));
    plot::svg(plot::HEIGHT, "Memorization under two recipes, example by example", &body)
}
