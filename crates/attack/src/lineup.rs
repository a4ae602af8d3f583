//! The models that take part in an attack.

use flatleak_pool::{BlockId, FOLDS, Matrix, Membership};

/// One model: its block, whom it was trained on, and the signal that the attack reads.
#[derive(Clone, Copy, Debug)]
pub struct Seat<'a> {
    /// Block; models of one block are never each other's shadows.
    pub block: BlockId,
    /// (N) membership.
    pub member: &'a [bool],
    /// (N) the attack's signal (see [`Attack::signal`](crate::Attack::signal)).
    pub values: &'a [f64],
    /// (Z) the same signal on population examples outside the pool; only `rmia-gamma` reads it.
    pub population: &'a [f64],
}

/// Where a block stands among those of a lineup, ascending: not its number in the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u32);

impl Position {
    pub(crate) fn new(at: usize) -> Self {
        Self(at as u32)
    }

    /// As an index, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What can be wrong with a lineup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Arrays of different sizes.
    #[error("model {model} has {found} {what}, not {expected}")]
    Size {
        /// Index of the model.
        model: usize,
        /// The array.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length that fits.
        expected: usize,
    },
    /// A target would have no shadow.
    #[error("{0} blocks of models, but a target needs shadows from another block: give at least 2")]
    Blocks(usize),
    /// A quantile regression on too few examples.
    #[error(
        "{found} held-out examples, but a quantile regression on {features} features needs {needed}: give more, or fewer features"
    )]
    Population {
        /// Held-out examples, or none whose features fit.
        found: usize,
        /// The fewest.
        needed: usize,
        /// Features.
        features: usize,
    },
    /// A quantile regression that the solver gave up.
    #[error("the quantile regression on {features} features could not be solved: are some of them not finite?")]
    Unsolved {
        /// Features.
        features: usize,
    },
}

/// The models that take part, targets and shadows alike.
#[derive(Clone, Debug)]
pub struct Lineup<'a> {
    pub(crate) seats: Vec<Seat<'a>>,
    pub(crate) labels: Option<&'a [u32]>,
    examples: usize,
    blocks: Vec<BlockId>,
    /// By position of the block, (N): the examples that are scored for its targets; absent where all are.
    scored: Option<Matrix<bool>>,
    cut: Option<Cut<'a>>,
}

/// Shadows that are left out where their number would tell ([`Design::Fixed`](flatleak_pool::Design)).
#[derive(Clone, Debug)]
pub(crate) struct Cut<'a> {
    membership: &'a Membership,
    /// By position of the block: its number, its class, and by what it is ordered as a shadow.
    blocks: Vec<(BlockId, Option<usize>, usize)>,
    /// Blocks of each class that do not take part.
    gone: Vec<usize>,
    /// Position of every seat's block.
    positions: Vec<Position>,
}

impl<'a> Cut<'a> {
    fn new(membership: &'a Membership, blocks: &[BlockId], positions: Vec<Position>) -> Self {
        let classes = membership.designs().len();
        let mut gone = vec![0; classes];
        let all = membership.block_ids().filter(|block| !blocks.contains(block));
        all.filter_map(|block| membership.class(block)).for_each(|class| gone[class] += 1);
        let of = |&block: &BlockId| (block, membership.class(block), membership.first(block));
        Self { membership, blocks: blocks.iter().map(of).collect(), gone, positions }
    }

    /// Whether shadows are cut for the targets of the block at a position.
    pub(crate) fn concerns(&self, block: Position) -> bool {
        self.membership.is_cut(self.blocks[block.index()].0)
    }

    /// Of the seats `shadows` on one side of an example, ascending, those that are left out for the targets of the block at a position.
    pub(crate) fn left_out(&self, block: Position, example: usize, shadows: &[usize], side: usize) -> Vec<usize> {
        let (number, class, _) = self.blocks[block.index()];
        let order = self.membership.order(number, example);
        let keep = self.membership.kept(number, example, class.map_or(0, |class| self.gone[class]))[side];
        let related = |seat: &&usize| self.blocks[self.positions[**seat].index()].1 == class;
        let place = |seat: usize| {
            let at = self.positions[seat];
            (order.of(self.blocks[at.index()].2), at)
        };
        let mut places: Vec<(u64, Position)> = shadows.iter().filter(related).map(|&seat| place(seat)).collect();
        places.sort_unstable();
        places.dedup();
        let gone: Vec<Position> = places.into_iter().skip(keep).map(|(_, at)| at).collect();
        shadows.iter().copied().filter(|&seat| gone.contains(&self.positions[seat])).collect()
    }
}

impl<'a> Lineup<'a> {
    /// A lineup over examples, every one of which is scored for every seat; without labels they are of one class.
    ///
    /// # Errors
    /// Arrays that do not fit; fewer than two blocks.
    pub fn new(seats: Vec<Seat<'a>>, labels: Option<&'a [u32]>) -> Result<Self, Error> {
        let examples = seats.first().map_or(0, |s| s.member.len());
        let examples = labels.map_or(examples, <[u32]>::len);
        let population = seats.first().map_or(0, |s| s.population.len());
        for (model, seat) in seats.iter().enumerate() {
            for (what, found, expected) in [
                ("membership marks", seat.member.len(), examples),
                ("signals", seat.values.len(), examples),
                ("population signals", seat.population.len(), population),
            ] {
                if found != expected {
                    return Err(Error::Size { model, what, found, expected });
                }
            }
        }
        let mut blocks: Vec<BlockId> = seats.iter().map(|s| s.block).collect();
        blocks.sort_unstable();
        blocks.dedup();
        if blocks.len() < 2 {
            return Err(Error::Blocks(blocks.len()));
        }
        Ok(Self { seats, labels, examples, blocks, scored: None, cut: None })
    }

    /// A lineup of whole blocks of a design: what is scored, and which shadows are left out, follows the design
    /// (book/methods/membership.md#scored-examples). Without some of its blocks a target's example is scored where it is with all of them and either
    /// side still has a shadow.
    ///
    /// # Errors
    /// As [`Lineup::new`].
    pub fn of_design(
        membership: &'a Membership,
        seats: Vec<Seat<'a>>,
        labels: Option<&'a [u32]>,
    ) -> Result<Self, Error> {
        let mut lineup = Self::new(seats, labels)?;
        if membership.is_complementary() && membership.scored(lineup.blocks[0]).is_none() {
            return Ok(lineup);
        }
        if lineup.blocks.iter().any(|&block| membership.is_cut(block)) {
            lineup.cut = Some(Cut::new(membership, &lineup.blocks, lineup.positions()));
        }
        let masks = lineup.enough(membership);
        lineup.scored = masks.values().contains(&false).then_some(masks);
        Ok(lineup)
    }

    /// By position of the block, whether an example is scored in the whole design and has shadows on both sides here.
    fn enough(&self, membership: &Membership) -> Matrix<bool> {
        let n = self.examples();
        let positions = self.positions();
        // How many models hold an example, of all and of each block; the others lack it.
        let mut held = vec![0u32; n];
        let mut own = Matrix::filled(self.blocks.len(), n, 0u32);
        let mut sizes = vec![0u32; self.blocks.len()];
        for (seat, &at) in self.seats.iter().zip(&positions) {
            sizes[at.index()] += 1;
            for ((all, own), member) in held.iter_mut().zip(&mut own[at.index()]).zip(seat.member) {
                (*all, *own) = (*all + u32::from(*member), *own + u32::from(*member));
            }
        }
        let models = self.seats.len() as u32;
        Matrix::with_rows(self.blocks.len(), n, |at, row| {
            for ((scored, all), own) in row.iter_mut().zip(&held).zip(&own[at]) {
                *scored = (all - own > 0) & ((models - all) - (sizes[at] - own) > 0);
            }
            if let Some(whole) = membership.scored(self.blocks[at]) {
                row.iter_mut().zip(whole).for_each(|(scored, whole)| *scored &= whole);
            }
            let at = Position::new(at);
            if let Some(cut) = self.cut.as_ref().filter(|cut| cut.concerns(at)) {
                let is_left = |i: usize, side: usize| self.is_left(cut, &positions, (at, i), side);
                for (i, scored) in row.iter_mut().enumerate().filter(|(_, scored)| **scored) {
                    *scored = is_left(i, 0) && is_left(i, 1);
                }
            }
        })
    }

    /// Whether a cut leaves a shadow on one side of an example for the targets of the block at a position.
    fn is_left(&self, cut: &Cut<'_>, positions: &[Position], (at, i): (Position, usize), side: usize) -> bool {
        let is_shadow = |k: &usize| self.seats[*k].member[i] == (side == 0) && positions[*k] != at;
        let shadows: Vec<usize> = (0..self.seats.len()).filter(is_shadow).collect();
        shadows.len() > cut.left_out(at, i, &shadows, side).len()
    }

    /// The models.
    pub fn seats(&self) -> &[Seat<'a>] {
        &self.seats
    }

    /// The shadows of a seat on an example, IN and OUT, as seats ascending: all outside its block, but for those that the design cuts.
    pub fn shadows(&self, seat: usize, example: usize) -> [Vec<usize>; 2] {
        let positions = self.positions();
        let block = positions[seat];
        let cut = self.cut.as_ref().filter(|cut| cut.concerns(block));
        [0, 1].map(|side| {
            let is_shadow = |k: &usize| positions[*k] != block && self.seats[*k].member[example] == (side == 0);
            let all: Vec<usize> = (0..self.seats.len()).filter(is_shadow).collect();
            let gone = cut.map_or(Vec::new(), |cut| cut.left_out(block, example, &all, side));
            all.into_iter().filter(|k| gone.binary_search(k).is_err()).collect()
        })
    }

    /// The distinct blocks, ascending.
    pub fn blocks(&self) -> &[BlockId] {
        &self.blocks
    }

    /// Positions of the blocks.
    pub(crate) fn places(&self) -> impl Iterator<Item = Position> + use<> {
        (0..self.blocks.len()).map(Position::new)
    }

    /// The examples that are scored for the targets of the block at a position, (N); `None` where all are.
    pub fn scored(&self, position: Position) -> Option<&[bool]> {
        self.scored.as_ref().map(|all| &all[position.index()])
    }

    /// Whether an example is scored for the targets of the block at a position.
    pub fn is_scored(&self, position: Position, example: usize) -> bool {
        self.scored(position).is_none_or(|scored| scored[example])
    }

    pub(crate) fn cut(&self) -> Option<&Cut<'a>> {
        self.cut.as_ref()
    }

    /// Parts of the examples for which what is learnt across examples is learnt apart, from the others: the folds of a fixed design, where
    /// rows depend on one another; elsewhere one part, which learns from all.
    pub fn parts(&self) -> usize {
        if self.cut.is_some() { FOLDS } else { 1 }
    }

    /// The part of an example.
    pub fn part(&self, example: usize) -> usize {
        self.cut.as_ref().map_or(0, |cut| cut.membership.fold(example))
    }

    /// Calls `f` for every part that learns from an example.
    pub(crate) fn teach(&self, example: usize, f: impl FnMut(usize)) {
        let own = self.part(example);
        (0..self.parts()).filter(|part| self.cut.is_none() || *part != own).for_each(f);
    }

    /// Position of every seat's block among the blocks.
    pub fn positions(&self) -> Vec<Position> {
        // Every seat's block is among them.
        self.seats.iter().map(|s| Position::new(self.blocks.partition_point(|b| *b < s.block))).collect()
    }

    /// Number of examples, N.
    pub fn examples(&self) -> usize {
        self.examples
    }

    /// The class of an example; 0 for all where labels are not known.
    pub(crate) fn class(&self, example: usize) -> usize {
        self.labels.map_or(0, |labels| labels[example] as usize)
    }

    /// Scores that are none, because the example is not scored for the target, as NaN.
    pub(crate) fn blank(&self, scores: &mut Matrix) {
        if self.scored.is_none() {
            return;
        }
        for (row, at) in scores.iter_mut().zip(self.positions()) {
            for (i, score) in row.iter_mut().enumerate() {
                if !self.is_scored(at, i) {
                    *score = f64::NAN;
                }
            }
        }
    }
}
