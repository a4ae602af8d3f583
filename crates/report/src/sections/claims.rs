//! What the run says about the claims of a published study, at the head of the explanation.

use askama::Template;
use flatleak_results::{ClaimOutcome, ClaimResult, LeftOut};

use crate::context::Context;
use crate::say;

pub(super) const TITLE: &str = "The claims of a published study";

#[derive(Template)]
#[template(path = "../src/sections/claims.html")]
struct Claims<'a> {
    context: &'a Context<'a>,
    claims: Vec<&'a ClaimResult>,
    left_out: Vec<&'a LeftOut>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let explain = &context.document.explain;
    let made = Claims {
        context,
        claims: explain.claims.iter().filter(|c| context.covers(&c.dataset)).collect(),
        left_out: explain.left_out.iter().filter(|l| context.covers(&l.dataset)).collect(),
    };
    (!made.claims.is_empty() || !made.left_out.is_empty()).then_some(made)
}

/// Class, words and sign of the tag beside a claim.
fn outcome(c: &ClaimResult) -> (&'static str, &'static str, &'static str) {
    match c.outcome {
        ClaimOutcome::Supports => ("yes", "supported here", "✓"),
        ClaimOutcome::Contradicts => ("no", "contradicted here", "✗"),
        ClaimOutcome::CannotTell => ("open", "open here", "?"),
    }
}
