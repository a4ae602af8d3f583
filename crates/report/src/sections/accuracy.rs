//! Accuracy beside leakage, and whether each recipe leaks at all.

use askama::Template;
use flatleak_attack::Attack;
use flatleak_results::RecipeResult;
use flatleak_verdict::{HEADLINE, SUMMARY, against_guessing};

use crate::context::Context;
use crate::{cell, say};

pub(super) const TITLE: &str = "Accuracy, and whether each leaks at all";

#[derive(Template)]
#[template(path = "../src/sections/accuracy.html")]
struct Accuracy<'a> {
    context: &'a Context<'a>,
    /// Whether the blind attack was asked for.
    blinded: bool,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let blinded = context.recipes.iter().any(|r| r.blind.is_some());
    (!context.recipes.is_empty()).then_some(Accuracy { context, blinded })
}

fn auc(r: &RecipeResult, attack: Attack) -> String {
    cell::optional(r.attack(&attack.name()).map(|a| &a.auc), cell::value)
}

fn blind(r: &RecipeResult) -> String {
    r.blind.as_ref().map_or("–".into(), |b| say::without_outputs(b, |e| say::value(&e)))
}

/// Whether a recipe leaks at all, in words.
fn guessing(r: &RecipeResult) -> Vec<String> {
    let said = r.guessing.as_ref().map(|g| say::prose(&against_guessing(&r.name, g, &r.conditions)));
    said.iter().flat_map(|text| say::parts(text)).collect()
}
