//! What settings behind a data set's name change.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use flatleak_data::{Dataset, Request, open};

fn data(name: &str) -> Dataset {
    open(&Request { pool: Some(400), test: Some(200), ..Request::new(name) }).unwrap()
}

fn share(data: &Dataset, group: u32) -> f64 {
    let groups = data.pool.groups.as_ref().unwrap();
    groups.iter().filter(|g| **g == group).count() as f64 / groups.len() as f64
}

#[test]
fn label_noise_changes_the_marked_labels_and_no_other() {
    let (clean, noisy) = (data("digits"), data("digits+label-noise=0.25"));
    assert_eq!(clean.pool.x, noisy.pool.x);
    assert_eq!(clean.test.y, noisy.test.y);
    for (i, group) in noisy.pool.groups.as_ref().unwrap().iter().enumerate() {
        assert_eq!(clean.pool.y[i] != noisy.pool.y[i], *group == 1);
    }
    assert_eq!(share(&noisy, 1), 0.25);
    assert_ne!(clean.digest(), noisy.digest());
}

#[test]
fn duplicates_have_a_near_twin_and_canaries_none() {
    let near = |d: &Dataset, i: usize| {
        (0..d.pool.len())
            .filter(|&j| j != i)
            .map(|j| d.pool.row(i).iter().zip(d.pool.row(j)).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>())
            .fold(f64::MAX, f64::min)
            / d.shape.features() as f64
    };
    let copied = data("digits+duplicates=0.1");
    assert_eq!(share(&copied, 1), 0.2);
    let groups = copied.pool.groups.clone().unwrap();
    for i in (0..400).filter(|&i| groups[i] == 1) {
        assert!(near(&copied, i) < 4.0 * 0.05 * 0.05, "{i}: {}", near(&copied, i));
    }
    let canaries = data("digits+canaries=7");
    assert_eq!(share(&canaries, 1), 7.0 / 400.0);
}

#[test]
fn imbalance_and_feature_noise() {
    let d = data("digits+imbalance=0.1");
    let count = |c: u32| d.pool.y.iter().filter(|y| **y == c).count();
    assert_eq!((count(0), count(9)), (40, 4));
    assert!((1..9).all(|c| count(c) <= count(c - 1)));
    let (plain, blurred) = (data("digits"), data("digits+feature-noise=0.5"));
    assert_eq!(plain.pool, blurred.pool);
    let n = plain.test.x.len() as f64;
    let spread: f64 = plain.test.x.iter().zip(&blurred.test.x).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>() / n;
    assert!((spread.sqrt() - 0.5).abs() < 0.02);
}

#[test]
fn generated_groups_follow_zipf_and_the_control_has_none() {
    let d = open(&Request { pool: Some(20_000), ..Request::new("subpopulations+clusters=4") }).unwrap();
    let total = 1.0 + 0.5 + 1.0 / 3.0 + 0.25;
    for r in 0..4 {
        let want = 1.0 / f64::from(r + 1) / total;
        assert!((share(&d, r) - want).abs() < 0.02, "{r}");
    }
    assert_eq!(d.groups.len(), 4);
    assert_eq!(data("one-cluster").pool.groups, None);
    assert_eq!(data("subpopulations"), data("subpopulations"));
}

#[test]
fn mistakes_are_named() {
    let error = |name: &str| open(&Request::new(name)).unwrap_err().to_string();
    assert!(error("digits+label-nose=1").contains("no setting `label-nose`"));
    assert!(error("digits+label-noise=x").contains("`x` is not a number"));
    assert!(error("digits+label-noise=2").contains("0 to 1 are possible"));
    assert!(error("digits+clusters=2").contains("no setting `clusters`"));
    assert!(error("subpopulations+dim=2.5").contains("whole number"));
    assert!(error("digits+canaries=1+canaries=2").contains("set twice"));
}
