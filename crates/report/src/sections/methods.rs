//! How the figures are made.

use askama::Template;

use crate::context::Context;

pub(super) const TITLE: &str = "Methods";

#[derive(Template)]
#[template(path = "../src/sections/methods.html")]
struct Methods<'a> {
    context: &'a Context<'a>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    Some(Methods { context })
}

/// A size of relevant differences.
fn share(v: &f64) -> String {
    format!("{}", (v * 1e6).round() / 1e4)
}
