//! Every term of the page.

use askama::Template;

use crate::context::Context;
use crate::glossary::TERMS;

pub(super) const TITLE: &str = "Glossary";

#[derive(Template)]
#[template(path = "../src/sections/glossary.html")]
struct Glossary;

pub(super) fn section(_: &Context<'_>) -> Option<impl Template> {
    Some(Glossary)
}
