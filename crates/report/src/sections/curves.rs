//! How far an attacker gets: ROC curves.

use askama::Template;
use flatleak_results::{Estimate, Figure as Drawn, RocFigure};

use crate::context::Context;
use crate::plot::curves::{Curve, draw};
use crate::plot::{self, Axes, Data, Figure};

pub(super) const TITLE: &str = "How far an attacker gets";

#[derive(Template)]
#[template(path = "../src/sections/curves.html")]
struct Curves<'a> {
    context: &'a Context<'a>,
    figures: Vec<Figure>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let drawn = context.figures();
    let names = drawn.first()?.roc.iter().map(|r| r.attack.as_str());
    let figures: Vec<_> = names.enumerate().map(|(k, name)| figure(context, &drawn, (k, name))).collect();
    (!figures.is_empty()).then_some(Curves { context, figures })
}

/// Mean ROC curves of one attack, one line a recipe, on two logarithmic axes from the smallest FPR that was measured on.
fn figure(context: &Context<'_>, drawn: &[&Drawn], (k, attack): (usize, &str)) -> Figure {
    let own = |f: &&Drawn| f.roc.iter().find(|r| r.attack == attack).cloned().map(|r| (f.recipe.clone(), r));
    let found: Vec<(String, RocFigure)> = drawn.iter().filter_map(own).collect();
    let positive = found.iter().flat_map(|(_, r)| &r.fpr).copied().filter(|v| *v > 0.0);
    let least = positive.fold(1.0, f64::min).max(1e-6).log10().floor().min(-1.0);
    let axes = Axes::new((least, 0.0), (least, 0.0));
    let log = |v: f64| v.clamp(10f64.powf(least), 1.0).log10();
    let mut data = Data::new(&["recipe", "fpr", "tpr", "low", "high"]);
    let mut curves = Vec::new();
    for (recipe, roc) in &found {
        for (x, e) in roc.fpr.iter().zip(&roc.tpr) {
            data.push(vec![recipe.as_str().into(), (*x).into(), e.mean.into(), e.low.into(), e.high.into()]);
        }
        let points = roc.fpr.iter().zip(&roc.tpr).filter(|(x, _)| **x > 0.0);
        let logs = points.map(|(x, e)| {
            let [mean, low, high] = [e.mean, e.low, e.high].map(log);
            (log(*x), Estimate { mean, low, high })
        });
        curves.push(Curve { recipe, hue: context.hue(recipe), points: logs.collect(), said: said(roc) });
    }
    let ticks = plot::powers((least, 0.0));
    let mut body = axes.frame((&ticks, "false-positive rate"), (&ticks, "true-positive rate"));
    body += &format!("<path class='chance' d='{}'/>", axes.path([(least, least), (0.0, 0.0)].into_iter()));
    body += &draw(&axes, &curves);
    Figure {
        id: context.id(&format!("fig-roc-{}", k + 1)),
        name: format!("ROC curves of {}, logarithmic axes", context.label(attack)),
        height: axes.height,
        body,
        legend: context.legend(found.iter().map(|(r, _)| r.as_str())),
        caption: format!("{}.", context.label(attack)),
        data,
        class: "",
    }
}

/// The TPR near 1 %.
fn said(roc: &RocFigure) -> String {
    let near = roc.fpr.iter().zip(&roc.tpr).min_by(|a, b| (a.0 - 0.01).abs().total_cmp(&(b.0 - 0.01).abs()));
    near.map_or(String::new(), |(x, e)| format!("finds {:.1} % at {:.2} % false alarms", 100.0 * e.mean, 100.0 * x))
}
