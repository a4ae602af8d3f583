//! Who was trained on what.

use std::sync::Arc;

use flatleak_stream::{Purpose, Stream};

use crate::design::cut::{Order, fold};
use crate::design::{Design, Reading};
use crate::error::Error;
use crate::limits::{MOST_ENTRIES, MOST_MODELS};
use crate::rows::{Matrix, Rows};
use crate::units::BlockId;

/// Models per block at the ratio 1/2: a model and its complement.
pub const BLOCK: usize = 2;

/// Blocks with shadows of a target's example that are needed on either side, its own not counted: one may be deleted.
pub const SIDE: usize = 2;

/// Blocks that an attack needs: the target's, and [`SIDE`] that hold and lack the example both.
pub const FEWEST: usize = 1 + SIDE;

/// Which model was trained on which example, (M, N), which models form a block, and what can be attacked.
///
/// An example is scored for the targets of a block where [`SIDE`] other blocks have models that hold it and as many have models that lack
/// it; what the block itself holds plays no part, or the choice would tell its membership
/// (book/methods/membership.md#scored-examples).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    rows: Matrix<bool>,
    reading: Arc<Reading>,
    complementary: bool,
    /// By block, (N); absent where every example is scored for every block.
    scored: Option<Arc<Matrix<bool>>>,
    /// Index of each model, and of each example, in the array that was given.
    origin: [Vec<usize>; 2],
    /// Rate at which each example was drawn, as a number of its own, where rates are known.
    rates: Option<Arc<[u32]>>,
}

impl Membership {
    /// Complementary pairs: model 2j trains on a random half drawn from (seed, membership, j), model 2j+1 on the
    /// rest. More models never change an earlier row.
    ///
    /// # Errors
    /// An odd number of models, fewer than three pairs or more than [`MOST_MODELS`]; fewer than 2 examples, or with so many models more than
    /// [`MOST_ENTRIES`] entries.
    pub fn complementary(seed: u64, models: usize, examples: usize) -> Result<Self, Error> {
        if models < FEWEST * BLOCK || !models.is_multiple_of(BLOCK) {
            return Err(Error::Models(models));
        }
        if examples < 2 {
            return Err(Error::Examples(examples));
        }
        if models > MOST_MODELS || models.saturating_mul(examples) > MOST_ENTRIES {
            return Err(Error::TooLarge { models, examples });
        }
        let mut rows = Matrix::filled(models, examples, false);
        for block in 0..models / BLOCK {
            let order = Stream::new(seed, Purpose::Membership, block as u64, 0).permutation(examples);
            for (place, &i) in order.iter().enumerate() {
                rows[BLOCK * block + usize::from(place >= examples / 2)][i as usize] = true;
            }
        }
        let blocks: Vec<BlockId> = (0..models).map(|m| BlockId::new(m / BLOCK)).collect();
        Ok(Self::new(Reading::with_blocks(rows.rows(), &blocks), rows))
    }

    /// Any design, such as that of an imported pool, read as the book says (book/methods/membership.md#reading-a-membership).
    ///
    /// # Errors
    /// No model, fewer than 2 examples; rows of different lengths.
    pub fn from_rows<R: AsRef<[bool]>>(rows: impl IntoIterator<Item = R>) -> Result<Self, Error> {
        let rows = Matrix::from_rows(rows)?;
        if rows.columns() < 2 {
            return Err(Error::Examples(rows.columns()));
        }
        Ok(Self::new(Reading::new(rows.rows()), rows))
    }

    fn new(reading: Reading, rows: Matrix<bool>) -> Self {
        let complementary = are_complementary(rows.rows(), &reading.blocks);
        let scored = scored(rows.rows(), &reading);
        let origin = [(0..rows.len()).collect(), (0..rows.columns()).collect()];
        Self { rows, reading: Arc::new(reading), complementary, scored, origin, rates: None }
    }

    /// The same with the rates at which examples were drawn, (N), one number a rate: members are told from non-members of equal rate alone.
    ///
    /// # Errors
    /// Another number of rates than of examples.
    pub fn with_rates(mut self, rates: Vec<u32>) -> Result<Self, Error> {
        if rates.len() != self.examples() {
            return Err(Error::Size { what: "the rates", found: rates.len(), expected: self.examples() });
        }
        self.rates = Some(rates.into());
        Ok(self)
    }

    /// The design of some of the models, in their order. Models that shared a block still do; blocks are numbered anew.
    #[must_use]
    pub fn select(&self, models: &[usize]) -> Self {
        let mut names: Vec<BlockId> = Vec::new();
        let mut number = |block: BlockId| match names.iter().position(|name| *name == block) {
            Some(at) => BlockId::new(at),
            None => {
                names.push(block);
                BlockId::new(names.len() - 1)
            }
        };
        let blocks: Vec<BlockId> = models.iter().map(|&m| number(self.block(m))).collect();
        let rows = self.rows.rows().select(models);
        let origin = [models.iter().map(|&m| self.origin[0][m]).collect(), self.origin[1].clone()];
        Self { origin, rates: self.rates.clone(), ..Self::new(Reading::with_blocks(rows.rows(), &blocks), rows) }
    }

    /// The design over some of the examples, in their order; blocks stay what they are, and so does what is scored.
    #[must_use]
    pub fn of_examples(&self, examples: &[usize]) -> Self {
        let rows = self.rows.rows().of_columns(examples);
        let scored = self.scored.as_ref().map(|all| all.rows().of_columns(examples));
        Self {
            complementary: are_complementary(rows.rows(), &self.reading.blocks),
            rows,
            reading: Arc::new(self.reading.of_examples(examples)),
            scored: scored.filter(|all| all.values().contains(&false)).map(Into::into),
            origin: [self.origin[0].clone(), examples.iter().map(|&i| self.origin[1][i]).collect()],
            rates: self.rates.as_ref().map(|all| examples.iter().map(|&i| all[i]).collect()),
        }
    }

    /// Whether every block is a pair of models that splits the pool between them.
    pub fn is_complementary(&self) -> bool {
        self.complementary
    }

    /// The kinds of design of the classes of models, in their order; one as a rule.
    pub fn designs(&self) -> Vec<Design> {
        self.reading.classes.iter().map(|c| c.design).collect()
    }

    /// What kind of design the models of a block form; `None` for a reference, which holds all or nothing.
    pub fn design(&self, block: BlockId) -> Option<Design> {
        self.reading.class_of(block).map(|c| c.design)
    }

    /// Class of data of a block's models; `None` for a reference.
    pub fn class(&self, block: BlockId) -> Option<usize> {
        self.reading.class[block.index()]
    }

    /// Which examples are scored for the targets of a block, (N); `None` where all are.
    pub fn scored(&self, block: BlockId) -> Option<&[bool]> {
        self.scored.as_ref().map(|all| &all[block.index()])
    }

    /// Whether an example is scored for a model as a target.
    pub fn is_scored(&self, model: usize, example: usize) -> bool {
        self.scored(self.block(model)).is_none_or(|scored| scored[example])
    }

    /// Whether an attack that is learnt without some models may learn from an example of this model.
    ///
    /// Whether the example [is scored](Self::is_scored) for it would tell: that counts the models that are left out, so that what is learnt
    /// from would depend on the very membership that is attacked. So only those of its class that are left and are not `gone` are counted:
    /// some must hold the example and some must lack it. Of `gone` the model's own block is part. Where shadows are cut numbers are fixed
    /// and tell nothing.
    pub fn teaches(&self, model: usize, example: usize, gone: impl Fn(usize) -> bool) -> bool {
        let block = self.block(model);
        if self.scored.is_none() || self.is_cut(block) {
            return self.is_scored(model, example);
        }
        let class = self.reading.class[block.index()];
        let mut sides = [false; 2];
        for k in (0..self.models()).filter(|&k| self.reading.class[self.block(k).index()] == class && !gone(k)) {
            sides[usize::from(!self.rows[k][example])] = true;
            if sides == [true; 2] {
                return class.is_some();
            }
        }
        false
    }

    /// Whether a model can be attacked: some of its scored examples are members and some are not. The others are shadows alone.
    pub fn is_target(&self, model: usize) -> bool {
        let has = |side: bool| (0..self.examples()).any(|i| self.rows[model][i] == side && self.is_scored(model, i));
        has(true) && has(false)
    }

    /// Whether shadows of a block's targets must be cut, because the number of models that hold an example was fixed.
    pub fn is_cut(&self, block: BlockId) -> bool {
        self.design(block) == Some(Design::Fixed)
    }

    /// Of a cut block's class, how many other blocks are kept as IN and as OUT shadows on an example where `gone` blocks of the class are
    /// deleted: as many as there are whoever the target is, and whoever is deleted.
    pub fn kept(&self, block: BlockId, example: usize, gone: usize) -> [usize; 2] {
        let Some(class) = self.reading.class_of(block) else { return [0; 2] };
        let held = class.held[example];
        [held, class.blocks.len() - held].map(|side| side.saturating_sub(1 + gone))
    }

    /// How the shadows of a cut block on an example are ordered: those of the smallest [`Order::of`] are kept.
    pub fn order(&self, block: BlockId, example: usize) -> Order {
        Order::new(self.first(block), self.origin[1][example])
    }

    /// Index of a block's first model in the array that was given, by which shadows are ordered.
    pub fn first(&self, block: BlockId) -> usize {
        self.reading.blocks.iter().position(|b| *b == block).map_or(block.index(), |model| self.origin[0][model])
    }

    /// The fold of an example where shadows are cut.
    pub fn fold(&self, example: usize) -> usize {
        fold(self.origin[1][example])
    }

    /// Examples among which the members of a block's targets are told from others, (N) by number; `None` where these are all. Where shadows
    /// are cut they are examples of one fold that are in equally many models; where rates are known, examples of one rate.
    pub fn strata(&self, block: BlockId) -> Option<Vec<u32>> {
        let class = self.reading.class_of(block).filter(|c| c.design == Design::Fixed);
        match (class, &self.rates) {
            (None, rates) => rates.as_ref().map(|r| r.to_vec()),
            (Some(class), _) => {
                let most = class.blocks.len() + 1;
                Some((0..self.examples()).map(|i| (self.fold(i) * most + class.held[i]) as u32).collect())
            }
        }
    }

    /// The models of each block, by block.
    pub fn by_block(&self) -> Vec<Vec<usize>> {
        let mut out = vec![Vec::new(); self.blocks()];
        for (model, &block) in self.reading.blocks.iter().enumerate() {
            out[block.index()].push(model);
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
        self.rows.columns()
    }

    /// The row of one model.
    pub fn row(&self, model: usize) -> &[bool] {
        &self.rows[model]
    }

    /// The block that a model belongs to.
    pub fn block(&self, model: usize) -> BlockId {
        self.reading.blocks[model]
    }

    /// Number of blocks.
    pub fn blocks(&self) -> usize {
        self.reading.class.len()
    }

    /// All blocks, ascending.
    pub fn block_ids(&self) -> impl Iterator<Item = BlockId> + use<> {
        (0..self.blocks()).map(BlockId::new)
    }

    /// Indices of the examples that a model was trained on.
    pub fn members(&self, model: usize) -> Vec<u32> {
        (0u32..).zip(&self.rows[model]).filter(|(_, m)| **m).map(|(i, _)| i).collect()
    }
}

fn are_complementary(rows: Rows<'_, bool>, blocks: &[BlockId]) -> bool {
    let mut models: Vec<Vec<usize>> = vec![Vec::new(); blocks.iter().max().map_or(0, |b| b.index() + 1)];
    blocks.iter().enumerate().for_each(|(model, &block)| models[block.index()].push(model));
    models.iter().all(|models| match models.as_slice() {
        &[a, b] => rows[a].iter().zip(&rows[b]).all(|(a, b)| a != b),
        _ => false,
    })
}

/// By block, which examples are scored for its targets; `None` where all are.
fn scored(rows: Rows<'_, bool>, reading: &Reading) -> Option<Arc<Matrix<bool>>> {
    let (n, blocks) = (rows.columns(), reading.class.len());
    // Whether each block has a model on each side of each example, and how many blocks do.
    let mut own = Matrix::filled(blocks, n, [false; 2]);
    for (row, &block) in rows.into_iter().zip(&reading.blocks) {
        own[block.index()].iter_mut().zip(row).for_each(|(sides, m)| sides[usize::from(!m)] = true);
    }
    let mut all = vec![[0usize; 2]; n];
    for block in &own {
        all.iter_mut().zip(block).for_each(|(all, own)| (0..2).for_each(|s| all[s] += usize::from(own[s])));
    }
    let mask = |block: BlockId, mask: &mut [bool]| {
        let Some(class) = reading.class_of(block) else { return };
        let cut = class.design == Design::Fixed;
        let enough = |i: usize| {
            // Where shadows are cut, one block is missing on either side whoever the target is.
            let sides =
                [0, 1].map(|s| all[i][s].saturating_sub(if cut { 1 } else { usize::from(own[block.index()][i][s]) }));
            sides.into_iter().all(|side| side >= SIDE)
        };
        mask.iter_mut().enumerate().for_each(|(i, scored)| *scored = class.informative[i] && enough(i));
    };
    let masks = Matrix::with_rows(blocks, n, |block, row| mask(BlockId::new(block), row));
    masks.values().contains(&false).then(|| masks.into())
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
        let found = Membership::from_rows(order.iter().map(|&m| whole.row(m))).unwrap();
        assert!(found.is_complementary());
        assert_eq!((0..8).map(|m| found.block(m).index()).collect::<Vec<_>>(), [0, 1, 2, 3, 1, 2, 3, 0]);
        assert_eq!(found.by_block()[0], [0, 7]);
        let rows: Vec<Vec<bool>> = (0..5).map(|m| whole.row(m).to_vec()).collect();
        let single = Membership::from_rows(rows.clone()).unwrap();
        assert!(!single.is_complementary() && single.blocks() == 3);
        assert_eq!((single.designs(), whole.designs()), (vec![Design::Independent], vec![Design::Balanced]));
        // Duplicates and their complements are one block.
        let twice = [0, 0, 1, 2, 3, 1].map(|m| whole.row(m).to_vec()).to_vec();
        let twice = Membership::from_rows(twice).unwrap();
        assert!(!twice.is_complementary() && twice.blocks() == 2 && twice.designs() == [Design::Balanced]);
        let half = whole.select(&[2, 3, 6, 7]);
        assert!(half.is_complementary() && half.block(2) == BlockId::new(1) && half.row(2) == whole.row(6));
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
        assert_eq!(Membership::complementary(0, 4, 10), Err(Error::Models(4)));
        assert_eq!(Membership::complementary(0, 6, 1), Err(Error::Examples(1)));
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
        assert_eq!((0..8).map(|m| found.block(m).index()).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 1, 2, 2]);
        assert_eq!(found.designs(), [Design::Independent]);
        assert_eq!(Membership::from_rows(rows[..6].to_vec()).unwrap().designs(), [Design::Balanced]);
        // Rows of all or of nothing are related to none.
        rows.extend([vec![true; 300], vec![false; 300]]);
        let found = Membership::from_rows(rows).unwrap();
        assert_eq!([8, 9].map(|k| found.block(k).index()), [3, 4]);
        assert!(!found.is_target(8) && !found.is_target(9) && found.is_target(0));
    }
}
