//! Influence entropy: what has no structure must not be given any, and what has must be found.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed set-up is a failed test; figures are printed")]

use flatleak_pool::{Groups, Membership, Pool, Signals};
use flatleak_results::{BucketsResult, Explanation, Family, Pairing};
use flatleak_results::{Claim, SortedBy};
use flatleak_stream::{Purpose, Stream};
use flatleak_verdict::{Options, explain};

const EXAMPLES: usize = 200;
const TESTS: usize = 600;

/// Who is right on the held-out examples, given the membership of the model.
fn pool(name: &str, models: usize, draw: u64, chance: impl Fn(&[bool], usize) -> f64) -> Pool {
    let membership = Membership::complementary(draw, models, EXAMPLES).unwrap();
    let (mut all, mut test) = (Vec::new(), Vec::new());
    for k in 0..models {
        let mut s = Stream::new(81, Purpose::Simulation, draw, k as u64 + if name == "sam" { 10_000 } else { 0 });
        let row = membership.row(k);
        all.push(Signals::from_correct(row.iter().map(|m| u8::from(*m || s.unit() < 0.6)).collect()));
        test.push(Signals::from_correct((0..TESTS).map(|j| u8::from(s.unit() < chance(row, j))).collect()));
    }
    Pool { test_labels: Some(vec![0; TESTS]), test, ..Pool::new(name, membership, vec![0; EXAMPLES], all).unwrap() }
}

fn explained(pools: &[&Pool]) -> Explanation {
    let options = Options {
        dataset: "planted".into(),
        claimed: vec![1],
        influence: true,
        runs: Vec::new(),
        checkpoints: vec![1, 1],
        pairs: vec![(0, 1)],
        attacks: Vec::new(),
        family: Family::new(Default::default(), 1, 2, 1),
        seed: 5,
        workers: 2,
    };
    explain(pools, &options, None, |_| true).unwrap().0
}

fn by_entropy(found: &Explanation) -> &BucketsResult {
    found.entropy_buckets.iter().find(|b| b.by == SortedBy::InfluenceEntropy).unwrap()
}

/// Chance of a right answer on each held-out example, whoever was trained on what.
fn level(j: usize) -> f64 {
    Stream::new(82, Purpose::Simulation, j as u64, 0).uniform(0.1, 0.98)
}

/// A candidate that turns a third of all errors into right answers everywhere gains most where the baseline errs most. That is no
/// structure, and nothing may be read from its buckets.
#[test]
fn a_uniform_improvement_yields_no_bucket_claim() {
    let levels: Vec<f64> = (0..TESTS).map(level).collect();
    let mut gains = 0;
    for draw in 0..6 {
        let base = pool("sgd", 64, draw, |_, j| levels[j]);
        let better = pool("sam", 64, draw, |_, j| levels[j] + (1.0 - levels[j]) / 3.0);
        let found = explained(&[&base, &better]);
        let buckets = by_entropy(&found);
        assert!(!buckets.measurable, "draw {draw}: {:?}", found.influence[0].reliability);
        let b = found.claims.iter().find(|c| c.claim == Claim::B).unwrap();
        assert!(b.sentence.contains("cannot be measured with these models"), "{}", b.sentence);
        let contrast = buckets.contrast.unwrap().estimate;
        println!("draw {draw}: contrast {:+.4} [{:+.4}, {:+.4}]", contrast.mean, contrast.low, contrast.high);
        assert!(contrast.low <= 0.0 && 0.0 <= contrast.high, "draw {draw}: {contrast:?}");
        // Sorted by difficulty the gains do differ: the hardest gain most.
        let hard = found.entropy_buckets.iter().find(|b| b.by == SortedBy::Difficulty).unwrap();
        let gain = |k: usize| hard.buckets[k].gain.mean;
        gains += u32::from(gain(0) > gain(4) + 0.1);
    }
    assert_eq!(gains, 6);
}

/// The same with groups, the rare one the hardest by far: difficulty measured by half of 32 models leaves the rare harder within every stratum, so
/// that a comparison without correction would find a gain on them in every pool. Claim (b) must not rest on that.
#[test]
fn a_uniform_improvement_gains_nothing_on_rare_groups_of_equal_difficulty() {
    let group = |i: usize| u32::from(i.is_multiple_of(4));
    let level = |j: usize| {
        let mut s = Stream::new(83, Purpose::Simulation, j as u64, 0);
        if group(j) == 1 { s.uniform(0.3, 0.98) } else { 1.0 - 0.25 * s.unit().powi(3) }
    };
    let levels: Vec<f64> = (0..TESTS).map(level).collect();
    let grouped = |pool: Pool| Pool {
        groups: Some(Groups {
            names: vec!["frequent".into(), "rare".into()],
            pool: (0..EXAMPLES).map(group).collect(),
            test: (0..TESTS).map(group).collect(),
        }),
        ..pool
    };
    let mut covered = 0;
    for draw in 0..20 {
        let base = grouped(pool("sgd", 32, draw, |_, j| levels[j]));
        let better = grouped(pool("sam", 32, draw, |_, j| levels[j] + (1.0 - levels[j]) / 3.0));
        let found = explained(&[&base, &better]);
        let by_group = found.entropy_buckets.iter().find(|b| b.by == SortedBy::GroupFrequency).unwrap();
        let (rare, frequent) = (&by_group.buckets[0], by_group.buckets.last().unwrap());
        assert!(rare.gain.mean > frequent.gain.mean + 0.05, "the rare gain more, being harder");
        let contrast = by_group.contrast.unwrap().estimate;
        covered += usize::from(contrast.low <= 0.0 && 0.0 <= contrast.high);
        println!("draw {draw}: contrast {:+.4} [{:+.4}, {:+.4}]", contrast.mean, contrast.low, contrast.high);
    }
    assert!(covered >= 17, "{covered} of 20 intervals hold 0");
}

/// Half of the held-out examples hang on one training example each, half on thirty; the candidate gains on the former alone. All are equally
/// hard.
#[test]
fn planted_support_is_measured_and_the_gain_found() {
    let supporters = |j: usize| -> Vec<usize> {
        if j.is_multiple_of(2) { vec![j % EXAMPLES] } else { (0..30).map(|s| (7 * j + 5 * s) % EXAMPLES).collect() }
    };
    let chance = |row: &[bool], j: usize| {
        let of = supporters(j);
        0.2 + 0.6 * of.iter().filter(|&&i| row[i]).count() as f64 / of.len() as f64
    };
    let base = pool("sgd", 256, 1, chance);
    let better = pool("sam", 256, 1, |row, j| chance(row, j) + if j.is_multiple_of(2) { 0.15 } else { 0.0 });
    let found = explained(&[&base, &better]);
    let reliability = found.influence[0].reliability.unwrap();
    println!("reliability {reliability:?}");
    assert!(reliability.exceeds);
    let buckets = by_entropy(&found);
    let contrast = buckets.contrast.unwrap().estimate;
    println!("contrast {contrast:?}, {:?} by chance", buckets.contrast_by_chance);
    assert!(buckets.measurable && contrast.low > 0.03, "{contrast:?}");
    assert!(buckets.buckets[0].gain.mean > 0.1 && buckets.buckets[4].gain.mean < 0.06);
    // 300 single supporters of influence .6; what else is high is chance, and said to be.
    let hard = &found.influence[0];
    let beyond = hard.high as f64 - hard.high_by_chance;
    println!("{} found, {} high, {beyond} beyond chance", hard.discovered.unwrap(), hard.high);
    assert!((280..=330).contains(&hard.discovered.unwrap()) && (200.0..=400.0).contains(&beyond));
}

#[test]
fn other_memberships_are_compared_unpaired_and_said_to_be() {
    let base = pool("sgd", 12, 1, |_, _| 0.7);
    let other = pool("sam", 16, 2, |_, _| 0.7);
    let found = explained(&[&base, &other]);
    assert_eq!(found.memorization_differences[0].pairing, Pairing::Unpaired);
    assert!(found.entropy_buckets.is_empty());
    assert!(found.left_out.iter().any(|l| l.reason.to_string().contains("different memberships")));
    let mean = found.memorization_differences[0].hard[0].difference.estimate;
    assert!(mean.low < 0.0 && 0.0 < mean.high, "{mean:?}");
    // Nothing is known of confidences, and that is said.
    assert!(found.variance.is_empty() && found.left_out.iter().any(|l| l.what.starts_with("confidence")));
}
