//! Folders as published code leaves them.

use std::path::{Path, PathBuf};

use flatleak_data::Part;
use flatleak_data::values::{self, Source};
use flatleak_pool::{Membership, Pool, Wanted};

use super::arrays::no_room;
use super::asked::Asked;
use super::axes::of_one;
use super::given::Given;
use super::imported::Imported;
use super::labels::labels;
use super::named::from_named;
use super::outputs::Outputs;
use super::plausible::{Read, questioned};
use super::terms::Terms;
use super::{privacy_meter, trained};
use crate::error::Error;
use crate::problem::{FolderError, ImportError, OutputsError};
use crate::spill::Spill;

/// A known way of laying out a pool in a folder. All hold one folder per model; they are taken in the order of the numbers in their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// `experiment-<i>_<M>/{keep.npy, logits/<epoch>.npy}`: the reference code of the likelihood-ratio attack (mi_lira_2021).
    MiLira2021,
    /// `keep_indices.npy` (M, N) and `model_<i>/logits/logits.npy` (lira_analysis).
    LiraAnalysis,
    /// `<i>/{keep.npy, logits.npy}` (lira-pytorch).
    LiraPytorch,
}

impl Layout {
    /// Name.
    fn name(self) -> &'static str {
        match self {
            Self::MiLira2021 => "mi_lira_2021",
            Self::LiraAnalysis => "lira_analysis",
            Self::LiraPytorch => "lira-pytorch",
        }
    }
}

/// One model: where its membership is, where its logits.
struct Place {
    keep: Option<PathBuf>,
    logits: PathBuf,
}

/// The number in a folder's name that is `prefix` and digits, and perhaps an underscore and the number of models: (number, models).
fn number(name: &str, prefix: &str) -> Option<(usize, Option<usize>)> {
    let rest = name.strip_prefix(prefix)?;
    match rest.split_once('_') {
        Some((number, models)) => Some((number.parse().ok()?, Some(models.parse().ok()?))),
        None => Some((rest.parse().ok()?, None)),
    }
}

/// Folders of models inside `dir` in the order of their numbers, which have to be those from 0, or from 1, without a gap.
fn numbered(dir: &Path, layout: Layout) -> Result<Vec<PathBuf>, Error> {
    let unreadable = |e: std::io::Error| Error::import(dir, e);
    let prefix = match layout {
        Layout::MiLira2021 => "experiment-",
        Layout::LiraAnalysis => "model_",
        Layout::LiraPytorch => "",
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
        if let (true, Some(number)) = (path.is_dir(), number(&name, prefix)) {
            found.push((number, path));
        }
    }
    found.sort();
    let models: Vec<Option<usize>> = found.iter().map(|((_, models), _)| *models).collect();
    if models.windows(2).any(|w| w[0] != w[1]) {
        return Err(Error::import(dir, FolderError::SeveralRuns));
    }
    let first = found.first().map_or(0, |((number, _), _)| *number);
    let gap = found.iter().enumerate().find(|(k, ((number, _), _))| *number != first + k);
    let missing = models.first().copied().flatten().filter(|m| *m != found.len());
    if first > 1 || gap.is_some() || missing.is_some() {
        let at = gap.map_or(if first > 1 { 0 } else { first + found.len() }, |(k, _)| first + k);
        return Err(Error::import(dir, FolderError::Lacks { model: at, folders: found.len() }));
    }
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// The logits of the last epoch: file names are epochs.
fn last_epoch(dir: &Path) -> Option<PathBuf> {
    let epoch = |path: &PathBuf| -> Option<u64> {
        let stem = path.file_stem()?.to_string_lossy().parse().ok()?;
        (path.extension()? == "npy").then_some(stem)
    };
    let files = std::fs::read_dir(dir).ok()?.filter_map(|e| Some(e.ok()?.path()));
    files.filter_map(|path| Some((epoch(&path)?, path))).max().map(|(_, path)| path)
}

/// Refuses models of different epochs: they were not all trained to the end.
fn one_epoch(dir: &Path, places: &[Place]) -> Result<(), Error> {
    let epoch = |place: &Place| place.logits.file_stem().and_then(|s| s.to_string_lossy().parse::<u64>().ok());
    let all: Vec<Option<u64>> = places.iter().map(epoch).collect();
    let most = all.iter().copied().max().flatten().unwrap_or(0);
    match all.iter().position(|e| *e != Some(most)) {
        Some(model) => {
            let found = all[model].unwrap_or(0);
            Err(Error::import(dir, FolderError::Epochs { model, found, most }))
        }
        None => Ok(()),
    }
}

/// What a folder is, and its models: the first layout of which it holds a model.
fn detect(dir: &Path) -> Result<Option<(Layout, Vec<Place>)>, Error> {
    let whole = dir.join("keep_indices.npy").is_file();
    let layouts: &[Layout] = if whole { &[Layout::LiraAnalysis] } else { &[Layout::MiLira2021, Layout::LiraPytorch] };
    for &layout in layouts {
        let place = |path: &Path| match layout {
            Layout::MiLira2021 => {
                Some(Place { keep: Some(path.join("keep.npy")), logits: last_epoch(&path.join("logits"))? })
            }
            Layout::LiraAnalysis => Some(Place { keep: None, logits: path.join("logits").join("logits.npy") }),
            Layout::LiraPytorch => Some(Place { keep: Some(path.join("keep.npy")), logits: path.join("logits.npy") }),
        };
        let there = |p: &Place| p.logits.is_file() && p.keep.as_ref().is_none_or(|k| k.is_file());
        let folders = numbered(dir, layout)?;
        let places: Vec<Option<Place>> = folders.iter().map(|path| place(path).filter(there)).collect();
        if places.iter().all(Option::is_none) {
            continue;
        }
        let incomplete = |path: &Path| Error::import(path, FolderError::Incomplete { layout: layout.name() });
        let each = folders.iter().zip(places).map(|(path, place)| place.ok_or_else(|| incomplete(path)));
        let places = each.collect::<Result<Vec<Place>, Error>>()?;
        if layout == Layout::MiLira2021 {
            one_epoch(dir, &places)?;
        }
        return Ok(Some((layout, places)));
    }
    Ok(None)
}

/// Reads a pool from a folder as published code leaves it (mi_lira_2021, lira_analysis, lira-pytorch, Privacy Meter, `train_pool`), or of
/// [arrays by name](from_named); `None` for any other. Labels are those given, or in `y_train.npy` or `labels.npy`. The recipe is called
/// `recipe`.
///
/// # Errors
/// As [`from_arrays`](super::from_arrays); no labels anywhere.
pub fn from_folder(
    dir: &Path,
    recipe: &str,
    given_labels: Option<&Path>,
    wanted: &Wanted,
) -> Result<Option<Imported>, Error> {
    if let Some(found) = privacy_meter::find(dir) {
        return privacy_meter::read(&found, recipe, given_labels, wanted).map(Some);
    }
    if let Some(found) = trained::read(dir, recipe, given_labels, wanted)? {
        return Ok(Some(found));
    }
    let Some((layout, places)) = detect(dir)? else { return from_named(dir, recipe, given_labels, wanted) };
    let beside = ["y_train.npy", "labels.npy"].map(|name| dir.join(name)).into_iter().find(|p| p.is_file());
    let file = given_labels
        .map(Path::to_owned)
        .or(beside)
        .ok_or_else(|| Error::import(dir, FolderError::NoLabels { layout: layout.name() }))?;
    let labels = labels(Source::File(&file), "labels")?.classes;
    let rows = match layout {
        Layout::LiraAnalysis => masks(&dir.join("keep_indices.npy"), labels.len())?,
        _ => {
            let each = places.iter().filter_map(|p| p.keep.as_deref()).map(|keep| masks(keep, labels.len()));
            each.collect::<Result<Vec<_>, Error>>()?.concat()
        }
    };
    if rows.len() != places.len() {
        return Err(Error::import(dir, FolderError::Models { membership: rows.len(), outputs: places.len() }));
    }
    let mut notes = vec![format!("{} models in the layout of {}", places.len(), layout.name())];
    let asked = Asked { given: Given::Logits, wanted, terms: Terms::Flags, labels: Some(&labels) };
    let (mut pool, mut spill, mut first) = (Vec::new(), Spill::default(), None);
    let membership = Membership::from_rows(rows).map_err(|e| Error::import(dir, ImportError::from(e)))?;
    let mut outputs = Outputs::new(asked, Some(&membership));
    for place in &places {
        let read = values::with(&place.logits, "logits", |found| {
            let sizes = of_one(found, labels.len(), &mut first)?;
            outputs.read(found, sizes, &mut |own| {
                pool.extend(spill.push(Part::Pool, own).map_err(no_room)?);
                Ok(())
            })
        });
        read.map_err(|problem| Error::import(&place.logits, problem))?;
    }
    notes.extend(outputs.notes("pool"));
    notes.extend(first.map(|first| first.queries).filter(|q| *q > 1).map(|q| format!("{q} views of each example")));
    let Outputs { tally, .. } = outputs;
    let pool = Pool {
        views: spill.into_views(),
        ..Pool::new(recipe, membership, labels, pool).map_err(|e| Error::import(dir, ImportError::from(e)))?
    };
    let read = Read { given: Given::Logits, terms: Terms::Flags, one_column: false, tally: &tally };
    let pool = questioned(pool, &read).map_err(|problem| Error::import(dir, problem))?;
    Ok(Some(Imported { pool, notes }))
}

/// Rows of a mask, (N) or (M, N); a vector of other numbers than 0 and 1, or of another length, is one of positions.
fn masks(path: &Path, n: usize) -> Result<Vec<Vec<bool>>, Error> {
    let read = values::with(path, "keep", |found| {
        let shape = found.shape().to_vec();
        let all = found.all()?;
        let is_mask = shape.last() == Some(&n) && all.iter().all(|v| *v == 0.0 || *v == 1.0);
        match shape.as_slice() {
            [_] | [_, _] if is_mask => Ok(all.chunks(n).map(|row| row.iter().map(|v| *v == 1.0).collect()).collect()),
            [_] => {
                let mut row = vec![false; n];
                for v in &all {
                    let place = if v.fract() == 0.0 && *v >= 0.0 { row.get_mut(*v as usize) } else { None };
                    *place.ok_or(OutputsError::Position { value: *v, labels: n })? = true;
                }
                Ok(vec![row])
            }
            _ => Err(ImportError::from(OutputsError::Mask { found: shape, labels: n })),
        }
    });
    read.map_err(|problem| Error::import(path, problem))
}
