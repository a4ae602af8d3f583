//! Ticks of axes.

use super::label::LETTER;

/// A place on an axis and what is written there.
pub(crate) type Tick = (f64, String);

/// Most ticks of an axis.
const MOST: usize = 12;

/// Step of 1, 2 or 5 times a power of ten that divides a range into at most `most` parts.
fn step(span: f64, most: usize) -> f64 {
    let raw = span / most.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|k| k * power).find(|s| *s >= raw * (1.0 - 1e-9)).unwrap_or(raw)
}

/// Digits behind the point that a step needs.
fn digits(step: f64) -> usize {
    (-step.log10().floor()).clamp(0.0, 6.0) as usize
}

/// A number with a true minus.
pub(crate) fn written(v: f64, digits: usize) -> String {
    // No negative zero.
    format!("{:.digits$}", if v.abs() < 0.5 * 10f64.powi(-(digits as i32)) { 0.0 } else { v }).replace('-', "−")
}

fn places((low, high): (f64, f64), most: usize, text: impl Fn(f64, f64) -> String) -> Vec<Tick> {
    let step = step(high - low, most);
    let first = (low / step - 1e-9).ceil() as i64;
    let end = high + 1e-9 * step.abs();
    // Ends that are equal, or beyond what doubles tell apart, have no step.
    let all = (0..MOST as i64).map(|k| first.saturating_add(k) as f64 * step).take_while(|v| *v <= end);
    all.map(|v| (v, text(v, step))).collect()
}

/// Ticks at round values between two ends, at most `most` steps.
pub(crate) fn round(ends: (f64, f64), most: usize) -> Vec<Tick> {
    places(ends, most, |v, step| written(v, digits(step)))
}

/// The same in percent.
pub(crate) fn percents(ends: (f64, f64), most: usize) -> Vec<Tick> {
    places(ends, most, |v, step| format!("{} %", written(100.0 * v, digits(100.0 * step))))
}

/// The same of differences.
pub(crate) fn signed_percents(ends: (f64, f64), most: usize) -> Vec<Tick> {
    places(ends, most, |v, step| {
        let sign = if v > 0.5 * step { "+" } else { "" };
        format!("{sign}{}", written(100.0 * v, digits(100.0 * step)))
    })
}

/// Powers of ten of rates between two logarithms, in percent.
pub(crate) fn powers((low, high): (f64, f64)) -> Vec<Tick> {
    let all = (low - 1e-9).ceil() as i32..=(high + 1e-9).floor() as i32;
    all.map(|p| (f64::from(p), format!("{} %", 100.0 * 10f64.powi(p)))).collect()
}

/// Every tick, or every second, third, ... one counted from zero (or from the first), so that no label touches the next; `x` is where a tick
/// stands in the drawing.
pub(crate) fn thinned<'t>(all: &'t [Tick], x: &dyn Fn(f64) -> f64) -> Vec<&'t Tick> {
    let zero = all.iter().position(|(v, _)| v.abs() < 1e-12).unwrap_or(0);
    let every =
        |stride: usize| all.iter().enumerate().filter(move |(k, _)| k.abs_diff(zero) % stride == 0).map(|(_, t)| t);
    let width = |t: &Tick| LETTER * t.1.chars().count() as f64;
    let fits =
        |kept: &[&Tick]| kept.windows(2).all(|p| x(p[1].0) - x(p[0].0) > 0.5 * (width(p[0]) + width(p[1])) + 2.0);
    let strides = (1..all.len().max(2)).map(|stride| every(stride).collect::<Vec<_>>());
    strides.into_iter().find(|kept| fits(kept)).unwrap_or_else(|| all.iter().take(1).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_their_distance_evenly() {
        let all = round((-0.025, 0.025), 6);
        let kept = |width: f64| -> Vec<f64> { thinned(&all, &|v| v * width).into_iter().map(|(v, _)| *v).collect() };
        assert_eq!(kept(1e5).len(), all.len());
        assert_eq!(kept(2000.0), [-0.02, 0.0, 0.02]);
        assert_eq!(kept(1.0).len(), 1);
        assert!(thinned(&[], &|v| v).is_empty());
    }

    #[test]
    fn ticks_are_round_and_inside() {
        for ends in [(0.0, 1.0), (0.71, 0.93), (-0.003, 0.0151), (0.2, 137.0), (-4e-7, 3e-7), (-1.0, 1.0)] {
            let all = round(ends, 5);
            assert!((2..=6).contains(&all.len()), "{ends:?} {all:?}");
            assert!(all.iter().all(|(v, _)| *v >= ends.0 - 1e-9 && *v <= ends.1 + 1e-9));
            let mantissa = |v: f64| v / 10f64.powf(v.abs().log10().floor());
            let step = mantissa(all[1].0 - all[0].0);
            assert!([1.0, 2.0, 5.0, 10.0].iter().any(|k| (step - k).abs() < 1e-6), "{step}");
        }
        assert!(round((1.0, 1.0), 4).len() <= MOST);
        let texts = |all: Vec<Tick>| all.into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(texts(round((-0.02, 0.02), 4)), ["−0.02", "−0.01", "0.00", "0.01", "0.02"]);
        assert_eq!(texts(percents((0.79, 0.81), 2)), ["79 %", "80 %", "81 %"]);
        assert_eq!(texts(signed_percents((-0.1, 0.1), 2)), ["−10", "0", "+10"]);
        assert_eq!(texts(powers((-3.0, 0.0))), ["0.1 %", "1 %", "10 %", "100 %"]);
    }
}
