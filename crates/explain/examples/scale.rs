//! Memorization and all influences at the size of published studies: 256 models, 50,000 pool and 10,000 held-out examples.
//!
//! cargo run --release -p flatleak-explain --example scale -- [WORKERS [MODELS POOL TEST]]
//! `benches/explain/compare.sh` runs it beside NumPy.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark that stops at the first problem")]

use std::time::Instant;

use flatleak_explain::pairs::{Keep, sweep};
use flatleak_explain::{Design, Influence, Memorization};
use flatleak_pool::{Membership, Pool, Signal, Signals};
use flatleak_stats::parallel;
use flatleak_stream::{Purpose, Stream};

fn main() {
    let given: Vec<usize> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    let at = |k: usize, default: usize| given.get(k).copied().unwrap_or(default);
    let (workers, models, examples, tests) = (at(0, 2), at(1, 256), at(2, 50_000), at(3, 10_000));
    let membership = Membership::complementary(0, models, examples).unwrap();
    let draws = |n: usize, split: u64, chance: f64| {
        parallel::map(models, workers, |k| {
            let mut s = Stream::new(split, Purpose::Simulation, k as u64, 0);
            Signals::from_correct((0..n).map(|_| u8::from(s.unit() < chance)).collect())
        })
    };
    let pool = Pool {
        test_labels: Some(vec![0; tests]),
        test: draws(tests, 2, 0.8),
        ..Pool::new("simulated", membership, vec![0; examples], draws(examples, 1, 0.9)).unwrap()
    };
    let keep = Keep { per_test: 5, overall: 100 };

    let start = Instant::now();
    let memorization = Memorization::new(&pool, Signal::Correct).unwrap();
    let errors = memorization.standard_errors();
    let error = errors.iter().sum::<f64>() / examples as f64;
    println!(
        "memorization of {examples} examples with errors: {:.2} s (mean error {error:.4})",
        start.elapsed().as_secs_f64()
    );
    let sweeping = Instant::now();
    let right = pool.test_correct().unwrap();
    let design = Design::new(&pool.membership).unwrap();
    let influence = Influence::hard(&design, right.rows()).unwrap();
    let found = sweep(&influence, memorization.values(), keep, workers).unwrap();
    let swept = sweeping.elapsed().as_secs_f64();
    let pairs = (examples * tests) as f64;
    println!(
        "{pairs:.1e} influences, top pairs, exact p-values, entropies: {swept:.2} s on {workers} workers, {:.2} ns a pair a core",
        swept * workers as f64 / pairs * 1e9
    );
    println!("{} pairs of high influence, {} found at 5 %", found.high, found.discovered.unwrap());
    println!("both: {:.2} s", start.elapsed().as_secs_f64());

    let confidence = right.map(|c| 0.1 + 0.8 * f64::from(*c));
    let start = Instant::now();
    let soft = Influence::soft(&design, confidence.rows()).unwrap();
    sweep(&soft, memorization.values(), keep, workers).unwrap();
    println!("the same from confidences, by matrix product: {:.2} s", start.elapsed().as_secs_f64());
}
