//! What a study will take, before it begins.

use std::path::PathBuf;

use flatleak_nn::Recipe;
use flatleak_store::Stated;
use serde::Serialize;

use crate::error::Error;
use crate::job::Job;
use crate::record::record;
use crate::runs::models_on_disk;

/// Floating-point operations a second that a plain core reaches.
const RATE: f64 = 80e9;

/// A study on one data set as it will be run, what of it is there, and what the rest will take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Name of the study.
    pub study: String,
    /// Every value of it, as TOML.
    pub settings: String,
    /// The data set.
    pub data: String,
    /// Pool examples, and how many of them a model is trained on.
    pub pool: usize,
    /// Examples that a model is trained on.
    pub members: usize,
    /// Held-out examples.
    pub test: usize,
    /// Smallest differences that matter.
    pub relevant: String,
    /// Layers of the network.
    pub layers: Vec<String>,
    /// Its parameters.
    pub parameters: usize,
    /// Recipes.
    pub recipes: Vec<RecipePlan>,
    /// Threads.
    pub workers: usize,
    /// Seconds of training that are left, on plain cores; what a recipe's own command takes is not known.
    pub seconds: f64,
    /// Bytes on disk, of all models.
    pub disk: f64,
    /// Bytes of memory.
    pub memory: f64,
    /// The run directory.
    pub folder: PathBuf,
    /// Why this study cannot go on in the folder, where it cannot.
    pub refused: Option<String>,
    /// Whether results are there.
    pub results: bool,
}

/// One recipe of a plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecipePlan {
    /// Its name.
    pub name: String,
    /// Its settings in words.
    pub settings: String,
    /// Models that it will have.
    pub models: usize,
    /// Models that are on disk.
    pub complete: usize,
    /// The recipe whose training gives its models too.
    pub trained_with: Option<String>,
}

/// What a job will take. Nothing is written.
///
/// # Errors
/// A folder with a study that cannot be read, a study that TOML cannot hold.
pub fn plan(job: &Job, workers: usize) -> Result<Estimate, Error> {
    let Job { study, data, network, out, .. } = job;
    let stated = Stated::read(out)?;
    let digest = data.digest_hex();
    let refused = stated.as_ref().and_then(|s| s.difference(study, &digest)).map(|found| found.to_string());
    let complete = |r: &Recipe| {
        if stated.is_none() || refused.is_some() { 0 } else { models_on_disk(out, &r.name, study.models) }
    };
    let described = record(study, data, &digest, false).recipes;
    let runs = study.runs();
    let recipes = study.recipes.iter().zip(described).enumerate().map(|(k, (r, settings))| {
        let leader = runs.iter().find(|run| run.contains(&k)).map_or(k, |run| run[0]);
        RecipePlan {
            name: r.name.clone(),
            settings: settings.settings,
            models: study.models,
            complete: complete(r),
            trained_with: (leader != k).then(|| study.recipes[leader].name.clone()),
        }
    });
    let recipes: Vec<RecipePlan> = recipes.collect();
    let members = data.pool.len() / 2;
    let missing = |run: &[usize]| run.iter().map(|&r| study.models - recipes[r].complete).max().unwrap_or(0);
    let gradients: f64 = runs
        .iter()
        .map(|run| (&study.recipes[run[0]], missing(run)))
        .filter(|(r, _)| r.trainer.is_none())
        .map(|(r, models)| r.gradients_per_step() * r.epochs as f64 * (members * models) as f64)
        .sum();
    // Three passes of multiply-adds per gradient.
    let seconds = gradients * 6.0 * network.multiply_adds() as f64 / RATE / workers as f64;
    let (disk, memory) = space(job, workers);
    Ok(Estimate {
        study: study.name.clone(),
        settings: study.to_toml()?,
        data: data.name.clone(),
        pool: data.pool.len(),
        members,
        test: data.test.len(),
        relevant: study.relevant.to_string(),
        layers: study.architecture.layers.iter().map(ToString::to_string).collect(),
        parameters: network.parameters(),
        recipes,
        workers,
        seconds,
        disk,
        memory,
        folder: out.clone(),
        refused,
        results: out.join("results.json").is_file(),
    })
}

/// Bytes on disk and in memory.
fn space(job: &Job, workers: usize) -> (f64, f64) {
    let Job { study, data, network, .. } = job;
    let examples = (data.pool.len() + data.test.len()) as f64;
    let models = (study.models * study.recipes.len()) as f64;
    let parameters = network.parameters() as f64;
    let disk = models * (4.0 * parameters + examples * (13.0 + 4.0 * data.classes as f64));
    // Activations and gradients of a batch, and parameters in four roles.
    let batch = study.recipes.iter().map(|r| r.batch).max().unwrap_or(0) as f64;
    let of_worker = 16.0 * parameters + 8.0 * batch * network.activations_per_example() as f64;
    let memory = workers as f64 * of_worker + 4.0 * examples * network.features() as f64 + models * examples * 40.0;
    (disk, memory)
}
