//! What to do: which recipe, what it costs, and what would settle what is open.

use askama::Template;
use flatleak_results::{Comparison, Document, Frontier, FrontierPoint};

use crate::context::Context;
use crate::{cell, say};

pub(super) const TITLE: &str = "What to do";

#[derive(Template)]
#[template(path = "../src/sections/advice.html")]
struct Advice<'a> {
    context: &'a Context<'a>,
    /// Recipes that can be recommended, with what they cost.
    choices: Vec<Choice<'a>>,
    /// In words, a sentence a line.
    sentences: Vec<String>,
    /// Models per recipe that would probably settle what is open.
    needed: Option<usize>,
    open: bool,
    /// Whether anything leaks at all.
    leaks: bool,
}

/// A recipe and its costs.
struct Choice<'a> {
    point: &'a FrontierPoint,
    /// Gradients, in those of the cheapest recipe.
    training: Option<f64>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let d = context.document;
    let frontier = d.frontiers.iter().find(|f| context.covers(&f.dataset));
    let choices = frontier.map_or(Vec::new(), |f| choices(d, f));
    let sentences = frontier.map_or_else(|| of_pairs(&context.comparisons), |f| say::parts(&f.sentence));
    let open = context.comparisons.iter().any(|c| !c.headline.verdict.is_settled());
    let points = context.comparisons.iter().flat_map(|c| &c.points);
    let needed = points.filter_map(|p| p.models_needed.as_ref().and_then(|n| n.about)).max();
    let leaks = context
        .recipes
        .iter()
        .any(|r| r.guessing.as_ref().is_some_and(|g| g.points.iter().any(flatleak_results::GuessingPoint::is_above)));
    context.attacked().then_some(Advice { context, choices, sentences, needed, open, leaks })
}

fn choices<'a>(d: &'a Document, f: &'a Frontier) -> Vec<Choice<'a>> {
    let gradients =
        |recipe: &str| d.study.recipes.iter().find(|r| r.name == recipe).map(|r| r.gradients).filter(|g| *g > 0.0);
    let least = f.points.iter().filter_map(|p| gradients(&p.recipe)).fold(f64::INFINITY, f64::min);
    let one = |point: &'a FrontierPoint| Choice { point, training: gradients(&point.recipe).map(|g| g / least) };
    f.points.iter().filter(|p| f.recommended.contains(&p.recipe)).map(one).collect()
}

/// Where two recipes alone were compared.
fn of_pairs(all: &[&Comparison]) -> Vec<String> {
    let one = |c: &&Comparison| {
        let (a, b) = (&c.candidate, &c.baseline);
        if c.headline.verdict.says_less() {
            format!("Of {a} and {b}, take {a} where leakage decides.")
        } else if c.headline.verdict.says_more() {
            format!("Of {a} and {b}, take {b} where leakage decides.")
        } else if c.headline.verdict.is_settled() {
            format!("Between {a} and {b}, let accuracy and cost decide: leakage does not.")
        } else {
            format!("Between {a} and {b} nothing can be recommended for its leakage yet.")
        }
    };
    all.iter().map(one).collect()
}
