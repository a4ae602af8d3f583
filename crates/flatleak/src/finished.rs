//! Finished runs, to explain, audit or export them again.

use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};

use flatleak_data::{Dataset, Request};
use flatleak_nn::Recipe;
use flatleak_pool::{Pool, Wanted};
use flatleak_store::RunDir;
use flatleak_study::Study;

use crate::error::Error;
use crate::folder::plainly_named;
use crate::outputs;

/// The run folders in a directory: itself, or one per data set in it.
///
/// # Errors
/// A folder that cannot be read, or holds none.
pub fn runs_in(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    if dir.join("study.toml").is_file() {
        return Ok(vec![dir.to_owned()]);
    }
    let unreadable = |source| Error::Unreadable { path: dir.to_owned(), source };
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir)
        .map_err(unreadable)?
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.join("study.toml").is_file())
        .collect();
    found.sort();
    if found.is_empty() {
        return Err(flatleak_store::Error::NoRun(dir.to_owned()).into());
    }
    Ok(found)
}

/// A part of a run that has no pool: what is measured of the others says nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The recipe, or the data set where all of its recipes are missing.
    pub what: String,
    /// Why, as a clause.
    pub reason: String,
}

impl Display for LeftOut {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} is left out: {}", self.what, self.reason)
    }
}

/// Data sets of the study in `dir` of which `found`, by name, has no run. A folder with a study of its own has one data set, and lacks none.
///
/// # Errors
/// A folder that cannot be read.
pub fn missing_runs(dir: &Path, found: &[String]) -> Result<Vec<LeftOut>, Error> {
    if dir.join("study.toml").is_file() {
        return Ok(Vec::new());
    }
    let unreadable = |source| Error::Unreadable { path: dir.to_owned(), source };
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.join("models").is_dir() && !path.join("study.toml").is_file() {
            out.push(LeftOut { what: path.display().to_string(), reason: "it has models, but no study.toml".into() });
        }
    }
    match outputs::read(dir) {
        Ok(whole) => {
            let gone = whole.study.datasets.into_iter().filter(|data| !found.contains(&data.name));
            out.extend(gone.map(|data| LeftOut { what: data.name, reason: "its run is not there any more".into() }));
        }
        Err(e) => out.push(LeftOut {
            what: dir.display().to_string(),
            reason: format!("nothing says which data sets belong to it ({e}); the command that began it completes it"),
        }),
    }
    Ok(out)
}

/// A run folder and what is complete in it.
pub struct Finished {
    pub(crate) study: Study,
    /// The data that it was trained on.
    pub data: Dataset,
    pub(crate) dir: RunDir,
    /// Pools of the recipes that are complete.
    pub pools: Vec<Pool>,
    /// Position of each pool's recipe in the study.
    at: Vec<usize>,
    /// Recipes without a pool.
    pub left_out: Vec<LeftOut>,
}

impl Finished {
    /// Reads a folder with a study and writes nothing in it. Recipes without all their models, because one diverged or a file is missing or damaged,
    /// are left out.
    ///
    /// # Errors
    /// A folder without a study, no complete recipe.
    pub fn open(run: &Path, wanted: &Wanted) -> Result<Self, Error> {
        let (dir, data) = RunDir::read(run, |study| {
            let mut request = Request::new(study.data.first().map_or("", String::as_str));
            (request.pool, request.test, request.seed) = (study.pool, study.test, study.seed);
            flatleak_data::open(&request).map(plainly_named)
        })?;
        let study = dir.study().clone();
        let (mut pools, mut at, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for (k, recipe) in study.recipes.iter().enumerate() {
            match dir.pool(k, &data, wanted) {
                Ok(pool) => {
                    pools.push(pool);
                    at.push(k);
                }
                Err(e @ flatleak_store::Error::Missing(_)) => {
                    left_out.push(LeftOut { what: format!("recipe {}", recipe.name), reason: e.to_string() });
                }
                Err(e) => return Err(e.into()),
            }
        }
        if pools.is_empty() {
            return Err(Error::Incomplete(run.to_owned()));
        }
        Ok(Self { study, data, dir, pools, at, left_out })
    }

    /// Writes every pool to a folder of its recipe's name in `out`; their paths.
    ///
    /// # Errors
    /// Outputs that were not kept, a folder that cannot be written.
    pub fn export(&self, layout: flatleak_store::ExportLayout, out: &Path) -> Result<Vec<PathBuf>, Error> {
        let mut folders = Vec::new();
        for (&recipe, pool) in self.at.iter().zip(&self.pools) {
            let to = out.join(&pool.recipe);
            self.dir.export(recipe, &self.data, layout, &to)?;
            folders.push(to);
        }
        Ok(folders)
    }

    /// The recipes of the pools, in their order.
    pub fn recipes(&self) -> Vec<&Recipe> {
        self.at.iter().map(|&k| &self.study.recipes[k]).collect()
    }
}
