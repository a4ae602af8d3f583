//! Outputs, labels and membership as arrays.

use flatleak_data::Part;
use flatleak_data::values::{Source, Values};
use flatleak_pool::{Features, Membership, PhiForm, Pool, Signals, Wanted, saturated_phi};

use super::imported::Imported;
use crate::error::Error;
use crate::problem::{ImportError, OutputsError};
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
    /// What is given of held-out examples.
    pub test: Option<HeldOut<'a>>,
    /// Features, for the quantile attack.
    pub features: Option<FeatureArrays<'a>>,
}

/// Held-out examples of which there are outputs.
#[derive(Clone, Copy, Debug)]
pub struct HeldOut<'a> {
    /// Outputs, of the shapes of those on the pool.
    pub outputs: Source<'a>,
    /// Labels, (T).
    pub labels: Option<Source<'a>>,
}

/// Features of examples.
#[derive(Clone, Copy, Debug)]
pub struct FeatureArrays<'a> {
    /// Of the pool, (N, D).
    pub pool: Source<'a>,
    /// Of held-out examples, (T, D).
    pub test: Source<'a>,
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
    let mut spill = Spill::default();
    let of_pool = Asked {
        given: arrays.given,
        wanted: arrays.wanted,
        labels: labels.as_deref(),
        models,
        examples: Some(examples),
    };
    let found = read(arrays.outputs, Part::Pool, &of_pool, &mut spill)?;
    notes.extend(found.saturated("pool"));
    let (pool, queries) = (found.plain, found.seen.queries);
    let (mut test, mut test_labels) = (Vec::new(), Vec::new());
    if let Some(HeldOut { outputs, labels }) = arrays.test {
        let own = labels.map(|of| self::labels(of, "test_labels")).transpose()?;
        let asked = Asked { labels: own.as_deref(), examples: own.as_ref().map(Vec::len), ..of_pool };
        let found = read(outputs, Part::Test, &asked, &mut spill)?;
        notes.extend(found.saturated("held-out set"));
        if found.seen.queries != queries {
            let views = OutputsError::Views { found: found.seen.queries, other: "the pool has", expected: queries };
            return Err(Error::import(outputs.place(), views));
        }
        let t = found.plain.first().map_or(0, Signals::len);
        test = found.plain;
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
        Some(both) => return Err(Error::import(both.pool.place(), OutputsError::NoHeldOut)),
        None => None,
    };
    Ok(Imported {
        pool: Pool {
            test_labels,
            test,
            views: spill.into_views(),
            features,
            ..Pool::new(arrays.recipe, membership, labels.unwrap_or_else(|| vec![0; examples]), pool)?
        },
        notes,
    })
}

/// Signals of one split: those of the plain view, model by model, and what was seen on the way.
struct Found {
    plain: Vec<Signals>,
    seen: Seen,
}

impl Found {
    /// A note on outputs that are saturated.
    fn saturated(&self, split: &str) -> Option<String> {
        let floored = self.seen.floored;
        let text =
            format!("{floored} outputs on the {split} are saturated; their phi is that of a probability of 1e-45");
        (floored > 0).then_some(text)
    }
}

/// Reads the outputs of one split; views beyond the plain one are laid aside.
fn read(from: Source<'_>, part: Part, asked: &Asked<'_>, spill: &mut Spill) -> Result<Found, Error> {
    // In an archive of several arrays, those of the held-out set carry a prefix.
    let prefix = if part == Part::Test { "test_" } else { "" };
    let mut plain = Vec::new();
    let seen = from.with(&format!("{prefix}{}", asked.given.name()), |found| {
        outputs(found, asked, |queries| {
            plain.extend(spill.push(part, queries).map_err(no_room)?);
            Ok(())
        })
    });
    let seen = seen.map_err(|problem| Error::import(from.place(), problem))?;
    Ok(Found { plain, seen })
}

/// Features of `n` pool and `t` held-out examples.
fn features(arrays: FeatureArrays<'_>, n: usize, t: usize) -> Result<Features, Error> {
    let read = |from: Source<'_>, name: &str, expected: usize| {
        let found = from.with(name, |found| {
            let &[own, width] = found.shape() else {
                return Err(shaped(found, "(examples, features)"));
            };
            if own != expected || width == 0 {
                return Err(OutputsError::Features { width, found: own, expected }.into());
            }
            let all: Vec<f32> = found.all()?.into_iter().map(|v| v as f32).collect();
            match all.iter().position(|v| !v.is_finite()) {
                Some(at) => Err(OutputsError::Feature { feature: at % width, example: at / width }.into()),
                None => Ok((width, all)),
            }
        });
        found.map_err(|problem| Error::import(from.place(), problem))
    };
    let (width, pool) = read(arrays.pool, "features", n)?;
    let (found, test) = read(arrays.test, "test_features", t)?;
    if width != found {
        return Err(Error::import(arrays.test.place(), OutputsError::Width { found, expected: width }));
    }
    Ok(Features { width, pool, test })
}

/// That an array is not of the shape that is wanted.
fn shaped(found: &Values<'_>, wanted: &'static str) -> ImportError {
    OutputsError::Shape { found: found.shape().to_vec(), wanted }.into()
}

/// (M, N) of 0 and 1 or booleans.
pub(super) fn membership(from: Source<'_>) -> Result<Membership, Error> {
    let rows = from.with("membership", |found| {
        let &[models, examples] = found.shape() else {
            return Err(shaped(found, "(models, examples)"));
        };
        let bit = |model: usize, value: f64| {
            let known = value == 0.0 || value == 1.0;
            if known { Ok(value == 1.0) } else { Err(OutputsError::Bit { value, model }) }
        };
        (0..models)
            .map(|m| Ok(found.next(examples)?.into_iter().map(|v| bit(m, v)).collect::<Result<Vec<bool>, _>>()?))
            .collect::<Result<Vec<_>, ImportError>>()
    });
    Ok(Membership::from_rows(rows.map_err(|problem| Error::import(from.place(), problem))?)?)
}

/// Whole numbers from 0 to 65535.
pub(super) fn labels(from: Source<'_>, name: &str) -> Result<Vec<u32>, Error> {
    let read = from.with(name, |found| {
        let n = found.shape().iter().product::<usize>();
        if found.shape().iter().filter(|s| **s != 1).count() > 1 || n == 0 {
            return Err(shaped(found, "(examples): give each its class, not one column per class"));
        }
        let label = |(example, value): (usize, f64)| {
            let fits = value.fract() == 0.0 && (0.0..=65535.0).contains(&value);
            if fits { Ok(value as u32) } else { Err(OutputsError::Label { value, example }) }
        };
        Ok(found.all()?.into_iter().enumerate().map(label).collect::<Result<_, _>>()?)
    });
    read.map_err(|problem: ImportError| Error::import(from.place(), problem))
}

/// What is said when a view cannot be laid aside.
pub(super) fn no_room(cause: std::io::Error) -> OutputsError {
    OutputsError::NoRoom { place: std::env::temp_dir(), cause }
}

/// What outputs are, and what they have to fit.
#[derive(Clone, Copy)]
struct Asked<'a> {
    given: Given,
    wanted: &'a Wanted,
    labels: Option<&'a [u32]>,
    models: usize,
    /// As many as there are where it is not known.
    examples: Option<usize>,
}

/// What was seen of outputs.
#[derive(Clone, Copy)]
struct Seen {
    /// Number of queries.
    queries: usize,
    /// How many outputs were saturated.
    floored: usize,
}

/// Sizes of an array of outputs.
#[derive(Clone, Copy)]
struct Sizes {
    models: usize,
    examples: usize,
    queries: usize,
    classes: usize,
}

impl Asked<'_> {
    /// The sizes of an array, which have to fit what else is known.
    fn sizes(&self, shape: &[usize]) -> Result<Sizes, OutputsError> {
        let has_classes = self.given.has_classes();
        let found = || shape.to_vec();
        let (axes, classes) = match shape.split_last() {
            Some((classes, axes)) if has_classes => (axes, *classes),
            _ => (shape, 1),
        };
        let (models, examples, queries) = match *axes {
            [m, n] => (m, n, 1),
            [m, n, q] => (m, n, q),
            _ => {
                let wanted = if has_classes { "(M, N, C) or (M, N, Q, C)" } else { "(M, N) or (M, N, Q)" };
                return Err(OutputsError::Shape { found: found(), wanted });
            }
        };
        let (of_models, of_examples) = (self.models, self.examples.unwrap_or(examples));
        if models != of_models || examples != of_examples || queries == 0 {
            return Err(OutputsError::Sizes { models, examples, of_models, of_examples });
        }
        if let Some(labels) = self.labels.map(<[u32]>::len).filter(|labels| *labels != examples) {
            return Err(OutputsError::Labels { examples, labels });
        }
        if examples == 0 || queries.checked_mul(classes).is_none_or(|each| each > MOST_PER_EXAMPLE) {
            return Err(OutputsError::PerExample { found: found(), most: MOST_PER_EXAMPLE });
        }
        if has_classes {
            let labels = self.labels.ok_or(OutputsError::NoLabels)?;
            if classes < 2 {
                return Err(OutputsError::OneClass { found: found(), classes });
            }
            if let Some((example, label)) = labels.iter().enumerate().find(|(_, y)| **y as usize >= classes) {
                return Err(OutputsError::Class { classes, example, label: *label });
            }
        }
        Ok(Sizes { models, examples, queries, classes })
    }
}

/// Hands each model's signals, one entry per query, to `keep`.
fn outputs(
    found: &mut Values<'_>,
    asked: &Asked<'_>,
    mut keep: impl FnMut(Vec<Signals>) -> Result<(), ImportError>,
) -> Result<Seen, ImportError> {
    let Sizes { models, examples: n, queries: q, classes } = asked.sizes(found.shape())?;
    let mut floored = 0;
    let together = (CHUNK / (q * classes)).clamp(1, n);
    let mut values = vec![0.0; together * q * classes];
    for model in 0..models {
        let mut mine = vec![Signals::from_correct(Vec::new()); q];
        for first in (0..n).step_by(together) {
            let here = together.min(n - first);
            let values = &mut values[..here * q * classes];
            found.read(values)?;
            let unreadable = |v: &f64| v.is_nan() || asked.given != Given::Phi && !(*v as f32).is_finite();
            if let Some(at) = values.iter().position(unreadable) {
                let example = first + at / (q * classes);
                return Err(OutputsError::NoNumber { value: values[at], model, example }.into());
            }
            let labels = asked.labels.map_or(&[][..], |l| &l[first..first + here]);
            for (query, signals) in mine.iter_mut().enumerate() {
                let rows = values.chunks(classes).skip(query).step_by(q);
                let place = At { model, first };
                let (more, low) = match asked.given {
                    Given::Logits => (from_logits(rows, labels, classes, asked.wanted)?, 0),
                    Given::Probabilities => from_probabilities(rows, labels, asked.wanted, place)?,
                    _ => from_one(rows.map(|row| row[0]), asked.given, place)?,
                };
                signals.append(more);
                floored += low;
            }
        }
        keep(mine)?;
    }
    Ok(Seen { queries: q, floored })
}

/// Where a piece of outputs is.
#[derive(Clone, Copy)]
struct At {
    model: usize,
    /// Its first example.
    first: usize,
}

/// Signals per query of one model whose array lacks the axis of models, or has one of size 1 in the place of it or behind the examples, as
/// layouts differ: (N, C), (N, Q, C), (N, 1, Q, C).
pub(super) fn outputs_of(found: &mut Values<'_>, wanted: &Wanted, labels: &[u32]) -> Result<Vec<Signals>, ImportError> {
    let shape = found.shape().to_vec();
    let whole = match shape.as_slice() {
        &[n, c] => vec![1, n, c],
        &[n, q, c] if n == labels.len() => vec![1, n, q, c],
        &[n, 1, q, c] if n == labels.len() => vec![1, n, q, c],
        other => other.to_vec(),
    };
    found.reshape(whole);
    let mut mine = Vec::new();
    let asked = Asked { given: Given::Logits, wanted, labels: Some(labels), models: 1, examples: Some(labels.len()) };
    outputs(found, &asked, |queries| {
        mine = queries;
        Ok(())
    })?;
    Ok(mine)
}

fn from_logits<'a>(
    rows: impl Iterator<Item = &'a [f64]>,
    labels: &[u32],
    classes: usize,
    wanted: &Wanted,
) -> Result<Signals, ImportError> {
    let flat: Vec<f32> = rows.flatten().map(|v| *v as f32).collect();
    Ok(Signals::from_logits_as(wanted, &flat, labels, classes)?)
}

/// Probabilities as logits, floored at [`LEAST`]; the number of examples of which the label's or all other probabilities are below it comes
/// second.
fn from_probabilities<'a>(
    rows: impl Iterator<Item = &'a [f64]>,
    labels: &[u32],
    wanted: &Wanted,
    at: At,
) -> Result<(Signals, usize), ImportError> {
    let (mut flat, mut saturated) = (Vec::new(), Vec::new());
    let (mut floored, mut classes) = (0, 0);
    for ((row, label), example) in rows.zip(labels).zip(at.first..) {
        classes = row.len();
        if let Some(&value) = row.iter().find(|p| !(-1e-6..=1.0 + 1e-6).contains(*p)) {
            let (kind, advice) = ("probability", "are these logits?");
            return Err(OutputsError::Range { kind, value, model: at.model, example, advice }.into());
        }
        let sum: f64 = row.iter().sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(OutputsError::Sum { sum, model: at.model, example }.into());
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
    let mut signals = Signals::from_logits_as(&exact, &flat, labels, classes)?;
    if wanted.form == PhiForm::Official2021 {
        signals.phi = saturated;
    }
    Ok((signals, floored))
}

/// One value per example.
fn from_one(values: impl Iterator<Item = f64>, given: Given, at: At) -> Result<(Signals, usize), OutputsError> {
    let most = -libm::log(LEAST);
    let mut signals = Signals::from_correct(Vec::new());
    let mut floored = 0;
    for (value, example) in values.zip(at.first..) {
        let outside = |advice| OutputsError::Range { kind: given.name(), value, model: at.model, example, advice };
        let phi = match given {
            Given::Confidence if !(0.0..=1.0).contains(&value) => {
                return Err(outside("confidence lies between 0 and 1"));
            }
            Given::Loss if value < -ROUNDING => {
                return Err(outside("-log p is never below 0; is its sign turned?"));
            }
            Given::Confidence => libm::log(value) - libm::log1p(-value),
            // -log(p / (1 - p)) with p = exp(-loss).
            Given::Loss => -libm::log(libm::expm1(value.max(0.0))),
            _ => value,
        };
        floored += usize::from(phi.abs() > most);
        let phi = phi.clamp(-most, most);
        signals.phi.push(phi as f32);
        signals.correct.push(u8::from(phi > 0.0));
    }
    Ok((signals, floored))
}
