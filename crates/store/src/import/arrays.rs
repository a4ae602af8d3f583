//! Outputs, labels and membership as arrays.

use flatleak_data::values::{Source, Values};
use flatleak_pool::{Features, Membership, PhiForm, Pool, Signals, Wanted, saturated_phi};

use super::{Imported, wrong};
use crate::Error;
use crate::spill::Spill;

/// What an array of outputs holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// Logits, (M, N, C) or (M, N, Q, C).
    Logits,
    /// Class probabilities, of the same shapes.
    Probabilities,
    /// log(p_y / (1 - p_y)), (M, N) or (M, N, Q).
    Phi,
    /// -log p_y, of the same shapes.
    Loss,
    /// p_y, of the same shapes.
    Confidence,
}

impl Given {
    /// Name, as flags and arrays in archives have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logits => "logits",
            Self::Probabilities => "probabilities",
            Self::Phi => "phi",
            Self::Loss => "loss",
            Self::Confidence => "confidence",
        }
    }

    /// One value per class, rather than one in all.
    fn has_classes(self) -> bool {
        matches!(self, Self::Logits | Self::Probabilities)
    }
}

/// Where the arrays of one pool are.
#[derive(Clone, Copy, Debug)]
pub struct Arrays<'a> {
    /// Recipe name.
    pub recipe: &'a str,
    /// What the outputs are.
    pub given: Given,
    /// What is kept of logits and probabilities.
    pub wanted: &'a Wanted,
    /// Outputs on the pool.
    pub outputs: Source<'a>,
    /// Labels of the pool, (N); needed for logits and probabilities.
    pub labels: Option<Source<'a>>,
    /// Who was trained on what, (M, N).
    pub membership: Source<'a>,
    /// Outputs on held-out examples and their labels, (T).
    pub test: Option<(Source<'a>, Option<Source<'a>>)>,
    /// Features of pool and held-out examples, (N, D) and (T, D), for the quantile attack.
    pub features: Option<(Source<'a>, Source<'a>)>,
}

/// The logarithm's argument is never less: log of 1e-45, the least single-precision number, is where the published code of 2021 saturates.
const LEAST: f64 = 1e-45;
/// How far probabilities may sum to something else than 1.
const SUM_TOLERANCE: f64 = 1e-3;
/// Most values of one example: views times classes.
const MOST_PER_EXAMPLE: usize = 1 << 20;
/// Most negative loss that is rounding.
const ROUNDING: f64 = 1e-6;
/// Values that are read at once.
const CHUNK: usize = 1 << 18;

/// Reads a pool.
///
/// # Errors
/// [`Error::Import`] with the file and what is wrong with it: sizes that do not fit, outputs that are no numbers (which model, which
/// example), probabilities that do not sum to 1, labels out of range,
/// too few models.
pub fn from_arrays(arrays: &Arrays<'_>) -> Result<Imported, Error> {
    let membership = membership(arrays.membership)?;
    let labels = arrays.labels.map(|of| labels(of, "labels")).transpose()?;
    let (models, examples) = (membership.models(), membership.examples());
    let mut notes = Vec::new();
    // In an archive of several arrays, those of the held-out set carry a prefix.
    let mut spill = Spill::default();
    let mut read = |from: Source<'_>, prefix: &str, labels: Option<&[u32]>, examples: Option<usize>| {
        let name = format!("{prefix}{}", arrays.given.name());
        let held_out = !prefix.is_empty();
        let mut plain = Vec::new();
        let found = from.with(&name, |found| {
            outputs(found, (arrays.given, arrays.wanted), labels, (models, examples), |queries| {
                plain.extend(spill.push(held_out, queries).map_err(no_room)?);
                Ok(())
            })
        });
        found.map(|(queries, floored)| (plain, queries, floored)).map_err(wrong(from.place()))
    };
    let saturated = |floored: usize, split: &str| {
        let text =
            format!("{floored} outputs on the {split} are saturated; their phi is that of a probability of 1e-45");
        (floored > 0).then_some(text)
    };
    let (pool, queries, floored) = read(arrays.outputs, "", labels.as_deref(), Some(examples))?;
    notes.extend(saturated(floored, "pool"));
    let (mut test, mut test_labels) = (Vec::new(), Vec::new());
    if let Some((outputs, of)) = arrays.test {
        let own = of.map(|of| self::labels(of, "test_labels")).transpose()?;
        let (found, own_queries, floored) = read(outputs, "test_", own.as_deref(), own.as_ref().map(Vec::len))?;
        notes.extend(saturated(floored, "held-out set"));
        if own_queries != queries {
            let reason = format!("has {own_queries} views of each example, but the pool has {queries}");
            return Err(wrong(outputs.place())(reason));
        }
        let t = found.first().map_or(0, Signals::len);
        test = found;
        test_labels = own.unwrap_or_else(|| vec![0; t]);
    }
    if !arrays.given.has_classes() {
        notes.push(format!(
            "of {} alone it is not known who is right: an example counts as right when its label has more than half of the probability",
            arrays.given.name()
        ));
    }
    if labels.is_none() {
        notes.push("without labels, class-wise thresholds are common ones".into());
    }
    let features = match arrays.features {
        Some(both) if !test.is_empty() => Some(features(both, examples, test_labels.len())?),
        Some((from, _)) => return Err(wrong(from.place())("is of no use without outputs on held-out examples".into())),
        None => None,
    };
    Ok(Imported {
        pool: Pool {
            recipe: arrays.recipe.into(),
            ids: (0..examples as u32).collect(),
            labels: labels.unwrap_or_else(|| vec![0; examples]),
            test_labels,
            groups: None,
            pool,
            test,
            views: spill.into_views(),
            features,
            noise: None,
            membership,
        },
        notes,
    })
}

/// Features of `n` pool and `t` held-out examples.
fn features((pool, test): (Source<'_>, Source<'_>), n: usize, t: usize) -> Result<Features, Error> {
    let read = |from: Source<'_>, name: &str, rows: usize| {
        let found = from.with(name, |found| {
            let &[own, width] = found.shape() else {
                return Err(format!("is of shape {:?}, not (examples, features)", found.shape()));
            };
            if own != rows || width == 0 {
                return Err(format!("has {width} features of {own} examples, but there are {rows} examples"));
            }
            let all: Vec<f32> = found.all()?.into_iter().map(|v| v as f32).collect();
            match all.iter().position(|v| !v.is_finite()) {
                Some(at) => Err(format!("has no number as feature {} of example {}", at % width, at / width)),
                None => Ok((width, all)),
            }
        });
        found.map_err(wrong(from.place()))
    };
    let ((width, known), (other, held_out)) = (read(pool, "features", n)?, read(test, "test_features", t)?);
    if width != other {
        return Err(wrong(test.place())(format!("has {other} features, those of the pool {width}")));
    }
    Ok(Features { width, pool: known, test: held_out })
}

/// (M, N) of 0 and 1 or booleans.
pub(super) fn membership(from: Source<'_>) -> Result<Membership, Error> {
    let rows = from.with("membership", |found| {
        let &[models, examples] = found.shape() else {
            return Err(format!("is of shape {:?}, not (models, examples)", found.shape()));
        };
        (0..models)
            .map(|m| {
                let row = found.next(examples)?;
                let bit = |v: &f64| if *v == 0.0 || *v == 1.0 { Ok(*v == 1.0) } else { Err(*v) };
                let bits: Result<Vec<bool>, f64> = row.iter().map(bit).collect();
                bits.map_err(|v| format!("has the value {v} for model {m}, where only 0 and 1 mean something"))
            })
            .collect::<Result<Vec<_>, String>>()
    });
    Ok(Membership::from_rows(rows.map_err(wrong(from.place()))?)?)
}

/// Whole numbers from 0 to 65535.
pub(super) fn labels(from: Source<'_>, name: &str) -> Result<Vec<u32>, Error> {
    let read = from.with(name, |found| {
        let n = found.shape().iter().product::<usize>();
        if found.shape().iter().filter(|s| **s != 1).count() > 1 || n == 0 {
            return Err(format!(
                "is of shape {:?}, not (examples): give each its class, not one column per class",
                found.shape()
            ));
        }
        let all = found.all()?;
        let label = |(i, v): (usize, &f64)| {
            let fits = v.fract() == 0.0 && (0.0..=65535.0).contains(v);
            if fits {
                Ok(*v as u32)
            } else {
                Err(format!("has the label {v} for example {i}, not a whole number from 0 to 65535"))
            }
        };
        all.iter().enumerate().map(label).collect()
    });
    read.map_err(wrong(from.place()))
}

/// What is said when a view cannot be laid aside.
pub(super) fn no_room(e: std::io::Error) -> String {
    format!(
        "has views that cannot be laid aside in {}: {e} (TMPDIR names another place)",
        std::env::temp_dir().display()
    )
}

/// Hands each model's signals, one entry per query, to `keep`, and returns the number of queries, and how many outputs were saturated.
fn outputs(
    found: &mut Values<'_>,
    (given, wanted): (Given, &Wanted),
    labels: Option<&[u32]>,
    (models, examples): (usize, Option<usize>),
    mut keep: impl FnMut(Vec<Signals>) -> Result<(), String>,
) -> Result<(usize, usize), String> {
    let shape = found.shape().to_vec();
    let classes = if given.has_classes() { shape.last().copied().unwrap_or(0) } else { 1 };
    let axes = if given.has_classes() { &shape[..shape.len().saturating_sub(1)] } else { &shape[..] };
    let (m, n, q) = match *axes {
        [m, n] => (m, n, 1),
        [m, n, q] => (m, n, q),
        _ => {
            let wanted = if given.has_classes() { "(M, N, C) or (M, N, Q, C)" } else { "(M, N) or (M, N, Q)" };
            return Err(format!("is of shape {shape:?}, not {wanted}"));
        }
    };
    let n_wanted = examples.unwrap_or(n);
    if m != models || n != n_wanted || q == 0 {
        return Err(format!(
            "holds {m} models and {n} examples, but the membership and labels {models} and {n_wanted}"
        ));
    }
    if let Some(labels) = labels.filter(|l| l.len() != n) {
        return Err(format!("has {n} examples, but there are {} labels", labels.len()));
    }
    if n == 0 || q.checked_mul(classes).is_none_or(|each| each > MOST_PER_EXAMPLE) {
        return Err(format!(
            "is of shape {shape:?}: between 1 and {MOST_PER_EXAMPLE} values are read per example, and at least one example"
        ));
    }
    if given.has_classes() {
        let labels = labels.ok_or("needs labels: which of the classes is the true one?")?;
        if classes < 2 {
            return Err(format!("is of shape {shape:?}, with {classes} class: give phi, loss or confidence instead"));
        }
        if let Some(i) = labels.iter().position(|y| *y as usize >= classes) {
            return Err(format!("has {classes} classes, but example {i} has the label {}", labels[i]));
        }
    }
    let mut floored = 0;
    let together = (CHUNK / (q * classes)).clamp(1, n.max(1));
    let together = together.min(n);
    let mut values = vec![0.0; together * q * classes];
    for model in 0..m {
        let mut mine = vec![Signals::from_correct(Vec::new()); q];
        for first in (0..n).step_by(together) {
            let here = together.min(n - first);
            let values = &mut values[..here * q * classes];
            found.read(values)?;
            let unreadable = |v: &f64| v.is_nan() || given != Given::Phi && !(*v as f32).is_finite();
            if let Some(at) = values.iter().position(unreadable) {
                let example = first + at / (q * classes);
                return Err(format!(
                    "has the value {} for model {model}, example {example}: leave it out or repair it",
                    values[at]
                ));
            }
            let own = labels.map(|l| &l[first..first + here]);
            for (query, signals) in mine.iter_mut().enumerate() {
                let rows = values.chunks(classes).skip(query).step_by(q);
                let place = |i: usize| (model, first + i);
                let (more, low) = match given {
                    Given::Logits => (from_logits(rows, own.unwrap_or_default(), classes, wanted)?, 0),
                    Given::Probabilities => {
                        from_probabilities(rows, own.unwrap_or_default(), (classes, wanted), place)?
                    }
                    _ => from_one(rows.map(|row| row[0]), given, place)?,
                };
                signals.append(more);
                floored += low;
            }
        }
        keep(mine)?;
    }
    Ok((q, floored))
}

/// Signals per query of one model whose array lacks the axis of models, or has one of size 1 in the place of it or behind the examples, as
/// layouts differ: (N, C), (N, Q, C), (N, 1, Q, C).
pub(super) fn outputs_of(
    found: &mut Values<'_>,
    wanted: &Wanted,
    labels: &[u32],
) -> Result<(Vec<Signals>, usize), String> {
    let shape = found.shape().to_vec();
    let whole = match shape.as_slice() {
        &[n, c] => vec![1, n, c],
        &[n, q, c] if n == labels.len() => vec![1, n, q, c],
        &[n, 1, q, c] if n == labels.len() => vec![1, n, q, c],
        other => other.to_vec(),
    };
    found.reshape(whole);
    let mut mine = Vec::new();
    let (_, floored) = outputs(found, (Given::Logits, wanted), Some(labels), (1, Some(labels.len())), |queries| {
        mine = queries;
        Ok(())
    })?;
    Ok((mine, floored))
}

fn from_logits<'a>(
    rows: impl Iterator<Item = &'a [f64]>,
    labels: &[u32],
    classes: usize,
    wanted: &Wanted,
) -> Result<Signals, String> {
    let flat: Vec<f32> = rows.flatten().map(|v| *v as f32).collect();
    Signals::from_logits_as(wanted, &flat, labels, classes).map_err(|e| e.to_string())
}

/// Probabilities as logits, floored at [`LEAST`]; the number of examples of which the label's or all other probabilities are below it comes
/// second.
fn from_probabilities<'a>(
    rows: impl Iterator<Item = &'a [f64]>,
    labels: &[u32],
    (classes, wanted): (usize, &Wanted),
    place: impl Fn(usize) -> (usize, usize),
) -> Result<(Signals, usize), String> {
    let (mut flat, mut saturated) = (Vec::new(), Vec::new());
    let mut floored = 0;
    for (i, (row, label)) in rows.zip(labels).enumerate() {
        let (model, example) = place(i);
        if let Some(p) = row.iter().find(|p| !(-1e-6..=1.0 + 1e-6).contains(*p)) {
            return Err(format!("has the probability {p} for model {model}, example {example}: are these logits?"));
        }
        let sum: f64 = row.iter().sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(format!(
                "has probabilities that sum to {sum} for model {model}, example {example}: are these logits, or of several labels?"
            ));
        }
        let y = *label as usize;
        let others: f64 = row.iter().enumerate().filter(|(j, _)| *j != y).map(|(_, p)| p).sum();
        floored += usize::from(row[y] < LEAST || others < LEAST);
        flat.extend(row.iter().map(|p| libm::log(p.max(LEAST)) as f32));
        if wanted.form == PhiForm::Official2021 {
            saturated.push(saturated_phi(row[y].max(0.0), others.max(0.0)) as f32);
        }
    }
    let exact = Wanted { form: PhiForm::Exact, ..wanted.clone() };
    let mut signals = Signals::from_logits_as(&exact, &flat, labels, classes).map_err(|e| e.to_string())?;
    if wanted.form == PhiForm::Official2021 {
        signals.phi = saturated;
    }
    Ok((signals, floored))
}

/// One value per example.
fn from_one(
    values: impl Iterator<Item = f64>,
    given: Given,
    place: impl Fn(usize) -> (usize, usize),
) -> Result<(Signals, usize), String> {
    let most = -libm::log(LEAST);
    let mut signals = Signals::from_correct(Vec::new());
    let mut floored = 0;
    for (i, v) in values.enumerate() {
        let outside = |wanted: &str| {
            let (model, example) = place(i);
            format!("has the {} {v} for model {model}, example {example}: {wanted}", given.name())
        };
        let phi = match given {
            Given::Confidence if !(0.0..=1.0).contains(&v) => return Err(outside("confidence lies between 0 and 1")),
            Given::Loss if v < -ROUNDING => return Err(outside("-log p is never below 0; is its sign turned?")),
            Given::Confidence => libm::log(v) - libm::log1p(-v),
            // -log(p / (1 - p)) with p = exp(-loss).
            Given::Loss => -libm::log(libm::expm1(v.max(0.0))),
            _ => v,
        };
        floored += usize::from(phi.abs() > most);
        let phi = phi.clamp(-most, most);
        signals.phi.push(phi as f32);
        signals.correct.push(u8::from(phi > 0.0));
    }
    Ok((signals, floored))
}
