//! Limits of the finding.

use askama::Template;
use flatleak_results::SMALLEST_GROUP;

use crate::context::Context;

pub(super) const TITLE: &str = "Limits of the finding";

#[derive(Template)]
#[template(path = "../src/sections/limits.html")]
struct Limits<'a> {
    context: &'a Context<'a>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    Some(Limits { context })
}
