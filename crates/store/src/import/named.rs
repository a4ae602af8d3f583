//! Arrays that are known by their names: members of one archive, or files of one folder.

use std::path::{Path, PathBuf};

use flatleak_data::values::{self, Source};
use flatleak_pool::Wanted;

use super::arrays::{Arrays, HeldOut, from_arrays};
use super::given::Given;
use super::imported::Imported;
use crate::error::Error;
use crate::problem::FolderError;

/// What outputs are called, the first of each kind by this program.
const OUTPUTS: [(Given, &[&str]); 5] = [
    (Given::Logits, &["logits", "shadow_logits"]),
    (Given::Probabilities, &["probabilities", "probs", "proba"]),
    (Given::Phi, &["phi"]),
    (Given::Loss, &["loss", "losses"]),
    (Given::Confidence, &["confidence", "confidences"]),
];
/// What labels are called.
const LABELS: &[&str] = &["labels", "y", "y_train", "targets", "target", "train_labels"];
/// What labels of held-out examples are called.
const TEST_LABELS: &[&str] = &["test_labels", "y_test"];
/// What a membership is called; LeakPro has `in_indices_masks`, lira_analysis `keep_indices`.
const MEMBERSHIP: &[&str] =
    &["membership", "memberships", "keep", "keep_indices", "in_indices_masks", "in_mask", "mask", "member", "members"];

/// Where arrays are looked for by name.
enum Place {
    Folder(PathBuf),
    Archive(PathBuf, Vec<String>),
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
    /// The array of one of these names.
    fn find(&self, role: &'static str, names: &[&str]) -> Result<Option<Found>, FolderError> {
        let mut all = names.iter().filter_map(|name| match self {
            Self::Folder(dir) => {
                let path = dir.join(format!("{name}.npy"));
                path.is_file().then(|| Found { path, name: (*name).to_owned() })
            }
            Self::Archive(path, all) => {
                all.iter().any(|n| n == name).then(|| Found { path: path.clone(), name: (*name).to_owned() })
            }
        });
        let first = all.next();
        match (&first, all.next()) {
            (Some(a), Some(b)) => Err(FolderError::TwoNames { role, first: a.name.clone(), second: b.name }),
            _ => Ok(first),
        }
    }
}

/// Reads a pool from an archive, or a folder of `.npy` files, whose arrays have the names that people give them; `None` where there are no
/// outputs and no membership of such a name. Labels are those given, or those that are found.
///
/// # Errors
/// As [`from_arrays`]; several kinds of outputs; outputs without a membership.
pub fn from_named(
    path: &Path,
    recipe: &str,
    given_labels: Option<&Path>,
    wanted: &Wanted,
) -> Result<Option<Imported>, Error> {
    let place = if path.is_dir() {
        Place::Folder(path.to_owned())
    } else {
        Place::Archive(path.to_owned(), values::names(path).map_err(|e| Error::import(path, e))?)
    };
    let find = |role, names: &[&str]| place.find(role, names).map_err(|e| Error::import(path, e));
    let mut found: Vec<(Given, Found)> = Vec::new();
    for (given, names) in OUTPUTS {
        found.extend(find("outputs", names)?.map(|one| (given, one)));
    }
    let membership = find("membership", MEMBERSHIP)?;
    let (given, outputs, membership) = match (found.as_slice(), &membership) {
        ([], _) => return Ok(None),
        ([(given, outputs)], Some(membership)) => (*given, outputs, membership),
        ([_], None) => return Err(Error::import(path, FolderError::NoMembership { names: MEMBERSHIP })),
        (several, _) => {
            let kinds = several.iter().map(|(_, f)| f.name.clone()).collect();
            return Err(Error::import(path, FolderError::SeveralKinds { kinds }));
        }
    };
    let labels = if given_labels.is_some() { None } else { find("labels", LABELS)? };
    let test = find("held-out outputs", &[&format!("test_{}", given.name())])?;
    let test_labels = find("held-out labels", TEST_LABELS)?;
    let arrays = Arrays {
        recipe,
        given,
        wanted,
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
