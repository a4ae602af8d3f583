//! Lines with bands, one a recipe.

use std::fmt::Write;

use flatleak_results::Estimate;

use super::axes::Axes;
use super::escaped::escape;
use crate::hue::Hue;

/// One curve; its points in the units of the axes.
pub(crate) struct Curve<'a> {
    pub(crate) recipe: &'a str,
    pub(crate) hue: Hue,
    pub(crate) points: Vec<(f64, Estimate)>,
    /// In words, for whoever points at it.
    pub(crate) said: String,
}

/// Bands below, lines above, so that no line is hidden.
pub(crate) fn draw(axes: &Axes, curves: &[Curve<'_>]) -> String {
    let mut body = String::new();
    for c in curves {
        let upper = c.points.iter().map(|(x, e)| (*x, e.high));
        let outline = upper.chain(c.points.iter().rev().map(|(x, e)| (*x, e.low)));
        let group = group(c);
        let _ = write!(body, "{group}<path class='band' d='{}Z'/></g>", axes.path(outline));
    }
    for c in curves {
        let line = axes.path(c.points.iter().map(|(x, e)| (*x, e.mean)));
        let group = group(c);
        let _ = write!(body, "{group}<path class='line' d='{line}'/></g>");
    }
    body
}

fn group(c: &Curve<'_>) -> String {
    let name = escape(c.recipe);
    format!("<g class='{}' data-recipe=\"{name}\"><title>{name}: {}</title>", c.hue, escape(&c.said))
}
