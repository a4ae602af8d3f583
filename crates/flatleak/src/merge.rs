//! Parts of one run that were made apart.

use std::path::{Path, PathBuf};

use flatleak_disk::Creation;
use flatleak_store::{RunDir, Stated, Workshop};
use flatleak_work::{Accept, Depot, Folder, Pins};

use crate::desk::Desk;
use crate::error::Error;
use crate::finished::runs_in;
use crate::work::staged;

/// What came together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Models that were taken.
    pub taken: usize,
    /// Models that were there already, with the same bytes.
    pub same: usize,
}

/// Takes the models of parts into one run, which is begun where there is none. Each part is a run of the same study, of which other tasks were
/// done. Nothing in a part is changed.
///
/// # Errors
/// Parts of another study, data or engine; a model of which two parts have different bytes.
pub fn merge(run: &Path, parts: &[PathBuf]) -> Result<Merged, Error> {
    let mut merged = Merged::default();
    for part in parts {
        for folder in runs_in(part)? {
            // A part of several data sets has a folder for each, of the same name in every part.
            let inside = folder.strip_prefix(part).unwrap_or(Path::new(""));
            one(&run.join(inside), &folder, &mut merged)?;
        }
    }
    Ok(merged)
}

fn one(run: &Path, part: &Path, merged: &mut Merged) -> Result<(), Error> {
    let not_prepared = || Error::NotPrepared(part.to_owned());
    let from = Folder::new(part);
    let pins = Pins::read(&from)?.ok_or_else(not_prepared)?;
    let Stated { study, digest } = Stated::read(part)?.ok_or_else(not_prepared)?;
    let data = staged(&from, &study, &digest)?;
    let to = Workshop::open(run, &study, &data)?;
    let desk = Desk::at(run, &pins, &Accept::Any).map_err(|e| match e {
        Error::Work(flatleak_work::Error::Unlike(why)) => {
            Error::NoPart { part: part.to_owned(), run: run.to_owned(), why }
        }
        e => e,
    })?;
    let (dir, _) = RunDir::read(part, |_| Ok(data.clone()))?;
    for recipe in 0..study.recipes.len() {
        for model in 0..study.models {
            match to.adopt(&dir, recipe, model)? {
                Some(Creation::Same) => merged.same += 1,
                Some(_) => merged.taken += 1,
                None => {}
            }
        }
    }
    let depot = desk.with(|board| std::sync::Arc::clone(board.depot()));
    for name in from.list("work/ends")? {
        let name = format!("work/ends/{name}");
        if let Some(bytes) = from.read(&name)? {
            // Where both parts tried the same task, the first one's word stays: the models are the same.
            depot.create(&name, &bytes)?;
        }
    }
    Ok(())
}
