//! Pools with known accuracies of every example in and out of the training set.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed set-up is a failed test; figures are printed")]

use flatleak_explain::{Memorization, Unit};
use flatleak_pool::{Membership, Pool, Signal, Signals};
use flatleak_results::Statistic;
use flatleak_stream::{Purpose, Stream};

const EXAMPLES: usize = 120;

/// Probabilities of a right answer (in, out) per example: a third learnt by heart, a third easy, a third in between.
fn truth() -> Vec<(f64, f64)> {
    let mut s = Stream::new(31, Purpose::Simulation, 0, 0);
    let outside = [(0.0, 0.2), (0.2, 0.8), (0.7, 1.0)];
    (0..EXAMPLES).map(|i| (s.uniform(0.9, 1.0), s.uniform(outside[i % 3].0, outside[i % 3].1))).collect()
}

fn planted(truth: &[(f64, f64)], models: usize, draw: u64) -> Pool {
    let membership = Membership::complementary(draw, models, EXAMPLES).unwrap();
    let mut s = Stream::new(32, Purpose::Simulation, draw, models as u64);
    let pool = (0..models)
        .map(|m| {
            let correct: Vec<u8> = truth
                .iter()
                .zip(membership.row(m))
                .map(|((inside, outside), member)| u8::from(s.unit() < if *member { *inside } else { *outside }))
                .collect();
            let phi = correct.iter().map(|c| if *c == 1 { 2.0 } else { -2.0 }).collect();
            let zeros = vec![0.0; EXAMPLES];
            Signals { phi, correct, entropy: zeros.clone(), modified_entropy: zeros, ..Signals::default() }
        })
        .collect();
    Pool::new("planted", membership, vec![0; EXAMPLES], pool).unwrap()
}

#[test]
fn memorization_is_recovered_within_its_errors() {
    let truth = truth();
    let pool = planted(&truth, 256, 0);
    let found = Memorization::new(&pool, Signal::Correct).unwrap();
    let z: Vec<f64> = found
        .values()
        .iter()
        .zip(found.standard_errors())
        .zip(&truth)
        .map(|((v, e), (inside, outside))| (v - (inside - outside)) / e)
        .collect();
    let squares = z.iter().map(|z| z * z).sum::<f64>() / EXAMPLES as f64;
    // Chi-square over 120 degrees of freedom, 99.9 % limits.
    assert!((0.63..1.45).contains(&squares), "{squares}");
    assert!(z.iter().all(|z| z.abs() < 4.5));
    assert!(found.identity(&pool).holds());
}

/// By hand: two blocks, one example, right answers in / out of (1, 0) and (1, 1).
#[test]
fn two_blocks_by_hand() {
    let mut pool = planted(&truth(), 6, 1).select(&[0, 1, 2, 3]);
    for model in 0..4 {
        let member = pool.membership.row(model)[0];
        pool.pool[model].correct[0] = u8::from(member || pool.membership.block(model).index() == 1);
    }
    let found = Memorization::new(&pool, Signal::Correct).unwrap();
    assert_eq!(found.values()[0], 0.5);
    assert_eq!(found.without(Unit::of(&pool.membership, 2))[0], 1.0);
    assert!((found.standard_errors()[0] - 0.5).abs() < 1e-15);
    assert_eq!(found.histogram().iter().sum::<usize>(), EXAMPLES);
    let twelve = Memorization::new(&planted(&truth(), 24, 3), Signal::Correct).unwrap();
    let counts = twelve.histogram();
    assert_eq!(counts.len(), 24);
    for (bin, count) in counts.iter().enumerate() {
        // Bin b holds the value b / 12 - 1 alone, the last also 1.
        let holds = |v: &&f64| (12.0 * (**v + 1.0)).round().min(23.0) == bin as f64;
        assert_eq!(twelve.values().iter().filter(holds).count(), *count, "{bin}");
    }
}

#[test]
fn soft_memorization_keeps_the_identity_of_confidences() {
    let pool = planted(&truth(), 16, 2);
    let found = Memorization::new(&pool, Signal::Confidence).unwrap();
    let rows = pool.rows(Signal::Confidence).unwrap();
    let mean = |member: bool| {
        let picked: Vec<f64> = (0..16)
            .flat_map(|m| {
                rows[m]
                    .iter()
                    .zip(pool.membership.row(m))
                    .filter(|(_, k)| **k == member)
                    .map(|(v, _)| *v)
                    .collect::<Vec<_>>()
            })
            .collect();
        picked.iter().sum::<f64>() / picked.len() as f64
    };
    let values = found.values();
    let average = values.iter().sum::<f64>() / values.len() as f64;
    assert!((average - (mean(true) - mean(false))).abs() < 1e-12);
}

/// The mean square of memorization does not know how many models there are: noise that shares of the distribution take for memorization is
/// taken off.
#[test]
fn the_mean_square_is_free_of_noise() {
    let truth = truth();
    let wanted = truth.iter().map(|(a, b)| (a - b) * (a - b)).sum::<f64>() / EXAMPLES as f64;
    for models in [8, 16, 64] {
        let draws = 400;
        let values: Vec<f64> = (0..draws)
            .map(|draw| {
                let found = Memorization::new(&planted(&truth, models, draw), Signal::Correct).unwrap();
                found.statistic(Statistic::MeanSquare).unwrap().interval.mean
            })
            .collect();
        let mean = values.iter().sum::<f64>() / draws as f64;
        let error = flatleak_stats::moments::standard_deviation(&values, 1) / (draws as f64).sqrt();
        println!("{models} models: {mean:.4} +- {error:.4}, truth {wanted:.4}");
        assert!((mean - wanted).abs() < 3.5 * error, "{models}: {mean} {wanted}");
    }
}

/// Per example, 95 % intervals cover the planted memorization at least 93 % of the time, over 1,000 repetitions.
#[test]
fn intervals_of_examples_cover() {
    let truth = truth();
    for blocks in [8, 16, 32] {
        let mut covered = 0;
        for draw in 0..1000 {
            let found = Memorization::new(&planted(&truth, 2 * blocks, draw), Signal::Correct).unwrap();
            let inside = |(i, (a, b)): (&flatleak_stats::Interval, &(f64, f64))| i.low <= a - b && a - b <= i.high;
            covered += found.intervals().unwrap().iter().zip(&truth).filter(|v| inside(*v)).count();
        }
        let share = covered as f64 / 1000.0 / EXAMPLES as f64;
        println!("{blocks} blocks: {:.1} % of examples covered", 100.0 * share);
        assert!(share >= 0.93, "{blocks} blocks: {share}");
    }
}

/// 95 % intervals of statistics and of paired differences cover at least 93 % over 1,000 repetitions; the truth of a share is its mean over
/// repetitions, because noise widens the distribution.
#[test]
fn intervals_cover() {
    let (base, changed) = (truth(), truth().into_iter().map(|(a, b)| (a, 0.9 * b)).collect::<Vec<_>>());
    for blocks in [8, 16, 32] {
        for statistic in Statistic::ALL {
            let runs: Vec<_> = (0..1000)
                .map(|draw| {
                    let of = |truth: &[(f64, f64)], draw| {
                        Memorization::new(&planted(truth, 2 * blocks, draw), Signal::Correct).unwrap()
                    };
                    let (a, b) = (of(&base, draw), of(&changed, draw + 5000));
                    (a.statistic(statistic).unwrap().interval, b.difference(&a, statistic).unwrap().interval)
                })
                .collect();
            for (what, pick) in [("own", 0), ("difference", 1)] {
                let of = |r: &(flatleak_stats::Interval, flatleak_stats::Interval)| if pick == 0 { r.0 } else { r.1 };
                let truth = runs.iter().map(|r| of(r).mean).sum::<f64>() / 1000.0;
                let covered = runs.iter().filter(|r| of(r).low <= truth && truth <= of(r).high).count();
                println!("{blocks} blocks, {} ({what}): {:.1} %", statistic, covered as f64 / 10.0);
                assert!(covered >= 930, "{blocks} blocks, {} ({what}): {covered}", statistic);
            }
        }
    }
}
