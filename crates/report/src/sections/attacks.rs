//! Every attack on every recipe.

use askama::Template;
use flatleak_results::{Estimate, TprAtFpr};

use crate::context::Context;
use crate::{cell, say};

pub(super) const TITLE: &str = "Every attack";

/// Levels of FPR that the table has.
const SHOWN: [f64; 2] = [0.001, 0.01];

#[derive(Template)]
#[template(path = "../src/sections/attacks.html")]
struct Attacks<'a> {
    context: &'a Context<'a>,
    /// The lowest level of FPR in the table, and the TPR there of a score that knows nothing.
    chance: Option<(f64, f64)>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let levels = context.recipes.iter().flat_map(|r| &r.attacks).flat_map(|a| &a.tpr_at_fpr);
    let known = levels.filter(|t| SHOWN.contains(&t.fpr) && t.chance > 0.0).map(|t| (t.fpr, t.chance));
    let chance = known.min_by(|a, b| a.0.total_cmp(&b.0));
    context.attacked().then_some(Attacks { context, chance })
}

fn half_width(e: &Estimate) -> String {
    format!("± {:.4}", 0.5 * (e.high - e.low))
}

/// A TPR, with a star where it is not reliable.
fn rate(t: &TprAtFpr) -> String {
    cell::estimate(&t.tpr, &format!("{}{}", say::percent(&t.tpr), if t.reliable { "" } else { " *" }))
}
