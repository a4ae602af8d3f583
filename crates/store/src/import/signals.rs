//! What single values are, and the signals that they make.

use flatleak_data::values::Values;
use flatleak_pool::{PhiForm, Signals, Wanted, saturated_phi};

use super::asked::Asked;
use super::given::Given;
use super::terms::Terms;
use crate::problem::{ImportError, OutputsError};

/// Where a piece of outputs is.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) model: usize,
    /// Its first example.
    pub(super) first: usize,
}

/// What values are, as the first of them show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    /// Logits; log-probabilities are such.
    Logits { are_log_probabilities: bool, one: bool },
    /// Probabilities, of values rounded with this relative error; those that are shares of so many votes are never 0 or 1.
    Probabilities { rounding: f64, votes: Option<f64>, one: bool },
    /// The logarithms of probabilities, given as probabilities.
    LogProbabilities,
    /// Predicted classes.
    Classes,
    /// One value per example.
    One(Given),
}

/// phi of a probability that is 1 in the precision at hand: the log of 1e-45, the least single-precision number, at which the published code of
/// 2021 saturates.
pub(super) const END: f32 = 103.6;

/// The least probability: below it nothing is told apart.
const LEAST: f64 = 1e-45;
/// How far probabilities may sum to something else than 1, whatever their type.
const SUM_TOLERANCE: f64 = 1e-3;
/// How far beyond 0 and 1 a probability may lie.
const BEYOND: f64 = 1e-6;
/// Most that probabilities may miss 1 by when they were written with few decimals.
const MOST_MISSED: f64 = 0.1;
/// Most negative loss that is rounding.
const ROUNDING: f64 = 1e-6;
/// Largest logit of a whole number's type: beyond it bits were read as numbers.
const MOST_WHOLE: f64 = 4096.0;
/// Most votes of a forest whose grid is looked for.
const MOST_VOTES: u32 = 1000;

impl Form {
    /// What values are, by the first of them.
    pub(super) fn seen(asked: Asked<'_>, values: &[f64], columns: usize, of: &Values<'_>) -> Result<Self, ImportError> {
        let rows = || values.chunks(columns).filter(|row| row.iter().all(|v| !v.is_nan()));
        let simplex = |row: &[f64]| row.iter().all(|p| (0.0..=1.0).contains(p)) && missed(row) < SUM_TOLERANCE;
        let one = columns == 1;
        if one && asked.given.has_classes() {
            let classes = asked.labels.and_then(|l| l.iter().max()).map_or(0, |y| *y as usize + 1);
            let whole = values.iter().all(|v| v.fract() == 0.0 && (0.0..=65535.0).contains(v));
            let predicted = whole && (classes > 2 || values.iter().any(|v| *v > 1.0));
            if predicted && asked.given == Given::Probabilities {
                return Ok(Self::Classes);
            }
            if classes > 2 {
                let terms = asked.terms;
                return Err(OutputsError::OneColumn { found: of.shape().to_vec(), classes, terms }.into());
            }
        }
        match asked.given {
            Given::Logits => {
                // Rows of one 1 are predicted classes, as probabilities and as logits.
                let one_hot = |row: &[f64]| row.iter().all(|v| *v == 0.0 || *v == 1.0);
                if !one && rows().all(simplex) && !rows().all(one_hot) {
                    return Err(OutputsError::Probabilities { terms: asked.terms }.into());
                }
                if !values.is_empty() && values.iter().all(|v| (0.0..=1.0).contains(v)) && !rows().all(one_hot) {
                    return Err(OutputsError::Sigmoids { one, terms: asked.terms }.into());
                }
                if one && values.iter().all(|v| *v <= 0.0) && values.iter().any(|v| *v < 0.0) {
                    return Err(OutputsError::LogProbability { terms: asked.terms }.into());
                }
                if of.is_whole() && of.dtype().ends_with('2') && values.iter().any(|v| v.abs() > MOST_WHOLE) {
                    return Err(OutputsError::Bits { dtype: of.dtype() }.into());
                }
                Ok(Self::Logits { are_log_probabilities: !one && rows().all(are_logs), one })
            }
            Given::Probabilities if !one && rows().all(are_logs) => Ok(Self::LogProbabilities),
            Given::Probabilities => Ok(Self::Probabilities { rounding: of.rounding(), votes: votes(values), one }),
            other => Ok(Self::One(other)),
        }
    }

    /// Whether a value is no number of this form. Infinities are kept where they are ends of a scale.
    pub(super) fn is_dark(self, v: f64) -> bool {
        match self {
            // A class that cannot be has a logit of -inf.
            Self::Logits { one: false, .. } | Self::LogProbabilities => {
                !(v as f32).is_finite() && v != f64::NEG_INFINITY
            }
            Self::Logits { .. } => !(v as f32).is_finite(),
            Self::One(Given::Phi) => v.is_nan(),
            Self::One(Given::Loss) => v.is_nan() || v == f64::NEG_INFINITY,
            _ => !v.is_finite(),
        }
    }

    /// The name of it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Logits { are_log_probabilities: true, .. } | Self::LogProbabilities => "log-probabilities",
            Self::Logits { .. } => "logits",
            Self::Probabilities { .. } => "probabilities",
            Self::Classes => "predicted classes",
            Self::One(given) => given.name(),
        }
    }

    /// How values are taken, where that is not plain.
    pub(super) fn note(self) -> Option<String> {
        match self {
            Self::Logits { are_log_probabilities: true, .. } | Self::LogProbabilities => {
                Some("the values are logarithms of probabilities and are taken as such".into())
            }
            Self::Logits { one: true, .. } => Some("the one column is the second class's logit less the first's".into()),
            Self::Probabilities { one: true, .. } => Some("the one column is the probability of the second class".into()),
            Self::Probabilities { votes: Some(votes), .. } => Some(format!(
                "probabilities are multiples of 1/{votes}, such as shares of votes or rounded numbers: 0 and 1 count as half a step from the end"
            )),
            Self::Classes => Some(
                "the values are predicted classes: only who is right is known, so attacks on labels are all that can be run".into(),
            ),
            _ => None,
        }
    }

    /// Signals of some examples, with the logits that they come from where there are any.
    pub(super) fn signals<'a>(
        self,
        rows: impl Iterator<Item = &'a [f64]>,
        labels: &[u32],
        Asked { wanted, terms, .. }: Asked<'_>,
        at: At,
    ) -> Result<Piece, ImportError> {
        let with =
            |logits: Logits| Ok(Piece { signals: logits.signals(labels, wanted)?, logits: Some(logits), saturated: 0 });
        let plain = |signals| Ok(Piece { signals, logits: None, saturated: 0 });
        match self {
            Self::Logits { one: false, .. } | Self::LogProbabilities => {
                let mut classes = 1;
                let flat = rows.inspect(|row| classes = row.len()).flatten().map(|v| *v as f32).collect();
                with(Logits { flat, classes })
            }
            Self::Logits { .. } => {
                with(Logits { flat: rows.flat_map(|row| [0.0, row[0] as f32]).collect(), classes: 2 })
            }
            Self::Probabilities { rounding, votes, one } => {
                let read = Probabilities { rounding, votes, at, wanted, terms };
                if !one {
                    return read.piece(rows, labels);
                }
                let both: Vec<[f64; 2]> = rows.map(|row| [1.0 - row[0], row[0]]).collect();
                read.piece(both.iter().map(<[f64; 2]>::as_slice), labels)
            }
            Self::Classes => {
                let right: Vec<u8> = rows.zip(labels).map(|(row, y)| u8::from(row[0] == f64::from(*y))).collect();
                // All of the probability, or none.
                let phi = right.iter().map(|r| if *r == 1 { END } else { -END }).collect();
                plain(Signals { phi, ..Signals::from_correct(right) })
            }
            Self::One(given) => plain(from_one(rows.map(|row| row[0]), given, terms, at)?),
        }
    }
}

/// Signals of some examples under one view.
pub(super) struct Piece {
    pub(super) signals: Signals,
    /// The logits that they come from, where there are any.
    pub(super) logits: Option<Logits>,
    /// How many were saturated and have a finite phi nevertheless.
    pub(super) saturated: usize,
}

/// Logits of some examples under one view, (n, C).
pub(super) struct Logits {
    pub(super) flat: Vec<f32>,
    pub(super) classes: usize,
}

impl Logits {
    fn signals(&self, labels: &[u32], wanted: &Wanted) -> Result<Signals, ImportError> {
        Ok(Signals::from_logits_as(wanted, &self.flat, labels, self.classes)?)
    }
}

/// By how much values sum to something else than 1.
fn missed(row: &[f64]) -> f64 {
    (row.iter().sum::<f64>() - 1.0).abs()
}

/// Whether values are logarithms of probabilities.
fn are_logs(row: &[f64]) -> bool {
    let sum: f64 = row.iter().map(|v| libm::exp(*v)).sum();
    row.iter().all(|v| *v <= BEYOND) && row.iter().any(|v| *v < -BEYOND) && (sum - 1.0).abs() < SUM_TOLERANCE
}

/// The least number of which all these are multiples, as how many of it make 1; none where all are 0 or 1.
fn votes(values: &[f64]) -> Option<f64> {
    if values.iter().all(|v| *v == 0.0 || *v == 1.0) {
        return None;
    }
    let fits = |n: f64| values.iter().all(|v| ((v * n) - (v * n).round()).abs() < 1e-4);
    (2..=MOST_VOTES).chain([10_000]).map(f64::from).find(|n| fits(*n))
}

/// Probabilities of some examples.
struct Probabilities<'a> {
    rounding: f64,
    votes: Option<f64>,
    at: At,
    wanted: &'a Wanted,
    terms: Terms,
}

impl Probabilities<'_> {
    /// Signals, and the logarithms as logits, floored at [`LEAST`].
    fn piece<'a>(&self, rows: impl Iterator<Item = &'a [f64]>, labels: &[u32]) -> Result<Piece, ImportError> {
        let (mut flat, mut official, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        let mut classes = 1;
        for ((row, label), example) in rows.zip(labels).zip(self.at.first..) {
            classes = row.len();
            self.check(row, example)?;
            let y = *label as usize;
            let others: f64 = row.iter().enumerate().filter(|(j, _)| *j != y).map(|(_, p)| p).sum();
            ends.push(if row[y] < LEAST { -1.0 } else { f64::from(u8::from(others < LEAST)) });
            flat.extend(row.iter().map(|p| libm::log(p.max(LEAST)) as f32));
            if self.wanted.form == PhiForm::Official2021 {
                official.push(saturated_phi(row[y].max(0.0), others.max(0.0)) as f32);
            }
        }
        let exact = Wanted { form: PhiForm::Exact, ..self.wanted.clone() };
        let logits = Logits { flat, classes };
        let mut signals = logits.signals(labels, &exact)?;
        let saturated = ends.iter().filter(|end| **end != 0.0).count();
        if self.wanted.form == PhiForm::Official2021 {
            signals.phi = official;
        } else if let Some(votes) = self.votes {
            half_a_step(&mut signals, &ends, votes);
        }
        Ok(Piece { signals, logits: Some(logits), saturated: if self.votes.is_some() { 0 } else { saturated } })
    }

    fn check(&self, row: &[f64], example: usize) -> Result<(), OutputsError> {
        let model = self.at.model;
        if let Some(&value) = row.iter().find(|p| !(-BEYOND..=1.0 + BEYOND).contains(*p)) {
            let sum: f64 = row.iter().sum();
            let all = |whole: f64| (sum - whole).abs() < 0.02 * whole && row.iter().all(|p| *p >= 0.0);
            let advice = match sum {
                _ if all(100.0) => "these are percentages: divide by 100".into(),
                _ if all(255.0) => "these are bytes of 0 to 255: divide by 255".into(),
                _ if row.len() == 2 && row[0] + row[1] == 1.0 => {
                    format!("is this a logit? then give it as {}", self.terms.second(Given::Logits))
                }
                _ => format!("are these logits? then give them as {}", self.terms.by_class(Given::Logits)),
            };
            let kind = "probability";
            return Err(OutputsError::Range { kind, value, model, example, advice });
        }
        let missed = missed(row);
        if missed > SUM_TOLERANCE.max(4.0 * self.rounding) && missed > decimals(row).min(MOST_MISSED) {
            return Err(OutputsError::Sum { sum: row.iter().sum(), model, example, terms: self.terms });
        }
        Ok(())
    }
}

/// Sets phi where a probability is 0 or 1 to that of half a step from there.
fn half_a_step(signals: &mut Signals, ends: &[f64], votes: f64) {
    let half = libm::log(2.0 * votes - 1.0);
    let set = |values: &mut [f32], t: f64| {
        let at_end = values.iter_mut().zip(ends).filter(|(_, end)| **end != 0.0);
        at_end.for_each(|(phi, end)| *phi = (end * half / t) as f32);
    };
    set(&mut signals.phi, 1.0);
    signals.tempered.iter_mut().for_each(|(t, values)| set(values, t.value()));
}

/// By how much values that are written with few decimals may sum to something else than 1: half of the last decimal each.
fn decimals(row: &[f64]) -> f64 {
    let written = |unit: f64| row.iter().all(|p| ((p * unit) - (p * unit).round()).abs() < 1e-3);
    let unit = [100.0, 1e3, 1e4, 1e5].into_iter().find(|unit| written(*unit));
    unit.map_or(0.0, |unit| 0.5 * row.len() as f64 / unit)
}

/// One value per example.
fn from_one(values: impl Iterator<Item = f64>, given: Given, terms: Terms, at: At) -> Result<Signals, OutputsError> {
    let mut signals = Signals::from_correct(Vec::new());
    for (value, example) in values.zip(at.first..) {
        let outside =
            |advice: String| OutputsError::Range { kind: given.name(), value, model: at.model, example, advice };
        let phi = match given {
            Given::Confidence if !(-BEYOND..=1.0 + BEYOND).contains(&value) => {
                let advice = "confidence lies between 0 and 1; give numbers without bounds as";
                return Err(outside(format!("{advice} {}", terms.single(Given::Phi))));
            }
            Given::Loss if value < -ROUNDING => {
                return Err(outside(format!(
                    "-log p is never below 0; if its sign is turned, give the negative, and numbers of either sign as {}, higher for members",
                    terms.single(Given::Phi)
                )));
            }
            Given::Confidence => libm::log(value.max(0.0)) - libm::log1p(-value.min(1.0)),
            // -log(p / (1 - p)) with p = exp(-loss), without overflow for large ones.
            Given::Loss if value > 30.0 => -value - libm::log1p(-libm::exp(-value)),
            Given::Loss => -libm::log(libm::expm1(value.max(0.0))),
            _ => value,
        };
        signals.phi.push(phi as f32);
        signals.correct.push(u8::from(phi > 0.0));
    }
    Ok(signals)
}
