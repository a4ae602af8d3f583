//! Data sets as `.npz` archives: inputs, labels, perhaps groups, perhaps a test set.
//!
//! Names of arrays are those of NumPy's users, Keras (`x_train`), scikit-learn (`data`, `target`) and MedMNIST (`train_images`).

use std::io::Cursor;

use crate::arrayed::{Called, Labelled, classed};
use crate::arrays::npy::{Array, Numbers};
use crate::arrays::npz::{archive, names, texts};
use crate::error::Error;
use crate::labels::number;
use crate::reader::{Found, Input, Options, Reader};
use crate::remark::Remark;

pub use crate::arrayed::Problem;

/// Names under which archives keep inputs and labels, the first that is there being read.
const INPUTS: [&str; 9] = ["x", "features", "X", "data", "images", "x_train", "X_train", "train_images", "train_data"];
const TARGETS: [&str; 9] = ["y", "labels", "Y", "label", "y_train", "target", "targets", "Y_train", "train_labels"];
/// Those of a test set of its own.
const TEST_INPUTS: [&str; 4] = ["x_test", "X_test", "test_images", "test_data"];
const TEST_TARGETS: [&str; 3] = ["y_test", "Y_test", "test_labels"];
/// Those of examples that are neither trained on nor held out.
const OTHERS: [&str; 8] = ["x_val", "X_val", "y_val", "Y_val", "val_images", "val_labels", "x_valid", "y_valid"];

/// Those of names of classes: scikit-learn's, and others.
const CLASS_NAMES: [&str; 4] = ["target_names", "class_names", "label_names", "classes"];

/// Reads them.
pub(crate) struct Npz;

impl Reader for Npz {
    fn takes(&self) -> &'static str {
        "a `.npz` archive with arrays `x` and `y`"
    }

    fn detect(&self, input: &Input) -> Result<bool, Error> {
        Ok(input.ends(&["npz"]) || first_member(input.head()).is_some_and(|name| name.ends_with(b".npy")))
    }

    fn read(&self, input: &Input, _: Options) -> Result<Found, Error> {
        from_archive(&input.bytes()?).map_err(|problem| input.wrong(problem))
    }
}

/// The name of the first file of a zip archive, from the archive's first bytes (PKWARE's APPNOTE, section 4.3.7): other kinds of files
/// are zip archives too.
fn first_member(head: &[u8]) -> Option<&[u8]> {
    let header = head.strip_prefix(b"PK\x03\x04")?;
    let length = usize::from(u16::from_le_bytes([*header.get(22)?, *header.get(23)?]));
    header.get(26..26 + length)
}

/// The data set in an archive.
fn from_archive(bytes: &[u8]) -> Result<Found, Problem> {
    // Pickles are refused by name before anything else is said of them.
    archive(bytes, &[])?;
    let held = names(Cursor::new(bytes))?;
    let mut remarks = Vec::new();
    let mut pick = |known: &[&'static str]| {
        let there: Vec<&'static str> = known.iter().copied().filter(|name| held.iter().any(|h| h == name)).collect();
        let (first, rest) = there.split_first()?;
        if !rest.is_empty() {
            let left_out = rest.iter().map(|name| (*name).to_owned()).collect();
            remarks.push(Remark::Taken { taken: format!("`{first}`"), left_out });
        }
        Some(*first)
    };
    let missing = |what, names| Problem::Missing { what, names, held: held.clone() };
    let inputs = pick(&INPUTS).ok_or_else(|| missing("inputs", &INPUTS))?;
    let targets = pick(&TARGETS).ok_or_else(|| missing("labels", &TARGETS))?;
    let test = match (pick(&TEST_INPUTS), pick(&TEST_TARGETS)) {
        (Some(x), Some(y)) => Some((x, y)),
        (Some(there), None) => return Err(Problem::HalfTest { there: there.into(), missing: "labels" }),
        (None, Some(there)) => return Err(Problem::HalfTest { there: there.into(), missing: "inputs" }),
        (None, None) => None,
    };
    let others: Vec<String> = held.iter().filter(|name| OTHERS.contains(&name.as_str())).cloned().collect();
    if !others.is_empty() {
        remarks.push(Remark::Taken { taken: format!("`{inputs}`"), left_out: others });
    }
    let is_grouped = held.iter().any(|name| name == "groups");
    let test = match test {
        // Groups of a test set have no name.
        Some((x, y)) if is_grouped => {
            let left_out = vec![x.to_owned(), y.to_owned()];
            remarks.push(Remark::Taken { taken: "`groups`, which the test set has not,".into(), left_out });
            None
        }
        other => other,
    };
    let mut text = Text::of(bytes, targets, test.map(|(_, y)| y))?;
    let mut wanted = vec![inputs, targets, "groups"];
    wanted.extend(test.iter().flat_map(|(x, y)| [*x, *y]));
    wanted.retain(|name| text.classes.is_none() || !TARGETS.contains(name) && !TEST_TARGETS.contains(name));
    let mut arrays = archive(bytes, &wanted)?;
    arrays.extend(std::mem::take(&mut text.arrays));
    let mut take = |name: &str, what, names| {
        let array = arrays.remove(name).ok_or_else(|| missing(what, names))?;
        Ok::<_, Problem>(Called { name: name.into(), array })
    };
    let (x, y) = (take(inputs, "inputs", &INPUTS)?, take(targets, "labels", &TARGETS)?);
    let of_test = match test {
        Some((x, y)) => Some((take(x, "inputs", &TEST_INPUTS)?, take(y, "labels", &TEST_TARGETS)?)),
        None => None,
    };
    let mut splits = vec![Labelled::new(x, &y, arrays.remove("groups").as_ref())?];
    if let Some((x, y)) = of_test {
        splits.push(Labelled::new(x, &y, None)?);
    }
    let mut wholes = classed(splits)?.into_iter();
    let Some(mut whole) = wholes.next() else { return Err(missing("inputs", &INPUTS)) };
    whole.remarks.extend(remarks.into_iter().chain(text.remark));
    whole.classes = match (text.classes, whole.classes) {
        (Some(names), _) | (None, Some(names)) => Some(names),
        (None, None) => named(bytes, &whole.raw.labels)?,
    };
    Ok(match wholes.next() {
        Some(test) => Found::Both(Box::new([whole, test])),
        None => Found::One(whole),
    })
}

/// Labels that are text, as numbers of classes.
#[derive(Default)]
struct Text {
    /// Labels by the name of their array.
    arrays: Vec<(String, Array)>,
    /// Names of the classes, where labels are text.
    classes: Option<Vec<String>>,
    remark: Option<Remark>,
}

impl Text {
    /// Those of an archive's labels, and of those of its test set.
    fn of(bytes: &[u8], targets: &str, test: Option<&str>) -> Result<Self, Problem> {
        let train = texts(bytes, targets)?;
        let held_out = test.map(|name| texts(bytes, name)).transpose()?;
        let (mut all, examples) = match (train, &held_out) {
            (None, None | Some(None)) => return Ok(Self::default()),
            (Some(train), None | Some(Some(_))) => {
                let examples = train.len();
                (train, examples)
            }
            _ => return Err(Problem::Mixed { train: targets.into(), test: test.unwrap_or_default().into() }),
        };
        all.extend(held_out.flatten().into_iter().flatten());
        let numbered = number(&format!("`{targets}`"), &all)?;
        let array = |labels: &[u32]| Array {
            shape: vec![labels.len()],
            values: Numbers::Integers(labels.iter().map(|&label| i64::from(label)).collect()),
        };
        let (train, held_out) = numbered.labels.split_at(examples);
        let mut arrays = vec![(targets.to_owned(), array(train))];
        arrays.extend(test.map(|name| (name.to_owned(), array(held_out))));
        Ok(Self { arrays, classes: Some(numbered.names), remark: numbered.remark })
    }
}

/// Names of the classes in an array of their own, one for each class at least.
fn named(bytes: &[u8], labels: &[u32]) -> Result<Option<Vec<String>>, Problem> {
    let classes = labels.iter().max().map_or(0, |label| *label as usize + 1);
    for name in CLASS_NAMES {
        if let Some(names) = texts(bytes, name)?
            && names.len() >= classes
        {
            return Ok(Some(names));
        }
    }
    Ok(None)
}
