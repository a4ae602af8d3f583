//! Why: members and non-members apart.

use std::fmt::Write;

use askama::Template;
use flatleak_results::Figure as Drawn;

use crate::context::Context;
use crate::plot::{self, Axes, Data, Figure, steps};

pub(super) const TITLE: &str = "Members and non-members apart";

#[derive(Template)]
#[template(path = "../src/sections/densities.html")]
struct Densities<'a> {
    context: &'a Context<'a>,
    figures: Vec<Figure>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let drawn = context.figures();
    let densities = drawn.iter().flat_map(|f| f.phi_member.iter().chain(&f.phi_non_member));
    let peak = densities.copied().fold(0.0, f64::max);
    let figures: Vec<_> = drawn.into_iter().enumerate().filter_map(|(k, f)| figure(context, f, peak, k)).collect();
    (!figures.is_empty()).then_some(Densities { context, figures })
}

/// Densities of phi over members and non-members of one recipe.
fn figure(context: &Context<'_>, f: &Drawn, peak: f64, k: usize) -> Option<Figure> {
    let (low, high) = (*f.phi_edges.first()?, *f.phi_edges.last()?);
    let axes = Axes::new((low, high), (0.0, (peak * 1.05).max(1e-9)));
    let (xs, ys) = (plot::round((low, high), 7), plot::percents(axes.y, 4));
    let mut body = axes.frame((&xs, "phi (log odds of the true label)"), (&ys, "examples per unit of phi"));
    let mut data = Data::new(&["from", "to", "members", "non-members"]);
    for ((edge, m), n) in f.phi_edges.windows(2).zip(&f.phi_member).zip(&f.phi_non_member) {
        data.push(vec![edge[0].into(), edge[1].into(), (*m).into(), (*n).into()]);
    }
    let _ = write!(body, "<g class='{}'>", context.hue(&f.recipe));
    for (class, what, values) in [("non", "non-members", &f.phi_non_member), ("mem", "members", &f.phi_member)] {
        let line = axes.path(steps::outline(&f.phi_edges, values).into_iter());
        let _ = write!(body, "<path class='hist {class}' d='{line}Z'><title>{what}</title></path>");
    }
    body.push_str("</g>");
    Some(Figure {
        id: context.id(&format!("fig-phi-{}", k + 1)),
        name: format!("Distribution of phi over members and non-members, {}", f.recipe),
        height: axes.height,
        body,
        legend: Vec::new(),
        caption: format!("{}: members filled, non-members dashed.", f.recipe),
        data,
        class: "",
    })
}
