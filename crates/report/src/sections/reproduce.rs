//! Command and digests with which the same results come out again.

use askama::Template;

use crate::context::Context;

pub(super) const TITLE: &str = "How to reproduce";

#[derive(Template)]
#[template(path = "../src/sections/reproduce.html")]
struct Reproduce<'a> {
    context: &'a Context<'a>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    Some(Reproduce { context })
}
