//! The influential pairs: which are kept, how many there are, and how many of them chance would give.

use std::collections::BTreeMap;

use flatleak_stats::{Interval, benjamini_hochberg, fisher_upper, sign_upper};

use crate::{ENTROPY_CUT, Error};
use crate::influence::{Influence, Row};

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
    /// Its 95 % interval ([`Row::interval`]), not widened for the pair having been picked as a large one: that is what the q-value
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
    /// Influence entropy of every held-out example; see [`Row::entropy`] and [`ENTROPY_CUT`].
    pub entropy: Vec<Option<f64>>,
}

/// What a pair's exact p-value depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Evidence {
    /// Blocks in which the models disagree about j, and those of them in which the one that holds i is right. Where i does not
    /// matter, every one of them is a fair coin: the sign test.
    Signs { right: u32, disagreeing: u32 },
    /// Models in all, those that hold i, those right about j, and both: Fisher's exact test.
    Counts { both: u32, inside: u32, right: u32, all: u32 },
}

impl Evidence {
    fn p_value(self) -> f64 {
        match self {
            Self::Signs { right, disagreeing } => sign_upper(u64::from(right), u64::from(disagreeing)),
            Self::Counts { both, inside, right, all } => {
                let [both, inside, right, all] = [both, inside, right, all].map(u64::from);
                fisher_upper(both, inside, right, all)
            }
        }
    }

    fn of(row: &Row<'_>, models: u32, inside: u32, both: u32, right: u32) -> Self {
        match row.disagreeing() {
            // Right minus wrong over the disagreeing blocks is in - out = 2 both - right.
            Some(disagreeing) => Self::Signs { right: (disagreeing + 2 * both - right) / 2, disagreeing },
            None => Self::Counts { both, inside, right, all: models },
        }
    }
}

/// Number of examples of a row by their evidence.
fn tally(row: &Row<'_>, models: u32) -> Vec<(Evidence, u32)> {
    let Some((inside, counts, right)) = row.counted() else { return Vec::new() };
    let mut out = Vec::new();
    if row.disagreeing().is_some() {
        // Four tables, so that equal neighbours need not wait for each other.
        let mut tables = vec![[0u32; 4]; models as usize + 1];
        for four in counts.chunks(4) {
            for (lane, &count) in four.iter().enumerate() {
                tables[usize::from(count)][lane] += 1;
            }
        }
        for (both, lanes) in (0u32..).zip(tables) {
            let n = lanes.iter().sum();
            if n > 0 {
                out.push((Evidence::of(row, models, models / 2, both, right), n));
            }
        }
        return out;
    }
    let mut found: BTreeMap<(i32, u16), u32> = BTreeMap::new();
    for (inside, count) in inside.iter().zip(counts) {
        *found.entry((*inside, *count)).or_default() += 1;
    }
    out.extend(found.into_iter().map(|((inside, both), n)| {
        (Evidence::of(row, models, inside as u32, u32::from(both), right), n)
    }));
    out
}

/// A kept pair before all p-values are known.
struct Candidate {
    pair: Pair,
    evidence: Option<Evidence>,
}

/// Sweeps all N T pairs once. `memorization` (N) decides which examples count as memorized.
///
/// Exact p-values have few distinct values, so the false-discovery rate is controlled over all pairs without holding them. They
/// are one-sided: a training example that harms is no support.
///
/// # Errors
/// A memorization of another length than N.
pub fn sweep(
    influence: &Influence<'_>,
    memorization: &[f64],
    keep: Keep,
    workers: usize,
) -> Result<Pairs, Error> {
    let examples = influence.examples();
    if memorization.len() != examples {
        return Err(Error::Size { what: "the memorization", found: memorization.len(), expected: examples });
    }
    let memorized: Vec<u32> =
        (0u32..).zip(memorization).filter(|(_, v)| **v >= HIGH.0).map(|(i, _)| i).collect();
    let all = influence.models() as u32;
    let found = influence.sweep(workers, |row| {
        let kept: Vec<Candidate> = row
            .top(keep.per_test.max(keep.overall))
            .into_iter()
            .map(|(train, value)| {
                let i = train as usize;
                let evidence = row.counted().map(|(inside, counts, right)| {
                    Evidence::of(row, all, inside[i] as u32, u32::from(counts[i]), right)
                });
                let pair = Pair {
                    train,
                    test: row.test as u32,
                    influence: value,
                    standard_error: row.standard_error(i),
                    interval: row.interval(i)?,
                    p_value: f64::NAN,
                    q_value: f64::NAN,
                };
                Ok(Candidate { pair, evidence })
            })
            .collect::<Result<_, Error>>()?;
        Ok((kept, tally(row, all), row.at_least(HIGH.1, &memorized), row.entropy(ENTROPY_CUT)))
    });
    let found = found.into_iter().collect::<Result<Vec<_>, Error>>()?;
    let mut tests: BTreeMap<Evidence, u64> = BTreeMap::new();
    for (evidence, n) in found.iter().flat_map(|f| &f.1) {
        *tests.entry(*evidence).or_default() += u64::from(*n);
    }
    let p: Vec<(f64, u64)> = tests.iter().map(|(evidence, n)| (evidence.p_value(), *n)).collect();
    let q = benjamini_hochberg(&p);
    let discovered = q.iter().zip(&p).filter(|(q, _)| **q <= RATE).map(|(_, (_, n))| n).sum();
    let values: BTreeMap<Evidence, (f64, f64)> =
        tests.keys().copied().zip(p.iter().zip(&q).map(|((p, _), q)| (*p, *q))).collect();

    let high = found.iter().map(|f| f.2 as u64).sum();
    let entropy = found.iter().map(|f| f.3).collect();
    let settle = |c: Candidate| {
        let (p_value, q_value) = c.evidence.and_then(|e| values.get(&e).copied()).unwrap_or((f64::NAN, f64::NAN));
        Pair { p_value, q_value, ..c.pair }
    };
    let mut per_test: Vec<Vec<Pair>> = found.into_iter().map(|f| f.0.into_iter().map(settle).collect()).collect();
    let mut overall: Vec<Pair> = per_test.iter().flatten().copied().collect();
    // Equal influences in the order of examples, so that no thread decides.
    overall.sort_by(|a, b| b.influence.total_cmp(&a.influence).then((a.test, a.train).cmp(&(b.test, b.train))));
    overall.truncate(keep.overall);
    per_test.iter_mut().for_each(|row| row.truncate(keep.per_test));
    let discovered = (!tests.is_empty()).then_some(discovered);
    Ok(Pairs { per_test, overall, high, discovered, entropy })
}
