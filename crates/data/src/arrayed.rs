//! Examples from arrays of inputs and labels.

use crate::arrays::error::ArrayError;
use crate::arrays::npy::{Array, Numbers};
use crate::labels::{LabelError, MOST_CLASSES, check_number};
use crate::raw::{Raw, Values, Whole};
use crate::remark::Remark;
use crate::shape::Shape;

/// What can be wrong with an archive, as the end of a sentence that begins with it.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The archive or one of its arrays.
    #[error(transparent)]
    Array(#[from] ArrayError),
    /// Neither inputs nor labels.
    #[error("has no {what}, but {}: name them one of {}", if held.is_empty() { "nothing".into() } else { held.join(", ") }, names.join(", "))]
    Missing {
        /// What is missing.
        what: &'static str,
        /// What it could be called.
        names: &'static [&'static str],
        /// What there is.
        held: Vec<String>,
    },
    /// Inputs and labels of different examples.
    #[error(
        "has `{inputs}` of shape {shape:?} ({kind}), but {labels} labels in `{targets}`: give every example its label, examples first"
    )]
    Rows {
        /// The array of the inputs.
        inputs: String,
        /// Shape of the inputs.
        shape: Vec<usize>,
        /// What they hold.
        kind: &'static str,
        /// The array of the labels.
        targets: String,
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
    #[error(
        "has `{inputs}` of shape {shape:?} ({kind}); (N, D), (N, H, W), (N, H, W, C) and (N, C, H, W) are read: numpy.reshape it, examples first"
    )]
    Shape {
        /// The array.
        inputs: String,
        /// Its shape.
        shape: Vec<usize>,
        /// What it holds.
        kind: &'static str,
    },
    /// An input that is no number.
    #[error("has `{inputs}`[{}] = {value}, not a finite number: fill it in, or take the example out", at.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    NotFinite {
        /// The array.
        inputs: String,
        /// Where, on each axis.
        at: Vec<usize>,
        /// The value.
        value: f32,
    },
    /// A label or group that is no number of one.
    #[error(
        "has {what}[{index}] = {value}: whole numbers are needed; what is measured becomes classes by limits, as numpy.digitize makes them"
    )]
    NotWhole {
        /// The array.
        what: &'static str,
        /// The example.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A group below 0, or too large.
    #[error("has groups[{index}] = {value}: whole numbers from 0 to {MOST_CLASSES} are needed")]
    GroupRange {
        /// The example.
        index: usize,
        /// Its value.
        value: i64,
    },
    /// A row that names no class, or several.
    #[error(
        "has {what}[{index}] that is not one-hot, in an array of shape {shape:?} ({kind}): numpy.argmax(..., axis=1) makes classes of scores"
    )]
    NotOneHot {
        /// The array.
        what: &'static str,
        /// The example.
        index: usize,
        /// Shape of the array.
        shape: Vec<usize>,
        /// What it holds.
        kind: &'static str,
    },
    /// Labels of another shape.
    #[error(
        "has {what} of shape {shape:?} ({kind}): one number, (N) or (N, 1), or one one-hot row, (N, C), an example is needed"
    )]
    Labels {
        /// The array.
        what: &'static str,
        /// Its shape.
        shape: Vec<usize>,
        /// What it holds.
        kind: &'static str,
    },
    /// Labels that are no classes.
    #[error(transparent)]
    Classes(#[from] LabelError),
    /// Text in one split, numbers in the other.
    #[error(
        "has labels that are text in one of `{train}` and `{test}` and numbers in the other: write both in one way"
    )]
    Mixed {
        /// The labels of the training set.
        train: String,
        /// Those of the test set.
        test: String,
    },
    /// A test set in part.
    #[error("has `{there}`, but not its {missing}: add them, or take `{there}` out")]
    HalfTest {
        /// What is there.
        there: String,
        /// What is missing.
        missing: &'static str,
    },
}

/// An array and its name.
pub(crate) struct Called {
    pub(crate) name: String,
    pub(crate) array: Array,
}

/// Inputs with labels that are not yet numbers of classes.
pub(crate) struct Labelled {
    shape: Shape,
    values: Values,
    targets: String,
    labels: Vec<i64>,
    groups: Option<Vec<u32>>,
}

impl Labelled {
    /// Those of one split.
    pub(crate) fn new(x: Called, y: &Called, groups: Option<&Array>) -> Result<Self, Problem> {
        let labels = numbered(&y.array, "labels")?;
        let n = labels.len();
        if x.array.shape.first() != Some(&n) {
            let kind = kind(&x.array.values);
            let (inputs, shape, targets) = (x.name, x.array.shape, y.name.clone());
            return Err(Problem::Rows { inputs, shape, kind, targets, labels: n });
        }
        let groups = groups.map(group_numbers).transpose()?;
        if let Some(groups) = groups.as_ref().filter(|g| g.len() != n) {
            return Err(Problem::Groups { groups: groups.len(), labels: n });
        }
        let (shape, values) = inputs(x)?;
        Ok(Self { shape, values, targets: y.name.clone(), labels, groups })
    }

    fn into_whole(self, number: impl Fn(i64) -> u32, classes: Option<&[String]>) -> Whole {
        let groups = self.groups.as_ref().and_then(|g| g.iter().max()).map_or(0, |most| most + 1);
        let labels = self.labels.into_iter().map(number).collect();
        let raw = Raw { groups: self.groups, ..Raw::new(self.values, labels) };
        Whole {
            groups: (0..groups).map(|i| format!("group {i}")).collect(),
            classes: classes.map(<[String]>::to_vec),
            ..Whole::new(self.shape, raw)
        }
    }
}

/// Splits with numbers of classes for labels, the same in all; the first also has what is to be said of them.
pub(crate) fn classed(splits: Vec<Labelled>) -> Result<Vec<Whole>, Problem> {
    let Some(first) = splits.first() else { return Ok(Vec::new()) };
    let what = format!("`{}`", first.targets);
    let mut distinct: Vec<i64> = splits.iter().flat_map(|s| s.labels.iter().copied()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let mut own = first.labels.clone();
    own.sort_unstable();
    own.dedup();
    check_number(&what, own.len(), first.labels.len())?;
    let (least, most) = (distinct.first().copied().unwrap_or(0), distinct.last().copied().unwrap_or(0));
    // Numbers of classes stay as they are, with classes between them that have no example.
    let from_one = least == 1 && most as u64 == distinct.len() as u64;
    if least >= 0 && !from_one {
        if most >= MOST_CLASSES as i64 {
            return Err(LabelError::Classes { what, found: most as u64 + 1 }.into());
        }
        return Ok(splits.into_iter().map(|split| split.into_whole(|v| v as u32, None)).collect());
    }
    if distinct.len() > MOST_CLASSES {
        return Err(LabelError::Classes { what, found: distinct.len() as u64 }.into());
    }
    let names: Vec<String> = distinct.iter().map(ToString::to_string).collect();
    let number = |v: i64| distinct.partition_point(|d| *d < v) as u32;
    let mut wholes: Vec<Whole> = splits.into_iter().map(|split| split.into_whole(number, Some(&names))).collect();
    if let Some(whole) = wholes.first_mut() {
        whole.remarks.push(Remark::Labels { labels: names });
    }
    Ok(wholes)
}

/// What values are, in words.
fn kind(values: &Numbers) -> &'static str {
    match values {
        Numbers::Bytes(_) => "bytes or booleans",
        Numbers::Integers(_) => "whole numbers",
        Numbers::Floats(_) => "floating-point numbers",
    }
}

/// Inputs, channel-first.
fn inputs(Called { name, array }: Called) -> Result<(Shape, Values), Problem> {
    let (shape, channels_last) = match array.shape[1..] {
        [d] => (Shape { channels: 1, height: 1, width: d }, false),
        [h, w] => (Shape { channels: 1, height: h, width: w }, false),
        [h, w, c] if c <= 4 => (Shape { channels: c, height: h, width: w }, true),
        [c, h, w] => (Shape { channels: c, height: h, width: w }, false),
        _ => {
            let kind = kind(&array.values);
            return Err(Problem::Shape { inputs: name, shape: array.shape, kind });
        }
    };
    let image = array.shape.len() > 2;
    if let Numbers::Floats(v) = &array.values
        && let Some(flat) = v.iter().position(|v| !v.is_finite())
    {
        return Err(Problem::NotFinite { inputs: name, at: place(flat, &array.shape), value: v[flat] });
    }
    let values = match array.values {
        Numbers::Bytes(v) if image => Values::Pixels(if channels_last { planes(&v, shape) } else { v }),
        Numbers::Bytes(v) => Values::Table(v.into_iter().map(f32::from).collect()),
        Numbers::Integers(v) => Values::Table(v.into_iter().map(|v| v as f32).collect()),
        Numbers::Floats(v) => Values::Table(if channels_last { planes(&v, shape) } else { v }),
    };
    Ok((shape, values))
}

/// The position on each axis of a position in C order.
fn place(mut flat: usize, shape: &[usize]) -> Vec<usize> {
    let mut at: Vec<usize> = shape
        .iter()
        .rev()
        .map(|size| {
            let here = flat % size.max(&1);
            flat /= size.max(&1);
            here
        })
        .collect();
    at.reverse();
    at
}

/// Channels-last images to channel-first.
fn planes<T: Copy>(v: &[T], shape: Shape) -> Vec<T> {
    let (c, px) = (shape.channels, shape.height * shape.width);
    v.chunks_exact((c * px).max(1)).flat_map(|i| (0..c).flat_map(move |k| (0..px).map(move |p| i[p * c + k]))).collect()
}

/// Groups as numbers from 0.
fn group_numbers(a: &Array) -> Result<Vec<u32>, Problem> {
    let within = |(index, value): (usize, i64)| match u32::try_from(value) {
        Ok(group) if group as usize <= MOST_CLASSES => Ok(group),
        _ => Err(Problem::GroupRange { index, value }),
    };
    numbered(a, "groups")?.into_iter().enumerate().map(within).collect()
}

/// Labels as whole numbers, or the position of the one in one-hot rows.
fn numbered(a: &Array, what: &'static str) -> Result<Vec<i64>, Problem> {
    let whole = |(index, value): (usize, f64)| {
        let fits = value.fract() == 0.0 && value.abs() < 9e15;
        if fits { Ok(value as i64) } else { Err(Problem::NotWhole { what, index, value }) }
    };
    match a.shape[..] {
        [_] | [_, 1] => match &a.values {
            Numbers::Bytes(v) => Ok(v.iter().map(|&v| i64::from(v)).collect()),
            Numbers::Integers(v) => Ok(v.clone()),
            Numbers::Floats(v) => v.iter().map(|&v| f64::from(v)).enumerate().map(whole).collect(),
        },
        [_, c] if c > 0 => {
            let hot: Vec<Option<bool>> = match &a.values {
                Numbers::Bytes(v) => v.iter().map(|&v| is_hot(f64::from(v))).collect(),
                Numbers::Integers(v) => v.iter().map(|&v| is_hot(v as f64)).collect(),
                Numbers::Floats(v) => v.iter().map(|&v| is_hot(f64::from(v))).collect(),
            };
            let class = |(index, row): (usize, &[Option<bool>])| {
                let mut ones = (0..).zip(row).filter(|(_, v)| **v == Some(true)).map(|(k, _)| k);
                match (ones.next(), ones.next(), row.contains(&None)) {
                    (Some(class), None, false) => Ok(class),
                    _ => Err(Problem::NotOneHot { what, index, shape: a.shape.clone(), kind: kind(&a.values) }),
                }
            };
            hot.chunks_exact(c).enumerate().map(class).collect()
        }
        _ => Err(Problem::Labels { what, shape: a.shape.clone(), kind: kind(&a.values) }),
    }
}

/// Whether a value of a one-hot row is the one; `None` where it is neither one nor zero.
fn is_hot(value: f64) -> Option<bool> {
    if value == 1.0 { Some(true) } else { (value == 0.0).then_some(false) }
}
