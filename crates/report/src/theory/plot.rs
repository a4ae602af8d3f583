//! Charts of the theory page.

use std::fmt::Write;

use flatleak_results::{LABEL, shortened};
use flatleak_stats::Interval;
use flatleak_stats::gaussian::{
    Moments, likelihood_ratio_advantage, likelihood_ratio_slope, one_sided_advantage, one_sided_slope,
};
use flatleak_stats::normal;
use flatleak_theory::{Along, MarginLaw, Placed, Shown, SweepPoint};

use crate::plot::{Axes, HEIGHT, escape, svg};

/// Range of signed margins that is drawn.
const MARGINS: (f64, f64) = (-2.5, 2.5);
/// Points of a density.
const POINTS: usize = 161;
/// Cells of the map in either direction.
const CELLS: usize = 32;

/// One position of the slider: what moves, as attributes.
pub(super) struct Frame {
    /// `d` of the shape of non-members.
    pub(super) density: String,
    /// `d` of the line of the threshold; empty where there is none.
    pub(super) threshold: String,
}

/// The picture under the slider: axes, the shape of members, and one frame per eta.
pub(super) struct Densities {
    pub(super) backdrop: String,
    pub(super) frames: Vec<Frame>,
}

fn ticks(values: &[f64]) -> Vec<(f64, String)> {
    values.iter().map(|v| (*v, format!("{v}").replace('-', "−"))).collect()
}

fn area(axes: &Axes, density: impl Fn(f64) -> f64) -> String {
    let x = |k: usize| MARGINS.0 + (MARGINS.1 - MARGINS.0) * k as f64 / (POINTS - 1) as f64;
    let top = axes.y.1;
    let inside = (0..POINTS).map(|k| (x(k), density(x(k)).min(top)));
    let all = std::iter::once((MARGINS.0, 0.0)).chain(inside).chain([(MARGINS.1, 0.0)]);
    axes.path(all) + "Z"
}

pub(super) fn densities(shown: &[Shown], tau: f64) -> Densities {
    let laws: Vec<MarginLaw> = shown.iter().map(|s| MarginLaw::new(s.components.clone())).collect();
    let peak = |law: &MarginLaw| {
        (0..POINTS).map(|k| law.density(MARGINS.0 + 5.0 * k as f64 / POINTS as f64)).fold(0.0, f64::max)
    };
    let top = 1.15 * laws.iter().map(peak).fold(0.1, f64::max);
    let axes = Axes { x: MARGINS, y: (0.0, top) };
    let mut backdrop = axes.frame(
        (&ticks(&[-2.0, -1.0, 0.0, 1.0, 2.0]), "signed margin: above 0 is right, 1 is the label"),
        (&[], "share of examples"),
    );
    // Members are as narrow as the noise on their labels; higher than the picture, they are cut off at its top.
    let member = if tau > 0.0 { area_around_one(&axes, tau) } else { axes.path([(1.0, 0.0), (1.0, top)].into_iter()) };
    let _ = write!(backdrop, "<path class='hist mem' d='{member}'/>");
    let frames = shown.iter().zip(&laws).map(|(s, law)| Frame {
        density: area(&axes, |z| law.density(z)),
        threshold: s.threshold.map_or(String::new(), |z| axes.path([(z, 0.0), (z, top)].into_iter())),
    });
    let frames = frames.collect();
    Densities { backdrop, frames }
}

/// The density of members, on a grid of its own: it may be much narrower than the others.
fn area_around_one(axes: &Axes, tau: f64) -> String {
    let reach = (4.0 * tau).min(MARGINS.1 - 1.0);
    let points = (0..=80).map(|k| 1.0 + reach * (k as f64 / 40.0 - 1.0));
    let inside = points.map(|z| (z, (normal::density((z - 1.0) / tau) / tau).min(axes.y.1)));
    let all = std::iter::once((1.0 - reach, 0.0)).chain(inside).chain([(1.0 + reach, 0.0)]);
    axes.path(all) + "Z"
}

/// Position of an eta on the axis: its logarithm, with 0 a step before the smallest and the limit a step behind the largest.
fn position(path: &[Along]) -> Vec<f64> {
    let logs: Vec<Option<f64>> = path.iter().map(|a| a.eta.filter(|e| *e > 0.0).map(f64::log10)).collect();
    let ends = logs.iter().flatten().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)));
    let (low, high) = if ends.0.is_finite() { ends } else { (0.0, 0.0) };
    path.iter().zip(logs).map(|(a, log)| log.unwrap_or(if a.eta.is_none() { high + 0.6 } else { low - 0.6 })).collect()
}

/// A curve along eta: the number of its colour, and what it draws.
pub(super) type Curve = (usize, fn(&Along) -> Interval);

/// Curves along eta with their bands.
pub(super) fn along(path: &[Along], title: &str, curves: &[Curve]) -> String {
    let at = position(path);
    let (Some(&left), Some(&right)) = (at.first(), at.last()) else { return String::new() };
    let all = curves.iter().flat_map(|(_, f)| path.iter().map(f).flat_map(|e| [e.low, e.high]));
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    let (low, high, step) = nice(low, high);
    let axes = Axes { x: (left, right.max(left + 1.0)), y: (low, high) };
    let mut xs: Vec<(f64, String)> = vec![(left, "0".into())];
    let whole = (left.ceil() as i32..=right.floor() as i32)
        .filter(|p| path.iter().any(|a| a.eta.is_some_and(|e| (e.log10() - f64::from(*p)).abs() < 0.2)));
    xs.extend(whole.map(|p| (f64::from(p), if p.abs() < 3 { format!("{}", 10f64.powi(p)) } else { format!("1e{p}") })));
    if path.last().is_some_and(|a| a.eta.is_none()) {
        xs.push((right, "∞".into()));
    }
    let count = ((high - low) / step).round() as usize;
    let ys: Vec<(f64, String)> = (0..=count).map(|k| low + step * k as f64).map(|v| (v, label(v, step))).collect();
    let mut body = axes.frame((&xs, "eta: weight of flatness"), (&ys, title));
    for (class, f) in curves {
        let line =
            |of: fn(&Interval) -> f64| path.iter().zip(&at).map(move |(a, x)| (*x, of(&f(a)))).collect::<Vec<_>>();
        let mut band = line(|e| e.high);
        band.extend(line(|e| e.low).into_iter().rev());
        let _ = write!(body, "<path class='band c{class}' d='{}Z'/>", axes.path(band.into_iter()));
        let _ = write!(body, "<path class='line c{class}' d='{}'/>", axes.path(line(|e| e.mean).into_iter()));
    }
    svg(HEIGHT, title, &body)
}

/// Limits around two numbers, and a step of 1, 2 or 5 that divides them into at most 6.
fn nice(low: f64, high: f64) -> (f64, f64, f64) {
    let (low, high) = if high > low { (low, high) } else { (low - 5e-4, low + 5e-4) };
    let span = (high - low).max(1e-3);
    let rough = span / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|k| k * power).into_iter().find(|s| *s >= rough).unwrap_or(rough);
    ((low / step).floor() * step, (high / step).ceil() * step, step)
}

fn label(v: f64, step: f64) -> String {
    let digits = (-step.log10().floor()).max(0.0) as usize;
    format!("{v:.digits$}").replace('-', "−")
}

/// AUC and test error over the ratio of dimensions to examples, at each eta of the sweep.
pub(super) fn sweep(points: &[SweepPoint], title: &str, of: fn(&SweepPoint) -> Interval) -> String {
    let etas: Vec<f64> = points.iter().fold(Vec::new(), |mut all, p| {
        if !all.contains(&p.eta) {
            all.push(p.eta);
        }
        all
    });
    let x = |p: &SweepPoint| p.ratio.log2();
    let reach = points.iter().map(x).fold((0.0, 0.0), |(a, b): (f64, f64), v| (a.min(v), b.max(v)));
    let ends = points.iter().flat_map(|p| [of(p).low, of(p).high]);
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    let (low, high, step) = nice(low, high);
    let axes = Axes { x: reach, y: (low, high) };
    let whole = reach.0.ceil() as i32..=reach.1.floor() as i32;
    let xs: Vec<(f64, String)> = whole.map(|p| (f64::from(p), format!("{}", 2f64.powi(p)))).collect();
    let count = ((high - low) / step).round() as usize;
    let ys: Vec<(f64, String)> = (0..=count).map(|k| low + step * k as f64).map(|v| (v, label(v, step))).collect();
    let mut body = axes.frame((&xs, "dimensions per example, d / n"), (&ys, title));
    let _ = write!(body, "<path class='chance' d='{}'/>", axes.path([(0.0, low), (0.0, high)].into_iter()));
    for (class, eta) in etas.iter().enumerate() {
        let mine: Vec<&SweepPoint> = points.iter().filter(|p| p.eta == *eta).collect();
        let line = |f: fn(&Interval) -> f64| mine.iter().map(|p| (x(p), f(&of(p)))).collect::<Vec<_>>();
        let mut band = line(|e| e.high);
        band.extend(line(|e| e.low).into_iter().rev());
        let class = 2 * class;
        let _ = write!(body, "<path class='band c{class}' d='{}Z'/>", axes.path(band.into_iter()));
        let _ = write!(body, "<path class='line c{class}' d='{}'/>", axes.path(line(|e| e.mean).into_iter()));
    }
    svg(HEIGHT, title, &body)
}

/// Which attack a map is of.
#[derive(Clone, Copy)]
pub(super) enum Map {
    Threshold,
    LikelihoodRatio,
}

/// The advantage over (gap / sigma, tau / sigma), darker for more; hatched where a narrower spread of non-members would hinder the
/// attacker; recipes as points in their colours with their intervals.
pub(super) fn map(placed: &[Placed], which: Map) -> String {
    let edge = |least: f64, of: fn(&Placed) -> f64| placed.iter().map(of).fold(least, |a: f64, b| a.max(1.15 * b));
    let axes = Axes { x: (0.0, edge(1.2, |p| p.gap.high)), y: (0.0, edge(1.2, |p| p.ratio.high)) };
    let moments = |gap: f64, ratio: f64| Moments {
        member_mean: gap,
        member_deviation: ratio,
        non_member_mean: 0.0,
        non_member_deviation: 1.0,
    };
    let advantage_and_slope = |m: &Moments| match which {
        Map::Threshold => (one_sided_advantage(m), one_sided_slope(m)),
        Map::LikelihoodRatio => (likelihood_ratio_advantage(m), likelihood_ratio_slope(m)),
    };
    // Crisp edges leave no seams between cells.
    let mut body = String::from("<g shape-rendering='crispEdges'>");
    let (width, height) = ((axes.x.1 - axes.x.0) / CELLS as f64, (axes.y.1 - axes.y.0) / CELLS as f64);
    let mut hatched = String::new();
    for j in 0..CELLS {
        for i in 0..CELLS {
            let (left, low) = (width * i as f64, height * j as f64);
            let here = moments(left + 0.5 * width, low + 0.5 * height);
            let (value, slope) = advantage_and_slope(&here);
            let (x, y, w, h) = (
                axes.x(left),
                axes.y(low + height),
                axes.x(left + width) - axes.x(left),
                axes.y(low) - axes.y(low + height),
            );
            let _ = write!(
                body,
                "<rect class='cell' x='{x:.2}' y='{y:.2}' width='{w:.2}' height='{h:.2}' fill-opacity='{:.2}'/>",
                0.75 * value
            );
            if slope > 0.0 {
                let _ = write!(hatched, "M{x:.1} {:.1}l{w:.1} {:.1}", y + h, -h);
            }
        }
    }
    let marks = |end: f64| {
        let step = if end > 6.0 { 2.0 } else { 0.2 * (end / 1.6).ceil() };
        let values = (0..).map(|k| f64::from(k) * step).take_while(|v| *v <= end);
        values.map(|v| (v, format!("{v:.1}"))).collect::<Vec<_>>()
    };
    let _ = write!(body, "</g><path class='hatch' d='{hatched}'/>");
    body += &axes.frame(
        (&marks(axes.x.1), "gap / sigma: distance of the means"),
        (&marks(axes.y.1), "tau / sigma: spread of members"),
    );
    for (k, p) in placed.iter().enumerate() {
        // Members below non-members lie on the edge: no attack of this kind works there.
        let (x, y) = (axes.x(p.gap.mean.max(0.0)), axes.y(p.ratio.mean));
        let _ = write!(
            body,
            "<path class='whisker ink' d='M{:.1} {y:.1}H{:.1}M{x:.1} {:.1}V{:.1}'/>",
            axes.x(p.gap.low),
            axes.x(p.gap.high),
            axes.y(p.ratio.low),
            axes.y(p.ratio.high)
        );
        let _ = write!(
            body,
            "<circle class='dot c{}' cx='{x:.1}' cy='{y:.1}' r='4'><title>{}</title></circle>",
            k % 6,
            escape(&shortened(&p.recipe, LABEL))
        );
    }
    let title = match which {
        Map::Threshold => "Advantage of one threshold",
        Map::LikelihoodRatio => "Advantage of the best attack",
    };
    svg(HEIGHT, title, &body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flatleak_theory::Component;

    #[test]
    fn limits_are_round_and_hold_the_numbers() {
        for (low, high) in [(0.0, 1.0), (0.71, 0.93), (-0.003, 0.0151), (2.0, 2.0), (0.2, 137.0)] {
            let (a, b, step) = nice(low, high);
            assert!(a <= low && b >= high && b > a && (b - a) / step < 8.5, "{a} {b} {step}");
        }
        assert_eq!(label(0.25, 0.05), "0.25");
        assert_eq!(label(-20.0, 10.0), "−20");
    }

    #[test]
    fn the_frames_follow_the_law() {
        let shown = |scale: f64| Shown {
            eta: Some(0.0),
            components: vec![Component { weight: 1.0, location: 0.0, scale, shape: 0.0 }],
            threshold: Some(0.9),
            confidence: 0.5,
            likelihood_ratio: 0.5,
            second_moment: 1.0,
            test_error: 0.5,
            memorization: 0.5,
        };
        let drawn = densities(&[shown(1.0), shown(0.5)], 0.1);
        assert_eq!(drawn.frames.len(), 2);
        assert_ne!(drawn.frames[0].density, drawn.frames[1].density);
        assert_eq!(drawn.frames[0].threshold, drawn.frames[1].threshold);
    }
}
