//! What simulations hand to the analysis.

use flatleak_attack::Attack;
use flatleak_pool::{Membership, Pool, Signals};
use flatleak_results::Family;
use flatleak_verdict::Options;

/// A pool of these outputs and nothing else.
pub(crate) fn pool(membership: Membership, labels: Vec<u32>, outputs: Vec<Signals>) -> Pool {
    Pool::new("simulated", membership, labels, outputs).unwrap()
}

/// One pool, these attacks, one thread.
pub(crate) fn options(attacks: Vec<Attack>, seed: u64) -> Options {
    Options {
        dataset: "simulated".into(),
        claimed: Vec::new(),
        influence: false,
        runs: Vec::new(),
        checkpoints: vec![1],
        pairs: Vec::new(),
        attacks,
        family: Family::new(Default::default(), 1, 1, 1),
        seed,
        workers: 1,
    }
}
