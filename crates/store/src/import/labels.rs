//! Labels, in the forms in which people have them.

use flatleak_data::natural;
use flatleak_data::values::{Source, Values};

use super::axes::Look;
use crate::error::Error;
use crate::problem::{ImportError, OutputsError};

/// Largest label: per-class tables are of this size at most.
const MOST: u32 = (1 << 24) - 1;

/// Labels as classes from 0.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Labels {
    pub(super) classes: Vec<u32>,
    /// The type of the values.
    pub(super) dtype: String,
    /// How they were taken, where that is not plain.
    pub(super) note: Option<String>,
    /// Names of the classes, where labels are text.
    pub(super) names: Vec<String>,
}

impl Labels {
    /// The same classes as numbers of the names that another set of labels has.
    pub(super) fn named_as(mut self, pool: &Self) -> Result<Self, OutputsError> {
        if self.names.is_empty() && pool.names.is_empty() {
            return Ok(self);
        }
        let place = |name: &String| {
            let found = pool.names.iter().position(|n| n == name);
            found.map(|at| at as u32).ok_or_else(|| OutputsError::NewName { name: name.clone() })
        };
        let places = self.names.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let number =
            |y: &u32| places.get(*y as usize).copied().ok_or_else(|| OutputsError::NewName { name: y.to_string() });
        self.classes = self.classes.iter().map(number).collect::<Result<_, _>>()?;
        self.names.clone_from(&pool.names);
        Ok(self)
    }

    /// How many classes the type of the values can tell apart, where that is not enough for all that there may be.
    pub(super) fn most(&self) -> Option<usize> {
        match self.dtype.get(1..)? {
            // One-hot rows of bytes are no numbers of classes.
            "u1" if self.note.is_none() => Some(1 << 8),
            "i1" if self.note.is_none() => Some(1 << 7),
            "f2" if self.note.is_none() => Some(1 << 11),
            "f16" if self.dtype == "bf16" && self.note.is_none() => Some(1 << 8),
            _ => None,
        }
    }
}

/// Reads labels: one per example, (N), (N, 1) or (1, N); one column per class, one-hot, (N, C); the same row for every model, (M, N); or text,
/// which is numbered in natural order.
///
/// # Errors
/// [`Error::Import`]: anything else, with what would be right.
pub(super) fn labels(from: Source<'_>, name: &str) -> Result<Labels, Error> {
    let read = || -> Result<Labels, ImportError> {
        let look = Look::new(from, name)?;
        let sides: Vec<usize> = look.shape.iter().copied().filter(|s| *s != 1).collect();
        match sides.as_slice() {
            _ if look.shape.iter().product::<usize>() == 0 => Err(look.unfit(WANTED).into()),
            [] | [_] if look.is_text => from.with(name, |found| words(found.words()?, look.dtype.clone())),
            [] | [_] => from.with(name, |found| one_each(found, look.dtype.clone())),
            &[_, columns] if !look.is_text => from.with(name, |found| table(found, columns, &look)),
            _ => Err(look.unfit(WANTED).into()),
        }
    };
    read().map_err(|problem| Error::import(from.place(), problem))
}

const WANTED: &str = "(examples): give each its class, from 0";

/// A class, or what is wrong with it.
fn class(value: f64, example: usize) -> Result<u32, OutputsError> {
    let fits = value.fract() == 0.0 && (0.0..=f64::from(MOST)).contains(&value);
    if fits { Ok(value as u32) } else { Err(OutputsError::Label { value, example, most: MOST }) }
}

fn one_each(found: &mut Values<'_>, dtype: String) -> Result<Labels, ImportError> {
    let all = found.all()?;
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    all.iter().for_each(|v| (low, high) = (low.min(*v), high.max(*v)));
    if all.iter().all(|v| *v == -1.0 || *v == 1.0) && low < high {
        return Err(OutputsError::Signs.into());
    }
    if let Some((example, value)) = all.iter().enumerate().find(|(_, v)| v.is_finite() && v.fract() != 0.0) {
        return Err(OutputsError::Continuous { value: *value, example }.into());
    }
    let classes = all.iter().enumerate().map(|(example, v)| class(*v, example)).collect::<Result<_, _>>()?;
    Ok(Labels { classes, dtype, note: None, names: Vec::new() })
}

/// Names as numbers in their natural order; text that is whole numbers as these.
fn words(all: Vec<String>, dtype: String) -> Result<Labels, ImportError> {
    if let Ok(numbers) = all.iter().map(|word| word.trim().parse::<i64>()).collect::<Result<Vec<_>, _>>() {
        let classes = numbers.iter().enumerate().map(|(example, v)| class(*v as f64, example));
        let classes = classes.collect::<Result<_, _>>()?;
        return Ok(Labels { classes, dtype, note: Some("labels are whole numbers as text".into()), names: Vec::new() });
    }
    let mut names: Vec<&String> = all.iter().collect();
    names.sort_by(|a, b| natural::order(a, b));
    names.dedup();
    let place: std::collections::HashMap<&str, u32> = names.iter().map(|n| n.as_str()).zip(0..).collect();
    let shown: Vec<String> = names.iter().take(12).zip(0..).map(|(n, k): (_, u32)| format!("{n} = {k}")).collect();
    let more = if names.len() > 12 { ", ..." } else { "" };
    let note = format!("labels are text, numbered in their natural order: {}{more}", shown.join(", "));
    let classes = all.iter().map(|name| place[name.as_str()]).collect();
    let names = names.into_iter().cloned().collect();
    Ok(Labels { classes, dtype, note: Some(note), names })
}

/// Labels with two axes: one-hot rows, or one row per model.
fn table(found: &mut Values<'_>, columns: usize, look: &Look) -> Result<Labels, ImportError> {
    let rows = found.shape().iter().product::<usize>() / columns;
    let first = found.next(columns)?;
    let mut row = first.clone();
    let (mut classes, mut one_hot, mut alike) = (Vec::new(), true, true);
    for at in 0..rows {
        if at > 0 {
            found.read(&mut row)?;
        }
        let hot = row.iter().position(|v| *v == 1.0);
        one_hot &= row.iter().filter(|v| **v != 0.0).count() == 1 && hot.is_some();
        classes.push(hot.unwrap_or(0) as u32);
        alike &= row == first;
        if !one_hot && !alike {
            let wanted = "(examples): labels with two axes are either one-hot, or the same row for every model";
            return Err(look.unfit(wanted).into());
        }
    }
    if one_hot {
        let note = format!("labels are one-hot, with {columns} columns");
        return Ok(Labels { classes, dtype: look.dtype.clone(), note: Some(note), names: Vec::new() });
    }
    let classes = first.iter().enumerate().map(|(example, v)| class(*v, example)).collect::<Result<_, _>>()?;
    let note = "labels are the same row for every model".to_owned();
    Ok(Labels { classes, dtype: look.dtype.clone(), note: Some(note), names: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(descr: &str, shape: &[usize], bytes: &[u8]) -> Result<Labels, Error> {
        labels(Source::Memory { descr, shape, bytes }, "labels")
    }

    #[test]
    fn forms_of_labels() {
        assert_eq!(read("|u1", &[3], &[2, 0, 1]).unwrap().classes, [2, 0, 1]);
        assert_eq!(read("|u1", &[3, 1], &[2, 0, 1]).unwrap().classes, [2, 0, 1]);
        assert_eq!(read("|u1", &[2, 3], &[0, 0, 1, 1, 0, 0]).unwrap().classes, [2, 0]);
        assert_eq!(read("|u1", &[2, 3], &[2, 0, 1, 2, 0, 1]).unwrap().classes, [2, 0, 1]);
        assert_eq!(read("|S3", &[3], b"n10n9\0n10").unwrap().classes, [1, 0, 1]);
        let large = [70_000u32, 0].map(u32::to_le_bytes).concat();
        assert_eq!(read("<u4", &[2], &large).unwrap().classes, [70_000, 0]);
    }

    #[test]
    fn what_is_no_label_is_refused_with_what_would_be() {
        let wrong = |descr: &str, shape: &[usize], bytes: &[u8]| read(descr, shape, bytes).unwrap_err().to_string();
        assert!(wrong("|i1", &[3], &[255, 1, 255]).contains("(labels + 1) // 2"));
        assert!(wrong("<f4", &[2], &[0.0f32, 0.25].map(f32::to_le_bytes).concat()).contains("continuous"));
        assert!(wrong("|u1", &[2, 2], &[3, 1, 1, 2]).contains("one-hot"));
        assert!(wrong("|i1", &[1], &[254]).contains("-2"));
        assert!(wrong("|u1", &[0], &[]).contains("(examples)"));
    }
}
