//! What charts as inline SVG are made of, and the charts of more than one section.
//!
//! Colours are CSS classes, so that the page decides between light, dark and print.

use flatleak_results::{Estimate, LABEL, MetricDifference, shortened};
use std::fmt::Write;

pub(crate) const WIDTH: f64 = 360.0;
pub(crate) const HEIGHT: f64 = 260.0;
pub(crate) const LEFT: f64 = 54.0;
pub(crate) const BOTTOM: f64 = 40.0;
pub(crate) const TOP: f64 = 12.0;
pub(crate) const RIGHT: f64 = 18.0;

/// Most characters of a text in a figure.
const LONGEST: usize = 100;
/// Most ticks of an axis.
const MOST_TICKS: usize = 12;

/// Maps data to the plotting area.
pub(crate) struct Axes {
    pub(crate) x: (f64, f64),
    pub(crate) y: (f64, f64),
}

impl Axes {
    pub(crate) fn x(&self, v: f64) -> f64 {
        LEFT + (v - self.x.0) / (self.x.1 - self.x.0) * (WIDTH - LEFT - RIGHT)
    }

    pub(crate) fn y(&self, v: f64) -> f64 {
        HEIGHT - BOTTOM - (v - self.y.0) / (self.y.1 - self.y.0) * (HEIGHT - BOTTOM - TOP)
    }

    pub(crate) fn path(&self, points: impl Iterator<Item = (f64, f64)>) -> String {
        let mut out = String::new();
        for (i, (x, y)) in points.enumerate() {
            let _ = write!(out, "{}{:.1} {:.1}", if i == 0 { "M" } else { "L" }, self.x(x), self.y(y));
        }
        out
    }

    /// The frame with ticks and titles.
    pub(crate) fn frame(&self, (xs, xt): (&[(f64, String)], &str), (ys, yt): (&[(f64, String)], &str)) -> String {
        let mut out = String::new();
        let (x0, x1, y0, y1) = (LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM, TOP);
        for (v, label) in xs {
            let x = self.x(*v);
            let _ = write!(out, "<path class='grid' d='M{x:.1} {y0:.1}V{y1:.1}'/>");
            let label = escape(label);
            let _ = write!(out, "<text x='{x:.1}' y='{:.1}' text-anchor='middle'>{label}</text>", y0 + 14.0);
        }
        for (v, label) in ys {
            let y = self.y(*v);
            let _ = write!(out, "<path class='grid' d='M{x0:.1} {y:.1}H{x1:.1}'/>");
            let label = escape(label);
            let _ = write!(out, "<text x='{:.1}' y='{:.1}' text-anchor='end'>{label}</text>", x0 - 5.0, y + 3.5);
        }
        let [xt, yt] = [xt, yt].map(escape);
        let _ =
            write!(out, "<text x='{:.1}' y='{:.1}' text-anchor='middle'>{xt}</text>", (x0 + x1) / 2.0, HEIGHT - 6.0);
        let (cx, cy) = (11.0, (y0 + y1) / 2.0);
        let _ =
            write!(out, "<text transform='translate({cx:.1} {cy:.1}) rotate(-90)' text-anchor='middle'>{yt}</text>");
        out
    }
}

pub(crate) fn svg(height: f64, title: &str, body: &str) -> String {
    let title = escape(title);
    format!("<svg viewBox='0 0 {WIDTH} {height}' role='img' aria-label='{title}'><title>{title}</title>{body}</svg>")
}

/// Paired differences with their intervals around zero; names of corrected metrics in bold.
pub(crate) fn forest(metrics: &[&MetricDifference]) -> String {
    let names: Vec<String> = metrics
        .iter()
        .map(|m| {
            let name = escape(&shortened(m.metric.attack_name().unwrap_or_default(), LABEL));
            if m.p_adjusted.is_some() { format!("<tspan font-weight='700'>{name}</tspan>") } else { name }
        })
        .collect();
    let rows: Vec<(&str, Estimate)> = names.iter().zip(metrics).map(|(n, m)| (n.as_str(), m.difference)).collect();
    whiskers(&rows, ("← leaks less", "leaks more →"), "Paired differences with 95 % intervals")
}

/// How many times as far as the middle one of its intervals a figure reaches.
const WIDE: f64 = 3.0;

/// One row per name with its interval around zero; `ends` say what lies left and right.
pub(crate) fn whiskers(rows: &[(&str, Estimate)], ends: (&str, &str), title: &str) -> String {
    const ROW: f64 = 22.0;
    // Wide letters of the sans-serif faces that browsers choose, at the size of the style sheet.
    const LETTER: f64 = 6.2;
    let longest = rows.iter().map(|(name, _)| letters(name)).max().unwrap_or(0);
    let label_width = (LETTER * longest as f64 + 12.0).clamp(120.0, 0.55 * WIDTH);
    // A few very wide intervals run off the figure rather than make all others dots.
    let mut ends_of: Vec<f64> = rows.iter().map(|(_, e)| e.low.abs().max(e.high.abs())).collect();
    ends_of.sort_unstable_by(f64::total_cmp);
    let widest = ends_of.last().copied().unwrap_or(0.0);
    let reach = widest.min(WIDE * ends_of.get(ends_of.len() / 2).copied().unwrap_or(widest)).max(1e-6);
    let x = |v: f64| label_width + ((v / reach).clamp(-1.0, 1.0) + 1.0) / 2.0 * (WIDTH - label_width - RIGHT);
    let height = ROW * rows.len() as f64 + 46.0;
    let mut body = String::new();
    for v in [-reach, 0.0, reach] {
        let class = if v == 0.0 { "zero" } else { "grid" };
        let _ = write!(body, "<path class='{class}' d='M{:.1} 4V{:.1}'/>", x(v), height - 40.0);
        let label = if v == 0.0 { "0".to_owned() } else { format!("{v:+.4}").replace('-', "−") };
        let anchor = if v > 0.0 { "end" } else { "middle" };
        let _ = write!(body, "<text x='{:.1}' y='{:.1}' text-anchor='{anchor}'>{label}</text>", x(v), height - 26.0);
    }
    for (text, v, anchor) in [(ends.0, -reach, "start"), (ends.1, reach, "end")] {
        let _ = write!(body, "<text x='{:.1}' y='{:.1}' text-anchor='{anchor}'>{text}</text>", x(v), height - 8.0);
    }
    for (i, (name, e)) in rows.iter().enumerate() {
        let y = ROW * (i as f64 + 0.5) + 6.0;
        let class = if e.low > 0.0 || e.high < 0.0 { "sure" } else { "unsure" };
        let _ = write!(body, "<text x='{:.1}' y='{:.1}' text-anchor='end'>{name}</text>", label_width - 6.0, y + 3.5);
        let _ = write!(body, "<path class='whisker {class}' d='M{:.1} {y:.1}H{:.1}'/>", x(e.low), x(e.high));
        let _ = write!(body, "<circle class='dot {class}' cx='{:.1}' cy='{y:.1}' r='3.5'/>", x(e.mean));
    }
    svg(height, title, &body)
}

/// Letters of a text without its tags.
fn letters(text: &str) -> usize {
    let mut inside = false;
    let shown = |c: &char| {
        let tag = inside || *c == '<';
        inside = tag && *c != '>';
        !tag
    };
    text.chars().filter(shown).count()
}

/// Ticks at round values between two ends, four or so.
pub(crate) fn ticks((low, high): (f64, f64)) -> Vec<(f64, String)> {
    let raw = (high - low) / 4.0;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|k| k * power).find(|s| *s >= raw).unwrap_or(raw);
    let digits = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
    let first = (low / step).ceil() as i64;
    // Ends that are equal, or beyond what doubles tell apart, have no step.
    let all = (0..MOST_TICKS as i64).map(|k| first.saturating_add(k) as f64 * step).take_while(|v| *v <= high);
    all.map(|v| (v, format!("{v:.digits$}"))).collect()
}

/// The range of estimates, with room around.
pub(crate) fn reach<'a>(all: impl Iterator<Item = &'a Estimate> + Clone) -> (f64, f64) {
    let low = all.clone().map(|e| e.low).fold(f64::INFINITY, f64::min);
    let high = all.map(|e| e.high).fold(f64::NEG_INFINITY, f64::max);
    let room = 0.06 * (high - low).max(1e-6);
    (low - room, high + room)
}

/// Text for SVG, inside and in attributes, no longer than a figure has room for.
pub(crate) fn escape(text: &str) -> String {
    let text = shortened(text, LONGEST);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
