//! The blocked membership design.

use flatleak_stream::{Purpose, Stream};

use crate::Error;

/// Models per block at the ratio 1/2: a model and its complement.
pub const BLOCK: usize = 2;

/// Which model was trained on which example, (M, N), and which models form a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    rows: Vec<Vec<bool>>,
    blocks: Vec<usize>,
}

impl Membership {
    /// Complementary pairs: model 2j trains on a random half drawn from (seed, membership, j), model 2j+1 on the
    /// rest. More models never change an earlier row.
    ///
    /// # Errors
    /// An odd number of models or fewer than 4; fewer than 2 examples.
    pub fn complementary(seed: u64, models: usize, examples: usize) -> Result<Self, Error> {
        if models < 2 * BLOCK || !models.is_multiple_of(BLOCK) {
            return Err(Error::Models(models));
        }
        if examples < 2 {
            return Err(Error::Examples(examples));
        }
        let mut rows = Vec::with_capacity(models);
        for block in 0..models / BLOCK {
            let order = Stream::new(seed, Purpose::Membership, block as u64, 0).permutation(examples);
            let mut row = vec![false; examples];
            for &i in &order[..examples / 2] {
                row[i as usize] = true;
            }
            let complement = row.iter().map(|m| !m).collect();
            rows.extend([row, complement]);
        }
        Ok(Self { rows, blocks: (0..models).map(|m| m / BLOCK).collect() })
    }

    /// Number of models, M.
    pub fn models(&self) -> usize {
        self.rows.len()
    }

    /// Number of examples, N.
    pub fn examples(&self) -> usize {
        self.rows.first().map_or(0, Vec::len)
    }

    /// The row of one model.
    pub fn row(&self, model: usize) -> &[bool] {
        &self.rows[model]
    }

    /// The block that a model belongs to.
    pub fn block(&self, model: usize) -> usize {
        self.blocks[model]
    }

    /// Number of blocks.
    pub fn blocks(&self) -> usize {
        self.blocks.last().map_or(0, |b| b + 1)
    }

    /// Indices of the examples that a model was trained on.
    pub fn members(&self, model: usize) -> Vec<u32> {
        (0u32..).zip(&self.rows[model]).filter(|(_, m)| **m).map(|(i, _)| i).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_in_half_of_the_models_and_pools_extend() {
        let small = Membership::complementary(3, 8, 101).unwrap();
        let large = Membership::complementary(3, 16, 101).unwrap();
        for i in 0..101 {
            assert_eq!((0..8).filter(|&m| small.row(m)[i]).count(), 4);
        }
        for m in 0..8 {
            assert_eq!(small.row(m), large.row(m));
        }
        assert_ne!(small.row(0), small.row(2));
        assert_eq!((small.members(0).len(), small.members(1).len()), (50, 51));
        assert_eq!(large.blocks(), 8);
    }

    #[test]
    fn impossible_sizes_are_refused() {
        assert_eq!(Membership::complementary(0, 5, 10), Err(Error::Models(5)));
        assert_eq!(Membership::complementary(0, 2, 10), Err(Error::Models(2)));
        assert_eq!(Membership::complementary(0, 4, 1), Err(Error::Examples(1)));
    }
}
