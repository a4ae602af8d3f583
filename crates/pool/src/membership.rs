//! The blocked membership design.

use std::collections::HashMap;

use flatleak_stream::{Purpose, Stream};

use crate::Error;

/// Models per block at the ratio 1/2: a model and its complement.
pub const BLOCK: usize = 2;

/// Which model was trained on which example, (M, N), and which models form a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    rows: Vec<Vec<bool>>,
    blocks: Vec<usize>,
    complementary: bool,
    /// Every example is in equally many models of each block.
    balanced: bool,
}

/// Correlation of two rows from which on their models are no shadows of each other (METHODS section 2).
const CORRELATED: f64 = 0.25;
/// The same in standard errors of independent rows: in a small pool chance alone reaches a quarter.
const SIGNIFICANT: f64 = 5.0;

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
        Ok(Self { rows, blocks: (0..models).map(|m| m / BLOCK).collect(), complementary: true, balanced: true })
    }

    /// Any design, such as that of an imported pool. Where the rows fall into complementary pairs these are the blocks,
    /// numbered in the order of their first models. Otherwise models whose rows are correlated, by more than a quarter and more than five
    /// standard errors of independent rows, share a
    /// block, directly or through others: duplicates, complements, splits into more than two parts. The rest are blocks of their own.
    ///
    /// # Errors
    /// Fewer than 4 models or 2 examples; rows of different lengths.
    pub fn from_rows(rows: Vec<Vec<bool>>) -> Result<Self, Error> {
        if rows.len() < 4 {
            return Err(Error::Models(rows.len()));
        }
        let examples = rows[0].len();
        if examples < 2 {
            return Err(Error::Examples(examples));
        }
        if let Some(row) = rows.iter().find(|r| r.len() != examples) {
            return Err(Error::Size { what: "a row of the membership", found: row.len(), expected: examples });
        }
        // Rows that wait for their complement, by the complement.
        let mut waiting: HashMap<Vec<bool>, Vec<usize>> = HashMap::new();
        let mut partner = vec![None; rows.len()];
        for (model, row) in rows.iter().enumerate() {
            if let Some(other) = waiting.get_mut(row).and_then(Vec::pop) {
                (partner[other], partner[model]) = (Some(model), Some(other));
            } else {
                waiting.entry(row.iter().map(|m| !m).collect()).or_default().push(model);
            }
        }
        let complementary = partner.iter().all(Option::is_some);
        let first: Vec<usize> = if complementary {
            (0..rows.len()).map(|model| partner[model].map_or(model, |p| p.min(model))).collect()
        } else {
            first_relatives(&rows)
        };
        let mut blocks = vec![0; rows.len()];
        let mut next = 0;
        for model in 0..rows.len() {
            if first[model] == model {
                (blocks[model], next) = (next, next + 1);
            } else {
                blocks[model] = blocks[first[model]];
            }
        }
        let balanced = complementary || is_balanced(&rows, &blocks);
        Ok(Self { rows, blocks, complementary, balanced })
    }

    /// The design of some of the models, in their order; blocks are numbered anew. What was complementary must be taken
    /// by whole blocks, or it no longer is.
    #[must_use]
    pub fn select(&self, models: &[usize]) -> Self {
        let mut names: Vec<usize> = models.iter().map(|&m| self.blocks[m]).collect();
        let kept = names.clone();
        names.sort_unstable();
        names.dedup();
        let whole = models.len() == BLOCK * names.len();
        let number = |block: &usize| names.binary_search(block).unwrap_or(0);
        let complementary = self.complementary && whole;
        let blocks =
            if complementary { kept.iter().map(number).collect() } else { (0..models.len()).collect::<Vec<_>>() };
        let rows: Vec<Vec<bool>> = models.iter().map(|&m| self.rows[m].clone()).collect();
        let balanced = complementary || is_balanced(&rows, &blocks);
        Self { rows, blocks, complementary, balanced }
    }

    /// The design over some of the examples, in their order; blocks stay what they are.
    #[must_use]
    pub fn of_examples(&self, examples: &[usize]) -> Self {
        let rows = self.rows.iter().map(|row| examples.iter().map(|&i| row[i]).collect()).collect();
        Self { rows, blocks: self.blocks.clone(), complementary: self.complementary, balanced: self.balanced }
    }

    /// Whether every block is a pair of models that splits the pool between them.
    pub fn is_complementary(&self) -> bool {
        self.complementary
    }

    /// Whether every example is in equally many models of each block, as in complementary pairs. Then what a block leaves behind tells
    /// nothing of its own rows, not even by its
    /// number; otherwise the shadows of either side have to be made equally many (METHODS section 2).
    pub fn is_balanced(&self) -> bool {
        self.balanced
    }

    /// The models of each block, by block.
    pub fn by_block(&self) -> Vec<Vec<usize>> {
        let mut out = vec![Vec::new(); self.blocks()];
        for (model, &block) in self.blocks.iter().enumerate() {
            out[block].push(model);
        }
        out
    }

    /// Mean over the models of each block of one value per model, by block.
    pub fn block_means(&self, of_model: impl Fn(usize) -> f64) -> Vec<f64> {
        let mean = |models: &Vec<usize>| models.iter().map(|&k| of_model(k)).sum::<f64>() / models.len() as f64;
        self.by_block().iter().map(mean).collect()
    }

    /// Of values (N), those of the examples that a model was trained on (`member`), or those of the others.
    pub fn side(&self, model: usize, values: &[f64], member: bool) -> Vec<f64> {
        values.iter().zip(self.row(model)).filter(|(_, m)| **m == member).map(|(v, _)| *v).collect()
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
        self.blocks.iter().max().map_or(0, |b| b + 1)
    }

    /// Indices of the examples that a model was trained on.
    pub fn members(&self, model: usize) -> Vec<u32> {
        (0u32..).zip(&self.rows[model]).filter(|(_, m)| **m).map(|(i, _)| i).collect()
    }
}

/// For every model the first one that it is related to, directly or through others; itself where there is none before it.
fn first_relatives(rows: &[Vec<bool>]) -> Vec<usize> {
    let n = rows.first().map_or(0, Vec::len) as f64;
    let bits: Vec<Vec<u64>> = rows
        .iter()
        .map(|row| row.chunks(64).map(|c| c.iter().rev().fold(0, |word, m| word << 1 | u64::from(*m))).collect())
        .collect();
    let ones = |words: &[u64]| words.iter().map(|w| w.count_ones()).sum::<u32>();
    let count: Vec<f64> = bits.iter().map(|words| f64::from(ones(words))).collect();
    let mut first: Vec<usize> = (0..rows.len()).collect();
    for a in 0..rows.len() {
        for b in a + 1..rows.len() {
            let both = f64::from(bits[a].iter().zip(&bits[b]).map(|(x, y)| (x & y).count_ones()).sum::<u32>());
            let spread = count[a] * (n - count[a]) * count[b] * (n - count[b]);
            let r = (n * both - count[a] * count[b]) / spread.sqrt();
            let (low, high) = (first[a].min(first[b]), first[a].max(first[b]));
            // Rows without a member or a non-member correlate with nothing: r is not a number.
            if r.abs() > CORRELATED && r.abs() * n.sqrt() > SIGNIFICANT && low != high {
                first.iter_mut().filter(|f| **f == high).for_each(|f| *f = low);
            }
        }
    }
    first
}

fn is_balanced(rows: &[Vec<bool>], blocks: &[usize]) -> bool {
    let n = rows.first().map_or(0, Vec::len);
    let most = blocks.iter().max().map_or(0, |b| b + 1);
    let mut counts = vec![vec![0u32; n]; most];
    for (row, &block) in rows.iter().zip(blocks) {
        counts[block].iter_mut().zip(row).for_each(|(c, m)| *c += u32::from(*m));
    }
    counts.iter().all(|c| c.iter().all(|v| *v == c[0]))
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
    fn complements_are_found_wherever_they_stand() {
        let whole = Membership::complementary(3, 8, 101).unwrap();
        let order = [5, 0, 7, 2, 1, 6, 3, 4];
        let found = Membership::from_rows(order.iter().map(|&m| whole.row(m).to_vec()).collect()).unwrap();
        assert!(found.is_complementary());
        assert_eq!((0..8).map(|m| found.block(m)).collect::<Vec<_>>(), [0, 1, 2, 3, 1, 2, 3, 0]);
        assert_eq!(found.by_block()[0], [0, 7]);
        let rows: Vec<Vec<bool>> = (0..5).map(|m| whole.row(m).to_vec()).collect();
        let single = Membership::from_rows(rows.clone()).unwrap();
        assert!(!single.is_complementary() && single.blocks() == 3);
        assert!(!single.is_balanced() && whole.is_balanced());
        assert!(Membership::from_rows(rows[..3].to_vec()).is_err());
        // A doubled row needs two complements.
        let twice = [0, 0, 1, 2, 3, 1].map(|m| whole.row(m).to_vec()).to_vec();
        assert!(Membership::from_rows(twice).unwrap().is_complementary());
        let half = whole.select(&[2, 3, 6, 7]);
        assert!(half.is_complementary() && half.block(2) == 1 && half.row(2) == whole.row(6));
        assert!(!whole.select(&[0, 2, 4, 6]).is_complementary());
    }

    #[test]
    fn means_by_block_and_sides() {
        let m = Membership::from_rows(vec![
            vec![true, false, true],
            vec![true, true, false],
            vec![false, true, false],
            vec![false, false, true],
        ])
        .unwrap();
        // Blocks (0, 2) and (1, 3).
        assert_eq!(m.block_means(|k| k as f64), [1.0, 2.0]);
        assert_eq!(m.side(1, &[0.5, 0.25, 4.0], true), [0.5, 0.25]);
        assert_eq!(m.side(1, &[0.5, 0.25, 4.0], false), [4.0]);
    }

    #[test]
    fn impossible_sizes_are_refused() {
        assert_eq!(Membership::complementary(0, 5, 10), Err(Error::Models(5)));
        assert_eq!(Membership::complementary(0, 2, 10), Err(Error::Models(2)));
        assert_eq!(Membership::complementary(0, 4, 1), Err(Error::Examples(1)));
    }

    #[test]
    fn related_rows_share_a_block() {
        let mut stream = Stream::new(0, Purpose::Simulation, 0, 0);
        // Two splits into three parts, a model of its own and its duplicate.
        let mut rows: Vec<Vec<bool>> = Vec::new();
        for _ in 0..2 {
            let part: Vec<u32> = (0..300).map(|_| stream.below(3)).collect();
            rows.extend((0..3).map(|k| part.iter().map(|p| *p == k).collect::<Vec<bool>>()));
        }
        let own: Vec<bool> = (0..300).map(|_| stream.coin()).collect();
        rows.extend([own.clone(), own]);
        let found = Membership::from_rows(rows.clone()).unwrap();
        assert_eq!((0..8).map(|m| found.block(m)).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 1, 2, 2]);
        assert!(!found.is_balanced());
        assert!(Membership::from_rows(rows[..6].to_vec()).unwrap().is_balanced());
        // Rows of all or of nothing are related to none.
        rows.extend([vec![true; 300], vec![false; 300]]);
        let found = Membership::from_rows(rows).unwrap();
        assert_eq!((found.block(8), found.block(9)), (3, 4));
        // Few examples: no relation is sure.
        let small = Membership::complementary(1, 6, 8).unwrap();
        let odd: Vec<Vec<bool>> = (0..5).map(|m| small.row(m).to_vec()).collect();
        assert_eq!(Membership::from_rows(odd).unwrap().blocks(), 5);
    }
}
