//! How far an attacker gets: ROC curves.

use std::fmt::Write;

use askama::Template;
use flatleak_results::{Estimate, RocFigure};

use crate::context::Context;
use crate::plot::{self, Axes};

#[derive(Template)]
#[template(path = "../src/sections/curves.html")]
struct Curves<'a> {
    context: &'a Context<'a>,
    attacks: Vec<(&'a str, String)>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let figures = context.figures();
    let of_attack = |name: &str| {
        let own = figures.iter().enumerate();
        let curves: Vec<_> = own.filter_map(|(k, f)| Some((k, f.roc.iter().find(|r| r.attack == name)?))).collect();
        figure(&curves)
    };
    let names = figures.first()?.roc.iter().map(|r| r.attack.as_str());
    let attacks: Vec<_> = names.map(|name| (name, of_attack(name))).collect();
    (!attacks.is_empty()).then_some(Curves { context, attacks })
}

/// Mean ROC curves of one attack, one line per recipe, on two logarithmic axes.
fn figure(curves: &[(usize, &RocFigure)]) -> String {
    let axes = Axes { x: (-3.0, 0.0), y: (-3.0, 0.0) };
    let ticks: Vec<(f64, String)> = ["0.1 %", "1 %", "10 %", "100 %"]
        .iter()
        .enumerate()
        .map(|(i, label)| (i as f64 - 3.0, (*label).to_owned()))
        .collect();
    let mut body = axes.frame((&ticks, "false-positive rate"), (&ticks, "true-positive rate"));
    let _ = write!(body, "<path class='chance' d='{}'/>", axes.path([(-3.0, -3.0), (0.0, 0.0)].into_iter()));
    let log = |v: f64| v.max(1e-3).log10();
    for (k, c) in curves {
        let ends = |f: fn(&Estimate) -> f64| {
            c.fpr.iter().zip(&c.tpr).map(move |(x, e)| (log(*x), log(f(e).min(1.0)))).collect::<Vec<_>>()
        };
        let mut band = ends(|e| e.high);
        band.extend(ends(|e| e.low).into_iter().rev());
        let _ = write!(body, "<path class='band c{k}' d='{}Z'/>", axes.path(band.into_iter()));
        let _ = write!(body, "<path class='line c{k}' d='{}'/>", axes.path(ends(|e| e.mean).into_iter()));
    }
    plot::svg(plot::HEIGHT, "ROC curves, logarithmic axes", &body)
}
