//! Two nulls that every attack must pass: a target whose outputs have nothing to do with its membership among
//! shadows that are real, and membership handed to the wrong blocks. Leave-one-out fails them.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed set-up is a failed test; figures are printed")]

mod simulated;

use flatleak_attack::{Attack, Lineup, Seat, all};
use flatleak_pool::{BlockId, Matrix, Membership, Signal, Signals};
use flatleak_stats::{Ranking, jackknife, moments, student_t};
use flatleak_stream::{Purpose, Stream};
use simulated::Examples;

const MODELS: usize = 16;
const EXAMPLES: usize = 90;
const DRAWS: u64 = 400;

/// The values that one attack reads, per model: pool and population.
struct Values {
    rows: Vec<Vec<f64>>,
    population: Vec<Vec<f64>>,
}

impl Values {
    fn new(models: &[[Signals; 2]], attack: Attack) -> Self {
        Self {
            rows: models.iter().map(|m| m[0].values(attack.signal())).collect(),
            population: models.iter().map(|m| m[1].values(Signal::Phi)).collect(),
        }
    }

    fn seat<'a>(&'a self, model: usize, told: &'a Membership, block: BlockId) -> Seat<'a> {
        Seat { block, member: told.row(model), values: &self.rows[model], population: &self.population[model] }
    }
}

/// AUC of one model of a lineup.
fn auc(lineup: &Lineup<'_>, scores: &Matrix, at: usize) -> f64 {
    Ranking::new(&scores[at], lineup.seats()[at].member).unwrap().auc()
}

/// Mean AUC per block of `targets`, each block scored among the other blocks of `shadows`; `without` is left out of
/// both.
fn by_block(
    attack: Attack,
    (targets, shadows): (&Values, &Values),
    told: &Membership,
    labels: &[u32],
    without: Option<BlockId>,
) -> Vec<f64> {
    told.block_ids()
        .filter(|b| Some(*b) != without)
        .map(|block| {
            let kept: Vec<usize> = (0..told.models()).filter(|&m| Some(told.block(m)) != without).collect();
            let seats = kept.iter().map(|&m| {
                let from = if told.block(m) == block { targets } else { shadows };
                from.seat(m, told, told.block(m))
            });
            let lineup = Lineup::new(seats.collect(), Some(labels)).unwrap();
            let scores = attack.score(&lineup);
            let mine: Vec<f64> =
                (0..kept.len()).filter(|&k| told.block(kept[k]) == block).map(|k| auc(&lineup, &scores, k)).collect();
            moments::mean(&mine)
        })
        .collect()
}

/// Mean AUC, and whether its 95 % interval covers 1/2: the jackknife with shadows, Student's t without.
fn draw(attack: Attack, values: (&Values, &Values), told: &Membership, labels: &[u32]) -> (f64, bool) {
    let blocks = by_block(attack, values, told, labels, None);
    let mean = moments::mean(&blocks);
    let interval = if attack.uses_shadows() {
        let left_out: Vec<f64> =
            told.block_ids().map(|d| moments::mean(&by_block(attack, values, told, labels, Some(d)))).collect();
        jackknife(mean, &left_out, 0.95).unwrap().interval
    } else {
        student_t(&blocks, 0.95).unwrap()
    };
    (mean, interval.low <= 0.5 && 0.5 <= interval.high)
}

/// Deviation of the mean from 1/2 in Monte Carlo standard errors, and the share of intervals that cover it.
fn summary(draws: &[(f64, bool)]) -> (f64, f64) {
    let means: Vec<f64> = draws.iter().map(|d| d.0).collect();
    let error = (moments::variance(&means, 1) / means.len() as f64).sqrt();
    let covered = draws.iter().filter(|d| d.1).count() as f64 / draws.len() as f64;
    ((moments::mean(&means) - 0.5) / error.max(1e-12), covered)
}

fn check(name: &str, draw_of: impl Fn(Attack, u64) -> (f64, bool) + Sync) {
    let attacks = all();
    let results: Vec<(Attack, (f64, f64))> = std::thread::scope(|scope| {
        let halves: Vec<_> = (0..2)
            .map(|half| {
                let (attacks, draw_of) = (&attacks, &draw_of);
                scope.spawn(move || {
                    attacks
                        .iter()
                        .skip(half)
                        .step_by(2)
                        .map(|&a| (a, summary(&(0..DRAWS).map(|d| draw_of(a, d)).collect::<Vec<_>>())))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        halves.into_iter().flat_map(|h| h.join().unwrap()).collect()
    });
    for (attack, (deviation, covered)) in &results {
        println!("{name:14} {:30} {deviation:+.2} standard errors, covered {covered:.3}", attack.name());
    }
    for (attack, (deviation, covered)) in results {
        assert!(deviation.abs() <= 3.0, "{name}: {} is off by {deviation:.2} standard errors", attack.name());
        // The jackknife is conservative: it may cover more than 98 %.
        let most = if attack.uses_shadows() { 1.0 } else { 0.98 };
        assert!((0.92..=most).contains(&covered), "{name}: {} covers {covered:.3}", attack.name());
    }
}

#[test]
fn a_blind_target_among_real_shadows_gives_nothing() {
    let examples = Examples::new(11, EXAMPLES);
    check("blind target", |attack, d| {
        let told = Membership::complementary(d, MODELS, EXAMPLES).unwrap();
        let other = Membership::complementary(d + 1_000_000, MODELS, EXAMPLES).unwrap();
        let real = Values::new(&examples.models(&told, 1.0, d, 0), attack);
        let blind = Values::new(&examples.models(&other, 1.0, d + DRAWS, 0), attack);
        draw(attack, (&blind, &real), &told, examples.labels())
    });
}

/// Whole blocks of membership are exchanged with blocks from outside the pool. A permutation within a pool of 8
/// blocks is no exact null: the row told for a target is then the true row of one of its shadows, the cycles of
/// the permutation close, and `lira-online-fixed` came out 4.9 standard errors below 1/2.
#[test]
fn membership_of_other_blocks_gives_nothing() {
    let examples = Examples::new(12, EXAMPLES);
    check("permuted", |attack, d| {
        let trained = Membership::complementary(d, MODELS, EXAMPLES).unwrap();
        let told = Membership::complementary(d + 1_000_000, MODELS, EXAMPLES).unwrap();
        let values = Values::new(&examples.models(&trained, 1.0, d, 0), attack);
        draw(attack, (&values, &values), &told, examples.labels())
    });
}

/// With the twin left among the shadows, `base` and `lira-online` betray the membership of a blind target.
#[test]
fn leave_one_out_fails_the_blind_null() {
    let examples = Examples::new(11, EXAMPLES);
    for attack in ["base", "lira-online"].map(|name| name.parse::<Attack>().unwrap()) {
        let draws: Vec<(f64, bool)> = (0..DRAWS)
            .map(|d| {
                let told = Membership::complementary(d, MODELS, EXAMPLES).unwrap();
                let other = Membership::complementary(d + 1_000_000, MODELS, EXAMPLES).unwrap();
                let real = Values::new(&examples.models(&told, 1.0, d, 0), attack);
                let blind = Values::new(&examples.models(&other, 1.0, d + DRAWS, 0), attack);
                let target = d as usize % MODELS;
                // Every model its own block: only the target itself is left out.
                let seats =
                    (0..MODELS).map(|m| (if m == target { &blind } else { &real }).seat(m, &told, BlockId::new(m)));
                let lineup = Lineup::new(seats.collect(), Some(examples.labels())).unwrap();
                (auc(&lineup, &attack.score(&lineup), target), true)
            })
            .collect();
        let (deviation, _) = summary(&draws);
        println!("leave-one-out  {:30} {deviation:+.2} standard errors", attack.name());
        assert!(deviation.abs() > 3.0, "{} should fail: {deviation}", attack.name());
    }
}

/// The twin's outputs given the example are negatively correlated with the target's, those of other blocks are not.
#[test]
fn made_up_twins_mirror_their_targets() {
    let examples = Examples::new(11, EXAMPLES);
    let (mut twin, mut other) = (Vec::new(), Vec::new());
    for d in 0..40 {
        let told = Membership::complementary(d, MODELS, EXAMPLES).unwrap();
        let models = examples.models(&told, 0.0, d, 0);
        let phi: Vec<Vec<f64>> = models.iter().map(|m| m[0].values(Signal::Phi)).collect();
        let centre: Vec<f64> = (0..EXAMPLES).map(|i| phi.iter().map(|r| r[i]).sum::<f64>() / MODELS as f64).collect();
        let rest = |m: usize| phi[m].iter().zip(&centre).map(|(v, c)| v - c).collect::<Vec<_>>();
        twin.push(moments::correlation(&rest(0), &rest(1)).unwrap());
        other.push(moments::correlation(&rest(0), &rest(2)).unwrap());
    }
    let (twin, other) = (moments::mean(&twin), moments::mean(&other));
    println!("correlation with the twin {twin:.3}, with another block {other:.3}");
    assert!((-0.6..-0.2).contains(&twin) && other.abs() < 0.15);
}

/// Every example in exactly half of the models, but no blocks: the number of shadows on either side then tells whether the target holds the
/// example. A score that sees no output of the target, the pooled mean of its shadows, finds members by that alone, unless shadows are cut.
#[test]
fn cuts_hide_how_many_shadows_hold_an_example() {
    const MODELS: usize = 12;
    const EXAMPLES: usize = 400;
    let base: Attack = "base".parse().unwrap();
    let mean_auc = |cut: bool| {
        let mut aucs = Vec::new();
        for draw in 0..60 {
            let mut stream = Stream::new(draw, Purpose::Simulation, 1, 0);
            let rows = fixed(MODELS, MODELS / 2, EXAMPLES, &mut stream);
            let mut values: Vec<Vec<f64>> = rows
                .iter()
                .map(|row| row.iter().map(|m| stream.normal() + if *m { 2.0 } else { 0.0 }).collect())
                .collect();
            // The target says nothing.
            values[0] = vec![0.0; EXAMPLES];
            let membership = Membership::from_rows(rows).unwrap();
            let seats = seats(&membership, &values);
            let lineup = match cut {
                true => Lineup::of_design(&membership, seats, None).unwrap(),
                false => Lineup::new(seats, None).unwrap(),
            };
            aucs.push(within_strata(&base.score(&lineup)[0], &membership, 0));
        }
        let mean = aucs.iter().sum::<f64>() / 60.0;
        let error = (aucs.iter().map(|a| (a - mean) * (a - mean)).sum::<f64>() / (59.0 * 60.0)).sqrt();
        (mean, error)
    };
    let (leaking, error) = mean_auc(false);
    assert!(leaking > 0.5 + 10.0 * error, "{leaking} {error}");
    let (hidden, error) = mean_auc(true);
    assert!((hidden - 0.5).abs() < 3.0 * error, "{hidden} {error}");
}

/// `inside` models of every example, drawn by lot.
fn fixed(models: usize, inside: usize, examples: usize, stream: &mut Stream) -> Vec<Vec<bool>> {
    let holders: Vec<Vec<u32>> = (0..examples).map(|_| stream.permutation(models)[..inside].to_vec()).collect();
    (0..models as u32).map(|m| holders.iter().map(|h| h.contains(&m)).collect()).collect()
}

fn seats<'a>(membership: &'a Membership, values: &'a [Vec<f64>]) -> Vec<Seat<'a>> {
    let seat =
        |m: usize| Seat { block: membership.block(m), member: membership.row(m), values: &values[m], population: &[] };
    (0..membership.models()).map(seat).collect()
}

/// AUC of a target among the examples of each stratum, NaN left out.
fn within_strata(scores: &[f64], membership: &Membership, model: usize) -> f64 {
    let strata = membership.strata(membership.block(model)).unwrap_or_else(|| vec![0; scores.len()]);
    let (mut won, mut all) = (0.0, 0.0);
    let row = membership.row(model);
    for i in (0..scores.len()).filter(|&i| row[i] && !scores[i].is_nan()) {
        for j in (0..scores.len()).filter(|&j| !row[j] && strata[j] == strata[i] && !scores[j].is_nan()) {
            won += if scores[i] > scores[j] {
                1.0
            } else if scores[i] == scores[j] {
                0.5
            } else {
                0.0
            };
            all += 1.0;
        }
    }
    won / all
}

/// Every example in the same number of models, but not half of them: the smaller side alone would still tell, by the deviation of its
/// shadows. Noise gives nothing.
#[test]
fn designs_of_a_fixed_number_give_nothing_for_noise() {
    const EXAMPLES: usize = 1000;
    for (models, inside) in [(16, 4), (16, 12), (12, 6)] {
        let mut sums = vec![Vec::new(); all().len()];
        for draw in 0..4 {
            let mut stream = Stream::new(draw, Purpose::Simulation, 2, models as u64 + inside as u64);
            let rows = fixed(models, inside, EXAMPLES, &mut stream);
            let values: Vec<Vec<f64>> = rows.iter().map(|row| row.iter().map(|_| stream.normal()).collect()).collect();
            let membership = Membership::from_rows(rows).unwrap();
            let lineup = Lineup::of_design(&membership, seats(&membership, &values), None).unwrap();
            for (sum, attack) in sums.iter_mut().zip(all()) {
                let scores = attack.score(&lineup);
                sum.extend((0..models).map(|m| within_strata(&scores[m], &membership, m)));
            }
        }
        for (aucs, attack) in sums.iter().zip(all()) {
            let mean = moments::mean(aucs);
            let error = (moments::variance(aucs, 1) / aucs.len() as f64).sqrt();
            // Attacks without population have nothing to rank.
            assert!((mean - 0.5).abs() <= 4.0 * error, "{} at {inside} of {models}: {mean} {error}", attack.name());
        }
    }
}
