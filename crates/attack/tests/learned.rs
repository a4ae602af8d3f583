//! The learnt attack and the blind one: nothing of a target's block enters its score, noise gives nothing, what leaks is found, and unfair
//! selections are named.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed set-up is a failed test; figures are printed")]

mod simulated;

use flatleak_attack::learned::{CrossFit, Learned, Sight, Surroundings};
use flatleak_attack::{Attack, Lineup, Seat};
use flatleak_pool::{Matrix, Membership, Signal, Signals, Units};
use flatleak_stats::{Ranking, moments};
use flatleak_stream::{Purpose, Stream};
use simulated::Examples;

const MODELS: usize = 16;
const EXAMPLES: usize = 120;

fn around(labels: &[u32]) -> Surroundings<'_> {
    Surroundings { labels: Some(labels), groups: None, features: None }
}

fn units(m: &Membership) -> Units {
    Units::single(m.block_ids())
}

fn score(m: &Membership, signals: &[Signals], labels: &[u32]) -> Matrix {
    Learned::fit(m, signals, around(labels), &units(m), Sight::Full, 2).unwrap().score()
}

fn mean_auc(m: &Membership, scores: &Matrix) -> f64 {
    let auc = |(k, row): (usize, &[f64])| Ranking::new(row, m.row(k)).unwrap().auc();
    moments::mean(&scores.iter().enumerate().map(auc).collect::<Vec<_>>())
}

fn pool(examples: &Examples, trained: &Membership, draw: u64) -> Vec<Signals> {
    examples.models(trained, 1.0, draw, 0).into_iter().map(|[a, _]| a).collect()
}

#[test]
fn nothing_of_the_twin_enters_a_targets_score() {
    let examples = Examples::new(21, EXAMPLES);
    let m = Membership::complementary(3, MODELS, EXAMPLES).unwrap();
    let mut signals = pool(&examples, &m, 3);
    let before = score(&m, &signals, examples.labels());
    // Model 5 is the twin of model 4.
    signals[5].phi.iter_mut().for_each(|v| *v = 3.0 - *v);
    signals[5].entropy.iter_mut().for_each(|v| *v *= 0.5);
    let after = score(&m, &signals, examples.labels());
    // Fits begin where another ends, so that the last digits of what they converge to may differ.
    assert!(before[4].iter().zip(&after[4]).all(|(a, b)| (a - b).abs() < 1e-9));
    let moved = |k: usize| before[k].iter().zip(&after[k]).any(|(a, b)| (a - b).abs() > 1e-3);
    assert!(moved(5) && moved(0));
}

/// Of few models drawn by coins most examples hang by a thread: had the rows that are learnt from counted the target, they would tell on it.
#[test]
fn a_targets_own_membership_never_enters_its_score() {
    let (models, n) = (6, 60);
    let mut stream = Stream::new(8, Purpose::Simulation, 0, 0);
    let mut coins = || (0..n).map(|_| stream.coin()).collect::<Vec<bool>>();
    let rows: Vec<Vec<bool>> = (0..models).map(|_| coins()).collect();
    let again = coins();
    let examples = Examples::new(22, n);
    let m = Membership::from_rows(rows.clone()).unwrap();
    let signals = pool(&examples, &m, 0);
    let labels: Vec<u32> = (0..n as u32).map(|i| i % 3).collect();
    for sight in [Sight::Full, Sight::Blind] {
        let fit = |m: &Membership| Learned::fit(m, &signals, around(&labels), &units(m), sight, 1).unwrap().score();
        let before = fit(&m);
        // The first target's regression begins at nought, the others' where the first's ends.
        for (target, tolerance) in [(0, 0.0), (4, 1e-4)] {
            let mut other = rows.clone();
            other[target].clone_from(&again);
            let after = fit(&Membership::from_rows(other).unwrap());
            let both = before[target].iter().zip(&after[target]).filter(|(a, b)| !a.is_nan() && !b.is_nan());
            let worst = both.clone().map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(both.count() > 20 && worst <= tolerance, "{target}: {worst}");
        }
    }
}

#[test]
fn threads_change_nothing_and_few_blocks_learn_nothing() {
    let examples = Examples::new(21, EXAMPLES);
    let m = Membership::complementary(3, 8, EXAMPLES).unwrap();
    let signals = pool(&examples, &m, 3);
    let all = units(&m);
    let fit = |workers| Learned::fit(&m, &signals, around(examples.labels()), &all, Sight::Full, workers).unwrap();
    assert_eq!(fit(1).score(), fit(3).score());
    let few = m.select(&[0, 1, 2, 3, 4, 5]);
    let three = units(&few);
    let found = Learned::fit(&few, &signals[..6], around(examples.labels()), &three, Sight::Full, 1);
    assert!(found.is_none());
}

#[test]
fn what_leaks_is_found_better_than_by_lira_and_wrong_memberships_give_nothing() {
    let examples = Examples::new(22, EXAMPLES);
    let (mut learnt, mut lira, mut null) = (Vec::new(), Vec::new(), Vec::new());
    for draw in 0..12 {
        let m = Membership::complementary(draw, MODELS, EXAMPLES).unwrap();
        let signals = pool(&examples, &m, draw);
        learnt.push(mean_auc(&m, &score(&m, &signals, examples.labels())));
        let rows: Vec<Vec<f64>> = signals.iter().map(|s| s.values(Signal::Phi)).collect();
        let seat = |k: usize| Seat { block: m.block(k), member: m.row(k), values: &rows[k], population: &[] };
        let lineup = Lineup::of_design(&m, (0..MODELS).map(seat).collect(), Some(examples.labels())).unwrap();
        lira.push(mean_auc(&m, &Attack::LIRA.score(&lineup)));
        let told = Membership::complementary(draw + 1_000_000, MODELS, EXAMPLES).unwrap();
        null.push(mean_auc(&told, &score(&told, &signals, examples.labels())));
    }
    let (learnt, lira, mean) = (moments::mean(&learnt), moments::mean(&lira), moments::mean(&null));
    let error = (moments::variance(&null, 1) / null.len() as f64).sqrt();
    println!("learnt {learnt:.3}, lira {lira:.3}, wrong memberships {mean:.4} +- {error:.4}");
    assert!(learnt > lira + 0.01);
    assert!((mean - 0.5).abs() < 4.0 * error);
}

/// Members of one target that are easier by themselves are found without its outputs; members by lot are not.
#[test]
fn unfair_members_of_one_target_are_named() {
    let examples = Examples::new(23, 400);
    let mut stream = Stream::new(8, Purpose::Simulation, 0, 0);
    let m = Membership::complementary(5, 12, 400).unwrap();
    let signals = pool(&examples, &m, 5);
    // How easy an example is, by the shadows of model 0.
    let level: Vec<f64> = (0..400).map(|i| (2..12).map(|k| f64::from(signals[k].phi[i])).sum()).collect();
    let middle = moments::median(&level);
    let mut p = |choose: &mut dyn FnMut(usize, &mut Stream) -> bool| {
        let mut rows: Vec<Vec<bool>> = (0..12).map(|k| m.row(k).to_vec()).collect();
        rows[0] = (0..400).map(|i| choose(i, &mut stream)).collect();
        rows.remove(1);
        let told = Membership::from_rows(rows).unwrap();
        let mut own = signals.clone();
        own.remove(1);
        CrossFit::of_target(&told, &own, &around(examples.labels()), 0).unwrap()
    };
    let fair: Vec<CrossFit> = (0..20).map(|_| p(&mut |_, s| s.coin())).collect();
    let named = fair.iter().filter(|f| f.p_value <= 0.01).count();
    let mean = moments::mean(&fair.iter().map(|f| f.auc).collect::<Vec<_>>());
    println!("fair: AUC {mean:.3}, {named} of 20 named");
    assert!(named <= 2 && (mean - 0.5).abs() < 0.03);
    let unfair = p(&mut |i, s| s.uniform(0.0, 1.0) < if level[i] > middle { 0.7 } else { 0.3 });
    println!("unfair: AUC {:.3}, p {:.1e}", unfair.auc, unfair.p_value);
    assert!(unfair.auc > 0.6 && unfair.p_value < 1e-3);
}
