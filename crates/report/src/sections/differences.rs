//! The differences between recipes.

use askama::Template;
use flatleak_results::{Pairing, PointResult, Word};

use crate::context::Context;
use crate::{plot, say};

#[derive(Template)]
#[template(path = "../src/sections/differences.html")]
struct Differences<'a> {
    context: &'a Context<'a>,
    /// Whether all comparisons are model by model.
    paired: bool,
    /// Candidate, baseline, and their AUC differences.
    forests: Vec<(&'a str, &'a str, String)>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let paired = context.comparisons.iter().all(|c| c.pairing == Pairing::Paired);
    let forests = context.comparisons.iter().map(|c| {
        let aucs: Vec<_> = c.metrics.iter().filter(|m| m.metric.is_auc()).collect();
        (c.candidate.as_str(), c.baseline.as_str(), plot::forest(&aucs))
    });
    (!context.comparisons.is_empty()).then(|| Differences { context, paired, forests: forests.collect() })
}

/// What these models can tell at a point that is open, and how many could tell more.
fn planned(p: &PointResult, models: usize) -> (String, String) {
    if p.word != Word::Open {
        return ("–".into(), "–".into());
    }
    let some = |n: Option<usize>| n.map_or("over 10000".into(), |n| n.to_string());
    // Fewer than there are were not enough.
    let low = |n: Option<usize>| n.map(|n| n.max(models));
    let needed = p.models_needed.map(|n| format!("{} ({} to {})", some(n.about), some(low(n.low)), some(n.high)));
    (p.detectable.map_or("–".into(), |d| format!("{d:.4}")), needed.unwrap_or("–".into()))
}
