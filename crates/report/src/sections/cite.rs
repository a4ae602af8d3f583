//! How this is cited.

use askama::Template;

use crate::context::Context;

pub(super) const TITLE: &str = "How to cite";

#[derive(Template)]
#[template(path = "../src/sections/cite.html")]
struct Cite<'a> {
    context: &'a Context<'a>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    Some(Cite { context })
}

/// Year of the run.
fn year(date: &str) -> &str {
    date.get(..4).unwrap_or(date)
}
