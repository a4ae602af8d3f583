//! A membership packed for influence.

use flatleak_pool::{BLOCK, Membership};

use crate::Error;

/// Columns of a panel of the membership matrix: with a few hundred models it stays in the second-level cache.
pub(crate) const PANEL: usize = 512;

/// A membership packed for influence: M models, N examples.
#[derive(Clone, Debug)]
pub struct Design {
    pub(crate) models: usize,
    /// Word w of example i at w N + i; bit k of word w is model 64 w + k.
    pub(crate) bits: Vec<u64>,
    /// Number of models that hold each example, n_in.
    pub(crate) inside: Vec<i32>,
    /// n_in (M - n_in).
    pub(crate) products: Vec<i32>,
    /// Whether every example is in as many models as every other, so that a count alone says the influence.
    pub(crate) uniform: bool,
    /// Pairs of models of one block, where blocks are complementary.
    pub(crate) pairs: Option<Vec<[usize; 2]>>,
}

impl Design {
    /// Packs a membership.
    ///
    /// # Errors
    /// An example that is in all models or in none; more than 32,767 models.
    pub fn new(membership: &Membership) -> Result<Self, Error> {
        let (models, n) = (membership.models(), membership.examples());
        if models > usize::from(u16::MAX / 2) {
            return Err(Error::Models(models));
        }
        let mut bits = vec![0u64; models.div_ceil(64) * n];
        let mut inside = vec![0i32; n];
        for k in 0..models {
            let words = &mut bits[k / 64 * n..][..n];
            for ((word, count), member) in words.iter_mut().zip(&mut inside).zip(membership.row(k)) {
                *word |= u64::from(*member) << (k % 64);
                *count += i32::from(*member);
            }
        }
        let all = models as i32;
        if let Some(example) = inside.iter().position(|&c| c == 0 || c == all) {
            let inside = inside[example] as usize;
            return Err(Error::OneSided { example, inside, outside: models - inside, needed: 1 });
        }
        let products = inside.iter().map(|c| c * (all - c)).collect();
        let pairs = membership.is_complementary().then(|| {
            membership.by_block().iter().filter_map(|b| <[usize; BLOCK]>::try_from(b.as_slice()).ok()).collect()
        });
        let uniform = inside.iter().all(|c| *c == inside[0]);
        Ok(Self { models, bits, inside, products, uniform, pairs })
    }

    /// Number of models, M.
    pub fn models(&self) -> usize {
        self.models
    }

    /// Number of examples, N.
    pub fn examples(&self) -> usize {
        self.inside.len()
    }

    /// Pairs of models of one block; `None` where the design has no complementary blocks.
    pub fn pairs(&self) -> Option<&[[usize; 2]]> {
        self.pairs.as_deref()
    }

    /// Degrees of freedom of a pair's standard error: B - 1 over blocks, M - 2 over independent models.
    pub(crate) fn degrees(&self) -> f64 {
        self.pairs.as_ref().map_or(self.models as f64 - 2.0, |p| p.len() as f64 - 1.0)
    }

    /// A matrix of one row per model, or per block where `signs` asks for it, in panels of [`PANEL`] examples, each row-major: 1 where the
    /// model holds the example, else 0; of a block 1 where its first model does, else -1.
    pub(crate) fn panels(&self, signs: bool) -> Vec<Vec<f32>> {
        let n = self.examples();
        let bit = |k: usize, i: usize| (self.bits[k / 64 * n + i] >> (k % 64) & 1) as f32;
        let rows: Vec<usize> = match &self.pairs {
            Some(pairs) if signs => pairs.iter().map(|p| p[0]).collect(),
            _ => (0..self.models).collect(),
        };
        let sign = signs && self.pairs.is_some();
        let value = |k: usize, i: usize| if sign { 2.0 * bit(k, i) - 1.0 } else { bit(k, i) };
        (0..n.div_ceil(PANEL))
            .map(|p| {
                let columns = p * PANEL..n.min((p + 1) * PANEL);
                rows.iter().flat_map(|&k| columns.clone().map(move |i| value(k, i))).collect()
            })
            .collect()
    }

    /// (M count - n_in right) / (n_in n_out), the difference of the two means, rounded once: the numerator is an exact integer.
    pub(crate) fn influence_of(&self, example: usize, count: u16, right: i32) -> f32 {
        let numerator = self.models as i32 * i32::from(count) - self.inside[example] * right;
        numerator as f32 / self.products[example] as f32
    }

    /// From sums of signed block differences: their mean. From centred outcomes, whose sum outside is minus the sum s inside: the
    /// difference of means is s M / (n_in n_out).
    pub(crate) fn scale(&self, sums: &[f32], values: &mut [f32]) {
        if let Some(pairs) = &self.pairs {
            let share = 1.0 / pairs.len() as f32;
            values.iter_mut().zip(sums).for_each(|(value, sum)| *value = sum * share);
            return;
        }
        let all = self.models as f32;
        for ((value, sum), &product) in values.iter_mut().zip(sums).zip(&self.products) {
            *value = sum * all / product as f32;
        }
    }
}
