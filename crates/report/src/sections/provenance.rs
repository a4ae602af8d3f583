//! What was run.

use askama::Template;

use crate::context::Context;

#[derive(Template)]
#[template(path = "../src/sections/provenance.html")]
struct Provenance<'a> {
    context: &'a Context<'a>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    Some(Provenance { context })
}

/// At most two digits behind the point.
fn short(v: &f64) -> String {
    format!("{v:.2}").trim_end_matches('0').trim_end_matches('.').to_owned()
}
