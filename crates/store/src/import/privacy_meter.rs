//! The folder that Privacy Meter leaves (version of 2025; its source is the specification).
//!
//! `models/memberships.npy`, (M, N) bool; `signals/<attack>_signals.npy`, (N, M) probabilities of the true class, whatever the attack, and
//! `signals/<attack>_signals_pop.npy`, (Z, M), the same on a population that no model was trained on. Labels and models are pickles, which
//! are not read.

use std::path::{Path, PathBuf};

use flatleak_data::values::Source;
use flatleak_pool::Wanted;

use super::arrays::{Arrays, HeldOut, from_arrays};
use super::given::Given;
use super::imported::Imported;
use super::terms::Terms;
use crate::error::Error;
use crate::problem::{FolderError, ImportError};

/// The two files of such a folder.
pub(super) struct Files {
    memberships: PathBuf,
    signals: PathBuf,
}

/// `memberships.npy`, in `models` or in the folder itself, and the signals beside it; `None` where either is missing.
pub(super) fn find(dir: &Path) -> Option<Files> {
    let memberships = ["models/memberships.npy", "memberships.npy"].map(|name| dir.join(name));
    let memberships = memberships.into_iter().find(|path| path.is_file())?;
    let files = std::fs::read_dir(dir.join("signals")).ok()?.filter_map(|e| Some(e.ok()?.path()));
    let is_signals = |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().ends_with("_signals.npy"));
    // All of them hold the same; the first by name, so that it is always the same.
    let signals = files.filter(is_signals).min()?;
    Some(Files { memberships, signals })
}

/// Reads the pool in such a folder.
///
/// # Errors
/// As [`from_arrays`]; signals of a random part of the examples, whose positions are nowhere in the folder.
pub(super) fn read(
    Files { memberships, signals }: &Files,
    recipe: &str,
    labels: Option<&Path>,
    wanted: &Wanted,
) -> Result<Imported, Error> {
    let shape = |path: &Path| {
        let found = Source::File(path).with("signals", |found| {
            let shape = found.shape().to_vec();
            found.skip()?;
            Ok(shape)
        });
        found.map_err(|problem: ImportError| Error::import(path, problem))
    };
    let (of_members, of_signals) = (shape(memberships)?, shape(signals)?);
    if let (&[models, examples], &[rows, columns]) = (of_members.as_slice(), of_signals.as_slice())
        && (rows, columns) != (examples, models)
    {
        return Err(Error::import(signals, FolderError::Part { rows, columns, examples, models }));
    }
    let population = signals.with_file_name(format!(
        "{}_pop.npy",
        signals.file_stem().map_or(String::new(), |s| s.to_string_lossy().into_owned())
    ));
    let arrays = Arrays {
        recipe,
        given: Given::Confidence,
        wanted,
        terms: Terms::Flags,
        outputs: Source::Transposed(signals),
        labels: labels.map(Source::File),
        membership: Source::File(memberships),
        test: population.is_file().then_some(HeldOut { outputs: Source::Transposed(&population), labels: None }),
        features: None,
    };
    let mut found = from_arrays(&arrays)?;
    found.notes.insert(0, "in the layout of Privacy Meter: probabilities of the true class in single precision".into());
    Ok(found)
}
