//! What is known of models that were trained elsewhere.

use flatleak_nn::ENGINE_VERSION;
use flatleak_pool::Pool;
use flatleak_results::{DatasetRecord, RecipeSettings, StudyRecord};

/// The record of a study of which only outputs are known; `views` must not be empty.
pub fn foreign_record(name: &str, seed: u64, views: &[&Pool]) -> StudyRecord {
    let first = views[0];
    let classes = first.labels.iter().chain(&first.test_labels).max().map_or(1, |c| *c as usize + 1);
    StudyRecord {
        name: name.to_owned(),
        seed,
        models: views.iter().map(|p| p.membership.models()).min().unwrap_or(0),
        queries: first.queries(),
        datasets: vec![DatasetRecord {
            name: name.to_owned(),
            digest: "unknown: outputs alone were given".into(),
            pool: first.labels.len(),
            test: first.test_labels.len(),
            classes,
        }],
        layers: Vec::new(),
        engine_version: ENGINE_VERSION,
        recipes: views
            .iter()
            .map(|p| RecipeSettings {
                name: p.recipe.clone(),
                settings: format!("trained elsewhere, {} models", p.membership.models()),
                gradients_per_step: 0.0,
                gradients: 0.0,
                optimizer: String::new(),
                parameters: Default::default(),
            })
            .collect(),
        quick: false,
    }
}
