//! How much of it: leakage and accuracy against the radius.

use std::fmt::Write;

use askama::Template;
use flatleak_results::{Estimate, LABEL, RecipeResult, shortened};
use flatleak_verdict::HEADLINE;

use crate::context::Context;
use crate::plot::{self, Axes, Data, Figure, LEFT, RIGHT, WIDTH};

pub(super) const TITLE: &str = "How much of it: the radius";

#[derive(Template)]
#[template(path = "../src/sections/radius.html")]
struct Radius {
    figures: Vec<Figure>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let figures = figures(context);
    (!figures.is_empty()).then_some(Radius { figures })
}

/// Figures of a sweep over the radius: recipes of one optimizer that differ in it alone, three or more, beside plain ones.
fn figures(context: &Context<'_>) -> Vec<Figure> {
    let recipes = &context.recipes;
    let settings = |r: &RecipeResult| context.document.study.recipes.iter().find(|s| s.name == r.name);
    let rest = |r: &RecipeResult| {
        let s = settings(r)?;
        let others = s.parameters.iter().filter(|(key, _)| *key != "rho");
        s.parameters
            .contains_key("rho")
            .then(|| (s.optimizer.clone(), others.map(|(k, v)| (k.clone(), *v)).collect::<Vec<_>>()))
    };
    let Some(family) = recipes
        .iter()
        .filter_map(|r| rest(r))
        .find(|f| recipes.iter().filter(|r| rest(r).as_ref() == Some(f)).count() > 2)
    else {
        return Vec::new();
    };
    let radius = |r: &RecipeResult| settings(r).and_then(|s| s.parameters.get("rho").copied()).filter(|v| *v > 0.0);
    let swept: Vec<(f64, &RecipeResult)> =
        recipes.iter().filter(|r| rest(r).as_ref() == Some(&family)).filter_map(|r| Some((radius(r)?, *r))).collect();
    let plain = |r: &&&RecipeResult| settings(r).is_some_and(|s| s.optimizer == "sgd" && s.parameters.is_empty());
    let controls: Vec<&RecipeResult> = recipes.iter().filter(plain).take(2).copied().collect();
    let auc = |r: &RecipeResult| r.attack(&HEADLINE.name()).map(|a| a.auc);
    type Drawn<'f> = (&'f str, &'f dyn Fn(&RecipeResult) -> Option<Estimate>);
    let leakage = format!("leakage, AUC of {HEADLINE}");
    let properties: [Drawn<'_>; 4] = [
        (&leakage, &auc),
        ("test accuracy", &|r| r.test_accuracy),
        ("accuracy on members", &|r| Some(r.member_accuracy)),
        ("variance of confidence, non-members", &|r| Some(r.confidence_variance.non_member)),
    ];
    let drawn = properties.into_iter().enumerate().filter_map(|(k, (what, of))| {
        let mut points = swept.iter().map(|(rho, r)| Some((*rho, of(r)?))).collect::<Option<Vec<_>>>()?;
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let controls = controls.iter().map(|r| Some((r.name.as_str(), of(r)?))).collect::<Option<Vec<_>>>()?;
        let id = context.id(&format!("fig-radius-{}", k + 1));
        Some(figure(context, (id, what), &points, &controls))
    });
    drawn.collect()
}

/// A property against the radius, on a scale of its logarithm, and what recipes without one have as bands.
fn figure(
    context: &Context<'_>,
    (id, what): (String, &str),
    points: &[(f64, Estimate)],
    controls: &[(&str, Estimate)],
) -> Figure {
    let log = |v: f64| v.log10();
    let low = points.iter().map(|p| log(p.0)).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|p| log(p.0)).fold(f64::NEG_INFINITY, f64::max);
    let all = points.iter().map(|p| &p.1).chain(controls.iter().map(|c| &c.1));
    let axes = Axes::new((low - 0.12, high + 0.12), plot::reach(all));
    let radii: Vec<plot::Tick> = points.iter().map(|p| (log(p.0), format!("{}", p.0))).collect();
    let mut body = axes.frame((&radii, "radius rho"), (&plot::round(axes.y, 4), what));
    let mut data = Data::new(&["recipe", "rho", "value", "low", "high"]);
    for (k, (name, e)) in controls.iter().enumerate() {
        data.push(vec![(*name).into(), 0.0.into(), e.mean.into(), e.low.into(), e.high.into()]);
        let (top, bottom) = (axes.y(e.high), axes.y(e.low));
        let shown = plot::escape(&shortened(name, LABEL));
        let _ = write!(body, "<g class='{}' data-recipe=\"{}\">", context.hue(name), plot::escape(name));
        let _ = write!(body, "<path class='band' d='M{LEFT} {top:.1}H{:.1}V{bottom:.1}H{LEFT}Z'/>", WIDTH - RIGHT);
        // Two that lie together are named at either end.
        let (y, (x, anchor)) = (axes.y(e.mean), [(WIDTH - RIGHT - 2.0, "end"), (LEFT + 2.0, "start")][k % 2]);
        let _ = write!(body, "<path class='line' d='M{LEFT} {y:.1}H{:.1}'/>", WIDTH - RIGHT);
        let _ = write!(body, "<text x='{x:.1}' y='{:.1}' text-anchor='{anchor}'>{shown}</text></g>", y - 3.0);
    }
    let line = axes.path(points.iter().map(|(r, e)| (log(*r), e.mean)));
    let _ = write!(body, "<g class='sure'><path class='line' d='{line}'/>");
    for (r, e) in points {
        data.push(vec!["swept".into(), (*r).into(), e.mean.into(), e.low.into(), e.high.into()]);
        let x = axes.x(log(*r));
        let _ = write!(body, "<path class='whisker' d='M{x:.1} {:.1}V{:.1}'/>", axes.y(e.low), axes.y(e.high));
        let _ = write!(body, "<circle class='dot' cx='{x:.1}' cy='{:.1}' r='3'/>", axes.y(e.mean));
    }
    body.push_str("</g>");
    Figure {
        id,
        name: format!("{what} against the radius"),
        height: axes.height,
        body,
        legend: context.legend(controls.iter().map(|c| c.0)),
        caption: format!("{what}."),
        data,
        class: "",
    }
}
