//! Charts as inline SVG. Colours are CSS classes, so that the page decides between light, dark and print.

use flatleak_results::{
    AttributionResult, BucketsResult, Estimate, Figure, FrontierPoint, GroupResult, MemorizationDifference,
    MetricDifference, RocFigure,
};
use std::fmt::Write;

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

pub(crate) fn svg(height: f64, title: &str, body: &str) -> String {
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
        let ends = |f: fn(&Estimate) -> f64| {
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

/// Paired differences with their intervals around zero; names of corrected metrics in bold.
pub(crate) fn forest(metrics: &[&MetricDifference]) -> String {
    let names: Vec<String> = metrics
        .iter()
        .map(|m| {
            let name = escape(m.metric.attack_name().unwrap_or_default());
            if m.p_adjusted.is_some() { format!("<tspan font-weight='700'>{name}</tspan>") } else { name }
        })
        .collect();
    let rows: Vec<(&str, Estimate)> = names.iter().zip(metrics).map(|(n, m)| (n.as_str(), m.difference)).collect();
    whiskers(&rows, ("← leaks less", "leaks more →"), "Paired differences with 95 % intervals")
}

/// How many times as far as the middle one of its intervals a figure reaches.
const WIDE: f64 = 3.0;

/// One row per name with its interval around zero; `ends` say what lies left and right.
fn whiskers(rows: &[(&str, Estimate)], ends: (&str, &str), title: &str) -> String {
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
fn ticks((low, high): (f64, f64)) -> Vec<(f64, String)> {
    let raw = (high - low) / 4.0;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|k| k * power).find(|s| *s >= raw).unwrap_or(raw);
    let digits = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
    let first = (low / step).ceil() as i64;
    (first..).map(|k| k as f64 * step).take_while(|v| *v <= high).map(|v| (v, format!("{v:.digits$}"))).collect()
}

/// The range of estimates, with room around.
fn reach<'a>(all: impl Iterator<Item = &'a Estimate> + Clone) -> (f64, f64) {
    let low = all.clone().map(|e| e.low).fold(f64::INFINITY, f64::min);
    let high = all.map(|e| e.high).fold(f64::NEG_INFINITY, f64::max);
    let room = 0.06 * (high - low).max(1e-6);
    (low - room, high + room)
}

/// Leakage against held-out accuracy, a numbered cross of intervals per recipe; a line joins those that nothing beats on both.
pub(crate) fn frontier(points: &[FrontierPoint]) -> String {
    let axes = Axes { x: reach(points.iter().map(|p| &p.test_accuracy)), y: reach(points.iter().map(|p| &p.leakage)) };
    let mut body = axes.frame((&ticks(axes.x), "test accuracy"), (&ticks(axes.y), "AUC of the strongest attack"));
    let mut best: Vec<&FrontierPoint> = points.iter().filter(|p| p.pareto).collect();
    best.sort_by(|a, b| a.test_accuracy.mean.total_cmp(&b.test_accuracy.mean));
    let line = axes.path(best.iter().map(|p| (p.test_accuracy.mean, p.leakage.mean)));
    let _ = write!(body, "<path class='line c0' stroke-dasharray='4 3' d='{line}'/>");
    for (k, p) in points.iter().enumerate() {
        let (t, l) = (p.test_accuracy, p.leakage);
        let class = if p.pareto { "sure" } else { "unsure" };
        let (x, y) = (axes.x(t.mean), axes.y(l.mean));
        let _ =
            write!(body, "<path class='whisker thin {class}' d='M{:.1} {y:.1}H{:.1}'/>", axes.x(t.low), axes.x(t.high));
        let _ =
            write!(body, "<path class='whisker thin {class}' d='M{x:.1} {:.1}V{:.1}'/>", axes.y(l.low), axes.y(l.high));
        let _ = write!(body, "<circle class='dot {class}' cx='{x:.1}' cy='{y:.1}' r='2.5'/>");
        let _ = write!(body, "<text x='{:.1}' y='{:.1}'>{}</text>", x + 4.0, y - 4.0, k + 1);
    }
    svg(HEIGHT, "Leakage against test accuracy, with 95 % intervals", &body)
}

/// A property against the radius, on a scale of its logarithm, and what recipes without one have as bands.
pub(crate) fn dose(points: &[(f64, Estimate)], controls: &[(&str, Estimate)], what: &str) -> String {
    let log = |v: f64| v.log10();
    let low = points.iter().map(|p| log(p.0)).fold(f64::INFINITY, f64::min);
    let high = points.iter().map(|p| log(p.0)).fold(f64::NEG_INFINITY, f64::max);
    let all = points.iter().map(|p| &p.1).chain(controls.iter().map(|c| &c.1));
    let axes = Axes { x: (low - 0.12, high + 0.12), y: reach(all) };
    let radii: Vec<(f64, String)> = points.iter().map(|p| (log(p.0), format!("{}", p.0))).collect();
    let mut body = axes.frame((&radii, "radius rho"), (&ticks(axes.y), what));
    for (k, (name, e)) in controls.iter().enumerate() {
        let (top, bottom) = (axes.y(e.high), axes.y(e.low));
        let _ = write!(body, "<path class='band c{k}' d='M{LEFT} {top:.1}H{:.1}V{bottom:.1}H{LEFT}Z'/>", WIDTH - RIGHT);
        // Two that lie together are named at either end.
        let (y, (x, anchor)) = (axes.y(e.mean), [(WIDTH - RIGHT - 2.0, "end"), (LEFT + 2.0, "start")][k % 2]);
        let _ = write!(body, "<path class='line c{k}' d='M{LEFT} {y:.1}H{:.1}'/>", WIDTH - RIGHT);
        let _ = write!(body, "<text x='{x:.1}' y='{:.1}' text-anchor='{anchor}'>{}</text>", y - 3.0, escape(name));
    }
    let line = axes.path(points.iter().map(|(r, e)| (log(*r), e.mean)));
    let _ = write!(body, "<path class='line c2' d='{line}'/>");
    for (r, e) in points {
        let x = axes.x(log(*r));
        let _ = write!(body, "<path class='whisker sure' d='M{x:.1} {:.1}V{:.1}'/>", axes.y(e.low), axes.y(e.high));
        let _ = write!(body, "<circle class='dot sure' cx='{x:.1}' cy='{:.1}' r='3'/>", axes.y(e.mean));
    }
    svg(HEIGHT, &format!("{what} against the radius"), &body)
}

/// Accuracy against the deviation of noise on inputs, the first point without any; one curve per recipe with its intervals.
pub(crate) fn noise(curves: &[(usize, Vec<(f64, Estimate)>)]) -> String {
    let all = curves.iter().flat_map(|(_, points)| points);
    let most = all.clone().map(|p| p.0).fold(0.0, f64::max);
    let axes = Axes { x: (-0.03 * most, 1.03 * most), y: reach(all.map(|p| &p.1)) };
    let mut body = axes.frame((&ticks((0.0, most)), "deviation of the noise"), (&ticks(axes.y), "test accuracy"));
    for (k, points) in curves {
        let outline = points.iter().map(|(x, e)| (*x, e.high)).chain(points.iter().rev().map(|(x, e)| (*x, e.low)));
        let _ = write!(body, "<path class='band c{k}' d='{}Z'/>", axes.path(outline));
        let _ = write!(body, "<path class='line c{k}' d='{}'/>", axes.path(points.iter().map(|(x, e)| (*x, e.mean))));
    }
    svg(HEIGHT, "Test accuracy under noise on the inputs", &body)
}

/// Cumulative share of examples by memorization, one line per recipe.
pub(crate) fn cumulative(shapes: &[(usize, &[usize])]) -> String {
    let axes = Axes { x: (-1.0, 1.0), y: (0.0, 1.0) };
    let xs = [(-1.0, "−1"), (-0.5, "−0.5"), (0.0, "0"), (0.25, "0.25"), (0.85, "0.85")].map(|(v, l)| (v, l.to_owned()));
    let ys = [0.0, 0.5, 1.0].map(|v| (v, format!("{:.0} %", 100.0 * v)));
    let mut body = axes.frame((&xs, "memorization at most"), (&ys, "share of examples"));
    for (k, counts) in shapes {
        let all = counts.iter().sum::<usize>().max(1) as f64;
        let width = 2.0 / counts.len().max(1) as f64;
        let mut sum = 0.0;
        let mut points = vec![(-1.0, 0.0)];
        for (i, n) in counts.iter().enumerate() {
            sum += *n as f64 / all;
            points.push((-1.0 + width * (i as f64 + 1.0), sum));
        }
        let _ = write!(body, "<path class='line c{k}' d='{}'/>", axes.path(points.into_iter()));
    }
    svg(HEIGHT, "Cumulative distribution of memorization", &body)
}

/// Examples by memorization under two recipes: the darker a square, the more (logarithmically).
pub(crate) fn joint(m: &MemorizationDifference) -> String {
    let axes = Axes { x: (-1.0, 1.0), y: (-1.0, 1.0) };
    let ticks: Vec<(f64, String)> =
        [(-1.0, "−1"), (-0.5, "−0.5"), (0.0, "0"), (0.5, "0.5"), (1.0, "1")].map(|(v, l)| (v, l.to_owned())).to_vec();
    let (x, y) = (format!("memorization, {}", escape(&m.baseline)), escape(&m.candidate));
    let mut body = axes.frame((&ticks, &x), (&ticks, &y));
    let top = m.joint.iter().flatten().copied().max().unwrap_or(1).max(1) as f64;
    let width = 2.0 / m.joint.len().max(1) as f64;
    for (i, row) in m.joint.iter().enumerate() {
        for (j, n) in row.iter().enumerate().filter(|(_, n)| **n > 0) {
            let (left, up) = (-1.0 + width * i as f64, -1.0 + width * (j as f64 + 1.0));
            let (x, y) = (axes.x(left), axes.y(up));
            let (w, h) = (axes.x(left + width) - x, axes.y(up - width) - y);
            let shade = 0.15 + 0.85 * (*n as f64 + 1.0).ln() / (top + 1.0).ln();
            let _ = write!(
                body,
                "<rect class='cell' x='{x:.1}' y='{y:.1}' width='{w:.1}' height='{h:.1}' fill-opacity='{shade:.2}'><title>{n}</title></rect>"
            );
        }
    }
    let _ = write!(body, "<path class='chance' d='{}'/>", axes.path([(-1.0, -1.0), (1.0, 1.0)].into_iter()));
    svg(HEIGHT, "Memorization under two recipes, example by example", &body)
}

/// Gain in accuracy per bucket with its interval.
pub(crate) fn gains(b: &BucketsResult) -> String {
    let reach = b.buckets.iter().flat_map(|b| [b.gain.low.abs(), b.gain.high.abs()]).fold(1e-6, f64::max) * 1.1;
    let n = b.buckets.len() as f64;
    let axes = Axes { x: (0.0, n.max(1.0)), y: (-reach, reach) };
    let xs: Vec<(f64, String)> =
        b.buckets.iter().enumerate().map(|(i, b)| (i as f64 + 0.5, b.bucket.clone())).collect();
    let ys = [-reach / 1.1, 0.0, reach / 1.1].map(|v| (v, format!("{:+.1}", 100.0 * v).replace('-', "−")));
    let mut body = axes.frame((&xs, "bucket"), (&ys, "gain in accuracy, points"));
    let _ = write!(body, "<path class='zero' d='{}'/>", axes.path([(0.0, 0.0), (n, 0.0)].into_iter()));
    for (i, bucket) in b.buckets.iter().enumerate() {
        let e = bucket.gain;
        let sure = b.measurable && (e.low > 0.0 || e.high < 0.0);
        let (x, class) = (axes.x(i as f64 + 0.5), if sure { "sure" } else { "unsure" });
        let _ = write!(body, "<path class='whisker {class}' d='M{x:.1} {:.1}V{:.1}'/>", axes.y(e.low), axes.y(e.high));
        let _ = write!(body, "<circle class='dot {class}' cx='{x:.1}' cy='{:.1}' r='3.5'/>", axes.y(e.mean));
    }
    svg(HEIGHT, "Gain in accuracy by bucket", &body)
}

/// The parts of a difference in advantage with their intervals.
pub(crate) fn parts(a: &AttributionResult) -> String {
    let rows: Vec<(&str, Estimate)> = [
        ("mean gap", Some(a.gap)),
        ("spread, members", Some(a.member_spread)),
        ("spread, non-members", Some(a.non_member_spread)),
        ("all, if normal", Some(a.gaussian)),
        ("as observed", a.observed),
        ("relative spread, members", a.relative_member_spread),
        ("relative spread, non-m.", a.relative_non_member_spread),
    ]
    .into_iter()
    .filter_map(|(name, d)| d.map(|d| (name, d.estimate)))
    .collect();
    whiskers(
        &rows,
        ("← helps less", "helps more →"),
        "Parts of the difference in advantage, helping the attacker to the right",
    )
}

/// Memorization and leakage of each group against its share of the pool, one line per recipe.
pub(crate) fn groups(recipes: &[&str], all: &[&GroupResult], attack: &str) -> String {
    let found = |g: &GroupResult| g.leakage.iter().find(|l| l.attack == attack).map(|l| l.auc.mean);
    let values: Vec<f64> = all.iter().filter_map(|g| found(g)).collect();
    if values.is_empty() {
        return String::new();
    }
    let logs = || all.iter().map(|g| g.frequency.max(1e-6).log10());
    let (low, high) = (logs().fold(f64::INFINITY, f64::min), logs().fold(f64::NEG_INFINITY, f64::max));
    let pad = 0.05 * (high - low).max(0.2);
    let (least, most) = values.iter().fold((1.0f64, 0.0f64), |(a, b), v| (a.min(*v), b.max(*v)));
    let axes = Axes { x: (low - pad, high + pad), y: (least - 0.02, most + 0.02) };
    let steps = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5].map(|v: f64| (v.log10(), format!("{} %", 100.0 * v)));
    let xs: Vec<(f64, String)> = steps.into_iter().filter(|(v, _)| (axes.x.0..=axes.x.1).contains(v)).collect();
    let ys = [least, 0.5 * (least + most), most].map(|v| (v, format!("{v:.2}")));
    let mut body = axes.frame((&xs, "share of the pool"), (&ys, "AUC within the group"));
    for (k, recipe) in recipes.iter().enumerate() {
        let mut points: Vec<(f64, f64)> = all
            .iter()
            .filter(|g| g.recipe == **recipe)
            .filter_map(|g| Some((g.frequency.max(1e-6).log10(), found(g)?)))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let _ = write!(body, "<path class='line c{}' d='{}'/>", k % 6, axes.path(points.into_iter()));
    }
    svg(HEIGHT, "Leakage by group against its frequency", &body)
}

/// Text for SVG.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
