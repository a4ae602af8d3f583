//! What lies in a folder of runs.

use std::path::{Path, PathBuf};

use flatleak_results::{Document, Headline};
use flatleak_store::{Stated, model_folder};
use serde::Serialize;

use crate::error::Error;
use crate::folder::DIGITS;
use crate::outputs;

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// Its results are complete.
    Finished,
    /// An audit: results of models that were trained elsewhere.
    Audit,
    /// So many of its models are there; the command that began it goes on.
    Unfinished {
        /// Models on disk.
        complete: usize,
        /// Models in all.
        models: usize,
    },
    /// It cannot be read.
    Damaged {
        /// Why.
        reason: String,
    },
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// Its folder.
    pub folder: PathBuf,
    /// Name of the study, or of what was audited; empty where it cannot be read.
    pub study: String,
    /// How far it is.
    #[serde(flatten)]
    pub state: State,
    /// The answer, perhaps of fewer models than it is to have.
    pub headline: Option<Headline>,
    /// Date of the results.
    pub date: Option<String>,
}

/// The runs in a folder, or the folder itself where it is one, by name. Nothing is written, and no lock is taken.
///
/// # Errors
/// A folder that cannot be read.
pub fn list_runs(folder: &Path) -> Result<Vec<Listed>, Error> {
    let folders = if is_run(folder) { vec![folder.to_owned()] } else { folders_in(folder)? };
    Ok(folders.into_iter().filter(|path| is_run(path) || !parts(path).is_empty()).map(listed).collect())
}

/// Whether a folder has a study or results.
fn is_run(folder: &Path) -> bool {
    ["study.toml", "results.json"].iter().any(|sign| folder.join(sign).is_file())
}

/// The folders of a run's data sets: itself, or those in it, which are named after their digests.
fn parts(folder: &Path) -> Vec<PathBuf> {
    if folder.join("study.toml").is_file() {
        return vec![folder.to_owned()];
    }
    let mut all = folders_in(folder).unwrap_or_default();
    all.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let stated = path.join("study.toml").is_file().then(|| Stated::read(path).ok().flatten()).flatten();
        stated.is_some_and(|s| s.digest.get(..DIGITS).is_some_and(|digits| name.ends_with(&format!("-{digits}"))))
    });
    all
}

fn folders_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let unreadable = |source| Error::Unreadable { path: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut out: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).filter(|p| p.is_dir()).collect();
    out.sort();
    Ok(out)
}

fn listed(folder: PathBuf) -> Listed {
    let damaged = |reason: String| State::Damaged { reason };
    let has_results = folder.join("results.json").is_file();
    let found = if has_results { Some(outputs::read(&folder)) } else { None };
    let parts = parts(&folder);
    let stated: Result<Vec<(PathBuf, Stated)>, String> = parts
        .into_iter()
        .map(|part| match Stated::read(&part) {
            Ok(Some(stated)) => Ok((part, stated)),
            Ok(None) => Err(format!("{} has no study any more", part.display())),
            Err(e) => Err(e.to_string()),
        })
        .collect();
    let (document, state) = match (found, stated) {
        (Some(Err(e)), _) => (None, damaged(e.to_string())),
        (_, Err(reason)) => (None, damaged(reason)),
        (Some(Ok(document)), Ok(studies)) if studies.is_empty() => (Some(document), State::Audit),
        (found, Ok(studies)) => {
            let document = found.and_then(Result::ok);
            let state = of_studies(document.as_ref(), &studies);
            (document, state)
        }
    };
    let name = document.as_ref().map(|d| d.study.name.clone());
    let date = document.as_ref().map(|d| d.timings.date.clone());
    let study = name.or_else(|| parts_name(&folder)).unwrap_or_default();
    Listed { folder, study, state, headline: document.map(|d| d.headline), date }
}

fn parts_name(folder: &Path) -> Option<String> {
    let first = parts(folder).into_iter().next()?;
    Stated::read(&first).ok().flatten().map(|stated| stated.study.name)
}

/// Results of as many models and data sets as the studies ask for are finished.
fn of_studies(document: Option<&Document>, studies: &[(PathBuf, Stated)]) -> State {
    let finished = document.is_some_and(|d| {
        studies
            .iter()
            .all(|(_, s)| d.study.models >= s.study.models && d.study.datasets.iter().any(|x| x.digest == s.digest))
    });
    if finished {
        return State::Finished;
    }
    let of = |(folder, stated): &(PathBuf, Stated)| {
        let recipes = stated.study.recipes.iter();
        recipes.map(|r| models_on_disk(folder, &r.name, stated.study.models)).sum::<usize>()
    };
    let models = studies.iter().map(|(_, s)| s.study.models * s.study.recipes.len()).sum();
    State::Unfinished { complete: studies.iter().map(of).sum(), models }
}

/// How many of a recipe's models have their last file in a run's folder (book/run-directory.md). Whether it is whole is seen when it is read.
pub(crate) fn models_on_disk(folder: &Path, recipe: &str, models: usize) -> usize {
    (0..models).filter(|m| model_folder(folder, recipe, *m).join("signals.safetensors").is_file()).count()
}
