//! Charts of the theory page.

use std::fmt::Write;

use flatleak_results::{Estimate, LABEL, shortened};
use flatleak_stats::Interval;
use flatleak_stats::gaussian::{
    Moments, likelihood_ratio_advantage, likelihood_ratio_slope, one_sided_advantage, one_sided_slope,
};
use flatleak_stats::normal;
use flatleak_theory::{Along, MarginLaw, Placed, Shown, SweepPoint};

use crate::hue::Hue;
use crate::plot::curves::{Curve as Line, draw};
use crate::plot::{Axes, Data, Figure, escape, reach, round};

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
    let axes = Axes::new(MARGINS, (0.0, top));
    let mut backdrop = axes.frame(
        (&ticks(&[-2.0, -1.0, 0.0, 1.0, 2.0]), "signed margin (right above 0, label at 1)"),
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

/// A curve along eta: its name, the place of its colour, and what it draws.
pub(super) type Curve = (&'static str, usize, fn(&Along) -> Interval);

fn estimate(v: &Interval) -> Estimate {
    Estimate { mean: v.mean, low: v.low, high: v.high }
}

/// Ends of an axis that hold a single value too.
fn ends(all: &[Estimate]) -> (f64, f64) {
    let (low, high) = reach(all.iter());
    if high - low > 2e-6 { (low, high) } else { (low - 5e-4, high + 5e-4) }
}

/// Curves along eta with their bands.
pub(super) fn along(path: &[Along], (id, title, caption): (&str, &str, &str), curves: &[Curve]) -> Figure {
    let at = position(path);
    let (left, right) = (at.first().copied().unwrap_or(0.0), at.last().copied().unwrap_or(1.0));
    let all: Vec<Estimate> = curves.iter().flat_map(|(_, _, f)| path.iter().map(f)).map(|v| estimate(&v)).collect();
    let axes = Axes::new((left, if right > left { right } else { left + 1.0 }), ends(&all));
    let mut xs: Vec<(f64, String)> = vec![(left, "0".into())];
    let whole = (left.ceil() as i32..=right.floor() as i32)
        .filter(|p| path.iter().any(|a| a.eta.is_some_and(|e| (e.log10() - f64::from(*p)).abs() < 0.2)));
    xs.extend(whole.map(|p| (f64::from(p), if p.abs() < 3 { format!("{}", 10f64.powi(p)) } else { format!("1e{p}") })));
    if path.last().is_some_and(|a| a.eta.is_none()) {
        xs.push((right, "∞".into()));
    }
    let mut data = Data::new(&["curve", "eta", "value", "low", "high"]);
    let mut lines = Vec::new();
    for (name, colour, f) in curves {
        let points: Vec<(f64, Estimate)> = at.iter().copied().zip(path.iter().map(|a| estimate(&f(a)))).collect();
        for (a, (_, e)) in path.iter().zip(&points) {
            let eta = a.eta.map_or(crate::plot::Datum::Text("infinity".into()), crate::plot::Datum::Number);
            data.push(vec![(*name).into(), eta, e.mean.into(), e.low.into(), e.high.into()]);
        }
        lines.push(Line { recipe: name, hue: Hue::of(*colour), points, said: title.to_owned() });
    }
    let mut body = axes.frame((&xs, "eta: weight of flatness"), (&round(axes.y, 5), title));
    body += &draw(&axes, &lines);
    let legend = if curves.len() > 1 {
        curves.iter().map(|(name, colour, _)| ((*name).to_owned(), Hue::of(*colour))).collect()
    } else {
        Vec::new()
    };
    let (id, name, caption) = (id.to_owned(), format!("{title} along eta"), caption.to_owned());
    Figure { id, name, height: axes.height, body, legend, caption, data, class: "" }
}

/// AUC and test error over the ratio of dimensions to examples, at each eta of the sweep.
pub(super) fn sweep(
    points: &[SweepPoint],
    (id, title, caption): (&str, &str, &str),
    of: fn(&SweepPoint) -> Interval,
) -> Figure {
    let etas: Vec<f64> = points.iter().fold(Vec::new(), |mut all, p| {
        if !all.contains(&p.eta) {
            all.push(p.eta);
        }
        all
    });
    let x = |p: &SweepPoint| p.ratio.log2();
    let wide = points.iter().map(x).fold((0.0, 0.0), |(a, b): (f64, f64), v| (a.min(v), b.max(v)));
    let all: Vec<Estimate> = points.iter().map(|p| estimate(&of(p))).collect();
    let axes = Axes::new(if wide.1 > wide.0 { wide } else { (-1.0, 1.0) }, ends(&all));
    let whole = axes.x.0.ceil() as i32..=axes.x.1.floor() as i32;
    let xs: Vec<(f64, String)> = whole.map(|p| (f64::from(p), format!("{}", 2f64.powi(p)))).collect();
    let mut body = axes.frame((&xs, "dimensions per example, d / n"), (&round(axes.y, 5), title));
    let _ = write!(body, "<path class='chance' d='{}'/>", axes.path([(0.0, axes.y.0), (0.0, axes.y.1)].into_iter()));
    let names: Vec<String> = etas.iter().map(|eta| format!("eta = {eta}")).collect();
    let mut data = Data::new(&["eta", "ratio", "value", "low", "high"]);
    for p in points {
        let e = of(p);
        data.push([p.eta, p.ratio, e.mean, e.low, e.high].map(crate::plot::Datum::Number).to_vec());
    }
    let mine = |eta: f64| points.iter().filter(move |p| p.eta == eta).map(|p| (x(p), estimate(&of(p)))).collect();
    let line = |(k, (eta, name))| Line { recipe: name, hue: Hue::of(2 * k), points: mine(eta), said: title.to_owned() };
    let lines: Vec<Line<'_>> =
        etas.iter().copied().zip(names.iter().map(String::as_str)).enumerate().map(line).collect();
    body += &draw(&axes, &lines);
    let legend = names.iter().enumerate().map(|(k, name)| (name.clone(), Hue::of(2 * k))).collect();
    let (id, name, caption) = (id.to_owned(), format!("{title} against d / n"), caption.to_owned());
    Figure { id, name, height: axes.height, body, legend, caption, data, class: "" }
}

/// Which attack a map is of.
#[derive(Clone, Copy)]
pub(super) enum Map {
    Threshold,
    LikelihoodRatio,
}

/// The advantage over (gap / sigma, tau / sigma), darker for more; hatched where a narrower spread of non-members would hinder the
/// attacker; recipes as points in their colours with their intervals.
pub(super) fn map(placed: &[Placed], which: Map) -> Figure {
    let edge = |least: f64, of: fn(&Placed) -> f64| placed.iter().map(of).fold(least, |a: f64, b| a.max(1.15 * b));
    let axes = Axes::new((0.0, edge(1.2, |p| p.gap.high)), (0.0, edge(1.2, |p| p.ratio.high)));
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
    let _ = write!(body, "</g><path class='hatch' d='{hatched}'/>");
    body += &axes.frame(
        (&round(axes.x, 6), "gap / sigma: distance of the means"),
        (&round(axes.y, 6), "tau / sigma: spread of members"),
    );
    let mut data = Data::new(&["recipe", "gap", "gap low", "gap high", "ratio", "ratio low", "ratio high"]);
    for (k, p) in placed.iter().enumerate() {
        let (gap, ratio) = (p.gap, p.ratio);
        let numbers = [gap.mean, gap.low, gap.high, ratio.mean, ratio.low, ratio.high].map(crate::plot::Datum::Number);
        data.push(std::iter::once(p.recipe.as_str().into()).chain(numbers).collect());
        // Members below non-members lie on the edge: no attack of this kind works there.
        let (x, y) = (axes.x(gap.mean.max(0.0)), axes.y(ratio.mean));
        let (hue, name) = (Hue::of(k), escape(&shortened(&p.recipe, LABEL)));
        let _ = write!(
            body,
            "<g class='{hue}' data-recipe=\"{name}\"><title>{name}</title><path class='whisker ink' d='M{:.1} {y:.1}H{:.1}M{x:.1} {:.1}V{:.1}'/>{}</g>",
            axes.x(gap.low),
            axes.x(gap.high),
            axes.y(ratio.low),
            axes.y(ratio.high),
            hue.mark((x, y), 4.0)
        );
    }
    let (id, name, caption) = match which {
        Map::Threshold => ("fig-map-threshold", "Advantage of one threshold", "One threshold on phi."),
        Map::LikelihoodRatio => ("fig-map-best", "Advantage of the best attack", "The best attack on phi."),
    };
    let legend = placed.iter().enumerate().map(|(k, p)| (p.recipe.clone(), Hue::of(k))).collect();
    let (id, name, caption) = (id.to_owned(), name.to_owned(), caption.to_owned());
    Figure { id, name, height: axes.height, body, legend, caption, data, class: "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flatleak_theory::Component;

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
