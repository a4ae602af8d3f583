//! One row a name: a point with its interval on a common scale.

use std::fmt::Write;

use flatleak_results::{Estimate, LABEL, shortened};

use super::axes::{RIGHT, WIDTH};
use super::escaped::escape;
use super::label::LETTER;
use super::ticks::{self, Tick};
use crate::hue::Hue;

/// Height of a row, and of one among many.
const ROW: f64 = 22.0;
const NARROW: f64 = 16.0;
/// Up to so many rows have the full height.
const FEW: usize = 12;
/// Room above the first row.
const ABOVE: f64 = 20.0;

/// How a row looks.
#[derive(Clone, Debug)]
pub(crate) enum Look {
    /// A recipe's own colour; the recipe can be hidden.
    Recipe(String, Hue),
    /// Whether its interval excludes the reference.
    Sure(bool),
}

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) bold: bool,
    pub(crate) estimate: Estimate,
    /// In words, for whoever points at it.
    pub(crate) said: String,
    pub(crate) look: Look,
}

/// The scale that all rows share.
pub(crate) struct Scale<'a> {
    pub(crate) ends: (f64, f64),
    pub(crate) ticks: Vec<Tick>,
    /// Where nothing is, and what that is called.
    pub(crate) reference: Option<(f64, &'a str)>,
    /// Between these a difference is too small to matter.
    pub(crate) zone: Option<(f64, f64)>,
    /// What lies left and right, under the ticks; or one title.
    pub(crate) below: (&'a str, &'a str),
    /// Whether a bar runs from the reference to the point.
    pub(crate) bars: bool,
}

/// Ends that hold all estimates and zero, with room. A few very wide intervals run off the figure rather than make all others dots.
pub(crate) fn around_zero<'a>(all: impl Iterator<Item = &'a Estimate>) -> (f64, f64) {
    /// How many times as far as the middle one of its intervals a figure reaches.
    const WIDE: f64 = 3.0;
    let mut ends: Vec<f64> = all.map(|e| e.low.abs().max(e.high.abs())).filter(|v| v.is_finite()).collect();
    ends.sort_unstable_by(f64::total_cmp);
    let widest = ends.last().copied().unwrap_or(0.0);
    let reach = widest.min(WIDE * ends.get(ends.len() / 2).copied().unwrap_or(widest)).max(1e-6) * 1.05;
    (-reach, reach)
}

/// Height and elements of the drawing.
pub(crate) fn draw(rows: &[Row], scale: &Scale<'_>) -> (f64, String) {
    let most = rows.iter().map(|r| r.name.chars().count().min(LABEL)).max().unwrap_or(0);
    let left = (LETTER * most as f64 + 12.0).clamp(60.0, 0.52 * WIDTH);
    let fits = ((left - 12.0) / LETTER) as usize;
    let (low, high) = scale.ends;
    let x = |v: f64| left + (v.clamp(low, high) - low) / (high - low) * (WIDTH - left - RIGHT);
    let tall = if rows.len() > FEW { NARROW } else { ROW };
    let bottom = ABOVE + tall * rows.len() as f64;
    let height = bottom + 38.0;
    let mut body = backdrop(scale, &x, (left, bottom));
    for (i, row) in rows.iter().enumerate() {
        let y = ABOVE + tall * (i as f64 + 0.5);
        let (class, data) = match &row.look {
            Look::Recipe(name, hue) => (hue.to_string(), format!(" data-recipe=\"{}\"", escape(name))),
            Look::Sure(sure) => (if *sure { "sure" } else { "unsure" }.to_owned(), String::new()),
        };
        let e = row.estimate;
        let _ = write!(body, "<g class='{class}'{data}><title>{}: {}</title>", escape(&row.name), escape(&row.said));
        let weight = if row.bold { " font-weight='700'" } else { "" };
        let _ = write!(
            body,
            "<text x='{:.1}' y='{:.1}' text-anchor='end'{weight}>{}</text>",
            left - 6.0,
            y + 3.5,
            escape(&shortened(&row.name, fits))
        );
        if let Some((at, _)) = scale.reference.filter(|_| scale.bars) {
            let (from, to) = (x(at).min(x(e.mean)), x(at).max(x(e.mean)));
            let _ = write!(
                body,
                "<rect class='bar' x='{from:.1}' y='{:.1}' width='{:.1}' height='12'/>",
                y - 6.0,
                to - from
            );
        }
        let _ = write!(body, "<path class='whisker' d='M{:.1} {y:.1}H{:.1}'/>", x(e.low), x(e.high));
        for (beyond, at, turn) in [(e.low < low, low, 1.0), (e.high > high, high, -1.0)] {
            if beyond {
                let (tip, back) = (x(at), x(at) + 5.0 * turn);
                let _ = write!(
                    body,
                    "<path class='beyond' d='M{tip:.1} {y:.1}L{back:.1} {:.1}V{:.1}Z'/>",
                    y - 4.0,
                    y + 4.0
                );
            }
        }
        if (low..=high).contains(&e.mean) {
            let _ = write!(body, "<circle class='dot' cx='{:.1}' cy='{y:.1}' r='3.5'/>", x(e.mean));
        }
        body.push_str("</g>");
    }
    (height, body)
}

/// Zone, lines of ticks, reference and words below.
fn backdrop(scale: &Scale<'_>, x: &dyn Fn(f64) -> f64, (left, bottom): (f64, f64)) -> String {
    let mut body = String::new();
    if let Some((from, to)) = scale.zone {
        let (from, to) = (x(from), x(to));
        let _ = write!(
            body,
            "<rect class='zone' x='{from:.1}' y='{:.1}' width='{:.1}' height='{:.1}'/>",
            ABOVE - 4.0,
            to - from,
            bottom - ABOVE + 4.0
        );
    }
    for (v, label) in ticks::thinned(&scale.ticks, x) {
        let at = x(*v);
        let _ = write!(body, "<path class='grid' d='M{at:.1} {:.1}V{bottom:.1}'/>", ABOVE - 4.0);
        let half = 0.5 * LETTER * label.chars().count() as f64;
        let centre = at.min(WIDTH - half - 1.0);
        let _ = write!(body, "<text x='{centre:.1}' y='{:.1}' text-anchor='middle'>{label}</text>", bottom + 14.0);
    }
    if let Some((v, name)) = scale.reference {
        let at = x(v);
        let _ = write!(body, "<path class='zero' d='M{at:.1} {:.1}V{bottom:.1}'/>", ABOVE - 4.0);
        let half = 0.5 * LETTER * name.chars().count() as f64;
        let centre = at.clamp(half + 1.0, (WIDTH - half - 1.0).max(half + 1.0));
        let _ = write!(body, "<text x='{centre:.1}' y='11' text-anchor='middle'>{}</text>", escape(name));
    }
    let (start, end) = scale.below;
    let y = bottom + 32.0;
    if start.is_empty() {
        let centre = 0.5 * (left + WIDTH - RIGHT);
        let _ = write!(body, "<text x='{centre:.1}' y='{y:.1}' text-anchor='middle'>{}</text>", escape(end));
    } else {
        let from = left.min(WIDTH - RIGHT - LETTER * (start.chars().count() + end.chars().count() + 2) as f64).max(2.0);
        let _ = write!(body, "<text x='{from:.1}' y='{y:.1}' text-anchor='start'>{}</text>", escape(start));
        let _ = write!(body, "<text x='{:.1}' y='{y:.1}' text-anchor='end'>{}</text>", WIDTH - 4.0, escape(end));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, low: f64, high: f64) -> Row {
        let estimate = Estimate { mean: 0.5 * (low + high), low, high };
        Row { name: name.into(), bold: false, estimate, said: String::new(), look: Look::Sure(true) }
    }

    #[test]
    fn what_lies_beyond_the_scale_is_said_to() {
        let rows = [row("a<b", -0.1, 0.2), row("wide", -9.0, 9.0), row("c", 0.0, 0.3), row("off", 5.0, 6.0)];
        let ends = around_zero(rows.iter().map(|r| &r.estimate));
        assert!(ends.1 > 0.3 && ends.1 < 20.0, "{ends:?}");
        let scale = Scale {
            ends: (-1.0, 1.0),
            ticks: crate::plot::round((-1.0, 1.0), 4),
            reference: Some((0.0, "none")),
            zone: Some((-0.1, 0.1)),
            below: ("less", "more"),
            bars: false,
        };
        let (height, body) = draw(&rows, &scale);
        assert!(height > 4.0 * ROW && body.contains("a&lt;b"));
        // Both ends of the wide one, the right end of the one that is off; that one has no dot.
        assert_eq!((body.matches("class='beyond'").count(), body.matches("class='dot'").count()), (3, 3));
    }
}
