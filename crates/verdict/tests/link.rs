//! Intervals of the link between memorization and attack success, and of attacks, over single blocks and over groups of them.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed set-up is a failed test; figures are printed")]

use flatleak_pool::{Membership, Pool, Signals};
use flatleak_results::{Estimate, Family};
use flatleak_stats::parallel;
use flatleak_stream::{Purpose, Stream};
use flatleak_verdict::{Options, attacks, compare, explain};

const EXAMPLES: usize = 100;

/// phi of example i: its level, raised by its own memorization in the models that hold it.
fn pool(models: usize, draw: u64) -> Pool {
    let membership = Membership::complementary(draw, models, EXAMPLES).unwrap();
    let mut fixed = Stream::new(91, Purpose::Simulation, 0, 0);
    let traits: Vec<(f64, f64)> = (0..EXAMPLES).map(|_| (fixed.normal(), fixed.uniform(0.0, 3.0))).collect();
    let signals = (0..models)
        .map(|k| {
            let mut s = Stream::new(92, Purpose::Simulation, draw, k as u64);
            let phi: Vec<f32> = traits
                .iter()
                .zip(membership.row(k))
                .map(|((level, by_heart), m)| (level + if *m { *by_heart } else { 0.0 } + 0.7 * s.normal()) as f32)
                .collect();
            let correct = phi.iter().map(|v| u8::from(*v > 0.0)).collect();
            Signals { entropy: phi.clone(), modified_entropy: phi.clone(), phi, correct, ..Signals::default() }
        })
        .collect();
    Pool::new("simulated", membership, vec![0; EXAMPLES], signals).unwrap()
}

const NAMES: [&str; 2] = ["confidence", "lira-online-fixed"];

fn options() -> Options {
    Options {
        dataset: "simulated".into(),
        claimed: Vec::new(),
        influence: true,
        runs: Vec::new(),
        checkpoints: vec![1],
        pairs: Vec::new(),
        attacks: attacks().into_iter().filter(|a| NAMES.contains(&a.name().as_str())).collect(),
        family: Family::new(Default::default(), 1, 2, 1),
        seed: 1,
        workers: 1,
    }
}

/// The truth is the mean over 200 repetitions, of whose intervals at least .905 must hold it.
fn cover(what: &str, of: impl Fn(&Pool) -> Vec<Estimate> + Sync) {
    for models in [16, 32, 136] {
        let found = parallel::map(200, 2, |draw| of(&pool(models, draw as u64)));
        for (at, name) in NAMES.iter().enumerate() {
            let truth = found.iter().map(|f| f[at].mean).sum::<f64>() / found.len() as f64;
            let covered = found.iter().filter(|f| f[at].low <= truth && truth <= f[at].high).count();
            let half = found.iter().map(|f| 0.5 * (f[at].high - f[at].low)).sum::<f64>() / found.len() as f64;
            println!("{what} of {name}, {models} models: {truth:.3} ±{half:.4}, {covered} of 200 covered");
            // .95 less three Monte Carlo errors.
            assert!(covered >= 181, "{what} of {name}, {models} models: {covered}");
        }
    }
}

/// All blocks share memorization and shadows, so that a t interval over them covers .6 to .9. 136 models are more blocks than are deleted one
/// by one.
#[test]
fn intervals_of_links_cover() {
    cover("link", |pool| {
        let explained = explain(&[pool], &options(), None, |_| true).unwrap().0;
        explained.link.iter().map(|l| l.correlation).collect()
    });
}

#[test]
fn intervals_of_attacks_cover() {
    cover("auc", |pool| {
        let compared = compare(&[pool], &options(), |_| true).unwrap();
        compared.recipes[0].attacks.iter().map(|a| a.auc).collect()
    });
}
