//! What the run says about the claims of a published study, at the head of the explanation.

use askama::Template;
use flatleak_results::{ClaimOutcome, ClaimResult};

use crate::context::Context;
use crate::say;

pub(super) const TITLE: &str = "The claims of a published study";

#[derive(Template)]
#[template(path = "../src/sections/claims.html")]
struct Claims<'a> {
    context: &'a Context<'a>,
    claims: Vec<&'a ClaimResult>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let claims: Vec<_> = context.document.explain.claims.iter().filter(|c| context.covers(&c.dataset)).collect();
    (!claims.is_empty()).then_some(Claims { context, claims })
}

/// Class, words and sign of the tag beside a claim.
fn outcome(c: &ClaimResult) -> (&'static str, &'static str, &'static str) {
    match c.outcome {
        ClaimOutcome::Supports => ("yes", "supported here", "✓"),
        ClaimOutcome::Contradicts => ("no", "contradicted here", "✗"),
        ClaimOutcome::CannotTell => ("open", "open here", "?"),
    }
}
