//! Numbers of blocks, and of the units that are deleted together: types of their own, so that neither is taken for a model or for the other.

/// A block's number in a design: blocks are numbered in the order of their first models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(u32);

impl BlockId {
    /// The block of a number, from 0.
    pub const fn new(number: usize) -> Self {
        Self(number as u32)
    }

    /// As an index, from 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl std::fmt::Display for BlockId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of one of [`Units`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitId(u32);

impl UnitId {
    /// The unit of a number, from 0.
    pub const fn new(number: usize) -> Self {
        Self(number as u32)
    }

    /// As an index, from 0.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Blocks that a jackknife deletes together. A block is in one unit, or in none: then it is nobody's target, and a shadow of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Units {
    blocks: Vec<Vec<BlockId>>,
    /// By block.
    of: Vec<Option<UnitId>>,
}

impl Units {
    /// From the blocks of each unit. A block that is named twice belongs to the later unit.
    pub fn new(blocks: Vec<Vec<BlockId>>) -> Self {
        let mut of = vec![None; blocks.iter().flatten().map(|b| b.index() + 1).max().unwrap_or(0)];
        for (unit, blocks) in blocks.iter().enumerate() {
            blocks.iter().for_each(|block| of[block.index()] = Some(UnitId::new(unit)));
        }
        Self { blocks, of }
    }

    /// Every block a unit of its own.
    pub fn single(blocks: impl IntoIterator<Item = BlockId>) -> Self {
        Self::new(blocks.into_iter().map(|block| vec![block]).collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// All, ascending.
    pub fn ids(&self) -> impl Iterator<Item = UnitId> + use<> {
        (0..self.blocks.len()).map(UnitId::new)
    }

    /// The blocks of a unit.
    pub fn blocks(&self, unit: UnitId) -> &[BlockId] {
        &self.blocks[unit.index()]
    }

    /// The blocks of every unit, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[BlockId]> {
        self.blocks.iter().map(Vec::as_slice)
    }

    /// The blocks of all units, ascending.
    pub fn all_blocks(&self) -> Vec<BlockId> {
        let mut all: Vec<BlockId> = self.blocks.iter().flatten().copied().collect();
        all.sort_unstable();
        all
    }

    /// The unit of a block; `None` for a block that is in none.
    pub fn of(&self, block: BlockId) -> Option<UnitId> {
        self.of.get(block.index()).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_find_their_units() {
        let [a, b, c, d] = [0, 1, 2, 3].map(BlockId::new);
        let units = Units::new(vec![vec![c, a], vec![b]]);
        let of = [a, b, c, d].map(|block| units.of(block).map(UnitId::index));
        assert_eq!(of, [Some(0), Some(1), Some(0), None]);
        let ids: Vec<UnitId> = units.ids().collect();
        assert_eq!((units.len(), units.blocks(ids[0]), units.blocks(ids[1])), (2, [c, a].as_slice(), [b].as_slice()));
        assert_eq!(units.all_blocks(), [a, b, c]);
        assert_eq!(Units::single([b, d]).iter().collect::<Vec<_>>(), [[b], [d]]);
    }
}
