//! What is learnt by heart.

use std::fmt::Write;

use askama::Template;
use flatleak_results::{
    Estimate, LABEL, MemorizationDifference, MemorizationResult, Pairing, Picture, PictureKind, Statistic, shortened,
};

use crate::cell;
use crate::context::{Context, MOST};
use crate::plot::curves::{Curve, draw};
use crate::plot::{self, Axes, Data, Figure, Tick, steps};

pub(super) const TITLE: &str = "What is learnt by heart";

#[derive(Template)]
#[template(path = "../src/sections/memorization.html")]
struct ByHeart<'a> {
    context: &'a Context<'a>,
    recipes: Vec<&'a MemorizationResult>,
    figures: Vec<Figure>,
    differences: Vec<&'a MemorizationDifference>,
    pictures: Vec<(&'a Picture, String)>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let explain = &context.document.explain;
    let recipes: Vec<_> = explain.memorization.iter().filter(|m| context.covers(&m.dataset)).collect();
    let differences: Vec<_> = explain.memorization_differences.iter().filter(|m| context.covers(&m.dataset)).collect();
    let mut figures = Vec::new();
    if !recipes.is_empty() {
        figures.push(cumulative(context, &recipes));
        figures.extend(recipes.iter().take(MOST).enumerate().map(|(k, m)| histogram(context, m, k)));
        figures.extend(differences.iter().take(MOST).enumerate().map(|(k, m)| joint(context, m, k)));
    }
    let pictures = context.pictures(PictureKind::Memorized);
    (!recipes.is_empty()).then_some(ByHeart { context, recipes, figures, differences, pictures })
}

impl ByHeart<'_> {
    /// Whether every design is balanced, so that mean memorization is the gap of accuracy.
    fn balanced(&self) -> bool {
        self.recipes.iter().all(|m| m.identity.balanced)
    }
}

/// A statistic as a heading.
fn heading(of: Statistic) -> &'static str {
    match of {
        Statistic::Mean => "mean",
        Statistic::MeanSquare => "mean square",
        Statistic::Low => "share below 0.25",
        Statistic::Middle => "share from 0.25 to 0.85",
        Statistic::High => "share above 0.85",
    }
}

/// Mean soft memorization, where there are confidences.
fn soft(m: &MemorizationResult) -> String {
    cell::optional(m.soft.iter().find(|n| n.name == Statistic::Mean).map(|n| &n.estimate), cell::value)
}

/// Its difference.
fn soft_difference(m: &MemorizationDifference) -> String {
    let mean = m.soft.iter().find(|n| n.name == Statistic::Mean);
    cell::optional(mean.map(|n| &n.difference.estimate), cell::signed)
}

/// Ticks of memorization.
fn whole() -> Vec<Tick> {
    plot::round((-1.0, 1.0), 4)
}

/// Edges of equal bins from -1 to 1.
fn edges(bins: usize) -> Vec<f64> {
    (0..=bins).map(|i| -1.0 + 2.0 * i as f64 / bins.max(1) as f64).collect()
}

/// Number of examples by memorization, on a logarithmic axis: most examples are not memorized at all.
fn histogram(context: &Context<'_>, m: &MemorizationResult, k: usize) -> Figure {
    let counts = &m.histogram;
    let top = counts.iter().copied().max().unwrap_or(1).max(10) as f64;
    let axes = Axes::new((-1.0, 1.0), (0.0, (top + 1.0).log10()));
    let ys: Vec<Tick> =
        (0..=6).map(|p| 10f64.powi(p)).filter(|v| *v <= top).map(|v| ((v + 1.0).log10(), format!("{v:.0}"))).collect();
    let mut body = axes.frame((&whole(), "memorization"), (&ys, "examples"));
    let heights: Vec<f64> = counts.iter().map(|n| (*n as f64 + 1.0).log10()).collect();
    let edges = edges(counts.len());
    let line = axes.path(steps::outline(&edges, &heights).into_iter());
    let _ = write!(body, "<g class='{}'><path class='hist mem' d='{line}Z'/></g>", context.hue(&m.recipe));
    let mut data = Data::new(&["from", "to", "examples"]);
    for (edge, n) in edges.windows(2).zip(counts) {
        data.push(vec![edge[0].into(), edge[1].into(), (*n as f64).into()]);
    }
    Figure {
        id: context.id(&format!("fig-memorization-{}", k + 1)),
        name: format!("Number of examples by memorization, {}", m.recipe),
        height: axes.height,
        body,
        legend: Vec::new(),
        caption: format!("{}; one example's error is about {:.2}.", m.recipe, m.mean_standard_error),
        data,
        class: "",
    }
}

/// Cumulative share of examples by memorization, one line a recipe.
fn cumulative(context: &Context<'_>, recipes: &[&MemorizationResult]) -> Figure {
    let axes = Axes::new((-1.0, 1.0), (0.0, 1.0));
    let mut body =
        axes.frame((&whole(), "memorization at most"), (&plot::percents((0.0, 1.0), 4), "share of examples"));
    let mut data = Data::new(&["recipe", "memorization", "share"]);
    let mut curves = Vec::new();
    for m in recipes.iter().take(MOST) {
        let all = m.histogram.iter().sum::<usize>().max(1) as f64;
        let mut sum = 0.0;
        let mut points = Vec::new();
        for (edge, n) in edges(m.histogram.len()).iter().zip(std::iter::once(&0).chain(&m.histogram)) {
            sum += *n as f64 / all;
            points.push((*edge, Estimate { mean: sum, low: sum, high: sum }));
            data.push(vec![m.recipe.as_str().into(), (*edge).into(), sum.into()]);
        }
        curves.push(Curve { recipe: &m.recipe, hue: context.hue(&m.recipe), points, said: "cumulative".into() });
    }
    body += &draw(&axes, &curves);
    Figure {
        id: context.id("fig-memorization"),
        name: "Cumulative distribution of memorization".into(),
        height: axes.height,
        body,
        legend: context.legend(recipes.iter().take(MOST).map(|m| m.recipe.as_str())),
        caption: "All recipes, cumulative.".into(),
        data,
        class: "",
    }
}

/// Examples by memorization under two recipes: the darker a square, the more (logarithmically).
fn joint(context: &Context<'_>, m: &MemorizationDifference, k: usize) -> Figure {
    let axes = Axes::new((-1.0, 1.0), (-1.0, 1.0));
    let name = |recipe: &str| format!("memorization, {}", shortened(recipe, LABEL));
    let mut body = axes.frame((&whole(), &name(&m.baseline)), (&whole(), &name(&m.candidate)));
    let top = m.joint.iter().flatten().copied().max().unwrap_or(1).max(1) as f64;
    let width = 2.0 / m.joint.len().max(1) as f64;
    let mut data = Data::new(&["baseline from", "candidate from", "examples"]);
    for (i, row) in m.joint.iter().enumerate() {
        for (j, n) in row.iter().enumerate().filter(|(_, n)| **n > 0) {
            let (left, low) = (-1.0 + width * i as f64, -1.0 + width * j as f64);
            data.push(vec![left.into(), low.into(), (*n as f64).into()]);
            let (x, y) = (axes.x(left), axes.y(low + width));
            let (w, h) = (axes.x(left + width) - x, axes.y(low) - y);
            let shade = 0.15 + 0.85 * (*n as f64 + 1.0).ln() / (top + 1.0).ln();
            let _ = write!(
                body,
                "<rect class='cell' x='{x:.1}' y='{y:.1}' width='{w:.1}' height='{h:.1}' fill-opacity='{shade:.2}'><title>{n}</title></rect>"
            );
        }
    }
    let _ = write!(body, "<path class='chance' d='{}'/>", axes.path([(-1.0, -1.0), (1.0, 1.0)].into_iter()));
    let correlation = m.correlation.map_or(String::new(), |r| format!("; correlation {r:.2}"));
    Figure {
        id: context.id(&format!("fig-joint-{}", k + 1)),
        name: format!("Memorization under {} and {}, example by example", m.baseline, m.candidate),
        height: axes.height,
        body,
        legend: Vec::new(),
        caption: format!(
            "{} against {}, example by example{correlation}. Darker squares hold more examples.",
            m.candidate, m.baseline
        ),
        data,
        class: "",
    }
}
