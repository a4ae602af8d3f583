//! Designs with a fixed number of models per example: which shadows are kept, and folds of examples.
//!
//! There, without the target's row, the number of models left on either side says whether the target holds the example. So as many are
//! left out as hide it, whoever the target is, chosen by a hash that anyone can compute (own; book/methods/membership.md#cut-shadows).

/// Folds of examples in designs with a fixed number of models per example: what is learnt across examples is learnt from the other folds.
pub const FOLDS: usize = 5;

/// One step of SplitMix64 (Steele, Lea & Flood 2014).
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// What orders the models as shadows of one target on one example: [`Order::of`] the smallest are kept.
#[derive(Clone, Copy, Debug)]
pub struct Order(u64);

impl Order {
    /// For a target, by its index in the pool, and an example, by its index in the array that was given.
    pub fn new(target: usize, example: usize) -> Self {
        Self(mix(mix(target as u64) ^ example as u64))
    }

    /// The place of a model, by its index in the pool.
    pub fn of(self, model: usize) -> u64 {
        mix(self.0 ^ model as u64)
    }
}

/// The fold of an example, by its index in the array that was given.
pub(crate) fn fold(example: usize) -> usize {
    (mix(mix(0xF01D) ^ example as u64) % FOLDS as u64) as usize
}
