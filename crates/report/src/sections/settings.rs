//! What was trained, on what, where.

use askama::Template;

use crate::context::Context;

pub(super) const TITLE: &str = "Data, recipes and machine";

#[derive(Template)]
#[template(path = "../src/sections/settings.html")]
struct Settings<'a> {
    context: &'a Context<'a>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    Some(Settings { context })
}

/// At most two digits behind the point.
fn short(v: &f64) -> String {
    format!("{v:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
}
