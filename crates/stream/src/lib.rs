//! Keyed random streams.
//!
//! [`Stream`] is the only source of randomness in the workspace. It is ChaCha8 keyed by BLAKE3 of the
//! length-prefixed tuple (root seed, [`Purpose`], model, epoch), so any draw can be repeated alone and two
//! purposes never share numbers. The recipe is never part of the key: recipes with the same model index
//! share membership, initialisation and batch order, which is what makes their comparison paired.
//!
//! Shuffle, bounded integers and normal draws are written out here, and pinned by golden values, because
//! those of general libraries may change between versions.
//!
//! ```
//! use flatleak_stream::{Purpose, Stream};
//! let mut a = Stream::new(7, Purpose::Order, 3, 0);
//! let mut b = Stream::new(7, Purpose::Order, 3, 0);
//! assert_eq!(a.permutation(10), b.permutation(10));
//! ```

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream is used for. Each purpose has its own key space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Which examples of a data set form the pool and the test set.
    Subset,
    /// Which half of the pool the first model of a block trains on.
    Membership,
    /// Initial parameters.
    Init,
    /// Order of the examples within an epoch.
    Order,
    /// Training-time augmentation.
    Augmentation,
    /// Query views.
    Query,
    /// Dropout masks.
    Dropout,
    /// Pairs and weights of mixup.
    Mixup,
    /// Random inputs behind published scores.
    Published,
    /// Noise on held-out inputs.
    InputNoise,
    /// Label noise.
    LabelNoise,
    /// Generated data sets.
    Generator,
    /// Noise of differentially private training.
    DpNoise,
    /// Permutation tests.
    Permutation,
    /// Bootstrap draws.
    Bootstrap,
    /// Halves of a pool's blocks, and nulls in which membership means nothing.
    Halves,
    /// Simulations of the statistics themselves.
    Simulation,
}

impl Purpose {
    /// The name that enters the key. Changing one changes every result that depends on it.
    const fn name(self) -> &'static str {
        match self {
            Self::Subset => "subset",
            Self::Membership => "membership",
            Self::Init => "init",
            Self::Order => "order",
            Self::Augmentation => "augmentation",
            Self::Query => "query",
            Self::Dropout => "dropout",
            Self::Mixup => "mixup",
            Self::Published => "published",
            Self::InputNoise => "input-noise",
            Self::LabelNoise => "label-noise",
            Self::Generator => "generator",
            Self::DpNoise => "dp-noise",
            Self::Permutation => "permutation",
            Self::Bootstrap => "bootstrap",
            Self::Halves => "halves",
            Self::Simulation => "simulation",
        }
    }
}

/// How far a stream has come. Its key is no part of it; the default is the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Position {
    /// 32-bit words that were taken.
    pub words: u64,
    /// The second of a pair of normal draws, where only the first was used.
    pub spare_normal: Option<f64>,
}

/// A keyed stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream {
    rng: ChaCha8Rng,
    spare_normal: Option<f64>,
}

impl Stream {
    /// The stream for (root seed, purpose, model, epoch).
    ///
    /// `model` is the index of whatever the purpose repeats over (the block for membership), `epoch` the
    /// index within it; both are 0 where the purpose has only one draw.
    pub fn new(seed: u64, purpose: Purpose, model: u64, epoch: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        let name = purpose.name().as_bytes();
        for part in [&seed.to_le_bytes()[..], name, &model.to_le_bytes(), &epoch.to_le_bytes()] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self { rng: ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()), spare_normal: None }
    }

    /// How far it has come.
    pub fn position(&self) -> Position {
        // The counter ends at 2^68 words, of which no stream takes 2^64.
        Position { words: self.rng.get_word_pos() as u64, spare_normal: self.spare_normal }
    }

    /// Goes to where a stream of the same key was; ChaCha8 counts its blocks, so that nothing in between is computed.
    pub fn seek(&mut self, Position { words, spare_normal }: Position) {
        self.rng.set_word_pos(u128::from(words));
        self.spare_normal = spare_normal;
    }

    /// Uniform on all 32-bit integers.
    pub fn next_u32(&mut self) -> u32 {
        self.rng.next_u32()
    }

    /// Fills `words` with the numbers that [`Stream::next_u32`] would give one by one.
    pub fn fill(&mut self, words: &mut [u32]) {
        let (pairs, rest) = words.as_chunks_mut::<2>();
        for pair in pairs {
            let both = self.rng.next_u64();
            *pair = [both as u32, (both >> 32) as u32];
        }
        rest.iter_mut().for_each(|word| *word = self.rng.next_u32());
    }

    /// Uniform on all 64-bit integers.
    pub fn next_u64(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// Uniform on `0..bound`, without bias: multiply-shift with rejection (Lemire 2019, arXiv 1805.10941).
    ///
    /// A bound of 0 gives 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        if bound == 0 {
            return 0;
        }
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u64::from(self.next_u32()) * u64::from(bound);
            if product as u32 >= threshold {
                return (product >> 32) as u32;
            }
        }
    }

    /// Uniform on [0, 1) with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform on [low, high).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A fair coin.
    pub fn coin(&mut self) -> bool {
        self.next_u32() >> 31 == 1
    }

    /// Standard normal, by the Box-Muller transform; draws come in pairs and the second is kept.
    pub fn normal(&mut self) -> f64 {
        if let Some(z) = self.spare_normal.take() {
            return z;
        }
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        let (sin, cos) = libm::sincos(std::f64::consts::TAU * self.unit());
        self.spare_normal = Some(radius * sin);
        radius * cos
    }

    /// Fisher-Yates, from the last position down.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let pick = self.below(last as u32 + 1) as usize;
            items.swap(last, pick);
        }
    }

    /// A uniformly random order of `0..n`.
    pub fn permutation(&mut self, n: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n as u32).collect();
        self.shuffle(&mut order);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_parts_are_separated() {
        let draw = |seed, purpose, model, epoch| Stream::new(seed, purpose, model, epoch).next_u64();
        let base = draw(1, Purpose::Order, 2, 3);
        for other in [
            draw(2, Purpose::Order, 2, 3),
            draw(1, Purpose::Init, 2, 3),
            draw(1, Purpose::Order, 3, 3),
            draw(1, Purpose::Order, 2, 4),
            draw(1, Purpose::Order, 3, 2),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn golden_values_do_not_move() {
        let mut s = Stream::new(0, Purpose::Simulation, 0, 0);
        let ints: Vec<u32> = (0..6).map(|_| s.below(100)).collect();
        let order = s.permutation(8);
        let normals: Vec<f64> = (0..3).map(|_| s.normal()).collect();
        assert_eq!(format!("{ints:?} {order:?} {normals:.12?}"), GOLDEN);
    }
    const GOLDEN: &str =
        "[44, 90, 65, 67, 83, 15] [6, 7, 2, 4, 3, 5, 0, 1] [-0.143281823291, 1.094511132596, 0.004839167228]";

    #[test]
    fn filling_takes_the_numbers_in_order() {
        let [mut a, mut b] = [0, 0].map(|_| Stream::new(1, Purpose::DpNoise, 2, 3));
        let mut words = vec![0; 701];
        a.next_u32();
        a.fill(&mut words);
        b.next_u32();
        assert!(words.iter().all(|w| *w == b.next_u32()));
        assert_eq!(a.next_u64(), b.next_u64());
    }

    /// At every offset in the blocks of the generator and of its buffer, in draws of every size.
    #[test]
    fn a_stream_goes_on_from_any_position() {
        let mut s = Stream::new(6, Purpose::Augmentation, 1, 2);
        for k in 0..300 {
            match k % 4 {
                0 => s.next_u64(),
                1 | 2 => u64::from(s.next_u32()),
                _ => s.normal().to_bits(),
            };
            let at = s.position();
            let mut other = Stream::new(6, Purpose::Augmentation, 1, 2);
            other.seek(at);
            assert_eq!(other.position(), at);
            let mut ahead = s.clone();
            for _ in 0..70 {
                assert_eq!(other.normal().to_bits(), ahead.normal().to_bits(), "{k}");
                assert_eq!(other.next_u32(), ahead.next_u32(), "{k}");
            }
        }
        assert_eq!(Stream::new(6, Purpose::Order, 0, 0).position(), Position::default());
    }

    #[test]
    fn bounded_integers_are_uniform() {
        let mut s = Stream::new(3, Purpose::Simulation, 0, 0);
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[s.below(7) as usize] += 1;
        }
        // Chi-square with 6 degrees of freedom: 22.5 is the 99.9 % point.
        let chi: f64 = counts.iter().map(|&c| (f64::from(c) - 1e4).powi(2) / 1e4).sum();
        assert!(chi < 22.5, "{counts:?}");
        assert_eq!(s.below(0), 0);
        assert_eq!(s.below(1), 0);
    }

    #[test]
    fn normals_have_the_right_moments() {
        let mut s = Stream::new(4, Purpose::Simulation, 0, 0);
        let z: Vec<f64> = (0..100_000).map(|_| s.normal()).collect();
        let n = z.len() as f64;
        let moment = |k: i32| z.iter().map(|v| v.powi(k)).sum::<f64>() / n;
        assert!(moment(1).abs() < 0.015);
        assert!((moment(2) - 1.0).abs() < 0.02);
        assert!(moment(3).abs() < 0.05);
        assert!((moment(4) - 3.0).abs() < 0.12);
    }

    #[test]
    fn permutations_hold_every_index_once() {
        let mut order = Stream::new(5, Purpose::Order, 0, 0).permutation(1000);
        order.sort_unstable();
        assert!(order.iter().enumerate().all(|(i, &v)| i as u32 == v));
        assert!(Stream::new(5, Purpose::Order, 0, 0).permutation(0).is_empty());
    }
}
