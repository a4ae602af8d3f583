//! Arrays that are known by their names: members of one archive, or files of one folder.

use std::path::{Path, PathBuf};

use flatleak_data::values::{self, Source};
use flatleak_pool::Wanted;

use super::arrays::{Arrays, HeldOut, from_arrays};
use super::given::Given;
use super::imported::Imported;
use super::terms::Terms;
use crate::error::Error;
use crate::problem::{FolderError, ImportError};

/// What outputs are called, the first of each kind by this program. `predictions` and `preds` are logits, or probabilities, or classes.
const OUTPUTS: [(Given, &[&str]); 5] = [
    (Given::Logits, &["logits", "logit", "shadow_logits"]),
    (
        Given::Probabilities,
        &["probabilities", "probability", "probs", "prob", "probas", "proba", "y_proba", "y_prob", "softmax"],
    ),
    (Given::Phi, &["phi"]),
    (Given::Loss, &["loss", "losses"]),
    (Given::Confidence, &["confidence", "confidences"]),
];
/// What labels are called.
const LABELS: &[&str] = &[
    "labels",
    "label",
    "y",
    "y_true",
    "y_train",
    "targets",
    "target",
    "train_labels",
    "true_labels",
    "true_label",
    "label_ids",
];
/// What labels of held-out examples are called.
const TEST_LABELS: &[&str] = &["test_labels", "y_test", "test_y", "test_targets"];
/// What a membership is called; LeakPro has `in_indices_masks`, lira_analysis `keep_indices`.
const MEMBERSHIP: &[&str] = &[
    "membership",
    "memberships",
    "keep",
    "keep_indices",
    "in_indices_masks",
    "in_mask",
    "mask",
    "member",
    "members",
    "is_member",
    "in_train",
];

/// Where arrays are looked for by name, and the names that are there.
struct Place {
    path: PathBuf,
    is_folder: bool,
    names: Vec<String>,
}

/// An array that was found: the file, and its name in it.
struct Found {
    path: PathBuf,
    name: String,
}

impl Found {
    fn source(&self) -> Source<'_> {
        Source::Member { path: &self.path, name: &self.name }
    }
}

impl Place {
    fn new(path: &Path) -> Result<Self, Error> {
        let is_folder = path.is_dir();
        let names = if is_folder { stems(path) } else { values::names(path).map_err(ImportError::from) };
        let names = names.map_err(|problem| Error::import(path, problem))?;
        Ok(Self { path: path.to_owned(), is_folder, names })
    }

    /// The array of one of these names, in any case.
    fn find(&self, role: &'static str, known: &[&str]) -> Result<Option<Found>, Error> {
        let mut all = self.names.iter().filter(|name| known.iter().any(|known| known.eq_ignore_ascii_case(name)));
        match (all.next(), all.next()) {
            (Some(first), Some(second)) => {
                let (first, second) = (first.clone(), second.clone());
                Err(Error::import(&self.path, FolderError::TwoNames { role, first, second }))
            }
            (first, _) => Ok(first.map(|name| Found { path: self.file(name), name: name.clone() })),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        if self.is_folder { self.path.join(format!("{name}.npy")) } else { self.path.clone() }
    }
}

/// Names of the `.npy` files of a folder, without their ending.
fn stems(folder: &Path) -> Result<Vec<String>, ImportError> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() && path.extension().is_some_and(|end| end == "npy") {
            all.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    all.sort();
    Ok(all)
}

/// Reads a pool from an archive, or a folder of `.npy` files, whose arrays have the names that people give them, in any case; `None` for a
/// folder without outputs of such a name. Labels are those given, or those that are found.
///
/// # Errors
/// As [`from_arrays`]; several kinds of outputs; outputs without a membership.
pub fn from_named(
    path: &Path,
    recipe: &str,
    given_labels: Option<&Path>,
    wanted: &Wanted,
) -> Result<Option<Imported>, Error> {
    let place = Place::new(path)?;
    let find = |role, names: &[&str]| place.find(role, names);
    let mut found: Vec<(Given, Found)> = Vec::new();
    for (given, names) in OUTPUTS {
        found.extend(find("outputs", names)?.map(|one| (given, one)));
    }
    let membership = find("membership", MEMBERSHIP)?;
    let wrong = |problem| Err(Error::import(path, problem));
    let names = place.names.clone();
    let (given, outputs, membership) = match (found.as_slice(), &membership) {
        ([], _) if place.is_folder => return Ok(None),
        ([], _) => return wrong(FolderError::NoOutputs { found: names }),
        ([(given, outputs)], Some(membership)) => (*given, outputs, membership),
        ([_], None) => return wrong(FolderError::NoMembership { names: MEMBERSHIP, found: names }),
        (several, _) => {
            let kinds = several.iter().map(|(_, f)| f.name.clone()).collect();
            return wrong(FolderError::SeveralKinds { kinds });
        }
    };
    let labels = if given_labels.is_some() { None } else { find("labels", LABELS)? };
    let prefixed: Vec<String> = OUTPUTS
        .iter()
        .filter(|(own, _)| *own == given)
        .flat_map(|(_, names)| names.iter())
        .map(|n| format!("test_{n}"))
        .collect();
    let test = find("held-out outputs", &prefixed.iter().map(String::as_str).collect::<Vec<_>>())?;
    let test_labels = find("held-out labels", TEST_LABELS)?;
    let arrays = Arrays {
        recipe,
        given,
        wanted,
        terms: Terms::Names,
        outputs: outputs.source(),
        labels: given_labels.map(Source::File).or(labels.as_ref().map(Found::source)),
        membership: membership.source(),
        test: test
            .as_ref()
            .map(|test| HeldOut { outputs: test.source(), labels: test_labels.as_ref().map(Found::source) }),
        features: None,
    };
    from_arrays(&arrays).map(Some)
}
