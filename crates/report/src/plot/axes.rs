//! The plotting area.

use std::fmt::Write;

use flatleak_results::{Estimate, shortened};

use super::escaped::escape;
use super::label::LETTER;
use super::ticks::Tick;

pub(crate) const WIDTH: f64 = 360.0;
pub(crate) const HEIGHT: f64 = 260.0;
pub(crate) const LEFT: f64 = 54.0;
pub(crate) const BOTTOM: f64 = 40.0;
pub(crate) const TOP: f64 = 12.0;
pub(crate) const RIGHT: f64 = 18.0;

/// Maps data to the plotting area.
pub(crate) struct Axes {
    pub(crate) x: (f64, f64),
    pub(crate) y: (f64, f64),
    /// Of the whole drawing.
    pub(crate) height: f64,
}

impl Axes {
    /// Axes of the usual height.
    pub(crate) fn new(x: (f64, f64), y: (f64, f64)) -> Self {
        Self { x, y, height: HEIGHT }
    }

    pub(crate) fn x(&self, v: f64) -> f64 {
        LEFT + (v - self.x.0) / (self.x.1 - self.x.0) * (WIDTH - LEFT - RIGHT)
    }

    pub(crate) fn y(&self, v: f64) -> f64 {
        self.bottom() - (v - self.y.0) / (self.y.1 - self.y.0) * (self.bottom() - TOP)
    }

    /// Where the horizontal axis lies.
    pub(crate) fn bottom(&self) -> f64 {
        self.height - BOTTOM
    }

    /// A path through points; those out of range are drawn at its edge.
    pub(crate) fn path(&self, points: impl Iterator<Item = (f64, f64)>) -> String {
        let mut out = String::new();
        let within = |v: f64, (low, high): (f64, f64)| v.clamp(low.min(high), high.max(low));
        for (i, (x, y)) in points.enumerate() {
            let (x, y) = (self.x(within(x, self.x)), self.y(within(y, self.y)));
            let _ = write!(out, "{}{x:.1} {y:.1}", if i == 0 { "M" } else { "L" });
        }
        out
    }

    /// The frame with ticks and titles. Labels that would touch the one before are left out.
    pub(crate) fn frame(&self, (xs, xt): (&[Tick], &str), (ys, yt): (&[Tick], &str)) -> String {
        let mut out = String::new();
        let (x0, x1, y0, y1) = (LEFT, WIDTH - RIGHT, self.bottom(), TOP);
        for (v, label) in super::ticks::thinned(xs, &|v| self.x(v)) {
            let x = self.x(*v);
            let _ = write!(out, "<path class='grid' d='M{x:.1} {y0:.1}V{y1:.1}'/>");
            let half = 0.5 * LETTER * label.chars().count() as f64;
            let x = x.min(WIDTH - half - 1.0);
            let label = escape(label);
            let _ = write!(out, "<text x='{x:.1}' y='{:.1}' text-anchor='middle'>{label}</text>", y0 + 14.0);
        }
        for (v, label) in ys {
            let y = self.y(*v);
            let _ = write!(out, "<path class='grid' d='M{x0:.1} {y:.1}H{x1:.1}'/>");
            let label = escape(label);
            let _ = write!(out, "<text x='{:.1}' y='{:.1}' text-anchor='end'>{label}</text>", x0 - 5.0, y + 3.5);
        }
        // A title is no longer than its axis.
        let fitting = |text: &str, room: f64| escape(&shortened(text, (room / LETTER) as usize));
        let (xt, yt) = (fitting(xt, x1 - x0), fitting(yt, y0 - y1));
        let middle = (x0 + x1) / 2.0;
        let _ = write!(out, "<text x='{middle:.1}' y='{:.1}' text-anchor='middle'>{xt}</text>", self.height - 6.0);
        let (cx, cy) = (11.0, (y0 + y1) / 2.0);
        let _ =
            write!(out, "<text transform='translate({cx:.1} {cy:.1}) rotate(-90)' text-anchor='middle'>{yt}</text>");
        out
    }
}

/// The range of estimates, with room around.
pub(crate) fn reach<'a>(all: impl Iterator<Item = &'a Estimate> + Clone) -> (f64, f64) {
    let low = all.clone().map(|e| e.low).fold(f64::INFINITY, f64::min);
    let high = all.map(|e| e.high).fold(f64::NEG_INFINITY, f64::max);
    let room = 0.06 * (high - low).max(1e-6);
    (low - room, high + room)
}
