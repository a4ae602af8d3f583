//! What a document says of its study.

use flatleak_data::Dataset;
use flatleak_nn::{Base, Defences, ENGINE_VERSION, Recipe};
use flatleak_pool::Pool;
use flatleak_results::{DatasetRecord, RecipeSettings, StudyRecord, plain};
use flatleak_study::Study;

/// The record of a study of which only outputs are known; `views` must not be empty.
pub fn foreign_record(name: &str, seed: u64, views: &[&Pool]) -> StudyRecord {
    let first = views[0];
    let classes = first.labels.iter().chain(&first.test_labels).flatten().max().map_or(1, |c| *c as usize + 1);
    StudyRecord {
        name: name.to_owned(),
        seed,
        models: views.iter().map(|p| p.membership.models()).min().unwrap_or(0),
        queries: first.queries(),
        datasets: vec![DatasetRecord {
            name: name.to_owned(),
            digest: "unknown: outputs alone were given".into(),
            pool: first.examples(),
            test: first.held_out(),
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

/// The record of a study on one of its data sets, which has this digest.
pub(crate) fn record(study: &Study, data: &Dataset, digest: &str, quick: bool) -> StudyRecord {
    let settings = |r: &Recipe| {
        if let Some(command) = &r.trainer {
            return plain(&format!("trained by `{command}`")).into_owned();
        }
        let own = r.values().into_iter().map(|(key, value)| format!(", {key} {value}")).collect::<String>();
        let base = if r.base == Base::Sgd || r.optimizer.own_base().is_some() {
            String::new()
        } else {
            format!(" over {}", r.base.name())
        };
        let switches: Vec<&str> = Defences::all().iter().filter(|d| d.switch).map(|d| d.key).collect();
        let defences: String = r
            .defences
            .values()
            .into_iter()
            .map(|(key, value)| {
                let value = if switches.contains(&key) { String::new() } else { format!(" {value}") };
                format!(", {}{value}", key.replace('_', " "))
            })
            .collect();
        let nesterov = if r.nesterov { " (Nesterov)" } else { "" };
        let augment = r.augment.iter().map(|t| format!(", {t}")).collect::<String>();
        let measured = r.measured_at.map_or(String::new(), |e| format!(", measured after {e}"));
        let private = r.privacy(data.pool.len() / 2).map_or(String::new(), |(epsilon, delta)| {
            format!(", epsilon {} at delta {delta} while the seed is secret", significant(epsilon))
        });
        format!(
            "{}{base}{own}, {} epochs{measured}{private}, batch {}, learning rate {} ({:?}, warm-up {}), momentum {}{nesterov}, weight decay {}{augment}{defences}",
            r.optimizer.name(), r.epochs, r.batch, r.lr, r.schedule, r.warmup, r.momentum, r.weight_decay
        )
        .to_lowercase()
    };
    StudyRecord {
        name: plain(&study.name).into_owned(),
        seed: study.seed,
        models: study.models,
        queries: study.queries,
        datasets: vec![DatasetRecord {
            name: data.name.clone(),
            digest: digest.to_owned(),
            pool: data.pool.len(),
            test: data.test.len(),
            classes: data.classes,
        }],
        layers: study.architecture.layers.iter().map(ToString::to_string).collect(),
        engine_version: ENGINE_VERSION,
        recipes: study
            .recipes
            .iter()
            .map(|r| RecipeSettings {
                name: r.name.clone(),
                settings: settings(r),
                gradients_per_step: r.gradients_per_step(),
                gradients: if r.trainer.is_some() {
                    0.0
                } else {
                    r.steps(data.pool.len() / 2) as f64 * r.gradients_per_step()
                },
                optimizer: if r.trainer.is_some() { String::new() } else { r.optimizer.name().into() },
                parameters: r.values().into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            })
            .collect(),
        quick,
    }
}

/// Two places, or two digits where two places would show less.
fn significant(v: f64) -> String {
    let places = if v > 0.0 { (1 - v.log10().floor() as i32).clamp(2, 12) } else { 2 };
    format!("{v:.*}", places as usize)
}

#[cfg(test)]
mod tests {
    use super::significant;

    #[test]
    fn small_numbers_keep_two_digits() {
        let said = [12.346, 0.5, 0.0, 0.0042, 0.000_123].map(significant);
        assert_eq!(said, ["12.35", "0.50", "0.00", "0.0042", "0.00012"]);
    }
}
