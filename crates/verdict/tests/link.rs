//! Intervals of the link between memorization and attack success.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed set-up is a failed test; figures are printed")]

use flatleak_pool::{Membership, Pool, Signals};
use flatleak_stats::parallel;
use flatleak_stream::{Purpose, Stream};
use flatleak_verdict::{Options, attacks, explain};

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
            Signals { entropy: phi.clone(), modified_entropy: phi.clone(), phi, correct }
        })
        .collect();
    Pool {
        recipe: "simulated".into(),
        membership,
        ids: (0..EXAMPLES as u32).collect(),
        labels: vec![0; EXAMPLES],
        test_labels: Vec::new(),
        groups: None,
        pool: signals,
        test: Vec::new(),
        views: Default::default(),
        features: None,
        noise: None,
    }
}

/// All blocks share memorization and shadows, so that a t interval over them covers .6 to .9; the jackknife must cover at least .93. The
/// truth is the mean over repetitions.
#[test]
fn intervals_cover() {
    for models in [16, 32] {
        let found: Vec<Vec<(f64, f64, f64)>> = parallel::map(200, 2, |draw| {
            let options = Options {
                dataset: "simulated".into(),
                claimed: Vec::new(),
                influence: true,
                runs: Vec::new(),
                checkpoints: vec![1],
                pairs: Vec::new(),
                attacks: attacks()
                    .into_iter()
                    .filter(|a| ["confidence", "lira-online-fixed"].contains(&a.name()))
                    .collect(),
                exchanges: Default::default(),
                seed: 1,
                workers: 1,
            };
            let explained = explain(&[&pool(models, draw as u64)], &options, None, |_| true).unwrap().0;
            explained.link.iter().map(|l| (l.correlation.mean, l.correlation.low, l.correlation.high)).collect()
        });
        for (at, name) in ["confidence", "lira-online-fixed"].iter().enumerate() {
            let truth = found.iter().map(|f| f[at].0).sum::<f64>() / found.len() as f64;
            let covered = found.iter().filter(|f| f[at].1 <= truth && truth <= f[at].2).count();
            println!("{models} models, {name}: {truth:.3}, {covered} of 200 covered");
            assert!(covered >= 186, "{models} models, {name}: {covered}");
        }
    }
}
