//! The folder of the Python package's `train_pool`: one archive per model.

use std::path::{Path, PathBuf};

use flatleak_data::Part;
use flatleak_data::values::{self, Source, Values};
use flatleak_pool::{Pool, Signals, Wanted};

use super::arrays::no_room;
use super::asked::Asked;
use super::axes::{Sizes, of_one};
use super::given::Given;
use super::imported::Imported;
use super::labels::labels;
use super::membership::{self, Mask};
use super::outputs::Outputs;
use super::plausible::{Read, questioned};
use super::terms::Terms;
use crate::error::Error;
use crate::problem::{FolderError, ImportError};
use crate::spill::Spill;

/// `model_<i>.npz` from 0 on, with `membership.npy` and `labels.npy` beside them; `None` where there is no such file.
fn find(dir: &Path) -> Option<Vec<PathBuf>> {
    let file = |model: usize| Some(dir.join(format!("model_{model:04}.npz"))).filter(|path| path.is_file());
    let all: Vec<PathBuf> = (0..).map_while(file).collect();
    (!all.is_empty() && dir.join("membership.npy").is_file()).then_some(all)
}

/// One split on its way in.
struct Split<'a> {
    part: Part,
    name: &'static str,
    examples: usize,
    outputs: Outputs<'a>,
    first: Option<Sizes>,
    plain: Vec<Signals>,
}

impl Split<'_> {
    fn read(&mut self, path: &Path, spill: &mut Spill) -> Result<(), Error> {
        let Self { part, name, examples, outputs, first, plain } = self;
        let read = |found: &mut Values<'_>| {
            let sizes = of_one(found, *examples, first)?;
            outputs.read(found, sizes, &mut |own| {
                plain.extend(spill.push(*part, own).map_err(no_room)?);
                Ok(())
            })
        };
        let source = Source::Member { path, name };
        source.with(name, read).map_err(|problem: ImportError| Error::import(path, problem))
    }
}

/// Reads the pool in such a folder; `None` for any other. Labels are those given, or in `labels.npy`.
///
/// # Errors
/// As [`from_arrays`](super::from_arrays); no labels; another number of models than the membership has.
pub(super) fn read(
    dir: &Path,
    recipe: &str,
    given_labels: Option<&Path>,
    wanted: &Wanted,
) -> Result<Option<Imported>, Error> {
    let Some(files) = find(dir) else { return Ok(None) };
    let beside = |name: &str| Some(dir.join(name)).filter(|path| path.is_file());
    let file = given_labels.map(Path::to_owned).or_else(|| beside("labels.npy"));
    let file = file.ok_or_else(|| Error::import(dir, FolderError::NoLabels { layout: "train_pool" }))?;
    let classes = labels(Source::File(&file), "labels")?.classes;
    let Mask { membership, .. } = membership::look(Source::File(&dir.join("membership.npy")))?.read(None)?;
    if membership.models() != files.len() {
        let models = FolderError::Models { membership: membership.models(), outputs: files.len() };
        return Err(Error::import(dir, models));
    }
    let test_labels = beside("test_labels.npy").map(|file| labels(Source::File(&file), "test_labels")).transpose()?;
    let test_classes = test_labels.map(|l| l.classes);
    let split = |part, name, labels, members| Split {
        part,
        name,
        examples: <[u32]>::len(labels),
        outputs: Outputs::new(
            Asked { given: Given::Logits, wanted, terms: Terms::Flags, labels: Some(labels) },
            members,
        ),
        first: None,
        plain: Vec::new(),
    };
    let mut spill = Spill::default();
    let mut pool = split(Part::Pool, "logits", &classes, Some(&membership));
    let mut test = test_classes.as_deref().map(|labels| split(Part::Test, "test_logits", labels, None));
    for path in &files {
        pool.read(path, &mut spill)?;
        if let Some(test) = test.as_mut().filter(|_| has_test(path)) {
            test.read(path, &mut spill)?;
        }
    }
    let mut notes = vec![format!("{} models in the folder of train_pool", files.len())];
    notes.extend(pool.outputs.notes("pool"));
    let (plain, tally, held_out) = (pool.plain, pool.outputs.tally, test.map(|t| t.plain).unwrap_or_default());
    let complete = held_out.len() == files.len();
    let found = Pool {
        test_labels: test_classes.filter(|_| complete),
        test: if complete { held_out } else { Vec::new() },
        views: spill.into_views(),
        ..Pool::new(recipe, membership, classes, plain).map_err(|e| Error::import(dir, ImportError::from(e)))?
    };
    let read = Read { given: Given::Logits, terms: Terms::Flags, one_column: false, tally: &tally };
    let pool = questioned(found, &read).map_err(|problem| Error::import(dir, problem))?;
    Ok(Some(Imported { pool, notes }))
}

fn has_test(path: &Path) -> bool {
    values::names(path).is_ok_and(|names| names.iter().any(|n| n == "test_logits"))
}
