//! Pools made so that each claim of the study holds, fails or stays open, and the sentence that follows.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed set-up is a failed test; figures are printed")]

use flatleak_pool::{Groups, Membership, Pool, Signals};
use flatleak_results::{ClaimOutcome, Explanation, Family};
use flatleak_stream::{Purpose, Stream};
use flatleak_verdict::{Options, analyse, attacks};

const EXAMPLES: usize = 240;
const TESTS: usize = 400;
const MODELS: usize = 24;

/// One recipe: phi of members is N(`member`, .8^2), of non-members `level` + `scale` (difficulty + noise), of held-out examples
/// difficulty + noise + the shift of its group.
#[derive(Clone, Copy)]
struct Recipe {
    member: f64,
    level: f64,
    scale: f64,
    rare: f64,
    frequent: f64,
}

const BASE: Recipe = Recipe { member: 2.4, level: 0.8, scale: 1.0, rare: 0.0, frequent: 0.0 };

/// Held-out and pool examples of the rare group: every fourth.
fn group(i: usize) -> u32 {
    u32::from(i % 4 == 3)
}

fn signals(phi: Vec<f32>) -> Signals {
    let correct = phi.iter().map(|v| u8::from(*v > 0.0)).collect();
    Signals { entropy: phi.clone(), modified_entropy: phi.clone(), phi, correct, ..Signals::default() }
}

fn pool(name: &str, recipe: Recipe, noise: u64) -> Pool {
    let membership = Membership::complementary(1, MODELS, EXAMPLES).unwrap();
    let mut fixed = Stream::new(71, Purpose::Simulation, 0, 0);
    let difficulty: Vec<f64> = (0..EXAMPLES + TESTS).map(|_| fixed.normal()).collect();
    let (mut all, mut test) = (Vec::new(), Vec::new());
    for k in 0..MODELS {
        let mut s = Stream::new(72, Purpose::Simulation, k as u64, noise);
        let row = membership.row(k);
        let phi = (0..EXAMPLES).map(|i| {
            let z = s.normal();
            let phi =
                if row[i] { recipe.member + 0.8 * z } else { recipe.level + recipe.scale * (difficulty[i] + 0.7 * z) };
            phi as f32
        });
        all.push(signals(phi.collect()));
        let phi = (0..TESTS).map(|j| {
            let shift = if group(j) == 1 { recipe.rare } else { recipe.frequent };
            (difficulty[EXAMPLES + j] + 0.7 * s.normal() + shift) as f32
        });
        test.push(signals(phi.collect()));
    }
    Pool {
        test_labels: Some(vec![0; TESTS]),
        groups: Some(Groups {
            names: vec!["frequent".into(), "rare".into()],
            pool: (0..EXAMPLES).map(group).collect(),
            test: (0..TESTS).map(group).collect(),
        }),
        test,
        ..Pool::new(name, membership, vec![0; EXAMPLES], all).unwrap()
    }
}

fn explained(candidate: Recipe) -> Explanation {
    let (a, b) = (pool("sgd", BASE, 0), pool("sam", candidate, 1));
    let named = |name: &&str| attacks().into_iter().find(|a| a.name() == *name).unwrap();
    let options = Options {
        dataset: "planted".into(),
        claimed: vec![1],
        influence: true,
        runs: Vec::new(),
        checkpoints: vec![1, 1],
        pairs: vec![(0, 1)],
        attacks: ["strongest", "lira-online-fixed", "rmia", "confidence"].iter().map(named).collect(),
        family: Family::new(Default::default(), 1, 2, 1),
        seed: 3,
        workers: 2,
    };
    analyse(&[&a, &b], &options, |_| true).unwrap().results.explain
}

fn outcome(found: &Explanation, claim: &str) -> (ClaimOutcome, String) {
    let c = found.claims.iter().find(|c| c.claim.to_string() == claim).unwrap();
    println!("({claim}) {}", c.sentence);
    (c.outcome, c.sentence.clone())
}

use ClaimOutcome::{CannotTell, Contradicts, Supports};

#[test]
fn true_claims_are_supported() {
    // Narrower on non-members, better on held-out examples and best on the rare ones, more learnt by heart alone.
    let found = explained(Recipe { member: 2.4, level: -0.6, scale: 0.5, rare: 1.2, frequent: 0.2 });
    for claim in ["a", "b", "c", "d"] {
        let (outcome, sentence) = outcome(&found, claim);
        assert_eq!(outcome, Supports, "{claim}: {sentence}");
        assert!(sentence.starts_with("This run supports the claim: against sgd, "), "{sentence}");
    }
    assert!(outcome(&found, "a").1.contains("it leaks more (AUC relevantly more, by +"));
    let leak = &found.groups.iter().find(|g| g.recipe == "sam" && g.name == "rare").unwrap().leakage;
    assert!(leak.len() == 4 && leak.iter().all(|l| l.auc.mean > 0.5 && l.auc.low <= l.auc.mean));
}

#[test]
fn false_claims_are_contradicted() {
    let found = explained(Recipe { member: 2.4, level: 2.2, scale: 1.6, rare: -1.2, frequent: 0.2 });
    for claim in ["a", "b", "d"] {
        let (outcome, sentence) = outcome(&found, claim);
        assert_eq!(outcome, Contradicts, "{claim}: {sentence}");
        assert!(sentence.starts_with("This run contradicts the claim: "), "{sentence}");
    }
    // The third claim is about recipes that leak more.
    let (open, sentence) = outcome(&found, "c");
    assert_eq!(open, CannotTell);
    assert!(sentence.ends_with("where it leaks less, not more."), "{sentence}");
    let wider = explained(Recipe { member: 2.4, level: -0.6, scale: 1.6, rare: 0.0, frequent: 0.0 });
    let (against, sentence) = outcome(&wider, "c");
    assert_eq!(against, Contradicts, "{sentence}");
}

#[test]
fn equal_recipes_leave_every_claim_open() {
    let found = explained(BASE);
    for claim in ["a", "b", "c", "d"] {
        let (outcome, sentence) = outcome(&found, claim);
        assert_eq!(outcome, CannotTell, "{claim}: {sentence}");
        assert!(sentence.starts_with("This run cannot tell: "), "{sentence}");
    }
}

#[test]
fn more_leakage_with_worse_accuracy_contradicts_and_unfitted_members_leave_theory_open() {
    let worse = explained(Recipe { member: 2.4, level: -0.6, scale: 0.5, rare: -0.5, frequent: -0.5 });
    assert_eq!(outcome(&worse, "a").0, Contradicts);
    let unfitted = explained(Recipe { member: 1.0, level: -0.6, scale: 0.5, rare: 0.0, frequent: 0.0 });
    let (open, sentence) = outcome(&unfitted, "d");
    assert_eq!(open, CannotTell);
    assert!(sentence.contains("of its members and does not interpolate"), "{sentence}");
    // More memorized, but the rare gain nothing: half a claim is no claim.
    let half = explained(Recipe { member: 2.4, level: -0.6, scale: 0.5, rare: -0.8, frequent: 0.5 });
    let (open, sentence) = outcome(&half, "b");
    assert_eq!(open, CannotTell);
    assert!(sentence.contains("the two halves of the claim point apart"), "{sentence}");
}
