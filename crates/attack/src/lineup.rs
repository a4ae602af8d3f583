//! The models that take part in an attack.

/// One model: its block, whom it was trained on, and the signal that the attack reads.
#[derive(Clone, Copy, Debug)]
pub struct Seat<'a> {
    /// Block; models of one block are never each other's shadows.
    pub block: usize,
    /// (N) membership.
    pub member: &'a [bool],
    /// (N) the attack's signal (see [`Attack::signal`](crate::Attack::signal)).
    pub values: &'a [f64],
    /// (Z) the same signal on population examples outside the pool; only `rmia-gamma` reads it.
    pub population: &'a [f64],
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
    pub(crate) labels: &'a [u32],
    blocks: Vec<usize>,
    /// Shadows of either side are made equally many, at most as many as this.
    pub(crate) equal_counts: Option<usize>,
}

impl<'a> Lineup<'a> {
    /// A lineup over the examples with these labels.
    ///
    /// # Errors
    /// Arrays that do not fit; fewer than two blocks.
    pub fn new(seats: Vec<Seat<'a>>, labels: &'a [u32]) -> Result<Self, Error> {
        let population = seats.first().map_or(0, |s| s.population.len());
        for (model, seat) in seats.iter().enumerate() {
            for (what, found, expected) in [
                ("membership marks", seat.member.len(), labels.len()),
                ("signals", seat.values.len(), labels.len()),
                ("population signals", seat.population.len(), population),
            ] {
                if found != expected {
                    return Err(Error::Size { model, what, found, expected });
                }
            }
        }
        let mut blocks: Vec<usize> = seats.iter().map(|s| s.block).collect();
        blocks.sort_unstable();
        blocks.dedup();
        if blocks.len() < 2 {
            return Err(Error::Blocks(blocks.len()));
        }
        Ok(Self { seats, labels, blocks, equal_counts: None })
    }

    /// The same with as many IN as OUT shadows for every target and example: the last models are left out. Needed wherever the number of
    /// shadows on either side, without the target's block, tells whether the target was trained on the example, as in designs in which every
    /// example is in exactly half of the models but no blocks are (METHODS section 2).
    ///
    /// Where examples differ in their number of models by no more than one block can hold, as in designs with a fixed number, and in these
    /// without one block, both sides have as many as are left of the smaller side of any example without any block: were it the smaller
    /// side of each, its size would still tell. Elsewhere rows are as good as drawn one by one, and every example has its own smaller side.
    #[must_use]
    pub fn with_equal_counts(mut self) -> Self {
        let inside: Vec<usize> =
            (0..self.examples()).map(|i| self.seats.iter().filter(|s| s.member[i]).count()).collect();
        let of_block = |block: &usize| self.seats.iter().filter(|s| s.block == *block).count();
        let largest = self.blocks.iter().map(of_block).max().unwrap_or(1);
        let (least, most) = inside.iter().fold((usize::MAX, 0), |(a, b), n| (a.min(*n), b.max(*n)));
        let fixed = most.saturating_sub(least) <= largest;
        let smaller = least.min(self.seats.len() - most.min(self.seats.len()));
        self.equal_counts = Some(if fixed { smaller.saturating_sub(largest).max(1) } else { usize::MAX });
        self
    }

    /// The models.
    pub fn seats(&self) -> &[Seat<'a>] {
        &self.seats
    }

    /// The distinct blocks, ascending.
    pub fn blocks(&self) -> &[usize] {
        &self.blocks
    }

    /// Position of every seat's block among the blocks.
    pub(crate) fn positions(&self) -> Vec<u32> {
        // Every seat's block is among them.
        self.seats.iter().map(|s| self.blocks.binary_search(&s.block).unwrap_or(0) as u32).collect()
    }

    /// Number of examples, N.
    pub fn examples(&self) -> usize {
        self.labels.len()
    }
}
