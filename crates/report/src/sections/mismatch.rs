//! An attacker who has the wrong recipe.

use askama::Template;
use flatleak_results::Mismatch;

use crate::context::Context;

pub(super) const TITLE: &str = "An attacker who has the wrong recipe";

#[derive(Template)]
#[template(path = "../src/sections/mismatch.html")]
struct WrongRecipe<'a> {
    context: &'a Context<'a>,
    attacks: Vec<Crossed<'a>>,
}

/// One attack with every recipe's shadows on every recipe's targets.
struct Crossed<'a> {
    attack: &'a str,
    recipes: Vec<&'a str>,
    /// Per recipe of the targets, mean AUC and share of the way from the least to the largest, in percent, by recipe of the shadows.
    rows: Vec<(&'a str, Vec<(f64, u8)>)>,
}

pub(super) fn section(context: &Context<'_>) -> Option<impl Template> {
    let found: Vec<&Mismatch> = context.document.mismatch.iter().filter(|m| context.covers(&m.dataset)).collect();
    let mut names: Vec<&str> = found.iter().map(|m| m.attack.as_str()).collect();
    names.dedup();
    let attacks: Vec<_> = names.into_iter().map(|attack| Crossed::new(attack, &found)).collect();
    (!attacks.is_empty()).then_some(WrongRecipe { context, attacks })
}

impl<'a> Crossed<'a> {
    fn new(attack: &'a str, found: &[&'a Mismatch]) -> Self {
        let own: Vec<&Mismatch> = found.iter().copied().filter(|m| m.attack == attack).collect();
        let low = own.iter().map(|m| m.auc).fold(f64::INFINITY, f64::min);
        let high = own.iter().map(|m| m.auc).fold(f64::NEG_INFINITY, f64::max);
        let share = |v: f64| (100.0 * (v - low) / (high - low).max(1e-9)).round() as u8;
        let mut recipes: Vec<&str> = own.iter().map(|m| m.shadows.as_str()).collect();
        recipes.dedup();
        let row = |targets: &&'a str| {
            let cell = |shadows: &&str| own.iter().find(|m| m.shadows == *shadows && m.targets == *targets);
            (*targets, recipes.iter().filter_map(cell).map(|m| (m.auc, share(m.auc))).collect())
        };
        Crossed { attack, rows: recipes.iter().map(row).collect(), recipes: recipes.clone() }
    }
}
