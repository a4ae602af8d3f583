//! Limits of the finding.

use askama::Template;
use flatleak_results::{LeftOut, SMALLEST_GROUP};

use crate::context::Context;

pub(super) const TITLE: &str = "Limits of the finding";

#[derive(Template)]
#[template(path = "../src/sections/limits.html")]
struct Limits<'a> {
    context: &'a Context<'a>,
    /// What could not be explained.
    left_out: Vec<&'a LeftOut>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let left_out = context.document.explain.left_out.iter().filter(|l| context.covers(&l.dataset)).collect();
    Some(Limits { context, left_out })
}
