//! What lies at a path: which reader it calls for, and pool and test set from what the reader finds.

use std::path::Path;

use flatleak_stream::{Purpose, Stream};

use crate::cifar::{self, Records};
use crate::csv;
use crate::dataset::{Raw, Shape, Values};
use crate::error::Error;
use crate::eyepacs;
use crate::files::{Whole, directory, slurp};
use crate::npy::{self, Array, Numbers};
use crate::parquet;
use crate::pictures;
use crate::subset::balanced;
use crate::table::Table;

/// The test set's share where a source has none: one in five, drawn by (seed, subset, 2, 0).
const TEST_SHARE: usize = 5;

/// Names under which archives keep inputs, labels and groups, and those of a test set of its own.
const INPUTS: [&str; 6] = ["x", "features", "X", "data", "images", "x_train"];
const TARGETS: [&str; 5] = ["y", "labels", "Y", "label", "y_train"];

/// Pool and test set at a path; pictures are resized to `side` x `side` where it is set.
pub(crate) fn at(path: &Path, seed: u64, side: Option<usize>) -> Result<[Whole; 2], Error> {
    if path.is_dir() {
        return folder(path, seed, side);
    }
    let wrong = |problem: String| Error::File { path: path.into(), problem };
    let bytes = slurp(path)?;
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "npz" => from_archive(&bytes, seed).map_err(wrong),
        "csv" | "tsv" | "data" => {
            let text = std::str::from_utf8(&bytes).map_err(|e| wrong(format!("is not UTF-8 text: {e}")))?;
            Ok(cut(from_table(csv::parse(text).map_err(wrong)?), seed))
        }
        "parquet" => Ok(cut(from_table(parquet::parse(bytes).map_err(wrong)?), seed)),
        _ => Err(wrong("is none of .npz, .csv, .tsv, .parquet; or give a directory".into())),
    }
}

/// What kind of folder it is, by the files that only one kind has.
fn folder(path: &Path, seed: u64, side: Option<usize>) -> Result<[Whole; 2], Error> {
    if path.join("data_batch_1.bin").exists() {
        return cifar10(path);
    }
    if path.join("train.bin").exists() {
        return cifar100(path);
    }
    if let Some(table) = eyepacs::labels(path)? {
        return Ok(cut(eyepacs::read(path, &table, side)?, seed));
    }
    let (train, test) = (path.join("train"), path.join("test"));
    if train.is_dir() && test.is_dir() {
        let classes = pictures::class_names(&train)?;
        return Ok([pictures::by_class(&train, &classes, side)?, pictures::by_class(&test, &classes, side)?]);
    }
    let classes = pictures::class_names(path)?;
    let of_pictures =
        |class: &String| pictures::sorted(&path.join(class)).is_ok_and(|f| f.iter().any(|p| pictures::is_picture(p)));
    if !classes.iter().any(of_pictures) {
        return directory(path);
    }
    Ok(cut(pictures::by_class(path, &classes, side)?, seed))
}

fn cifar10(path: &Path) -> Result<[Whole; 2], Error> {
    let names: Vec<String> = (1..=5).map(|i| format!("data_batch_{i}.bin")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).filter(|n| path.join(n).exists()).collect();
    Ok([records(path, &names, cifar::Kind::Ten)?, records(path, &["test_batch.bin"], cifar::Kind::Ten)?])
}

fn cifar100(path: &Path) -> Result<[Whole; 2], Error> {
    Ok([records(path, &["train.bin"], cifar::Kind::Hundred)?, records(path, &["test.bin"], cifar::Kind::Hundred)?])
}

fn records(folder: &Path, names: &[&str], kind: cifar::Kind) -> Result<Whole, Error> {
    let mut all = Records::default();
    for name in names {
        let path = folder.join(name);
        all.extend(&slurp(&path)?, kind).map_err(|problem| Error::File { path, problem })?;
    }
    let coarse = kind == cifar::Kind::Hundred;
    let ids = (0..all.labels.len() as u32).collect();
    Ok(Whole {
        shape: Shape { channels: 3, height: 32, width: 32 },
        raw: Raw { values: Values::Pixels(all.pixels), labels: all.labels, groups: coarse.then_some(all.coarse), ids },
        groups: (0..if coarse { cifar::COARSE } else { 0 }).map(|i| format!("superclass {i}")).collect(),
    })
}

fn from_table(table: Table) -> Whole {
    let ids = (0..table.labels.len() as u32).collect();
    Whole {
        shape: Shape { channels: 1, height: 1, width: table.columns },
        raw: Raw { values: Values::Table(table.values), labels: table.labels, groups: table.groups, ids },
        groups: table.group_names,
    }
}

fn from_archive(bytes: &[u8], seed: u64) -> Result<[Whole; 2], String> {
    let wanted: Vec<&str> = INPUTS.into_iter().chain(TARGETS).chain(["groups", "x_test", "y_test"]).collect();
    let mut arrays = npy::archive(bytes, &wanted)?;
    let mut take = |names: &[&str]| names.iter().find_map(|n| arrays.remove(*n));
    let x = take(&INPUTS).ok_or(format!("has no inputs: name them one of {}", INPUTS.join(", ")))?;
    let y = take(&TARGETS).ok_or(format!("has no labels: name them one of {}", TARGETS.join(", ")))?;
    let groups = take(&["groups"]);
    let whole = from_arrays(x, &y, groups.as_ref())?;
    match (take(&["x_test"]), take(&["y_test"])) {
        (Some(x), Some(y)) if whole.raw.groups.is_none() => Ok([whole, from_arrays(x, &y, None)?]),
        _ => Ok(cut(whole, seed)),
    }
}

fn from_arrays(x: Array, y: &Array, groups: Option<&Array>) -> Result<Whole, String> {
    let labels = numbered(y, "labels")?;
    let n = labels.len();
    if x.shape.first() != Some(&n) {
        return Err(format!("has {:?} inputs, but {n} labels", x.shape));
    }
    let groups = groups.map(|g| numbered(g, "groups")).transpose()?;
    let names = groups.as_ref().map_or(0, |g| g.iter().max().map_or(0, |m| m + 1));
    let (shape, channels_last) = match x.shape[1..] {
        [d] => (Shape { channels: 1, height: 1, width: d }, false),
        [h, w] => (Shape { channels: 1, height: h, width: w }, false),
        [h, w, c] if c <= 4 => (Shape { channels: c, height: h, width: w }, true),
        [c, h, w] => (Shape { channels: c, height: h, width: w }, false),
        _ => {
            return Err(format!(
                "has inputs of shape {:?}; (N, D), (N, H, W), (N, H, W, C) and (N, C, H, W) are known",
                x.shape
            ));
        }
    };
    let image = x.shape.len() > 2;
    let values = match x.values {
        Numbers::Bytes(v) if image => Values::Pixels(if channels_last { planes(&v, shape) } else { v }),
        Numbers::Bytes(v) => Values::Table(v.into_iter().map(f32::from).collect()),
        Numbers::Integers(v) => Values::Table(v.into_iter().map(|v| v as f32).collect()),
        Numbers::Floats(v) => Values::Table(if channels_last { planes(&v, shape) } else { v }),
    };
    Ok(Whole {
        shape,
        raw: Raw { values, labels, groups, ids: (0..n as u32).collect() },
        groups: (0..names).map(|i| format!("group {i}")).collect(),
    })
}

/// Channels-last images to channel-first.
fn planes<T: Copy>(v: &[T], shape: Shape) -> Vec<T> {
    let (c, px) = (shape.channels, shape.height * shape.width);
    v.chunks_exact((c * px).max(1)).flat_map(|i| (0..c).flat_map(move |k| (0..px).map(move |p| i[p * c + k]))).collect()
}

/// Classes as integers from 0, or as one-hot rows.
fn numbered(a: &Array, what: &str) -> Result<Vec<u32>, String> {
    let wide: Vec<f64> = match &a.values {
        Numbers::Bytes(v) => v.iter().map(|&v| f64::from(v)).collect(),
        Numbers::Integers(v) => v.iter().map(|&v| v as f64).collect(),
        Numbers::Floats(v) => v.iter().map(|&v| f64::from(v)).collect(),
    };
    match a.shape[..] {
        [_] | [_, 1] => (0..)
            .zip(wide)
            .map(|(i, v)| whole(v).ok_or(format!("has {what}[{i}] = {v}: whole numbers from 0 are needed")))
            .collect(),
        [_, c] if c > 0 => wide
            .chunks_exact(c)
            .enumerate()
            .map(|(i, row)| {
                let hot: Vec<usize> = (0..c).filter(|&k| row[k] == 1.0).collect();
                match hot[..] {
                    [k] if row.iter().filter(|v| **v != 0.0).count() == 1 => Ok(k as u32),
                    _ => Err(format!("has {what}[{i}] that is not one-hot")),
                }
            })
            .collect(),
        _ => Err(format!("has {what} of shape {:?}: one number or one one-hot row an example is needed", a.shape)),
    }
}

fn whole(v: f64) -> Option<u32> {
    // More classes than this are a mistake: every one needs an output.
    (v >= 0.0 && v.fract() == 0.0 && v < 100_000.0).then_some(v as u32)
}

/// Pool and test set of a source without one of its own.
fn cut(whole: Whole, seed: u64) -> [Whole; 2] {
    let n = whole.raw.labels.len();
    let test = balanced(&whole.raw.labels, n / TEST_SHARE, &mut Stream::new(seed, Purpose::Subset, 2, 0));
    let mut held = vec![false; n];
    test.iter().for_each(|&i| held[i as usize] = true);
    let pool: Vec<u32> = (0..n as u32).filter(|&i| !held[i as usize]).collect();
    let features = whole.shape.features();
    [pool, test].map(|positions| Whole {
        shape: whole.shape,
        raw: whole.raw.select(&positions, features),
        groups: whole.groups.clone(),
    })
}
