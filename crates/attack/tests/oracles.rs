//! Scores against values worked out by hand and against closed forms.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use flatleak_attack::{Attack, Lineup, Seat};
use flatleak_pool::BlockId;
use flatleak_stats::{Ranking, normal};
use flatleak_stream::{Purpose, Stream};

/// Three blocks on one example: the target's (models 0 and 1), and four shadows, of which two are OUT.
fn scores(attack: Attack, values: [f64; 6]) -> Vec<f64> {
    let members = [[true], [false], [true], [false], [false], [true]];
    let values = values.map(|v| [v]);
    let seats =
        (0..6).map(|m| Seat { block: BlockId::new(m / 2), member: &members[m], values: &values[m], population: &[] });
    attack.score(&Lineup::new(seats.collect(), None).unwrap()).iter().map(|row| row[0]).collect()
}

#[test]
fn attack_r_by_hand() {
    // Values are log p = -loss. OUT shadows of model 0: models 3 and 4, with losses 2 and 0.5.
    let of = |target: f64| scores(flatleak_attack::AttackR.into(), [target, -9.0, -9.0, -2.0, -0.5, -9.0])[0];
    assert_eq!(of(-3.0), 0.0);
    assert_eq!(of(-2.0), 0.25, "a tie counts half");
    assert_eq!(of(-1.0), 0.5);
    assert_eq!(of(-0.5), 0.75);
    assert_eq!(of(-0.1), 1.0);
}

#[test]
fn rmia_is_the_ratio() {
    let phi = [1.5, -2.0, 0.3, -1.0, 2.0, 40.0];
    let p = phi.map(|v: f64| 1.0 / (1.0 + (-v).exp()));
    // Shadows of model 0: IN 2 and 5, OUT 3 and 4; of model 1 the same.
    let pbar = 0.5 * (p[2] + p[5]) / 2.0 + 0.5 * (p[3] + p[4]) / 2.0;
    let found = scores(Attack::RMIA, phi);
    assert!((found[0].exp() - p[0] / pbar).abs() < 1e-14);
    assert!((found[1].exp() - p[1] / pbar).abs() < 1e-14);
    // Offline with a = 0.3: pbar = .65 mean OUT + .35.
    let offline = 0.65 * (p[3] + p[4]) / 2.0 + 0.35;
    assert!((scores("rmia-offline".parse().unwrap(), phi)[0].exp() - p[0] / offline).abs() < 1e-14);
}

/// Members N(1, 1), non-members N(0, 1), the same for every model: with many shadows the likelihood ratio ranks as phi
/// does, whose AUC is Phi(1 / sqrt 2).
#[test]
fn gaussian_scores_have_the_gaussian_auc() {
    let (models, examples) = (40, 4000);
    let mut s = Stream::new(5, Purpose::Simulation, 0, 0);
    let order: Vec<bool> = (0..examples).map(|i| i % 2 == 0).collect();
    let rows: Vec<Vec<bool>> =
        (0..models).map(|m| order.iter().map(|inside| *inside == (m % 2 == 0)).collect()).collect();
    let phi: Vec<Vec<f64>> =
        rows.iter().map(|row| row.iter().map(|m| s.normal() + f64::from(u8::from(*m))).collect()).collect();
    let labels = vec![0; examples];
    let seats =
        (0..models).map(|m| Seat { block: BlockId::new(m / 2), member: &rows[m], values: &phi[m], population: &[] });
    let lineup = Lineup::new(seats.collect(), Some(&labels)).unwrap();
    let want = normal::cdf(0.5f64.sqrt());
    // The raw signal is exact up to sampling; medians of 19 shadows cost the ratio a little.
    for (attack, slack) in [(Attack::CONFIDENCE, 0.004), (Attack::LIRA, 0.03)] {
        let mean = attack.score(&lineup).iter().zip(&rows).map(|(s, m)| Ranking::new(s, m).unwrap().auc()).sum::<f64>()
            / models as f64;
        assert!((mean - want).abs() < slack && mean < want + 0.004, "{}: {mean} {want}", attack.name());
    }
}
