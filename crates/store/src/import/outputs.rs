//! Outputs, read front to back, model by model.

use flatleak_data::values::Values;
use flatleak_pool::{Membership, Signals};
use flatleak_stats::parallel;

use super::asked::Asked;
use super::axes::Sizes;
use super::given::Given;
use super::signals::{At, END, Form};
use super::tally::Tally;
use crate::implausible::Dark;
use crate::problem::{ImportError, OutputsError};

/// Normal quantile beyond which something is no accident: a two-sided p of 1e-6.
pub(super) const SURE: f64 = 4.892;

/// Values that are read at once.
const CHUNK: usize = 1 << 18;
/// Examples that a thread is worth.
const FEWEST: usize = 1024;

/// The outputs of one split on their way in, over one array or several.
pub(super) struct Outputs<'a> {
    asked: Asked<'a>,
    /// Who was trained on what; absent for held-out examples.
    members: Option<&'a Membership>,
    /// What the values are, once the first were seen.
    form: Option<Form>,
    /// Models that were read.
    models: usize,
    workers: usize,
    /// Outputs that were saturated.
    saturated: usize,
    /// By model, values that are no numbers.
    dark: Vec<Dark>,
    pub(super) tally: Tally,
}

impl<'a> Outputs<'a> {
    pub(super) fn new(asked: Asked<'a>, members: Option<&'a Membership>) -> Self {
        let tally = Tally::default();
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Self { asked, members, form: None, models: 0, workers, saturated: 0, dark: Vec::new(), tally }
    }

    /// Hands each model's signals, one entry per query, to `keep`.
    ///
    /// # Errors
    /// Values that are not what they are said to be, with their place; what `keep` says.
    pub(super) fn read(
        &mut self,
        found: &mut Values<'_>,
        sizes: Sizes,
        keep: &mut dyn FnMut(Vec<Signals>) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        if sizes.swapped {
            let mut turned = found.transposed()?;
            return self.read(&mut turned, Sizes { swapped: false, ..sizes }, keep);
        }
        self.check(found, sizes)?;
        for _ in 0..sizes.models {
            if let Some(signals) = self.model(found, sizes)? {
                keep(signals)?;
            }
            self.models += 1;
        }
        if self.dark.is_empty() { Ok(()) } else { Err(OutputsError::NoNumbers { models: self.dark.clone() }.into()) }
    }

    /// Labels that do not fit the columns.
    fn check(&self, found: &Values<'_>, Sizes { examples, columns, .. }: Sizes) -> Result<(), ImportError> {
        if !self.asked.given.has_classes() {
            return Ok(());
        }
        let labels = self.asked.labels.ok_or(OutputsError::NoLabels)?;
        if labels.len() != examples {
            return Err(OutputsError::Labels { examples, labels: labels.len() }.into());
        }
        let most = labels.iter().copied().max().unwrap_or(0);
        if columns > 1 && most as usize >= columns {
            let least = labels.iter().copied().min().unwrap_or(0);
            let from_one = least == 1 && most as usize == columns;
            return Err(OutputsError::Class { classes: columns, most, from_one, found: found.shape().to_vec() }.into());
        }
        Ok(())
    }

    /// The signals of the next model, one entry per query; `None` where some of its values are no numbers.
    fn model(&mut self, found: &mut Values<'_>, sizes: Sizes) -> Result<Option<Vec<Signals>>, ImportError> {
        let Sizes { examples: n, queries: q, columns: c, .. } = sizes;
        let together = (CHUNK / (q * c)).clamp(1, n);
        let mut values = vec![0.0; together * q * c];
        let mut mine = vec![Signals::from_correct(Vec::new()); q];
        let mut dark = Dark::of(self.models);
        for first in (0..n).step_by(together) {
            let values = &mut values[..together.min(n - first) * q * c];
            found.read(values)?;
            let form = match self.form {
                Some(form) => form,
                None => {
                    self.views_are_no_classes(values, sizes)?;
                    *self.form.insert(Form::seen(self.asked, values, c, found)?)
                }
            };
            self.count(&mut dark, form, values, (q * c, first));
            if dark.all == 0 {
                self.chunk(form, values, (c, q), first, &mut mine)?;
            }
        }
        if dark.all > 0 {
            self.dark.push(dark);
            return Ok(None);
        }
        self.saturated += mine.iter_mut().map(bounded).sum::<usize>();
        Ok(Some(mine))
    }

    /// Refuses values by class where those of views are expected: that at the label's place stands out.
    fn views_are_no_classes(&self, values: &[f64], Sizes { queries, .. }: Sizes) -> Result<(), ImportError> {
        let (Some(labels), false) = (self.asked.labels, self.asked.given.has_classes()) else { return Ok(()) };
        if queries < 2 || labels.iter().max() != Some(&(queries as u32 - 1)) {
            return Ok(());
        }
        let sign = if self.asked.given == Given::Loss { -1.0 } else { 1.0 };
        let top = |row: &[f64]| (0..queries).max_by(|a, b| (sign * row[*a]).total_cmp(&(sign * row[*b])));
        let all = values.chunks_exact(queries).zip(labels);
        let (hits, n) = all.fold((0.0, 0.0), |(hits, n), (row, y)| {
            (hits + f64::from(u8::from(top(row) == Some(*y as usize))), n + 1.0)
        });
        let chance = 1.0 / queries as f64;
        let z = (hits - n * chance) / (n * chance * (1.0 - chance)).sqrt();
        if z > SURE {
            Err(OutputsError::ClassesAsViews { given: self.asked.given.name(), queries }.into())
        } else {
            Ok(())
        }
    }

    /// Counts values that are no numbers, by what their example is to the model.
    fn count(&self, dark: &mut Dark, form: Form, values: &[f64], (each, first): (usize, usize)) {
        for at in (0..values.len()).filter(|at| form.is_dark(values[*at])) {
            let example = first + at / each;
            dark.add(values[at], example, self.members.map(|m| m.row(self.models)[example]));
        }
    }

    /// Adds the signals of some examples.
    fn chunk(
        &mut self,
        form: Form,
        values: &[f64],
        (columns, queries): (usize, usize),
        first: usize,
        mine: &mut [Signals],
    ) -> Result<(), ImportError> {
        let here = values.len() / (columns * queries);
        let labels = self.asked.labels.map_or(&[][..], |l| &l[first..first + here]);
        let (asked, model) = (self.asked, self.models);
        // Exponentials take most of the time of reading. No figure depends on the number of parts.
        let each = here.div_ceil(self.workers).max(FEWEST);
        for (query, signals) in mine.iter_mut().enumerate() {
            let pieces = parallel::map(here.div_ceil(each), self.workers, |part| {
                let (from, to) = (part * each, (part * each + each).min(here));
                let own = &values[from * columns * queries..to * columns * queries];
                let rows = own.chunks(columns).skip(query).step_by(queries);
                let labels = labels.get(from..to).unwrap_or_default();
                form.signals(rows, labels, asked, At { model, first: first + from })
            });
            let mut at = first;
            for piece in pieces {
                let piece = piece?;
                let end = at + piece.signals.len();
                if let (0, Some(logits), Some(row)) = (query, &piece.logits, self.members.map(|m| m.row(model))) {
                    self.tally.add(logits, &labels[at - first..end - first], &row[at..end], At { model, first: at });
                }
                self.saturated += piece.saturated;
                signals.append(piece.signals);
                at = end;
            }
        }
        Ok(())
    }

    /// How the values were taken, where that is not plain, and how many were saturated.
    pub(super) fn notes(&self, split: &str) -> Vec<String> {
        let saturated = self.saturated;
        let ends = (saturated > 0).then(|| {
            format!("{saturated} outputs on the {split} are saturated; their phi is that of the end of the scale")
        });
        self.form.and_then(Form::note).into_iter().chain(ends).collect()
    }

    /// What the values were taken as, in a word.
    pub(super) fn kind(&self) -> &'static str {
        self.form.map_or(self.asked.given.name(), Form::name)
    }

    /// What the values are said to be.
    pub(super) fn given(&self) -> Given {
        self.asked.given
    }
}

/// Puts finite numbers in the place of infinite phi, as far out as the most extreme of the model, or as the end of single precision where all
/// are infinite; the number of them.
fn bounded(signals: &mut Signals) -> usize {
    let all = std::iter::once(&mut signals.phi).chain(signals.tempered.iter_mut().map(|(_, values)| values));
    let mut most = 0;
    for values in all {
        let widest = values.iter().filter(|v| v.is_finite()).fold(0.0f32, |m, v| m.max(v.abs()));
        let widest = if widest > 0.0 { widest } else { END };
        let infinite = values.iter_mut().filter(|v| v.is_infinite());
        most = most.max(infinite.map(|v| *v = widest.copysign(*v)).count());
    }
    most
}

#[cfg(test)]
mod tests {
    use flatleak_data::values;
    use flatleak_pool::Wanted;

    use super::*;
    use crate::import::Terms;
    use crate::npy::{Array, encode};

    const EXAMPLES: usize = 5000;
    const CLASSES: usize = 3;
    const MODELS: usize = 6;

    #[test]
    fn signals_do_not_depend_on_threads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("logits.npy");
        let shape = [MODELS, EXAMPLES, CLASSES];
        let values: Vec<f32> =
            (0..MODELS * EXAMPLES * CLASSES).map(|i| (i * 7919 % 1009) as f32 / 100.0 - 5.0).collect();
        let body = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        std::fs::write(&path, encode(&Array { descr: "<f4", shape: &shape, body })).unwrap();
        let labels: Vec<u32> = (0..EXAMPLES as u32).map(|i| i % CLASSES as u32).collect();
        let membership = Membership::complementary(3, MODELS, EXAMPLES).unwrap();
        let wanted = Wanted::default();
        let asked = Asked { given: Given::Logits, wanted: &wanted, terms: Terms::Flags, labels: Some(&labels) };
        let sizes = Sizes { models: MODELS, examples: EXAMPLES, queries: 1, columns: CLASSES, swapped: false };
        let read = |workers: usize| {
            let mut outputs = Outputs { workers, ..Outputs::new(asked, Some(&membership)) };
            let mut all = Vec::new();
            let keep = &mut |signals| {
                all.push(signals);
                Ok(())
            };
            values::with(&path, "logits", |found| outputs.read(found, sizes, keep)).unwrap();
            (all, outputs.tally)
        };
        let (alone, tally) = read(1);
        assert_eq!(alone.len(), MODELS);
        for workers in [2, 3, 8] {
            let (found, counted) = read(workers);
            assert!(found == alone && format!("{counted:?}") == format!("{tally:?}"), "{workers} threads");
        }
    }
}
