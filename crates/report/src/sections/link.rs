//! Does memorization say who is found?

use askama::Template;
use flatleak_results::{Estimate, LinkResult};

use crate::context::Context;
use crate::{cell, say};

pub(super) const TITLE: &str = "Does memorization say who is found?";

#[derive(Template)]
#[template(path = "../src/sections/link.html")]
struct Link<'a> {
    context: &'a Context<'a>,
    /// Attacks, each with a place for every recipe.
    attacks: Vec<(&'a str, Vec<Option<&'a Estimate>>)>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let links = context.document.explain.link.iter().filter(|l| context.covers(&l.dataset)).collect();
    let attacks = rows(links, &context.explained());
    (!attacks.is_empty()).then_some(Link { context, attacks })
}

/// One row per attack with a place for every recipe.
fn rows<'a>(links: Vec<&'a LinkResult>, recipes: &[&str]) -> Vec<(&'a str, Vec<Option<&'a Estimate>>)> {
    let mut out: Vec<(&str, Vec<Option<&Estimate>>)> = Vec::new();
    for link in &links {
        if !out.iter().any(|(name, _)| *name == link.attack) {
            let of = |recipe: &&str| {
                links.iter().find(|l| l.attack == link.attack && l.recipe == **recipe).map(|l| &l.correlation)
            };
            out.push((&link.attack, recipes.iter().map(of).collect()));
        }
    }
    out
}

/// A correlation, where there is one.
fn put(e: &Option<&Estimate>) -> String {
    cell::optional(*e, cell::value)
}
