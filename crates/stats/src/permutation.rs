//! Paired tests that exchange two recipes block by block.

use flatleak_stream::{Purpose, Stream};

use crate::error::{Error, check_finite};
use crate::moments::mean;
use crate::parallel;

/// Draws are handed to the threads in batches of at least this many.
const BATCH: usize = 16;

/// [`sign_flip_test`] enumerates up to this many sign vectors, whatever the budget: each costs nanoseconds.
const CHEAP: u64 = 1 << 16;

/// Differences this much smaller than the observed one, relatively, still count as equal to it.
const TOLERANCE: f64 = 1e-12;

/// What a test may spend. None of the fields may be 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Most swap vectors that are scored.
    pub max_draws: u64,
    /// A metric is settled once this many random swaps reached its observed difference.
    pub stop_after: u64,
    /// Threads. No result depends on it.
    pub workers: usize,
}

impl Budget {
    fn check(self) -> Result<(), Error> {
        let Self { max_draws, stop_after, workers } = self;
        if max_draws == 0 || stop_after == 0 || workers == 0 {
            return Err(Error::Budget { max_draws, stop_after, workers });
        }
        Ok(())
    }
}

/// Where swap vectors come from.
#[derive(Clone, Copy)]
enum Design {
    /// Every vector that leaves the first block alone, save the identity.
    All,
    /// Independent coins, draw by draw.
    Random { seed: u64, test_index: u64 },
}

impl Design {
    fn new(blocks: usize, most: u64, seed: u64, test_index: u64) -> Self {
        match assignments(blocks) {
            Some(total) if total <= most => Self::All,
            _ => Self::Random { seed, test_index },
        }
    }

    fn swaps(self, blocks: usize, draw: u64) -> Vec<bool> {
        match self {
            Self::All => (0..blocks).map(|block| block > 0 && (draw + 1) >> (block - 1) & 1 == 1).collect(),
            Self::Random { seed, test_index } => {
                let mut stream = Stream::new(seed, Purpose::Permutation, test_index, draw);
                (0..blocks).map(|_| stream.coin()).collect()
            }
        }
    }
}

/// 2^(blocks - 1), the swap vectors that differ in the size of their difference; `None` above 2^63.
fn assignments(blocks: usize) -> Option<u64> {
    1u64.checked_shl(u32::try_from(blocks.saturating_sub(1)).ok()?)
}

/// The smallest p-value that [`swap_test`] can give: 2^(1 - blocks) where it enumerates, else
/// 1 / (1 + max_draws).
pub fn smallest_p(blocks: usize, budget: Budget) -> f64 {
    match assignments(blocks) {
        Some(total) if total <= budget.max_draws => 1.0 / total as f64,
        _ => 1.0 / (1.0 + budget.max_draws as f64),
    }
}

/// Two-sided block-swap test of several metrics at once; the p-values, in the order of `observed`.
///
/// `rescore` receives one flag for each of `blocks` blocks and returns the difference of every metric after
/// the two recipes' models of each flagged block were exchanged, as targets and as shadows. Under the
/// hypothesis that recipes do not matter, all 2^blocks exchanges are equally likely, and swapping all blocks
/// negates the difference. A swap counts where |difference| >= |observed|, less 1e-12 relatively.
///
/// - If 2^(blocks-1) <= `max_draws`, all swaps of the blocks but the first are scored, and p is the share that
///   counts, the identity included (`rescore` is not called for it).
/// - Otherwise swaps are random, draw k from the stream (seed, permutation, `test_index`, k). A metric that
///   counts `stop_after` = h of them at draw l has p = h / l (Besag & Clifford 1991); one that never does has
///   p = (1 + count) / (1 + max_draws). Sampling ends when every metric is settled.
///
/// Draws are scored on `workers` threads and judged in their order, so p does not depend on the number of
/// threads, nor on which other metrics are tested along.
///
/// # Errors
/// The first error of `rescore` in the order of draws; no blocks; a zero in the budget; a difference that is
/// not finite; another number of differences than of observed ones.
pub fn swap_test<F, E>(
    blocks: usize,
    budget: Budget,
    seed: u64,
    test_index: u64,
    observed: &[f64],
    rescore: F,
) -> Result<Vec<f64>, E>
where
    F: Fn(&[bool]) -> Result<Vec<f64>, E> + Sync,
    E: From<Error> + Send,
{
    check_finite("observed difference", observed)?;
    let limits: Vec<f64> = observed.iter().map(|d| d.abs() * (1.0 - TOLERANCE)).collect();
    let design = Design::new(blocks, budget.max_draws, seed, test_index);
    count(blocks, design, budget, &limits, rescore)
}

/// Two-sided test that the mean of independent block differences is 0, by exchanging signs.
///
/// Valid for scores without shadows only, where swapping two recipes within a block negates that block's
/// difference and touches no other; with shared shadows use [`swap_test`], whose rules for p apply here. All
/// sign vectors are enumerated up to 2^16 of them (17 blocks); beyond, signs are random within `budget`, on one
/// thread.
///
/// # Errors
/// No blocks, a difference that is not finite, a zero in the budget.
pub fn sign_flip_test(block_differences: &[f64], budget: Budget, seed: u64, test_index: u64) -> Result<f64, Error> {
    check_finite("block difference", block_differences)?;
    let blocks = block_differences.len();
    let signed = |swaps: &[bool]| {
        let sum: f64 = block_differences.iter().zip(swaps).map(|(d, &swap)| if swap { -d } else { *d }).sum();
        Ok::<_, Error>(vec![sum / blocks as f64])
    };
    // Sums of the same numbers in another order differ by rounding of the terms, however small the sum is.
    let sizes: Vec<f64> = block_differences.iter().map(|d| d.abs()).collect();
    let limits = [mean(block_differences).abs() - TOLERANCE * mean(&sizes)];
    let design = Design::new(blocks, CHEAP, seed, test_index);
    let single = Budget { workers: budget.workers.min(1), ..budget };
    Ok(count(blocks, design, single, &limits, signed)?[0])
}

/// The p-value of every metric, given the limit that the size of a swapped difference must reach.
fn count<F, E>(blocks: usize, design: Design, budget: Budget, limits: &[f64], rescore: F) -> Result<Vec<f64>, E>
where
    F: Fn(&[bool]) -> Result<Vec<f64>, E> + Sync,
    E: From<Error> + Send,
{
    budget.check()?;
    if blocks == 0 {
        return Err(Error::TooFew { what: "blocks", found: 0, needed: 1 }.into());
    }
    let (draws, stop_after) = match design {
        Design::All => (assignments(blocks).map_or(0, |total| total - 1), u64::MAX),
        Design::Random { .. } => (budget.max_draws, budget.stop_after),
    };
    let batch = if budget.workers == 1 { 1 } else { BATCH.div_ceil(budget.workers) * budget.workers } as u64;
    let mut counts = vec![0u64; limits.len()];
    let mut settled: Vec<Option<f64>> = vec![None; limits.len()];
    let mut done = 0;
    while done < draws && settled.contains(&None) {
        for result in score_batch(blocks, design, done..draws.min(done + batch), budget.workers, &rescore) {
            if !settled.contains(&None) {
                break;
            }
            let differences = result?;
            if differences.len() != limits.len() {
                let (left, right) = (limits.len(), differences.len());
                return Err(Error::LengthMismatch { what: "observed and swapped differences", left, right }.into());
            }
            check_finite("swapped difference", &differences)?;
            done += 1;
            for (metric, difference) in differences.iter().enumerate() {
                if difference.abs() >= limits[metric] {
                    counts[metric] += 1;
                    // Equal once only: what comes later does not move a settled p.
                    if counts[metric] == stop_after {
                        settled[metric] = Some(stop_after as f64 / done as f64);
                    }
                }
            }
        }
    }
    // The added 1 is the data as they are: an enumeration leaves the identity out, and a random test that
    // counts it never gives p = 0 (Phipson & Smyth 2010).
    let unsettled = |count: u64| (1 + count) as f64 / (1 + draws) as f64;
    Ok(settled.iter().zip(counts).map(|(p, count)| p.unwrap_or_else(|| unsettled(count))).collect())
}

/// The results of a range of draws, in order.
fn score_batch<F, E>(
    blocks: usize,
    design: Design,
    range: std::ops::Range<u64>,
    workers: usize,
    rescore: &F,
) -> Vec<Result<Vec<f64>, E>>
where
    F: Fn(&[bool]) -> Result<Vec<f64>, E> + Sync,
    E: Send,
{
    let draws = (range.end - range.start) as usize;
    parallel::map(draws, workers, |at| rescore(&design.swaps(blocks, range.start + at as u64)))
}
