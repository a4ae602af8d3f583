//! Finished runs, to explain, audit or export them again.

use std::path::{Path, PathBuf};

use flatleak_data::{Dataset, Request, files};
use flatleak_nn::Recipe;
use flatleak_pool::{Pool, Wanted};
use flatleak_store::RunDir;
use flatleak_study::Study;

use crate::error::Error;

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
        return Err(Error::NoRun(dir.to_owned()));
    }
    Ok(found)
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
}

impl Finished {
    /// Opens a folder with a study; recipes without all their models are left out, and said to be.
    ///
    /// # Errors
    /// A folder without a study, no complete recipe.
    pub fn open(run: &Path, wanted: &Wanted, mut note: impl FnMut(String)) -> Result<Self, Error> {
        let file = run.join("study.toml");
        let text = files::text(&file).map_err(|source| Error::Unreadable { path: file, source })?;
        let study = Study::parse(&text)?;
        let mut request = Request::new(study.data.first().map_or("", String::as_str));
        (request.pool, request.test, request.seed) = (study.pool, study.test, study.seed);
        let data = flatleak_data::open(&request)?;
        let dir = RunDir::open(run, &study, &data)?;
        let (mut pools, mut at) = (Vec::new(), Vec::new());
        for (k, recipe) in study.recipes.iter().enumerate() {
            match dir.pool(k, &data, wanted) {
                Ok(pool) => {
                    pools.push(pool);
                    at.push(k);
                }
                Err(e @ flatleak_store::Error::Missing(_)) => {
                    note(format!("recipe {} is left out: {e}", recipe.name));
                }
                Err(e) => return Err(e.into()),
            }
        }
        if pools.is_empty() {
            return Err(Error::Incomplete(run.to_owned()));
        }
        Ok(Self { study, data, dir, pools, at })
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
