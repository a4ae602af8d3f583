//! Views laid aside in a temporary file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use flatleak_data::Part;
use flatleak_pool::{Decimal, Keeper, Signal, Signals, ViewError, Views};

use crate::artefact::{f32_bytes, f32_values};

/// Signals that are stored; the others are derived from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    Phi,
    Entropy,
    ModifiedEntropy,
    Correct,
    Tempered(Decimal),
}

impl Stored {
    fn all(signals: &Signals) -> Vec<Self> {
        let fixed = [Self::Phi, Self::Entropy, Self::ModifiedEntropy, Self::Correct];
        fixed.into_iter().chain(signals.tempered.iter().map(|(t, _)| Self::Tempered(*t))).collect()
    }

    fn behind(signal: Signal) -> Self {
        match signal {
            Signal::Phi | Signal::Confidence | Signal::LogConfidence => Self::Phi,
            Signal::NegativeEntropy => Self::Entropy,
            Signal::NegativeModifiedEntropy => Self::ModifiedEntropy,
            Signal::Correct => Self::Correct,
            Signal::Tempered(t) => Self::Tempered(t),
        }
    }

    fn bytes(self, signals: &Signals) -> Vec<u8> {
        match self {
            Self::Phi => f32_bytes(&signals.phi),
            Self::Entropy => f32_bytes(&signals.entropy),
            Self::ModifiedEntropy => f32_bytes(&signals.modified_entropy),
            Self::Correct => signals.correct.clone(),
            Self::Tempered(t) => f32_bytes(signals.at(t)),
        }
    }
}

/// Where the stored signals of one model are: offset and length in bytes.
type Place = Vec<(Stored, u64, usize)>;

/// What is being laid aside: a file that vanishes with its last user. Only the views beyond the first are written, and without such there
/// is no file.
#[derive(Debug, Default)]
pub(crate) struct Spill {
    file: Option<Mutex<File>>,
    end: u64,
    /// Per view, places by model on the pool and on held-out examples.
    views: Vec<[Vec<Place>; 2]>,
}

impl Spill {
    /// Lays aside what the next model gave, one entry per query, and hands back the first.
    pub(crate) fn push(&mut self, part: Part, queries: Vec<Signals>) -> io::Result<Option<Signals>> {
        let mut queries = queries.into_iter();
        let plain = queries.next();
        if queries.len() == 0 {
            return Ok(plain);
        }
        if self.views.len() < queries.len() {
            self.views.resize_with(queries.len(), Default::default);
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => Mutex::new(tempfile::tempfile()?),
        };
        let file = self.file.insert(file).get_mut().unwrap_or_else(PoisonError::into_inner);
        for (view, signals) in self.views.iter_mut().zip(queries) {
            let mut place = Place::new();
            for stored in Stored::all(&signals) {
                let bytes = stored.bytes(&signals);
                file.write_all(&bytes)?;
                place.push((stored, self.end, bytes.len()));
                self.end += bytes.len() as u64;
            }
            view[usize::from(part == Part::Test)].push(place);
        }
        Ok(plain)
    }

    /// What was laid aside.
    pub(crate) fn into_views(self) -> Views {
        if self.views.is_empty() {
            return Views::default();
        }
        let models = |held_out: usize| self.views[0][held_out].len();
        let (models, tested) = (models(0), models(1));
        Views::new(Arc::new(self), models, tested)
    }
}

impl Keeper for Spill {
    fn views(&self) -> usize {
        self.views.len()
    }

    fn load(&self, view: usize, held_out: bool, model: usize, wanted: Signal) -> Result<Signals, ViewError> {
        let place = self.views.get(view).and_then(|v| v[usize::from(held_out)].get(model));
        let (place, file) = place.zip(self.file.as_ref()).ok_or(ViewError::Absent { model })?;
        let stored = Stored::behind(wanted);
        let found = place.iter().find(|(own, ..)| *own == stored);
        let &(_, offset, length) = found.ok_or(ViewError::NoSignal { model, signal: wanted })?;
        let mut bytes = vec![0; length];
        let unreadable = |e: io::Error| ViewError::Unreadable { kind: e.kind(), said: e.to_string() };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(offset)).map_err(unreadable)?;
        file.read_exact(&mut bytes).map_err(unreadable)?;
        drop(file);
        let mut out = Signals::from_correct(Vec::new());
        match stored {
            Stored::Phi => out.phi = f32_values(&bytes),
            Stored::Entropy => out.entropy = f32_values(&bytes),
            Stored::ModifiedEntropy => out.modified_entropy = f32_values(&bytes),
            Stored::Correct => out.correct = bytes,
            Stored::Tempered(t) => out.tempered = vec![(t, f32_values(&bytes))],
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_laid_aside_comes_back() {
        let logits = |k: usize| -> Vec<f32> { (0..15).map(|i| ((i * 7 + k * 5) % 11) as f32 - 3.0).collect() };
        let of = |k: usize| Signals::from_logits(&logits(k), &[0, 1, 2, 0, 1], 3).unwrap();
        let mut spill = Spill::default();
        for model in 0..4 {
            let plain = spill.push(Part::Pool, (0..3).map(|q| of(10 * model + q)).collect()).unwrap();
            assert_eq!(plain, Some(of(10 * model)));
        }
        spill.push(Part::Test, (0..3).map(|q| of(q + 7)).collect()).unwrap();
        let views = spill.into_views();
        assert_eq!(views.len(), 2);
        let all = [
            Signal::Phi,
            Signal::Confidence,
            Signal::LogConfidence,
            Signal::NegativeEntropy,
            Signal::NegativeModifiedEntropy,
            Signal::Correct,
            Signal::Tempered(Decimal::thousandths(2000)),
        ];
        for signal in all {
            let rows = views.rows(1, false, signal).unwrap();
            for (model, row) in rows.iter().enumerate() {
                assert_eq!(row, of(10 * model + 2).values(signal), "{signal:?}");
            }
            assert_eq!(views.rows(0, true, signal).unwrap().values(), of(8).values(signal));
        }
        let mut single = Spill::default();
        assert_eq!(single.push(Part::Pool, vec![of(1)]).unwrap(), Some(of(1)));
        assert!(single.file.is_none() && single.into_views().is_empty());
    }
}
