//! What is there of a run, without training.

use std::collections::BTreeSet;

use crate::plan::{Divergence, Plan, Summary};
use crate::queue::lock;

/// One model of one recipe that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// Index of the recipe.
    pub recipe: usize,
    /// Index of the model.
    pub model: usize,
}

/// What workers left of a plan, and which models of recipes that did not diverge have no file. No file of a model is read.
pub fn survey(plan: Plan<'_>) -> (Summary, Vec<Missing>) {
    let Plan { study, dir, board, .. } = plan;
    let runs: Vec<_> = study.runs().into_iter().map(|run| (dir.identity_of(&run), run)).collect();
    let mut diverged = Vec::new();
    for (task, identity, divergence) in lock(board).divergences() {
        let run = runs.iter().find(|(own, _)| own == identity).map(|(_, run)| run);
        let recipe = run.and_then(|run| run.iter().find(|r| study.recipes[**r].name == divergence.recipe));
        diverged.extend(recipe.map(|&recipe| Divergence { recipe, model: task.model, epoch: divergence.epoch }));
    }
    diverged.sort_unstable();
    diverged.dedup_by_key(|d| d.recipe);
    let out: BTreeSet<usize> = diverged.iter().map(|d| d.recipe).collect();
    let wanted = (0..study.recipes.len()).filter(|r| !out.contains(r));
    let all: Vec<Missing> =
        wanted.flat_map(|recipe| (0..study.models).map(move |model| Missing { recipe, model })).collect();
    let missing: Vec<Missing> = all.iter().copied().filter(|m| !dir.has_signals(m.recipe, m.model)).collect();
    let reused = all.len() - missing.len();
    (Summary { reused, diverged, ..Summary::default() }, missing)
}
