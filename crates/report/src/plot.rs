//! Charts as inline SVG. Colours are CSS classes, so that the page decides between light, dark and print.

use std::fmt::Write;

use flatleak_verdict::{Figure, MetricDifference, RocFigure};

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 54.0;
const BOTTOM: f64 = 40.0;
const TOP: f64 = 12.0;
const RIGHT: f64 = 18.0;

/// Maps data to the plotting area.
struct Axes {
    x: (f64, f64),
    y: (f64, f64),
}

impl Axes {
    fn x(&self, v: f64) -> f64 {
        LEFT + (v - self.x.0) / (self.x.1 - self.x.0) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, v: f64) -> f64 {
        HEIGHT - BOTTOM - (v - self.y.0) / (self.y.1 - self.y.0) * (HEIGHT - BOTTOM - TOP)
    }

    fn path(&self, points: impl Iterator<Item = (f64, f64)>) -> String {
        let mut out = String::new();
        for (i, (x, y)) in points.enumerate() {
            let _ = write!(out, "{}{:.1} {:.1}", if i == 0 { "M" } else { "L" }, self.x(x), self.y(y));
        }
        out
    }

    /// The frame with ticks and titles.
    fn frame(&self, (xs, xt): (&[(f64, String)], &str), (ys, yt): (&[(f64, String)], &str)) -> String {
        let mut out = String::new();
        let (x0, x1, y0, y1) = (LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM, TOP);
        for (v, label) in xs {
            let x = self.x(*v);
            let _ = write!(out, "<path class='grid' d='M{x:.1} {y0:.1}V{y1:.1}'/>");
            let _ = write!(out, "<text x='{x:.1}' y='{:.1}' text-anchor='middle'>{label}</text>", y0 + 14.0);
        }
        for (v, label) in ys {
            let y = self.y(*v);
            let _ = write!(out, "<path class='grid' d='M{x0:.1} {y:.1}H{x1:.1}'/>");
            let _ = write!(out, "<text x='{:.1}' y='{:.1}' text-anchor='end'>{label}</text>", x0 - 5.0, y + 3.5);
        }
        let _ =
            write!(out, "<text x='{:.1}' y='{:.1}' text-anchor='middle'>{xt}</text>", (x0 + x1) / 2.0, HEIGHT - 6.0);
        let (cx, cy) = (11.0, (y0 + y1) / 2.0);
        let _ =
            write!(out, "<text transform='translate({cx:.1} {cy:.1}) rotate(-90)' text-anchor='middle'>{yt}</text>");
        out
    }
}

fn svg(height: f64, title: &str, body: &str) -> String {
    format!("<svg viewBox='0 0 {WIDTH} {height}' role='img' aria-label='{title}'><title>{title}</title>{body}</svg>")
}

/// Mean ROC curves of one attack, one line per recipe, on two logarithmic axes.
pub(crate) fn roc(curves: &[(usize, &RocFigure)]) -> String {
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
        let ends = |f: fn(&flatleak_verdict::Estimate) -> f64| {
            c.fpr.iter().zip(&c.tpr).map(move |(x, e)| (log(*x), log(f(e).min(1.0)))).collect::<Vec<_>>()
        };
        let mut band = ends(|e| e.high);
        band.extend(ends(|e| e.low).into_iter().rev());
        let _ = write!(body, "<path class='band c{k}' d='{}Z'/>", axes.path(band.into_iter()));
        let _ = write!(body, "<path class='line c{k}' d='{}'/>", axes.path(ends(|e| e.mean).into_iter()));
    }
    svg(HEIGHT, "ROC curves, logarithmic axes", &body)
}

/// Densities of phi over members and non-members of one recipe.
pub(crate) fn phi(f: &Figure, peak: f64) -> String {
    let (Some(&low), Some(&high)) = (f.phi_edges.first(), f.phi_edges.last()) else { return String::new() };
    let axes = Axes { x: (low, high), y: (0.0, peak * 1.05) };
    let step = ((high - low) / 5.0).ceil().max(1.0);
    let mut xs = Vec::new();
    let mut at = (low / step).ceil() * step;
    while at <= high {
        xs.push((at, format!("{at:.0}").replace('-', "−")));
        at += step;
    }
    let mut body = axes.frame((&xs, "phi: how sure the model is of the true label"), (&[], "share of examples"));
    for (class, values) in [("non", &f.phi_non_member), ("mem", &f.phi_member)] {
        let mut points = vec![(low, 0.0)];
        for (edge, v) in f.phi_edges.windows(2).zip(values) {
            points.extend([(edge[0], *v), (edge[1], *v)]);
        }
        points.push((high, 0.0));
        let _ = write!(body, "<path class='hist {class}' d='{}Z'/>", axes.path(points.into_iter()));
    }
    svg(HEIGHT, "Distribution of phi over members and non-members", &body)
}

/// Number of examples by memorization, on a logarithmic axis: most examples are not memorized at all.
pub(crate) fn memorization(counts: &[usize]) -> String {
    let top = counts.iter().copied().max().unwrap_or(1).max(10) as f64;
    let axes = Axes { x: (-1.0, 1.0), y: (0.0, (top + 1.0).log10()) };
    let xs: Vec<(f64, String)> =
        [(-1.0, "−1"), (-0.5, "−0.5"), (0.0, "0"), (0.5, "0.5"), (1.0, "1")].map(|(v, l)| (v, l.to_owned())).to_vec();
    let ys: Vec<(f64, String)> =
        (0..=4).map(|p| 10f64.powi(p)).filter(|v| *v <= top).map(|v| ((v + 1.0).log10(), format!("{v:.0}"))).collect();
    let mut body = axes.frame((&xs, "memorization"), (&ys, "examples"));
    let width = 2.0 / counts.len() as f64;
    let mut points = vec![(-1.0, 0.0)];
    for (i, n) in counts.iter().enumerate() {
        let (left, y) = (-1.0 + width * i as f64, (*n as f64 + 1.0).log10());
        points.extend([(left, y), (left + width, y)]);
    }
    points.push((1.0, 0.0));
    let _ = write!(body, "<path class='hist mem' d='{}Z'/>", axes.path(points.into_iter()));
    svg(HEIGHT, "Number of examples by memorization", &body)
}

/// Paired differences with their intervals around zero.
pub(crate) fn forest(metrics: &[&MetricDifference]) -> String {
    const ROW: f64 = 22.0;
    const LABEL: f64 = 172.0;
    let reach = metrics.iter().flat_map(|m| [m.difference.low.abs(), m.difference.high.abs()]).fold(1e-6, f64::max);
    let x = |v: f64| LABEL + (v / reach + 1.0) / 2.0 * (WIDTH - LABEL - RIGHT);
    let height = ROW * metrics.len() as f64 + 46.0;
    let mut body = String::new();
    for v in [-reach, 0.0, reach] {
        let class = if v == 0.0 { "zero" } else { "grid" };
        let _ = write!(body, "<path class='{class}' d='M{:.1} 4V{:.1}'/>", x(v), height - 40.0);
        let label = if v == 0.0 { "0".to_owned() } else { format!("{v:+.4}").replace('-', "−") };
        let anchor = if v > 0.0 { "end" } else { "middle" };
        let _ = write!(body, "<text x='{:.1}' y='{:.1}' text-anchor='{anchor}'>{label}</text>", x(v), height - 26.0);
    }
    for (text, v, anchor) in [("← leaks less", -reach, "start"), ("leaks more →", reach, "end")] {
        let _ = write!(body, "<text x='{:.1}' y='{:.1}' text-anchor='{anchor}'>{text}</text>", x(v), height - 8.0);
    }
    for (i, m) in metrics.iter().enumerate() {
        let y = ROW * (i as f64 + 0.5) + 6.0;
        let e = m.difference;
        let settled = e.low > 0.0 || e.high < 0.0;
        let class = if settled { "sure" } else { "unsure" };
        let name = m.metric.trim_end_matches(".auc");
        let weight = if m.p_adjusted.is_some() { " style='font-weight:700'" } else { "" };
        let _ = write!(body, "<text x='{:.1}' y='{:.1}' text-anchor='end'{weight}>{name}</text>", LABEL - 6.0, y + 3.5);
        let _ = write!(body, "<path class='whisker {class}' d='M{:.1} {y:.1}H{:.1}'/>", x(e.low), x(e.high));
        let _ = write!(body, "<circle class='dot {class}' cx='{:.1}' cy='{y:.1}' r='3.5'/>", x(e.mean));
    }
    svg(height, "Paired differences with 95 % intervals", &body)
}
