//! Where training stands between two steps.

use flatleak_stream::{Position, Purpose, Stream};

/// What the streams of training are for.
const PURPOSES: [Purpose; STREAMS] = [Purpose::Augmentation, Purpose::Mixup, Purpose::DpNoise, Purpose::Dropout];
const STREAMS: usize = 4;
/// Words of a stream's position, and of what comes before positions.
const OF_POSITION: usize = 3;
const BEFORE: usize = 3;

/// Random numbers of one epoch.
#[derive(Debug)]
pub(crate) struct Streams {
    all: [Stream; STREAMS],
}

impl Streams {
    /// Those of an epoch of a model, by (seed, model), from their start.
    pub(crate) fn new((seed, model): (u64, u64), epoch: usize) -> Self {
        Self { all: PURPOSES.map(|purpose| Stream::new(seed, purpose, model, epoch as u64)) }
    }

    pub(crate) fn augmentation(&mut self) -> &mut Stream {
        &mut self.all[0]
    }

    /// Pairs and weights of mixup.
    pub(crate) fn mixing(&mut self) -> &mut Stream {
        &mut self.all[1]
    }

    /// The method's own, and the choice of batches for noise that hides who is in them.
    pub(crate) fn noise(&mut self) -> &mut Stream {
        &mut self.all[2]
    }

    pub(crate) fn drops(&mut self) -> &mut Stream {
        &mut self.all[3]
    }

    pub(crate) fn positions(&self) -> [Position; STREAMS] {
        self.all.each_ref().map(Stream::position)
    }

    pub(crate) fn seek(&mut self, positions: [Position; STREAMS]) {
        self.all.iter_mut().zip(positions).for_each(|(stream, position)| stream.seek(position));
    }
}

/// Where training stands between two steps: all numbers that its further steps depend on and that do not follow from recipe, data and key.
///
/// The order of examples, the keys of random streams, learning rates and the number of the step follow from them. How many numbers a step draws
/// does not, as some draws are rejected.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// The epoch, from 0.
    pub epoch: usize,
    /// Steps of it that are done. With all of them done its end was not yet reported.
    pub done: usize,
    /// Sum of the losses of the examples in these steps.
    pub loss: f64,
    /// How far its streams have come: augmentation, mixup, noise, dropout.
    pub positions: [Position; STREAMS],
}

impl Place {
    /// Its numbers one after the other, the bits of those that are no whole numbers.
    pub fn words(&self) -> Vec<u64> {
        let position =
            |p: &Position| [p.words, u64::from(p.spare_normal.is_some()), p.spare_normal.unwrap_or_default().to_bits()];
        let before = [self.epoch as u64, self.done as u64, self.loss.to_bits()];
        before.into_iter().chain(self.positions.iter().flat_map(position)).collect()
    }

    /// What [`Place::words`] gave; `None` for words of anything else.
    pub fn of_words(words: &[u64]) -> Option<Self> {
        if words.len() != BEFORE + STREAMS * OF_POSITION {
            return None;
        }
        let (before, after) = words.split_at(BEFORE);
        let mut positions = [Position::default(); STREAMS];
        for (position, words) in positions.iter_mut().zip(after.as_chunks::<OF_POSITION>().0) {
            let spare_normal = match words[1] {
                0 => None,
                1 => Some(f64::from_bits(words[2])),
                _ => return None,
            };
            *position = Position { words: words[0], spare_normal };
        }
        let [epoch, done] = [before[0], before[1]].map(|n| usize::try_from(n).ok());
        Some(Self { epoch: epoch?, done: done?, loss: f64::from_bits(before[2]), positions })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_back() {
        let at = |words, spare_normal| Position { words, spare_normal };
        let positions = [at(0, None), at(u64::MAX, Some(-0.0)), at(7, Some(0.1 + 0.2)), at(1 << 40, None)];
        let place = Place { epoch: 99_999, done: 3, loss: 1e-300, positions };
        let words = place.words();
        let back = Place::of_words(&words).unwrap();
        assert_eq!(back.words(), words);
        assert_eq!(back, place);
        // A loss that is no number stays the one that it was.
        let lost = Place { loss: f64::NAN, ..place };
        assert!(Place::of_words(&lost.words()).unwrap().loss.is_nan());
        let mut other = words.clone();
        other[4] = 2;
        assert_eq!((Place::of_words(&other), Place::of_words(&words[1..])), (None, None));
    }
}
