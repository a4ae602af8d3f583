//! Do 95 % intervals cover, and do tests of a true null reject 5 % of the time?
//!
//! `cargo run --release -p flatleak-verdict --example calibration [-- REPETITIONS]`, a Markdown table on stdout.
//! Examples stay fixed; membership and noise are redrawn. Under "null" both recipes have one distribution; under
//! "different" the candidate memorizes 1.25 times as much. The true AUC of a scenario is the mean over its
//! repetitions, because it depends on the number of shadows.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

#[path = "../../attack/tests/simulated/mod.rs"]
mod simulated;

use std::sync::atomic::{AtomicU64, Ordering};

use flatleak_attack::Attack;
use flatleak_pool::Membership;
use flatleak_stats::wilson;
use flatleak_verdict::{Estimate, Exchanges, Options, compare};
use simulated::Examples;

const EXAMPLES: usize = 60;
const ATTACKS: [Attack; 7] = [
    Attack::Confidence,
    Attack::Correctness,
    Attack::ConfidencePerClass,
    Attack::LiraOnline,
    Attack::LiraOnlineFixed(flatleak_attack::FixedVariance::Residual),
    Attack::LiraOfflineFixed,
    Attack::Rmia,
];

/// One attack in one repetition.
struct Found {
    baseline: Estimate,
    difference: Estimate,
    p: f64,
}

fn repetition(examples: &Examples, models: usize, effect: f64, draw: u64) -> Vec<Found> {
    let membership = Membership::complementary(draw, models, EXAMPLES).unwrap();
    let pool = |recipe: u64, effect: f64| {
        examples.pool(&recipe.to_string(), &membership, examples.models(&membership, effect, draw, recipe))
    };
    let (a, b) = (pool(0, 1.0), pool(1, effect));
    let options = Options {
        dataset: "simulated".into(),
        claimed: Vec::new(),
        influence: true,
        runs: Vec::new(),
        checkpoints: vec![1, 1],
        pairs: vec![(0, 1)],
        attacks: ATTACKS.to_vec(),
        // Under a difference only intervals are looked at.
        exchanges: if effect == 1.0 {
            Exchanges { headline: 999, other: 999 }
        } else {
            Exchanges { headline: 1, other: 1 }
        },
        seed: draw,
        workers: 1,
    };
    let results = compare(&[&a, &b], &options, |_| true).unwrap();
    ATTACKS
        .iter()
        .map(|attack| {
            let name = format!("{}.auc", attack.name());
            let metric = results.comparisons[0].metrics.iter().find(|m| m.metric == name).unwrap();
            let own = results.recipes[0].attacks.iter().find(|a| a.name == attack.name()).unwrap();
            Found { baseline: own.auc, difference: metric.difference, p: metric.p_value }
        })
        .collect()
}

fn share(hits: usize, all: usize) -> String {
    let flatleak_stats::Interval { low, high, .. } = wilson(hits as u64, all as u64, 0.95).unwrap();
    format!("{:.1} ({:.1}–{:.1})", 100.0 * hits as f64 / all as f64, 100.0 * low, 100.0 * high)
}

fn coverage(estimates: &[Estimate], truth: Option<f64>) -> String {
    let mean = estimates.iter().map(|e| e.mean).sum::<f64>() / estimates.len() as f64;
    let truth = truth.unwrap_or(mean);
    share(estimates.iter().filter(|e| e.low <= truth && truth <= e.high).count(), estimates.len())
}

fn main() {
    let repetitions: u64 = std::env::args().nth(1).map_or(1000, |a| a.parse().unwrap());
    println!(
        "| blocks | attack | AUC covered, % | null difference covered, % | true difference covered, % | null rejected at 5 %, % |"
    );
    println!("|---|---|---|---|---|---|");
    for blocks in [8, 16, 32] {
        let examples = Examples::new(21, EXAMPLES);
        let run = |effect: f64| -> Vec<Vec<Found>> {
            let next = AtomicU64::new(0);
            let work = || {
                let mut mine = Vec::new();
                loop {
                    let draw = next.fetch_add(1, Ordering::Relaxed);
                    if draw >= repetitions {
                        return mine;
                    }
                    mine.push(repetition(&examples, 2 * blocks, effect, draw));
                }
            };
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            std::thread::scope(|scope| {
                let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
                threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
            })
        };
        let start = std::time::Instant::now();
        let (null, different) = (run(1.0), run(1.25));
        for (k, attack) in ATTACKS.iter().enumerate() {
            let of = |runs: &[Vec<Found>], f: fn(&Found) -> Estimate| runs.iter().map(|r| f(&r[k])).collect::<Vec<_>>();
            println!(
                "| {blocks} | {} | {} | {} | {} | {} |",
                attack.name(),
                coverage(&of(&null, |f| f.baseline), None),
                coverage(&of(&null, |f| f.difference), Some(0.0)),
                coverage(&of(&different, |f| f.difference), None),
                share(null.iter().filter(|r| r[k].p <= 0.05).count(), null.len()),
            );
        }
        eprintln!("{blocks} blocks: {:.0} s", start.elapsed().as_secs_f64());
    }
}
