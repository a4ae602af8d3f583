//! Figures in words: parts of sentences.

use flatleak_results::{Estimate, GuessingPoint, Measure, Metric, PointResult, Verdict, Word};

/// Fewest decimals of a figure, and most.
const DECIMALS: std::ops::RangeInclusive<usize> = 3..=5;

/// Decimals at which a size still shows two digits.
fn decimals(size: f64) -> usize {
    let wanted = if size > 0.0 { (1.0 - size.abs().log10()).ceil().max(0.0) as usize } else { 0 };
    wanted.clamp(*DECIMALS.start(), *DECIMALS.end())
}

fn signed(value: f64, decimals: usize) -> String {
    format!("{value:+.decimals$}")
}

/// A difference with its interval, at the precision that its limits call for.
fn interval(e: &Estimate) -> String {
    let d = decimals((e.high - e.low).min(e.mean.abs().max(1e-9)));
    format!("{} [{}, {}]", signed(e.mean, d), signed(e.low, d), signed(e.high, d))
}

/// A metric of the attack of headlines for readers: `AUC`, `TPR @ 1 % FPR`.
pub fn called(metric: &Metric) -> String {
    match metric {
        Metric::Attack { measure: Measure::Auc, .. } => "AUC".into(),
        Metric::Attack { measure: Measure::Tpr(level), .. } => format!("TPR @ {} % FPR", (level * 1e6).round() / 1e4),
        other => other.to_string(),
    }
}

/// What is said at one point, as "AUC relevantly more, by +.024 [+.018, +.030]".
pub(crate) fn at_point(p: &PointResult) -> String {
    let (name, e) = (called(&p.metric), &p.difference);
    let said = match p.word {
        Word::RelevantlyMore => format!("relevantly more, by {}", interval(e)),
        Word::More => format!("more, by {}", interval(e)),
        Word::MoreNegligible => format!("more, but negligibly, by {}", interval(e)),
        Word::Identical => "identical".into(),
        Word::Equivalent => {
            let most = e.low.abs().max(e.high.abs());
            let d = decimals(most);
            // Rounded up: the limit is below what is said.
            let scale = 10f64.powi(d as i32);
            format!("no relevant difference, below {:.d$} with 95 % confidence", (most * scale).ceil() / scale)
        }
        Word::LessNegligible => format!("less, but negligibly, by {}", interval(e)),
        Word::Less => format!("less, by {}", interval(e)),
        Word::RelevantlyLess => format!("relevantly less, by {}", interval(e)),
        Word::Open => {
            let d = decimals(e.high - e.low);
            format!("open, between {} and {}", signed(e.low, d), signed(e.high, d))
        }
        Word::TooFewModels => "too few models".into(),
        Word::Withheld => "withheld".into(),
    };
    format!("{name} {said}")
}

pub(crate) fn at_points(points: &[PointResult]) -> String {
    points.iter().map(at_point).collect::<Vec<_>>().join("; ")
}

/// What this number of models can tell, and what number would settle it: for open verdicts alone.
pub(super) fn planning(verdict: Verdict, points: &[PointResult], models: usize) -> String {
    if !verdict.is_open() {
        return String::new();
    }
    // A point that has its word needs no more models.
    let open: Vec<&PointResult> = points.iter().filter(|p| p.word == Word::Open).collect();
    let found: Vec<String> = open
        .iter()
        .filter_map(|p| p.detectable.map(|d| format!("{:.*} in {}", decimals(d), d, called(&p.metric))))
        .collect();
    if found.is_empty() {
        return String::new();
    }
    let mut out = format!(" {models} models per recipe can detect a difference of {}", found.join(" and of "));
    let needed: Vec<_> = open.iter().filter_map(|p| p.models_needed).collect();
    // The point that needs most decides; one out of reach needs more than any.
    let most = needed.iter().max_by_key(|n| n.about.unwrap_or(usize::MAX));
    let most = most.filter(|n| n.about.is_none_or(|about| about > models));
    match most.map(|n| (n.about, n.low, n.high)) {
        Some((Some(about), low, high)) => {
            let low = low.unwrap_or(about).max(models);
            let range = high.map_or_else(|| format!("at least {low}"), |high| format!("{low} to {high}"));
            out += &format!("; about {about} ({range}) would probably show or exclude a relevant one");
        }
        Some((None, ..)) => out += "; more than 10000 would be needed to show or exclude a relevant one",
        None => {}
    }
    out + "."
}

/// A figure beside what guessing gives.
pub(super) fn beside_chance(p: &GuessingPoint) -> String {
    let (name, e) = (called(&p.metric), p.estimate);
    if name == "AUC" {
        return format!("AUC {:.3} [{:.3}, {:.3}] where .5 is guessing", e.mean, e.low, e.high);
    }
    let percent = |v: f64| format!("{:.*}", if v < 0.01 { 2 } else { 1 }, 100.0 * v);
    format!(
        "{name} {} % [{}, {}] where guessing gives {} %",
        percent(e.mean),
        percent(e.low),
        percent(e.high),
        percent(p.chance)
    )
}
