//! What a study asks of its pools: who is set against whom.

use flatleak_data::Dataset;
use flatleak_nn::{Defences, Optimizer, Recipe};
use flatleak_results::Family;
use flatleak_study::Study;
use flatleak_verdict::{FEW, Options};

/// What is asked about the pools of these recipes, on one of so many data sets.
pub(crate) fn question(study: &Study, data: &Dataset, recipes: &[&Recipe], datasets: usize, workers: usize) -> Options {
    let (pairs, claimed) = (pairs(recipes), (0..recipes.len()).filter(|&r| is_sharp(recipes[r])).collect::<Vec<_>>());
    // Over several data sets every pair has a summary too.
    let rounds = if datasets > 1 { datasets + 1 } else { 1 };
    let family = Family::new(study.relevant, pairs.len() * rounds, recipes.len() * datasets, claimed.len() * datasets);
    Options {
        dataset: data.name.clone(),
        claimed,
        influence: recipes.len() <= FEW,
        runs: runs_among(study, recipes),
        checkpoints: recipes.iter().map(|r| r.checkpoint()).collect(),
        pairs,
        family,
        attacks: flatleak_verdict::attacks(),
        seed: study.seed,
        workers,
    }
}

/// The runs that gave several of these recipes, by their positions.
fn runs_among(study: &Study, recipes: &[&Recipe]) -> Vec<Vec<usize>> {
    let position = |r: &usize| recipes.iter().position(|recipe| recipe.name == study.recipes[*r].name);
    study.runs().iter().map(|run| run.iter().filter_map(position).collect()).collect()
}

/// Whether a recipe looks for flat minima.
fn is_sharp(recipe: &Recipe) -> bool {
    recipe.optimizer.seeks_flatness()
}

/// Sharpness-aware recipes against every plain one; without such, every recipe against the first. Of many recipes every one against the
/// first, and sharpness-aware ones also against the plain recipe of as many gradients, where there is one.
pub fn pairs(recipes: &[&Recipe]) -> Vec<(usize, usize)> {
    let sharp = |r: usize| is_sharp(recipes[r]);
    let all = 0..recipes.len();
    if recipes.len() > FEW {
        let cost = |r: usize| recipes[r].checkpoint() as f64 * recipes[r].gradients_per_step();
        let plain = |r: usize| {
            matches!(recipes[r].optimizer, Optimizer::Sgd(_))
                && recipes[r].base == recipes[0].base
                && recipes[r].defences == Defences::default()
        };
        let equal = |c: usize| all.clone().find(|&b| b > 0 && plain(b) && (cost(b) / cost(c) - 1.0).abs() < 0.05);
        let candidate = |c: usize| {
            let control = equal(c).filter(|_| sharp(c)).map(|b| (b, c));
            std::iter::once((0, c)).chain(control)
        };
        return (1..recipes.len()).flat_map(candidate).collect();
    }
    let found: Vec<(usize, usize)> = all
        .clone()
        .filter(|&c| sharp(c))
        .flat_map(|c| all.clone().filter(|&b| !sharp(b)).map(move |b| (b, c)))
        .collect();
    if found.is_empty() { (1..recipes.len()).map(|c| (0, c)).collect() } else { found }
}
