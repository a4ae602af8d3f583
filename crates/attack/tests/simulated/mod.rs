//! Made-up pools with the dependences that real ones have.
//!
//! phi of model m on example i is
//! `a_i + effect e_i in_mi + f_i . z_m + s_i (sqrt(r) u_mi + sqrt(1 - r) v_mi)`: difficulty, memorization, what the rest
//! of the training set does to the example, and noise, of which the part u is common to two recipes (same
//! start and order) and v is the recipe's own. `z_m = c / sqrt(N) sum_j (2 in_mj - 1) g_j` is opposite for
//! complementary rows, so a target's twin mirrors it (correlation about -.4 given the example), as on real pools.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each user of this module takes its part")]

use flatleak_pool::{Membership, Pool, Signals};
use flatleak_stream::{Purpose, Stream};

/// Rank of what the rest of the training set does.
const FACTORS: usize = 6;
/// Share of the noise's variance that two recipes have in common.
const COMMON: f64 = 0.6;
/// Classes, and held-out examples per pool.
const CLASSES: usize = 3;
const HELD_OUT: usize = 40;

/// Fixed examples: the randomness that intervals do not cover.
pub struct Examples {
    n: usize,
    difficulty: Vec<f64>,
    memorized: Vec<f64>,
    spread: Vec<f64>,
    features: Vec<[f64; FACTORS]>,
    labels: Vec<u32>,
    others: Vec<f32>,
    seed: u64,
}

impl Examples {
    /// `n` pool examples, and the held-out ones behind them.
    pub fn new(seed: u64, n: usize) -> Self {
        let mut s = Stream::new(seed, Purpose::Simulation, 0, 0);
        let all = n + HELD_OUT;
        let mut many = |f: &mut dyn FnMut(&mut Stream) -> f64| (0..all).map(|_| f(&mut s)).collect::<Vec<_>>();
        let difficulty = many(&mut |s| 2.0 + 2.0 * s.normal());
        let memorized = many(&mut |s| (0.7 * s.normal()).exp());
        let spread = many(&mut |s| (0.3 * s.normal()).exp());
        let others = many(&mut |s| s.normal()).into_iter().map(|v| v as f32).collect();
        let labels = (0..all as u32).map(|i| i % CLASSES as u32).collect();
        let features = (0..all).map(|_| std::array::from_fn(|_| s.normal() / (FACTORS as f64).sqrt())).collect();
        Self { n, difficulty, memorized, spread, features, labels, others, seed }
    }

    /// Labels of the pool.
    pub fn labels(&self) -> &[u32] {
        &self.labels[..self.n]
    }

    /// One recipe's models: `trained` decides what they saw, `draw` numbers the repetition, `own` the recipe.
    pub fn models(&self, trained: &Membership, effect: f64, draw: u64, own: u64) -> Vec<[Signals; 2]> {
        (0..trained.models())
            .map(|m| {
                let stream =
                    |which: u64| Stream::new(self.seed, Purpose::Simulation, draw * 4096 + m as u64 + 1, which);
                let (mut shared, mut private) = (stream(1), stream(2 + own));
                let row = trained.row(m);
                let mut z = [0.0; FACTORS];
                for (inside, g) in row.iter().zip(&self.features) {
                    let sign = if *inside { 1.0 } else { -1.0 };
                    z.iter_mut().zip(g).for_each(|(z, g)| *z += 2.2 * sign * g / (self.n as f64).sqrt());
                }
                let phi: Vec<f64> = (0..self.labels.len())
                    .map(|i| {
                        let inside = if i < self.n && row[i] { effect * self.memorized[i] } else { 0.0 };
                        let rest: f64 = z.iter().zip(&self.features[i]).map(|(z, f)| z * f).sum();
                        let noise = COMMON.sqrt() * shared.normal() + (1.0 - COMMON).sqrt() * private.normal();
                        self.difficulty[i] + inside + rest + self.spread[i] * noise
                    })
                    .collect();
                [self.signals(&phi, 0..self.n), self.signals(&phi, self.n..self.labels.len())]
            })
            .collect()
    }

    /// The pool of such models under the membership that the analysis is told.
    pub fn pool(&self, recipe: &str, told: &Membership, models: Vec<[Signals; 2]>) -> Pool {
        let (pool, test) = models.into_iter().map(|[a, b]| (a, b)).unzip();
        Pool {
            test_labels: Some(self.labels[self.n..].to_vec()),
            test,
            ..Pool::new(recipe, told.clone(), self.labels().to_vec(), pool).unwrap()
        }
    }

    fn signals(&self, phi: &[f64], range: std::ops::Range<usize>) -> Signals {
        let mut logits = Vec::new();
        for i in range.clone() {
            let (y, o) = (self.labels[i] as usize, self.others[i]);
            let mut row = [o, -o, -o];
            row.swap(0, (y + 1) % CLASSES);
            let rest: f32 = row.iter().enumerate().filter(|(j, _)| *j != y).map(|(_, v)| v.exp()).sum();
            row[y] = phi[i] as f32 + rest.ln();
            logits.extend(row);
        }
        Signals::from_logits(&logits, &self.labels[range], CLASSES).unwrap()
    }
}
