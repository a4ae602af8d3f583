//! The influential pairs: which are kept, how many there are, and how many of them chance would give.

use std::collections::BTreeMap;

use flatleak_stats::{Interval, benjamini_hochberg, student_t_critical};

use crate::Error;
use crate::evidence::Evidence;
use crate::influence::Influence;
use crate::memorization::ROUNDING;
use crate::thresholds::ENTROPY_CUT;

/// Published thresholds of a high-influence pair: memorization and influence (Feldman & Zhang 2020, section 3).
pub const HIGH: (f64, f32) = (0.25, 0.15);

/// False-discovery rate of the pairs that are called influential by their p-values.
pub const RATE: f64 = 0.05;

/// What is kept of all pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Pairs per held-out example.
    pub per_test: usize,
    /// Pairs over all.
    pub overall: usize,
}

/// A training example that makes a held-out one more often right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Pool example, i.
    pub train: u32,
    /// Held-out example, j.
    pub test: u32,
    /// infl_ij.
    pub influence: f32,
    /// Its standard error.
    pub standard_error: f64,
    /// Its 95 % interval ([`Row::interval`](crate::Row::interval)), not widened for the pair having been picked as a large one: that is what the q-value
    /// is for.
    pub interval: Interval,
    /// Chance of as large an influence where there is none, exact; soft form: NaN.
    pub p_value: f64,
    /// The same adjusted for all N T pairs (Benjamini & Hochberg); soft form: NaN.
    pub q_value: f64,
}

/// What a sweep over all pairs gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairs {
    /// The largest per held-out example, by test example, largest first.
    pub per_test: Vec<Vec<Pair>>,
    /// The largest over all, largest first.
    pub overall: Vec<Pair>,
    /// Pairs whose training example is memorized and whose influence is high, by [`HIGH`].
    pub high: u64,
    /// Pairs with a q-value of at most [`RATE`]; `None` in the soft form.
    pub discovered: Option<u64>,
    /// Influence entropy of every held-out example; see [`Row::entropy`](crate::Row::entropy) and [`ENTROPY_CUT`].
    pub entropy: Vec<Option<f64>>,
}

/// The number of high pairs alone, as in [`Pairs::high`].
///
/// # Errors
/// A memorization of another length than N.
pub fn count_high(influence: &Influence<'_>, memorization: &[f64], workers: usize) -> Result<u64, Error> {
    let mask = memorized(influence, memorization)?;
    Ok(influence.sweep(workers, |row| row.at_least(HIGH.1, &mask) as u64).into_iter().sum())
}

/// 1 for every memorized example.
fn memorized(influence: &Influence<'_>, memorization: &[f64]) -> Result<Vec<u16>, Error> {
    let (found, expected) = (memorization.len(), influence.examples());
    if found != expected {
        return Err(Error::Size { what: "the memorization", found, expected });
    }
    Ok(memorization.iter().map(|v| u16::from(*v >= HIGH.0 - ROUNDING)).collect())
}

/// A pair before all p-values are known.
struct Candidate {
    train: u32,
    test: u32,
    influence: f32,
    standard_error: f64,
    evidence: Option<Evidence>,
}

/// Sweeps all N T pairs once. `memorization` (N) decides which examples count as memorized.
///
/// Exact p-values have few distinct values, so the false-discovery rate is controlled over all pairs without holding them. They
/// are one-sided: a training example that harms is no support.
///
/// # Errors
/// A memorization of another length than N; too few models for an interval.
pub fn sweep(influence: &Influence<'_>, memorization: &[f64], keep: Keep, workers: usize) -> Result<Pairs, Error> {
    let memorized = memorized(influence, memorization)?;
    let found = influence.sweep(workers, |row| {
        let candidate = |(train, influence): (u32, f32)| Candidate {
            train,
            test: row.test as u32,
            influence,
            standard_error: row.standard_error(train as usize),
            evidence: row.evidence(train as usize),
        };
        let kept: Vec<Candidate> = row.top(keep.per_test.max(keep.overall)).into_iter().map(candidate).collect();
        (kept, row.tally(), row.at_least(HIGH.1, &memorized), row.entropy(ENTROPY_CUT))
    });
    let mut tests: BTreeMap<Evidence, u64> = BTreeMap::new();
    for (evidence, n) in found.iter().flat_map(|f| &f.1) {
        *tests.entry(*evidence).or_default() += u64::from(*n);
    }
    let p: Vec<(f64, u64)> = tests.iter().map(|(evidence, n)| (evidence.p_value(), *n)).collect();
    let q = benjamini_hochberg(&p);
    let discovered = q.iter().zip(&p).filter(|(q, _)| **q <= RATE).map(|(_, (_, n))| n).sum();
    let values: BTreeMap<Evidence, (f64, f64)> =
        tests.keys().copied().zip(p.iter().zip(&q).map(|((p, _), q)| (*p, *q))).collect();

    let critical = student_t_critical(0.95, influence.degrees())?;
    let settle = |c: &Candidate| -> Result<Pair, Error> {
        let value = f64::from(c.influence);
        let ((p_value, q_value), interval) = match c.evidence {
            Some(e) => (values.get(&e).copied().unwrap_or((f64::NAN, f64::NAN)), e.interval()?),
            None => {
                let half = critical * c.standard_error;
                ((f64::NAN, f64::NAN), Interval { mean: value, low: value - half, high: value + half })
            }
        };
        let &Candidate { train, test, influence, standard_error, .. } = c;
        Ok(Pair { train, test, influence, standard_error, interval, p_value, q_value })
    };
    let mut all: Vec<&Candidate> = found.iter().flat_map(|f| &f.0).collect();
    // Equal influences in the order of examples, so that no thread decides.
    all.sort_by(|a, b| b.influence.total_cmp(&a.influence).then((a.test, a.train).cmp(&(b.test, b.train))));
    let overall = all.into_iter().take(keep.overall).map(settle).collect::<Result<_, _>>()?;
    let per_test = found
        .iter()
        .map(|f| f.0.iter().take(keep.per_test).map(settle).collect::<Result<_, _>>())
        .collect::<Result<_, _>>()?;
    Ok(Pairs {
        per_test,
        overall,
        high: found.iter().map(|f| f.2 as u64).sum(),
        discovered: (!tests.is_empty()).then_some(discovered),
        entropy: found.iter().map(|f| f.3).collect(),
    })
}
