//! Halves of a pool, and pools in which membership means nothing.

use flatleak_pool::{Membership, Rows};
use flatleak_stats::{moments, rank_correlation};
use flatleak_stream::{Purpose, Stream};

use crate::design::Design;
use crate::influence::Influence;
use crate::thresholds::{MEASURABLE, WORTHWHILE};
use crate::{Error, usable};

/// A random split of the blocks of a pool into two halves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halves {
    /// Models of either half.
    models: [Vec<usize>; 2],
}

impl Halves {
    /// Split number `split` under a root seed; of an odd number of blocks the second half gets one more.
    pub fn new(membership: &Membership, seed: u64, split: u64) -> Self {
        let blocks = membership.by_block();
        let order = Stream::new(seed, Purpose::Halves, split, 0).permutation(blocks.len());
        let (first, second) = order.split_at(blocks.len() / 2);
        let models = [first, second].map(|half| {
            let mut models: Vec<usize> = half.iter().flat_map(|b| blocks[*b as usize].clone()).collect();
            models.sort_unstable();
            models
        });
        Self { models }
    }

    /// The examples that both halves can say something about: in and out of enough of their models.
    pub fn usable(&self, membership: &Membership) -> Vec<usize> {
        let [first, second] = [0, 1].map(|h| usable(&membership.select(self.models(h))));
        first.into_iter().filter(|i| second.binary_search(i).is_ok()).collect()
    }

    /// The models of a half, 0 or 1.
    pub fn models(&self, half: usize) -> &[usize] {
        &self.models[half & 1]
    }
}

/// The order in which the models' outputs are handed to a design so that membership means nothing. With complementary blocks IN and
/// OUT are swapped in a random half of them (each by a coin), which keeps who disagrees with whom; elsewhere models are
/// permuted.
pub fn null_order(design: &Design, stream: &mut Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..design.models()).collect();
    match design.pairs() {
        Some(pairs) => pairs.iter().filter(|_| stream.coin()).for_each(|&[a, b]| order.swap(a, b)),
        None => stream.shuffle(&mut order),
    }
    order
}

/// What influence entropy is taken from.
#[derive(Clone, Copy, Debug)]
pub enum Outputs<'a> {
    /// Who is right, 0 or 1, (M, T).
    Right(Rows<'a, u8>),
    /// Confidences, (M, T).
    Confidence(Rows<'a>),
}

impl Outputs<'_> {
    /// The influence of a design, row k of which has the outputs of model `models[k]`.
    ///
    /// # Errors
    /// Rows that do not fit the design or each other.
    pub fn influence<'d>(&self, design: &'d Design, models: &[usize]) -> Result<Influence<'d>, Error> {
        match self {
            Self::Right(rows) => Influence::hard(design, rows.select(models).rows()),
            Self::Confidence(rows) => Influence::soft(design, rows.select(models).rows()),
        }
    }
}

/// How often the null is drawn.
pub const NULLS: u64 = 20;

/// A rank correlation beside what it is where membership means nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AgainstNull {
    /// As measured.
    pub real: f64,
    /// Mean over null draws.
    pub null: f64,
    /// Deviation of one null draw (ddof 1).
    pub deviation: f64,
}

impl AgainstNull {
    /// From a measure and draws of its null.
    pub fn new(real: f64, nulls: &[f64]) -> Self {
        Self { real, null: moments::mean(nulls), deviation: moments::standard_deviation(nulls, 1) }
    }

    /// Distance from the null in its deviations; 0 where the null does not vary.
    pub fn distance(&self) -> f64 {
        if self.deviation > 0.0 { (self.real - self.null) / self.deviation } else { 0.0 }
    }

    /// Whether the measured value exceeds the null by [`MEASURABLE`] deviations and by [`WORTHWHILE`]: large pools tell differences
    /// from chance that are too small to sort anything by.
    pub fn exceeds(&self) -> bool {
        self.distance() >= MEASURABLE && self.real - self.null >= WORTHWHILE
    }
}

/// What a pool of this size can say about influence entropy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reliability {
    /// Split-half reliability: rank correlation, over held-out examples, of the entropies from two halves of the blocks, mean
    /// over splits; `None` where fewer than ten held-out examples have an influence in both halves, or where the halves leave no training
    /// example in and out of their models.
    pub halves: Option<AgainstNull>,
    /// Rank correlation of the entropy from all models with the true frequency of the example's group, where it is known.
    pub frequency: Option<AgainstNull>,
}

/// Splits that the reliability is averaged over.
const SPLITS: u64 = 5;

/// Split-half reliability and agreement with group frequencies of the influence entropy beyond `errors` standard errors, beside
/// [`NULLS`] draws of their null. `frequency` (T) is the pool frequency of each held-out example's group.
///
/// # Errors
/// A design without two usable halves.
pub fn reliability(
    membership: &Membership,
    outputs: Outputs<'_>,
    errors: f64,
    frequency: Option<&[f64]>,
    (seed, workers): (u64, usize),
) -> Result<Reliability, Error> {
    let splits: Vec<_> = (0..SPLITS)
        .map(|split| {
            let halves = Halves::new(membership, seed, split);
            let kept = halves.usable(membership);
            let side = |h: usize| Design::new(&membership.select(halves.models(h)).of_examples(&kept));
            // In small designs without blocks no example may be left.
            Ok(if kept.len() < 2 { None } else { Some(([side(0)?, side(1)?], halves)) })
        })
        .collect::<Result<_, Error>>()?;
    let whole = Design::new(membership)?;
    let everyone: Vec<usize> = (0..membership.models()).collect();
    let entropies = |design: &Design, models: &[usize], draw: Option<u64>| -> Result<Vec<Option<f64>>, Error> {
        let models: Vec<usize> = match draw {
            None => models.to_vec(),
            Some(draw) => null_order(design, &mut Stream::new(seed, Purpose::Halves, u64::MAX, draw))
                .into_iter()
                .map(|k| models[k])
                .collect(),
        };
        Ok(outputs.influence(design, &models)?.sweep(workers, |row| row.entropy(errors)))
    };
    let agreement = |draw: Option<u64>| -> Result<Option<f64>, Error> {
        let mut found = Vec::new();
        for (split, usable) in (0u64..).zip(&splits) {
            let Some((designs, halves)) = usable else { return Ok(None) };
            // Every half of every split has its own null.
            let number = |h: u64| draw.map(|d| 1 + (d * SPLITS + split) * 2 + h);
            let first = entropies(&designs[0], halves.models(0), number(0))?;
            let second = entropies(&designs[1], halves.models(1), number(1))?;
            found.extend(rank_agreement(&first, &second));
        }
        Ok((found.len() as u64 == SPLITS).then(|| moments::mean(&found)))
    };
    let following = |draw: Option<u64>| -> Result<Option<f64>, Error> {
        let Some(frequency) = frequency else { return Ok(None) };
        let known: Vec<Option<f64>> = frequency.iter().map(|f| Some(*f)).collect();
        Ok(rank_agreement(&entropies(&whole, &everyone, draw.map(|d| 1_000_000 + d))?, &known))
    };
    Ok(Reliability { halves: against_null(agreement)?, frequency: against_null(following)? })
}

/// A measure beside [`NULLS`] draws of its null; `None` where one of them has no value.
fn against_null(measure: impl Fn(Option<u64>) -> Result<Option<f64>, Error>) -> Result<Option<AgainstNull>, Error> {
    let Some(real) = measure(None)? else { return Ok(None) };
    let nulls = (0..NULLS).map(|d| measure(Some(d))).collect::<Result<Option<Vec<f64>>, Error>>()?;
    Ok(nulls.map(|nulls| AgainstNull::new(real, &nulls)))
}

/// Rank correlation over the places where both have a value (Spearman); `None` for fewer than ten or a constant side.
pub fn rank_agreement(a: &[Option<f64>], b: &[Option<f64>]) -> Option<f64> {
    let (x, y): (Vec<f64>, Vec<f64>) = a.iter().zip(b).filter_map(|(a, b)| (*a).zip(*b)).unzip();
    if x.len() < 10 { None } else { rank_correlation(&x, &y).ok() }
}
