//! Points with intervals in both directions, their names beside them.

use std::fmt::Write;

use flatleak_results::{Estimate, LABEL, shortened};

use super::axes::{Axes, LEFT, RIGHT, TOP, WIDTH};
use super::escaped::escape;
use super::label::{Area, Placed, place};
use crate::hue::Hue;

/// One point.
pub(crate) struct Point<'a> {
    pub(crate) recipe: &'a str,
    pub(crate) hue: Hue,
    pub(crate) x: Estimate,
    pub(crate) y: Estimate,
    /// In words, for whoever points at it.
    pub(crate) said: String,
    /// Whether its intervals are drawn; many of them hide each other.
    pub(crate) whiskers: bool,
    /// Whether it stands out.
    pub(crate) bold: bool,
}

/// What the intervals of a point cover, each with the width of its line.
fn cross(axes: &Axes, p: &Point<'_>, (x, y): (f64, f64)) -> [Area; 2] {
    [
        Area { left: axes.x(p.x.low), top: y - 1.0, right: axes.x(p.x.high), bottom: y + 1.0 },
        Area { left: x - 1.0, top: axes.y(p.y.high), right: x + 1.0, bottom: axes.y(p.y.low) },
    ]
}

/// Most letters of a label.
const LETTERS: usize = 24;

/// All of them; a label for which there is no room is left to hover.
pub(crate) fn draw(axes: &Axes, points: &[Point<'_>]) -> String {
    let at: Vec<(f64, f64)> = points.iter().map(|p| (axes.x(p.x.mean), axes.y(p.y.mean))).collect();
    let names: Vec<_> = points.iter().map(|p| shortened(p.recipe, LETTERS.min(LABEL))).collect();
    let letters: Vec<usize> = names.iter().map(|n| n.chars().count()).collect();
    let frame = Area { left: LEFT + 2.0, top: TOP, right: WIDTH - RIGHT + 14.0, bottom: axes.bottom() - 2.0 };
    let lines: Vec<Area> =
        points.iter().zip(&at).filter(|(p, _)| p.whiskers).flat_map(|(p, at)| cross(axes, p, *at)).collect();
    let placed = place(&at, &letters, &frame, &lines);
    let mut body = String::new();
    for (((p, (x, y)), name), label) in points.iter().zip(&at).zip(&names).zip(&placed) {
        let recipe = escape(p.recipe);
        let _ =
            write!(body, "<g class='{}' data-recipe=\"{recipe}\"><title>{recipe}: {}</title>", p.hue, escape(&p.said));
        if p.whiskers {
            let _ = write!(
                body,
                "<path class='whisker thin' d='M{:.1} {y:.1}H{:.1}M{x:.1} {:.1}V{:.1}'/>",
                axes.x(p.x.low),
                axes.x(p.x.high),
                axes.y(p.y.low),
                axes.y(p.y.high)
            );
        }
        body.push_str(&p.hue.mark((*x, *y), 4.0));
        if let Some(Placed { area, leader }) = label {
            if let Some(((x, y), (u, v))) = leader {
                let _ = write!(body, "<path class='leader' d='M{x:.1} {y:.1}L{u:.1} {v:.1}'/>");
            }
            let weight = if p.bold { " font-weight='700'" } else { "" };
            let _ = write!(
                body,
                "<text x='{:.1}' y='{:.1}'{weight}>{}</text>",
                area.left + 1.0,
                area.bottom - 3.0,
                escape(name)
            );
        }
        body.push_str("</g>");
    }
    body
}
