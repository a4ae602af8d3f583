//! What of a pool can be explained.

use std::borrow::Cow;

use flatleak_pool::Pool;

/// What of a pool can be explained: what can be attacked cannot always be, because a deletion may leave an example no model on one side, and
/// because models that hold all or nothing memorize nothing.
pub(crate) struct Explained<'a> {
    pub(crate) pool: Cow<'a, Pool>,
    /// Its models and examples in the whole.
    pub(crate) models: Vec<usize>,
    pub(crate) examples: Vec<usize>,
}

/// Models on either side of an example that variances over models need, whichever block is deleted.
const FEWEST: usize = 2;

impl<'a> Explained<'a> {
    pub(crate) fn new(pool: &'a Pool) -> Self {
        let m = &pool.membership;
        let (mut models, mut examples): (Vec<usize>, Vec<usize>) =
            ((0..m.models()).filter(|&k| m.is_target(k)).collect(), (0..m.examples()).collect());
        if models.len() == m.models() && m.is_complementary() {
            return Self { pool: Cow::Borrowed(pool), models, examples };
        }
        // Leaving out examples may leave a model one side alone, and the reverse.
        loop {
            let spared = |i: usize, side: bool| {
                let mut own = vec![0usize; m.blocks()];
                models.iter().filter(|&&k| m.row(k)[i] == side).for_each(|&k| own[m.block(k).index()] += 1);
                own.iter().sum::<usize>() - own.iter().max().copied().unwrap_or(0)
            };
            let enough = |i: &usize| [true, false].into_iter().all(|side| spared(*i, side) >= FEWEST);
            let kept: Vec<usize> = examples.iter().copied().filter(enough).collect();
            let both = |k: &usize| kept.iter().any(|&i| m.row(*k)[i]) && kept.iter().any(|&i| !m.row(*k)[i]);
            let left: Vec<usize> = models.iter().copied().filter(both).collect();
            let done = left.len() == models.len() && kept.len() == examples.len();
            (models, examples) = (left, kept);
            if done || examples.is_empty() {
                break;
            }
        }
        if examples.is_empty() {
            return Self { pool: Cow::Owned(pool.of_examples(&[])), models: Vec::new(), examples };
        }
        if models.len() == m.models() && examples.len() == m.examples() {
            return Self { pool: Cow::Borrowed(pool), models, examples };
        }
        Self { pool: Cow::Owned(pool.select(&models).of_examples(&examples)), models, examples }
    }
}
