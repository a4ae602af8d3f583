//! Block-swap and sign-flip tests.

use std::sync::atomic::{AtomicU64, Ordering};

use flatleak_stats::{Budget, Error, sign_flip_test, smallest_p, swap_test};
use flatleak_stream::{Purpose, Stream};

const EXACT: Budget = Budget { max_draws: 1 << 20, stop_after: 1, workers: 1 };

/// The mean of the differences after the swaps: what a score without shadows does.
fn flipped(differences: &[f64], swaps: &[bool]) -> f64 {
    assert_eq!(differences.len(), swaps.len());
    differences.iter().zip(swaps).map(|(d, &s)| if s { -d } else { *d }).sum::<f64>() / swaps.len() as f64
}

fn normals(n: usize, index: u64) -> Vec<f64> {
    let mut stream = Stream::new(5, Purpose::Simulation, index, 0);
    (0..n).map(|_| stream.normal()).collect()
}

#[test]
fn three_blocks_by_hand() {
    // |sums| over the signs of the last two of (1, 2, 4): 7 (as observed), 3, 1, 5. Of (1, -2, 4): 3, 7, 5, 1.
    let test = |d: [f64; 3]| {
        let observed = [flipped(&d, &[false; 3])];
        let p = swap_test(3, EXACT, 0, 0, &observed, |swaps| Ok::<_, Error>(vec![flipped(&d, swaps)])).unwrap();
        assert_eq!(sign_flip_test(&d, EXACT, 0, 0), Ok(p[0]));
        p[0]
    };
    assert_eq!(test([1.0, 2.0, 4.0]), 0.25);
    assert_eq!(test([-1.0, -2.0, -4.0]), 0.25);
    assert_eq!(test([1.0, -2.0, 4.0]), 0.75);
    assert_eq!(test([1.0, 1.0, 1.0]), 0.25);
    assert_eq!(test([0.0, 0.0, 0.0]), 1.0);
}

#[test]
fn enumeration_leaves_the_first_block_and_visits_each_swap_once() {
    let seen = std::sync::Mutex::new(Vec::new());
    let budget = Budget { workers: 3, ..EXACT };
    let p = swap_test(6, budget, 0, 0, &[1.0], |swaps| {
        seen.lock().unwrap().push(swaps.to_vec());
        Ok::<_, Error>(vec![0.5])
    });
    assert_eq!(p, Ok(vec![1.0 / 32.0]));
    let mut seen = seen.into_inner().unwrap();
    assert_eq!(seen.len(), 31);
    assert!(seen.iter().all(|s| s.len() == 6 && !s[0] && s.contains(&true)));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 31);
}

#[test]
fn ties_that_differ_by_rounding_count() {
    // .1 + .2 - .3 is not 0 in binary: all sign vectors of equal blocks must tie whatever the order of the sum.
    let d = [0.1, 0.2, -0.3, 0.3, -0.2, -0.1 + 1e-17];
    assert_eq!(sign_flip_test(&d, EXACT, 0, 0), Ok(1.0));
    let p = swap_test(2, EXACT, 0, 0, &[0.3], |_| Ok::<_, Error>(vec![0.1 + 0.2 - 1e-16]));
    assert_eq!(p, Ok(vec![1.0]));
    let p = swap_test(2, EXACT, 0, 0, &[0.3], |_| Ok::<_, Error>(vec![0.3 * (1.0 - 1e-11)]));
    assert_eq!(p, Ok(vec![0.5]));
}

#[test]
fn random_swaps_approach_the_enumeration() {
    let d: Vec<f64> = normals(12, 0).iter().map(|z| z + 0.45).collect();
    let observed = [flipped(&d, &[false; 12])];
    let score = |swaps: &[bool]| Ok::<_, Error>(vec![flipped(&d, swaps)]);
    let exact = swap_test(12, EXACT, 0, 0, &observed, score).unwrap()[0];
    let random = Budget { max_draws: 2000, stop_after: 100_000, workers: 1 };
    let sampled = swap_test(12, random, 3, 0, &observed, score).unwrap()[0];
    let error = (exact * (1.0 - exact) / 2000.0).sqrt();
    assert!((0.02..0.6).contains(&exact));
    assert!((sampled - exact).abs() < 4.0 * error, "{sampled} {exact}");
    assert_ne!(sampled, swap_test(12, random, 3, 1, &observed, score).unwrap()[0]);
}

#[test]
fn stopping_rule_by_hand() {
    // Differences are scripted by the draw's number; 20 blocks are too many to enumerate in 40 draws.
    let scripted = |script: fn(u64) -> Vec<f64>, metrics: usize| {
        let calls = AtomicU64::new(0);
        let budget = Budget { max_draws: 40, stop_after: 3, workers: 1 };
        let p = swap_test(20, budget, 0, 0, &vec![1.0; metrics], |_| {
            Ok::<_, Error>(script(calls.fetch_add(1, Ordering::Relaxed) + 1))
        });
        (p.unwrap(), calls.into_inner())
    };
    // Third exceedance at draw 6: p = 3/6, and nothing more is drawn.
    assert_eq!(scripted(|k| vec![if k.is_multiple_of(2) { -1.5 } else { 0.9 }], 1), (vec![0.5], 6));
    // The other metric is settled at draw 30; the first keeps its 3/6.
    let two = |k: u64| vec![if k.is_multiple_of(2) { -1.5 } else { 0.9 }, if k.is_multiple_of(10) { 1.0 } else { 0.0 }];
    assert_eq!(scripted(two, 2), (vec![0.5, 0.1], 30));
    // Two exceedances in all 40 draws: (1 + 2) / (1 + 40); none: 1 / 41.
    assert_eq!(scripted(|k| vec![if k.is_multiple_of(20) { 2.0 } else { 0.0 }], 1), (vec![3.0 / 41.0], 40));
    assert_eq!(scripted(|_| vec![0.0], 1), (vec![1.0 / 41.0], 40));
}

#[test]
fn workers_and_other_metrics_do_not_change_p() {
    let (a, b) = (normals(24, 3), normals(24, 2).iter().map(|z| z + 0.5).collect::<Vec<_>>());
    let observed = [flipped(&a, &[false; 24]), flipped(&b, &[false; 24])];
    let run = |workers| {
        let budget = Budget { max_draws: 333, stop_after: 7, workers };
        swap_test(24, budget, 9, 4, &observed, |s| Ok::<_, Error>(vec![flipped(&a, s), flipped(&b, s)])).unwrap()
    };
    let single = run(1);
    assert!(single[0] > 2.0 * single[1], "{single:?}");
    for workers in [2, 3, 16, 50] {
        assert_eq!(run(workers), single);
    }
    let budget = Budget { max_draws: 333, stop_after: 7, workers: 2 };
    for (metric, d) in [&a, &b].into_iter().enumerate() {
        let alone = swap_test(24, budget, 9, 4, &observed[metric..=metric], |s| Ok::<_, Error>(vec![flipped(d, s)]));
        assert_eq!(alone, Ok(vec![single[metric]]));
        assert_eq!(sign_flip_test(d, budget, 9, 4), Ok(single[metric]));
    }
}

#[test]
fn draws_after_the_stop_do_not_exist() {
    // Draws are recognised by the swaps of their documented stream.
    let swaps = |draw| {
        let mut stream = Stream::new(2, Purpose::Permutation, 8, draw);
        (0..30).map(|_| stream.coin()).collect::<Vec<bool>>()
    };
    let known: Vec<Vec<bool>> = (0..100).map(swaps).collect();
    let run = |workers, errors_from| {
        let budget = Budget { max_draws: 100, stop_after: 3, workers };
        swap_test(30, budget, 2, 8, &[1.0], |swaps| {
            let draw = known.iter().position(|k| k == swaps).unwrap();
            if draw < errors_from {
                Ok(vec![if draw == 1 { 0.0 } else { 2.0 }])
            } else {
                Err(Error::NanScore { index: draw })
            }
        })
    };
    for workers in [1, 2, 16] {
        assert_eq!(run(workers, 4), Ok(vec![0.75]));
        assert_eq!(run(workers, 3), Err(Error::NanScore { index: 3 }));
    }
}

#[test]
fn p_is_uniform_under_the_null_with_sequential_stopping() {
    let tests = 2000;
    let budget = Budget { max_draws: 199, stop_after: 10, workers: 1 };
    let p: Vec<f64> = (0..tests).map(|i| sign_flip_test(&normals(18, 1000 + i), budget, 1, i).unwrap()).collect();
    for level in [0.01, 0.05, 0.1, 0.25, 0.5, 0.8] {
        let share = p.iter().filter(|p| **p <= level).count() as f64 / tests as f64;
        let error = (level * (1.0 - level) / tests as f64).sqrt();
        // From below, p = 10 / l is coarse: the next attainable value under .8 is 10/13.
        let attainable = p.iter().copied().filter(|p| *p <= level).fold(0.0, f64::max);
        assert!(share <= level + 3.5 * error, "{level} {share}");
        assert!(share >= attainable - 3.5 * error, "{level} {share} {attainable}");
    }
}

#[test]
fn smallest_p_is_attained() {
    for (blocks, max_draws) in [(1usize, 5u64), (4, 1000), (5, 16), (5, 15), (64, 99), (65, u64::MAX), (500, 99)] {
        let budget = Budget { max_draws, stop_after: 1, workers: 1 };
        let smallest = smallest_p(blocks, budget);
        if max_draws < u64::MAX {
            let p = swap_test(blocks, budget, 0, 0, &[1.0], |_| Ok::<_, Error>(vec![0.0])).unwrap();
            assert_eq!(p, [smallest]);
        }
    }
    assert_eq!(smallest_p(5, EXACT), 0.0625);
    assert_eq!(smallest_p(100, Budget { max_draws: 99, ..EXACT }), 0.01);
}

#[test]
fn refusals() {
    #[derive(Debug, PartialEq)]
    enum Failure {
        Statistic(Error),
        Scoring(bool),
    }
    impl From<Error> for Failure {
        fn from(error: Error) -> Self {
            Self::Statistic(error)
        }
    }
    let calm = |_: &[bool]| Ok::<_, Failure>(vec![0.0]);
    for budget in [Budget { max_draws: 0, ..EXACT }, Budget { stop_after: 0, ..EXACT }, Budget { workers: 0, ..EXACT }]
    {
        let p = swap_test(3, budget, 0, 0, &[1.0], calm);
        assert!(matches!(p, Err(Failure::Statistic(Error::Budget { .. }))));
        assert!(matches!(sign_flip_test(&[1.0], budget, 0, 0), Err(Error::Budget { .. })));
    }
    let too_few = Error::TooFew { what: "blocks", found: 0, needed: 1 };
    assert_eq!(swap_test(0, EXACT, 0, 0, &[1.0], calm), Err(Failure::Statistic(too_few)));
    assert_eq!(sign_flip_test(&[], EXACT, 0, 0), Err(too_few));
    let p = swap_test(3, EXACT, 0, 0, &[f64::NAN], calm);
    assert!(matches!(p, Err(Failure::Statistic(Error::NotFinite { .. }))));
    let p = swap_test(3, EXACT, 0, 0, &[1.0], |_| Ok::<_, Failure>(vec![f64::NAN]));
    assert!(matches!(p, Err(Failure::Statistic(Error::NotFinite { .. }))));
    let p = swap_test(3, EXACT, 0, 0, &[1.0, 2.0], calm);
    assert!(matches!(p, Err(Failure::Statistic(Error::LengthMismatch { .. }))));
    // The first error in the order of draws, on any number of threads: draw 1 swaps block 1 alone.
    for workers in [1, 2, 7] {
        let p = swap_test(3, Budget { workers, ..EXACT }, 0, 0, &[1.0], |s| Err(Failure::Scoring(s[2])));
        assert_eq!(p, Err(Failure::Scoring(false)));
    }
}
