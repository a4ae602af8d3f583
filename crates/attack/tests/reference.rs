//! Scores against an independent numpy implementation (`make_reference.py`, written from the formulas alone).
#![allow(clippy::unwrap_used, reason = "a failed fixture read is a failed test")]

use flatleak_attack::{Attack, FixedVariance, Lineup, Seat, all};
use flatleak_pool::{BlockId, Matrix, Signals};
use serde_json::Value;

fn matrix(v: &Value) -> Vec<Vec<f64>> {
    let number = |v: &Value| v.as_f64().or_else(|| v.as_bool().map(|b| f64::from(u8::from(b)))).unwrap();
    v.as_array().unwrap().iter().map(|r| r.as_array().unwrap().iter().map(number).collect()).collect()
}

struct Fixture {
    json: Value,
    member: Vec<Vec<bool>>,
    labels: Vec<u32>,
    signals: Vec<Signals>,
    population: Vec<Vec<f64>>,
}

fn load() -> Fixture {
    let json: Value = serde_json::from_str(include_str!("reference.json")).unwrap();
    let f32s = |key: &str| -> Vec<Vec<f32>> {
        matrix(&json[key]).into_iter().map(|r| r.into_iter().map(|v| v as f32).collect()).collect()
    };
    let member = matrix(&json["membership"]).into_iter().map(|r| r.into_iter().map(|v| v > 0.5).collect()).collect();
    let labels = json["labels"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as u32).collect();
    let (phi, entropy, modified) = (f32s("phi"), f32s("entropy"), f32s("modified_entropy"));
    let correct = matrix(&json["correct"]);
    let signals = (0..phi.len())
        .map(|m| Signals {
            phi: phi[m].clone(),
            correct: correct[m].iter().map(|v| *v as u8).collect(),
            entropy: entropy[m].clone(),
            modified_entropy: modified[m].clone(),
            ..Signals::default()
        })
        .collect();
    let population = matrix(&json["population_phi"]);
    Fixture { json, member, labels, signals, population }
}

fn score(f: &Fixture, attack: Attack) -> Matrix {
    let rows: Vec<Vec<f64>> = f.signals.iter().map(|s| s.values(attack.signal())).collect();
    let seats = (0..rows.len())
        .map(|m| Seat {
            block: BlockId::new(m / 2),
            member: &f.member[m],
            values: &rows[m],
            population: &f.population[m],
        })
        .collect();
    attack.score(&Lineup::new(seats, Some(&f.labels)).unwrap())
}

#[test]
fn every_attack_matches_numpy() {
    let f = load();
    let mut cases: Vec<(String, Attack)> = all()
        .into_iter()
        // The others are compared in `flatleak-cli`'s `audit_reference`, `strongest` in `learned`.
        .filter(|a| f.json["scores"].get(a.name()).is_some())
        .map(|a| (a.name(), a))
        .collect();
    for variant in [FixedVariance::Official, FixedVariance::PerSide] {
        cases.push((format!("lira-online-fixed.{}", variant.name()), Attack::LIRA.with_variance(variant)));
    }
    assert!(cases.len() > 22, "{}", cases.len());
    for (name, attack) in cases {
        let want = matrix(&f.json["scores"][&name]);
        let mut worst = 0f64;
        for (got, want) in score(&f, attack).iter().flatten().zip(want.iter().flatten()) {
            worst = worst.max((got - want).abs() / (1.0 + want.abs()));
        }
        println!("{name:32} largest difference {worst:.1e}");
        assert!(worst <= 1e-9, "{name}: {worst:e}");
    }
}

/// Leave-one-block-out: no other model of the target's block enters its score, whatever it puts out.
#[test]
fn the_twin_has_no_influence() {
    let f = load();
    // The fixture has no outputs at other temperatures.
    for attack in all().into_iter().filter(|a| a.temperature().is_none()) {
        let before = score(&f, attack);
        let mut changed = load();
        changed.signals[5].phi.iter_mut().for_each(|v| *v = -*v);
        changed.signals[5].correct.iter_mut().for_each(|v| *v = 1 - *v);
        changed.signals[5].entropy.iter_mut().for_each(|v| *v += 1.0);
        changed.signals[5].modified_entropy.iter_mut().for_each(|v| *v += 1.0);
        changed.population[5].iter_mut().for_each(|v| *v = -*v);
        let after = score(&changed, attack);
        assert_eq!(before[4], after[4], "{}", attack.name());
        // One model in twelve need not move the threshold of any class.
        if attack.uses_shadows() && !attack.name().ends_with("-per-class") {
            let others = |scores: &Matrix| scores.iter().take(4).map(<[f64]>::to_vec).collect::<Vec<_>>();
            assert_ne!(others(&before), others(&after), "{} ignores its shadows", attack.name());
        }
    }
}

/// The negative shadow mean uses no output of the target: over complementary blocks its AUC averages to exactly 1/2
/// when the target's block is left out, and betrays membership when only the target is.
#[test]
fn the_pooled_shadow_mean_knows_nothing() {
    let (models, examples) = (12, 400);
    let membership = flatleak_pool::Membership::complementary(9, models, examples).unwrap();
    let mut s = flatleak_stream::Stream::new(9, flatleak_stream::Purpose::Simulation, 0, 0);
    let phi: Vec<Vec<f64>> = (0..models)
        .map(|m| membership.row(m).iter().map(|&inside| s.normal() + f64::from(u8::from(inside))).collect())
        .collect();
    let auc = |target: usize, leave_block: bool| {
        let shadow = |m: &usize| if leave_block { m / 2 != target / 2 } else { *m != target };
        let scores: Vec<f64> =
            (0..examples).map(|i| -(0..models).filter(shadow).map(|m| phi[m][i]).sum::<f64>()).collect();
        flatleak_stats::Ranking::new(&scores, membership.row(target)).unwrap().auc()
    };
    for block in 0..models / 2 {
        let both = auc(2 * block, true) + auc(2 * block + 1, true);
        assert!((both - 1.0).abs() < 1e-12, "block {block}: {both}");
    }
    let naive: f64 = (0..models).map(|m| auc(m, false)).sum::<f64>() / models as f64;
    assert!(naive > 0.52, "leave-one-out should leak: {naive}");
}
