//! Data sets as `.npz` archives: inputs, labels, perhaps groups, perhaps a test set.

use crate::arrays::error::ArrayError;
use crate::arrays::npy::{Array, Numbers};
use crate::arrays::npz::archive;
use crate::error::Error;
use crate::raw::{Raw, Values, Whole};
use crate::reader::{Found, Input, Options, Reader};
use crate::shape::Shape;

/// Names under which archives keep inputs, labels and groups, and those of a test set of its own.
const INPUTS: [&str; 6] = ["x", "features", "X", "data", "images", "x_train"];
const TARGETS: [&str; 5] = ["y", "labels", "Y", "label", "y_train"];

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

/// What can be wrong with an archive, as the end of a sentence that begins with it.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The archive or one of its arrays.
    #[error(transparent)]
    Array(#[from] ArrayError),
    /// Neither inputs nor labels.
    #[error("has no {what}: name them one of {}", names.join(", "))]
    Missing {
        /// What is missing.
        what: &'static str,
        /// What it could be called.
        names: &'static [&'static str],
    },
    /// Inputs and labels of different examples.
    #[error("has {shape:?} inputs, but {labels} labels")]
    Rows {
        /// Shape of the inputs.
        shape: Vec<usize>,
        /// Number of labels.
        labels: usize,
    },
    /// Groups and labels of different examples.
    #[error("has {groups} groups, but {labels} labels: give every example its group")]
    Groups {
        /// Number of groups.
        groups: usize,
        /// Number of labels.
        labels: usize,
    },
    /// Inputs that are neither rows nor pictures.
    #[error("has inputs of shape {shape:?}; (N, D), (N, H, W), (N, H, W, C) and (N, C, H, W) are known")]
    Shape {
        /// Their shape.
        shape: Vec<usize>,
    },
    /// A label or group that is no number of one.
    #[error("has {what}[{index}] = {value}: whole numbers from 0 are needed")]
    NotWhole {
        /// The array.
        what: &'static str,
        /// The example.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A row that names no class, or several.
    #[error("has {what}[{index}] that is not one-hot")]
    NotOneHot {
        /// The array.
        what: &'static str,
        /// The example.
        index: usize,
    },
    /// Labels of another shape.
    #[error("has {what} of shape {shape:?}: one number or one one-hot row an example is needed")]
    Labels {
        /// The array.
        what: &'static str,
        /// Its shape.
        shape: Vec<usize>,
    },
}

/// The data set in an archive.
fn from_archive(bytes: &[u8]) -> Result<Found, Problem> {
    let wanted: Vec<&str> = INPUTS.into_iter().chain(TARGETS).chain(["groups", "x_test", "y_test"]).collect();
    let mut arrays = archive(bytes, &wanted)?;
    let mut take = |names: &[&str]| names.iter().find_map(|n| arrays.remove(*n));
    let x = take(&INPUTS).ok_or(Problem::Missing { what: "inputs", names: &INPUTS })?;
    let y = take(&TARGETS).ok_or(Problem::Missing { what: "labels", names: &TARGETS })?;
    let groups = take(&["groups"]);
    let whole = from_arrays(x, &y, groups.as_ref())?;
    match (take(&["x_test"]), take(&["y_test"])) {
        (Some(x), Some(y)) if whole.raw.groups.is_none() => Ok(Found::Both([whole, from_arrays(x, &y, None)?])),
        _ => Ok(Found::One(whole)),
    }
}

fn from_arrays(x: Array, y: &Array, groups: Option<&Array>) -> Result<Whole, Problem> {
    let labels = numbered(y, "labels")?;
    let n = labels.len();
    if x.shape.first() != Some(&n) {
        return Err(Problem::Rows { shape: x.shape, labels: n });
    }
    let groups = groups.map(|g| numbered(g, "groups")).transpose()?;
    if let Some(groups) = groups.as_ref().filter(|g| g.len() != n) {
        return Err(Problem::Groups { groups: groups.len(), labels: n });
    }
    let names = groups.as_ref().map_or(0, |g| g.iter().max().map_or(0, |m| m + 1));
    let (shape, channels_last) = match x.shape[1..] {
        [d] => (Shape { channels: 1, height: 1, width: d }, false),
        [h, w] => (Shape { channels: 1, height: h, width: w }, false),
        [h, w, c] if c <= 4 => (Shape { channels: c, height: h, width: w }, true),
        [c, h, w] => (Shape { channels: c, height: h, width: w }, false),
        _ => return Err(Problem::Shape { shape: x.shape }),
    };
    let image = x.shape.len() > 2;
    let values = match x.values {
        Numbers::Bytes(v) if image => Values::Pixels(if channels_last { planes(&v, shape) } else { v }),
        Numbers::Bytes(v) => Values::Table(v.into_iter().map(f32::from).collect()),
        Numbers::Integers(v) => Values::Table(v.into_iter().map(|v| v as f32).collect()),
        Numbers::Floats(v) => Values::Table(if channels_last { planes(&v, shape) } else { v }),
    };
    let raw = Raw { groups, ..Raw::new(values, labels) };
    Ok(Whole { shape, raw, groups: (0..names).map(|i| format!("group {i}")).collect() })
}

/// Channels-last images to channel-first.
fn planes<T: Copy>(v: &[T], shape: Shape) -> Vec<T> {
    let (c, px) = (shape.channels, shape.height * shape.width);
    v.chunks_exact((c * px).max(1)).flat_map(|i| (0..c).flat_map(move |k| (0..px).map(move |p| i[p * c + k]))).collect()
}

/// Classes as integers from 0, or as one-hot rows.
fn numbered(a: &Array, what: &'static str) -> Result<Vec<u32>, Problem> {
    let wide: Vec<f64> = match &a.values {
        Numbers::Bytes(v) => v.iter().map(|&v| f64::from(v)).collect(),
        Numbers::Integers(v) => v.iter().map(|&v| v as f64).collect(),
        Numbers::Floats(v) => v.iter().map(|&v| f64::from(v)).collect(),
    };
    match a.shape[..] {
        [_] | [_, 1] => {
            (0..).zip(wide).map(|(index, value)| whole(value).ok_or(Problem::NotWhole { what, index, value })).collect()
        }
        [_, c] if c > 0 => wide
            .chunks_exact(c)
            .enumerate()
            .map(|(index, row)| {
                let hot: Vec<usize> = (0..c).filter(|&k| row[k] == 1.0).collect();
                match hot[..] {
                    [k] if row.iter().filter(|v| **v != 0.0).count() == 1 => Ok(k as u32),
                    _ => Err(Problem::NotOneHot { what, index }),
                }
            })
            .collect(),
        _ => Err(Problem::Labels { what, shape: a.shape.clone() }),
    }
}

fn whole(v: f64) -> Option<u32> {
    // More classes than this are a mistake: every one needs an output.
    (v >= 0.0 && v.fract() == 0.0 && v < 100_000.0).then_some(v as u32)
}
