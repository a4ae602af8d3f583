//! Comparison with SciPy and NumPy; the values come from `make_reference.py`.
#![allow(clippy::unwrap_used)] // in a helper, which the lint does not know to be a test

use flatleak_stats::{Ranking, clopper_pearson, interpolate, jackknife, moments, normal, student_t, wilson};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    roc: Vec<Roc>,
    t_interval: Vec<Blocks>,
    jackknife: LeaveOneOut,
    proportion: Vec<Proportion>,
    moments: Moments,
    normal: Normal,
}

#[derive(Deserialize)]
struct Roc {
    scores: Vec<f64>,
    member: Vec<bool>,
    auc: f64,
    advantage: f64,
    best_threshold: f64,
    best_balanced_accuracy: f64,
    tpr_at: Vec<(f64, f64)>,
}

#[derive(Deserialize)]
struct Blocks {
    values: Vec<f64>,
    level: f64,
    mean: f64,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct LeaveOneOut {
    estimate: f64,
    leave_one_out: Vec<f64>,
    level: f64,
    standard_error: f64,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct Proportion {
    successes: u64,
    trials: u64,
    level: f64,
    exact: (f64, f64),
    wilson: (f64, f64),
}

#[derive(Deserialize)]
struct Moments {
    x: Vec<f64>,
    y: Vec<f64>,
    mean: f64,
    variance: (f64, f64),
    median: f64,
    quantiles: Vec<(f64, f64)>,
    correlation: f64,
}

#[derive(Deserialize)]
struct Normal {
    cdf: Vec<(f64, f64)>,
    quantile: Vec<(f64, f64)>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("reference.json")).unwrap()
}

#[track_caller]
fn close(got: f64, wanted: f64, tolerance: f64) {
    assert!((got - wanted).abs() <= tolerance * wanted.abs().max(1e-300), "{got:e} instead of {wanted:e}");
}

#[test]
fn roc_measures_with_ties() {
    for case in reference().roc {
        let ranking = Ranking::new(&case.scores, &case.member).unwrap();
        assert!(ranking.curve().len() <= case.scores.len(), "the case has no ties");
        close(ranking.auc(), case.auc, 1e-14);
        assert!((ranking.advantage() - case.advantage).abs() < 1e-14);
        assert_eq!(ranking.best_threshold(), case.best_threshold);
        close(ranking.balanced_accuracy_at(case.best_threshold), case.best_balanced_accuracy, 1e-14);
        for (fpr, tpr) in case.tpr_at {
            let point = ranking.tpr_at(fpr);
            close(point.tpr, tpr, 1e-15);
            assert!(point.realised_fpr <= fpr);
            assert_eq!(interpolate(&ranking.curve(), &[fpr]), [point.tpr]);
        }
    }
}

#[test]
fn student_t_intervals() {
    for case in reference().t_interval {
        let interval = student_t(&case.values, case.level).unwrap();
        close(interval.mean, case.mean, 1e-13);
        close(interval.low, case.low, 1e-11);
        close(interval.high, case.high, 1e-11);
    }
}

#[test]
fn jackknife_of_a_ratio() {
    let case = reference().jackknife;
    let found = jackknife(case.estimate, &case.leave_one_out, case.level).unwrap();
    close(found.standard_error, case.standard_error, 1e-10);
    close(found.interval.low, case.low, 1e-11);
    close(found.interval.high, case.high, 1e-11);
    assert_eq!(found.interval.mean, case.estimate);
}

#[test]
fn intervals_for_proportions() {
    for case in reference().proportion {
        let exact = clopper_pearson(case.successes, case.trials, case.level).unwrap();
        close(exact.low, case.exact.0, 1e-8);
        close(exact.high, case.exact.1, 1e-8);
        let score = wilson(case.successes, case.trials, case.level).unwrap();
        assert!((score.low - case.wilson.0).abs() < 1e-13);
        assert!((score.high - case.wilson.1).abs() < 1e-13);
        assert_eq!(exact.mean, case.successes as f64 / case.trials as f64);
    }
}

#[test]
fn moments_and_the_normal_distribution() {
    let Reference { moments: m, normal: n, .. } = reference();
    close(moments::mean(&m.x), m.mean, 1e-13);
    close(moments::variance(&m.x, 0), m.variance.0, 1e-13);
    close(moments::variance(&m.x, 1), m.variance.1, 1e-13);
    close(moments::standard_deviation(&m.x, 1), m.variance.1.sqrt(), 1e-13);
    close(moments::median(&m.x), m.median, 1e-15);
    for (q, value) in m.quantiles {
        close(moments::quantile(&m.x, q), value, 1e-13);
    }
    close(moments::correlation(&m.x, &m.y).unwrap(), m.correlation, 1e-12);
    for (z, p) in n.cdf {
        close(normal::cdf(z), p, 1e-12);
    }
    for (p, z) in n.quantile {
        close(normal::quantile(p), z, 1e-12);
    }
}
