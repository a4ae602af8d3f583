//! What is asked, and a study on each of its data sets, ready to run.

use std::path::PathBuf;
use std::time::Duration;

use flatleak_data::{Dataset, Request, files};
use flatleak_nn::{Architecture, DEFAULT_BATCH, Network, Recipe, views};
use flatleak_pool::BLOCK;
use flatleak_results::Relevant;
use flatleak_run::{Checkpoints, Supervision};
use flatleak_stats::LOOKS;
use flatleak_study::Study;

use crate::error::Error;
use crate::folder::{DIGITS, folder_name, plainly_named};

/// Most pool examples of a quick run.
const QUICK_POOL: usize = 2000;

/// When a growing pool has enough models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Once every comparison shows a relevant difference, or excludes one.
    Relevant,
}

/// Where models come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Training {
    /// This process trains what is missing.
    #[default]
    Here,
    /// Workers trained them: what is missing is an error.
    Elsewhere,
}

/// A study, and what is asked over it.
#[derive(Clone, Debug, Default)]
pub struct Compare {
    /// The study file; the main job without one.
    pub study: Option<PathBuf>,
    /// Where runs are kept; `flatleak-runs/<study>-<hash>` in the working directory without.
    pub out: Option<PathBuf>,
    /// Data sets in place of the study's.
    pub data: Vec<String>,
    /// A network by name in place of the study's.
    pub arch: Option<String>,
    /// Some of the study's recipes.
    pub recipes: Vec<String>,
    /// Models per recipe; with a goal the most.
    pub models: Option<usize>,
    /// Pool examples.
    pub pool: Option<usize>,
    /// Epochs of the first recipe; others in proportion.
    pub epochs: Option<usize>,
    /// Root seed.
    pub seed: Option<u64>,
    /// Smallest relevant differences.
    pub relevant: Option<Relevant>,
    /// Models are added until this is reached.
    pub until: Option<Goal>,
    /// Time that may be spent on that.
    pub budget: Option<Duration>,
    /// At most 16 models and 2,000 examples: not for decisions.
    pub quick: bool,
    /// Without single examples.
    pub redact: bool,
    /// Where models come from.
    pub training: Training,
    /// Threads; no figure depends on it.
    pub workers: usize,
    /// Who watches over commands that train models.
    pub supervision: Supervision,
    /// How often models in training are saved.
    pub checkpoints: Checkpoints,
}

/// A study on one of its data sets, ready to run.
pub struct Job {
    /// The study on this data set.
    pub study: Study,
    /// The data.
    pub data: Dataset,
    /// The network for it.
    pub network: Network,
    /// Its run directory.
    pub out: PathBuf,
    /// Data sets of the whole study.
    pub datasets: usize,
}

/// A study on all of its data sets, and the folder of the whole.
pub struct Prepared {
    /// One per data set.
    pub jobs: Vec<Job>,
    /// The folder.
    pub out: PathBuf,
}

/// Reads a study and its data, and checks that both fit. Nothing is written.
///
/// # Errors
/// A study that cannot be run, data that cannot be read.
pub fn prepare(options: &Compare) -> Result<Prepared, Error> {
    let study = resolve(options)?;
    let mut jobs = study.data.iter().map(|name| of_data(options, &study, name)).collect::<Result<Vec<_>, _>>()?;
    let digests: Vec<String> = jobs.iter().map(|j| j.data.digest_hex()).collect();
    for (second, digest) in digests.iter().enumerate() {
        if let Some(first) = digests[..second].iter().position(|other| other == digest) {
            let name = |j: usize| study.data[j].clone();
            return Err(Error::SameData { first: name(first), second: name(second) });
        }
    }
    let default = || {
        PathBuf::from("flatleak-runs").join(format!(
            "{}-{}",
            folder_name(&study.name),
            study.short_hash(&digests.join(" "))
        ))
    };
    let out = options.out.clone().unwrap_or_else(default);
    let several = jobs.len() > 1;
    for (job, digest) in jobs.iter_mut().zip(&digests) {
        job.out = if several { out.join(folder(&job.data.name, digest)) } else { out.clone() };
    }
    Ok(Prepared { jobs, out })
}

impl Job {
    /// What is to be said before it runs: how the data was read, and steps that see all examples of a model where nobody asked for it.
    pub fn remarks(&self) -> Vec<String> {
        let members = self.data.pool.len() / 2;
        let whole = |r: &&Recipe| r.trainer.is_none() && r.batch > members;
        let wide: Vec<&str> = self.study.recipes.iter().filter(whole).map(|r| r.name.as_str()).collect();
        let batch = (!wide.is_empty()).then(|| {
            format!(
                "{}: the default batch of {DEFAULT_BATCH} is more than the {members} examples of a model, so a step sees all of them",
                wide.join(", ")
            )
        });
        let read = self.data.remarks.iter().map(|remark| format!("{}: {remark}", self.data.name));
        let commands = self.study.recipes.iter().any(|r| r.trainer.is_some());
        let loose = (cfg!(not(unix)) && commands).then(|| {
            "this system has no process groups: when a command that trains is stopped, what the command started runs on".to_owned()
        });
        read.chain(batch).chain(loose).collect()
    }
}

fn of_data(options: &Compare, study: &Study, name: &str) -> Result<Job, Error> {
    let datasets = study.data.len();
    let mut study = study.on(name);
    let data = plainly_named(load(options, &mut study, name)?);
    let network = Network::compile(&study.architecture, data.shape, data.classes)?;
    let unfit = |what: String| Error::Unfit { what, data: name.to_owned(), shape: data.shape };
    for recipe in &study.recipes {
        // A block splits the pool; of an odd one its models get one more or less.
        for members in [data.pool.len() / 2, data.pool.len().div_ceil(2)] {
            recipe.check_members(members)?;
            network.check_batch(recipe, members)?;
            recipe.check_budget(members)?;
        }
        if let Some(transform) = recipe.augment.iter().find(|t| !t.fits(data.shape)) {
            return Err(unfit(format!("recipe `{}`: augment `{transform}`", recipe.name)));
        }
    }
    if views(study.queries).unwrap_or_default().iter().any(|v| !v.fits(data.shape)) {
        return Err(unfit(format!("queries = {}", study.queries)));
    }
    Ok(Job { study, data, network, out: PathBuf::new(), datasets })
}

/// A folder's name for one data set of several: what its name has of harmless letters, and its digest.
fn folder(name: &str, digest: &str) -> String {
    let harmless = |c: char| if c.is_ascii_alphanumeric() || "-_=.".contains(c) { c } else { '-' };
    let name: String = name.chars().map(harmless).collect();
    let tail: String = name.trim_matches(['-', '.']).chars().rev().take(40).collect();
    format!("{}-{}", tail.chars().rev().collect::<String>(), &digest[..DIGITS])
}

/// The study's data. A quick run takes at most [`QUICK_POOL`] of the pool, however large it is.
fn load(options: &Compare, study: &mut Study, name: &str) -> Result<Dataset, Error> {
    let open = |study: &Study| {
        let mut request = Request::new(name);
        (request.pool, request.test, request.seed) = (study.pool, study.test, study.seed);
        flatleak_data::open(&request)
    };
    let data = open(study)?;
    if !options.quick || options.pool.is_some() || data.pool.len() <= QUICK_POOL {
        return Ok(data);
    }
    study.pool = Some(QUICK_POOL);
    Ok(open(study)?)
}

/// The study file with what is asked besides on top.
///
/// # Errors
/// A study that cannot be read or run.
pub fn resolve(options: &Compare) -> Result<Study, Error> {
    let mut study = match &options.study {
        Some(path) => {
            let text = files::text(path).map_err(|source| Error::StudyFile { path: path.clone(), source })?;
            Study::parse(&text).map_err(|source| Error::InStudy { path: path.clone(), source })?
        }
        None => Study::parse("")?,
    };
    if !options.data.is_empty() {
        study.data.clone_from(&options.data);
    }
    if let Some(name) = &options.arch {
        study.architecture = Architecture::preset(name)?;
    }
    if !options.recipes.is_empty() {
        study.select(&options.recipes)?;
    }
    if options.quick {
        study.models = study.models.min(16);
    }
    if let Some(epochs) = options.epochs {
        study.set_epochs(epochs)?;
    }
    study.relevant = options.relevant.unwrap_or(study.relevant);
    study.models = options.models.unwrap_or(study.models);
    study.pool = options.pool.or(study.pool);
    study.seed = options.seed.unwrap_or(study.seed);
    study.check()?;
    study.check_distinct()?;
    study.check_folders()?;
    let first = BLOCK * LOOKS[0];
    if options.until.is_some() && options.models.is_some_and(|most| most < first) {
        return Err(Error::FewerThanALook { first });
    }
    Ok(study)
}
