//! ROC measures: closed forms, cases by hand, properties.

use flatleak_stats::{Error, Ranking, interpolate, normal};
use proptest::prelude::*;

/// Quantiles of N(shift, 1) at (i + 1/2) / n.
fn grid(shift: f64, n: usize) -> impl Iterator<Item = f64> {
    (0..n).map(move |i| shift + normal::quantile((i as f64 + 0.5) / n as f64))
}

#[test]
fn two_gaussians() {
    // AUC = Phi(d / sqrt 2), advantage = 2 Phi(d / 2) - 1, TPR at f = Phi(d + Phi^-1(f)).
    let n = 20_000;
    let member: Vec<bool> = (0..2 * n).map(|i| i < n).collect();
    for d in [0.0, 0.4, 1.7] {
        let scores: Vec<f64> = grid(d, n).chain(grid(0.0, n)).collect();
        let ranking = Ranking::new(&scores, &member).unwrap();
        assert!((ranking.auc() - normal::cdf(d / 2f64.sqrt())).abs() < 1e-5);
        assert!((ranking.advantage() - (2.0 * normal::cdf(0.5 * d) - 1.0)).abs() < 2e-4);
        let best = ranking.best_threshold();
        let oracle = ranking.balanced_accuracy_at(best);
        assert!((oracle - 0.5 * (1.0 + ranking.advantage())).abs() < 1e-12);
        for f in [0.001, 0.01, 0.1] {
            // The members that count lie above the first non-member too many, at (f n + 1/2) / n.
            let point = ranking.tpr_at(f);
            let limit = normal::quantile(f + 0.5 / n as f64);
            assert!((point.tpr - normal::cdf(d + limit)).abs() < 1e-4, "{d} {f} {point:?}");
        }
        if d > 0.0 {
            assert!((best - 0.5 * d).abs() < 0.05);
        }
    }
}

#[test]
fn steps_by_hand() {
    // Descending: 3 (member), 2 (member and non-member), 1 (non-member), 0 (member).
    let ranking = Ranking::new(&[2.0, 3.0, 1.0, 0.0, 2.0], &[true, true, false, true, false]).unwrap();
    let third = 1.0 / 3.0;
    assert_eq!((ranking.members(), ranking.non_members()), (3, 2));
    assert_eq!(ranking.curve(), [(0.0, 0.0), (0.0, third), (0.5, 2.0 * third), (1.0, 2.0 * third), (1.0, 1.0)]);
    assert_eq!(ranking.auc(), (1.5 + 2.0) / 6.0);
    assert_eq!(ranking.advantage(), third);
    assert_eq!(ranking.best_threshold(), 3.0);

    let exact = ranking.tpr_at(0.0);
    assert_eq!((exact.tpr, exact.threshold, exact.false_positives), (third, Some(3.0), 0));
    assert_eq!(ranking.tpr_at(0.499).tpr, third);
    let half = ranking.tpr_at(0.5);
    assert_eq!((half.tpr, half.threshold, half.realised_fpr), (2.0 * third, Some(2.0), 0.5));
    // A second false positive buys nothing at .99, and more only together with the last member.
    assert_eq!(ranking.tpr_at(0.99), half);
    assert_eq!(ranking.tpr_at(1.0).tpr, 1.0);
    assert_eq!(ranking.tpr_at(-0.1).threshold, None);
    assert_eq!(ranking.tpr_at(f64::NAN).tpr, 0.0);

    // False positives that buy no member are not taken.
    let frugal = Ranking::new(&[3.0, 0.0, 2.0, 1.0], &[true, true, false, false]).unwrap().tpr_at(0.5);
    assert_eq!((frugal.tpr, frugal.false_positives, frugal.threshold), (0.5, 0, Some(3.0)));
    let nothing = Ranking::new(&[0.0, 2.0, 1.0], &[true, false, false]).unwrap().tpr_at(0.5);
    assert_eq!((nothing.tpr, nothing.false_positives, nothing.threshold), (0.0, 0, None));

    let between = ranking.at_threshold(1.5);
    assert_eq!((between.true_positives, between.false_positives, between.threshold), (2, 1, Some(1.5)));
    assert!((ranking.balanced_accuracy_at(1.5) - 0.5 * (2.0 * third + 0.5)).abs() < 1e-15);
    assert_eq!(ranking.balanced_accuracy_at(3.1), 0.5);
    assert_eq!(between.precision(0.5), Some((2.0 * third) / (2.0 * third + 0.5)));
    assert_eq!(ranking.at_threshold(4.0).precision(0.5), None);
    assert_eq!(ranking.at_threshold(4.0).threshold, None);
}

#[test]
fn the_lowest_of_equally_good_thresholds_wins() {
    let ranking = Ranking::new(&[3.0, 2.0, 1.0, 0.0], &[true, false, true, false]).unwrap();
    assert_eq!(ranking.best_threshold(), 1.0);
    // A useless score is best called with everything or nothing; the lower threshold is everything.
    let reversed = Ranking::new(&[1.0, 0.0], &[false, true]).unwrap();
    assert_eq!((reversed.best_threshold(), reversed.advantage(), reversed.auc()), (0.0, 0.0, 0.0));
}

#[test]
fn one_false_positive_in_a_thousand_is_allowed_at_a_thousandth() {
    for non_members in [10usize, 30, 1000, 3000, 25_000] {
        let mut scores: Vec<f64> = (0..non_members).map(|i| i as f64).collect();
        let mut member = vec![false; non_members];
        scores.push(-1.0);
        member.push(true);
        // A member that is tied with the k-th best non-member is reached at k / n exactly.
        for k in [1, non_members / 10] {
            scores[non_members] = (non_members - k) as f64;
            let ranking = Ranking::new(&scores, &member).unwrap();
            let level = k as f64 / non_members as f64;
            assert_eq!(ranking.tpr_at(level).false_positives, k);
            assert_eq!(ranking.tpr_at(level * (1.0 - 1e-15)).tpr, 0.0);
        }
    }
}

#[test]
fn infinities_and_signed_zeros() {
    let inf = f64::INFINITY;
    let ranking = Ranking::new(&[inf, -inf, 0.0, -0.0, f64::MIN], &[true, false, true, false, true]).unwrap();
    // Pairs against -inf: 3 wins; against -0: inf wins, 0 ties, MIN loses.
    assert_eq!(ranking.auc(), (3.0 + 1.5) / 6.0);
    assert_eq!(ranking.tpr_at(0.0).threshold, Some(inf));
    assert_eq!(ranking.curve().len(), 5);
    assert_eq!(ranking.balanced_accuracy_at(-0.0), ranking.balanced_accuracy_at(0.0));
    assert_eq!(ranking.balanced_accuracy_at(-inf), 0.5);
}

#[test]
fn refusals_leave_a_ranking_as_it_was() {
    let mut ranking = Ranking::default();
    assert!(ranking.auc().is_nan() && ranking.tpr_at(0.1).tpr.is_nan() && ranking.best_threshold().is_nan());
    assert!(ranking.advantage().is_nan() && ranking.balanced_accuracy_at(0.0).is_nan());
    ranking.rebuild(&[1.0, 0.0, 0.5], &[true, false, true]).unwrap();
    let before = ranking.curve();
    assert!(matches!(ranking.rebuild(&[1.0], &[true, false]), Err(Error::LengthMismatch { .. })));
    assert_eq!(ranking.rebuild(&[1.0, f64::NAN], &[true, false]), Err(Error::NanScore { index: 1 }));
    let one_class = |members, non_members| Err(Error::OneClass { members, non_members });
    assert_eq!(ranking.rebuild(&[1.0, 2.0], &[true, true]), one_class(2, 0));
    assert_eq!(ranking.rebuild(&[1.0, 2.0], &[false, false]), one_class(0, 2));
    assert_eq!(ranking.rebuild(&[], &[]), one_class(0, 0));
    assert_eq!((ranking.curve(), ranking.auc()), (before, 1.0));
    // Larger, then smaller than before: nothing of the old contents remains.
    ranking.rebuild(&[0.0, 1.0, 2.0, 3.0], &[true, false, true, false]).unwrap();
    assert_eq!(ranking.auc(), 0.25);
    ranking.rebuild(&[0.0, 1.0], &[false, true]).unwrap();
    assert_eq!((ranking.auc(), ranking.curve().len()), (1.0, 3));
}

#[test]
fn interpolation_is_a_step() {
    let curve = [(0.0, 0.0), (0.0, 0.2), (0.5, 0.6), (1.0, 1.0)];
    assert_eq!(interpolate(&curve, &[1.0, 0.0, 0.49, 0.5, -1.0]), [1.0, 0.2, 0.2, 0.6, 0.0]);
}

/// Scores on a coarse lattice, so that ties are common, with both classes present.
fn labelled() -> impl Strategy<Value = (Vec<f64>, Vec<bool>)> {
    prop::collection::vec((-8i32..8, any::<bool>()), 2..60).prop_map(|pairs| {
        let scores = pairs.iter().map(|p| f64::from(p.0) * 0.375).collect();
        let mut member: Vec<bool> = pairs.iter().map(|p| p.1).collect();
        (member[0], member[1]) = (true, false);
        (scores, member)
    })
}

proptest! {
    #[test]
    fn auc_counts_pairs((scores, member) in labelled()) {
        let mut wins = 0.0;
        let mut pairs = 0.0;
        for (s, _) in scores.iter().zip(&member).filter(|p| *p.1) {
            for (t, _) in scores.iter().zip(&member).filter(|p| !*p.1) {
                pairs += 1.0;
                wins += if s > t { 1.0 } else if s == t { 0.5 } else { 0.0 };
            }
        }
        prop_assert_eq!(Ranking::new(&scores, &member).unwrap().auc(), wins / pairs);
    }

    #[test]
    fn negation_reflects_the_auc((scores, member) in labelled()) {
        let negated: Vec<f64> = scores.iter().map(|s| -s).collect();
        let (a, b) = (Ranking::new(&scores, &member).unwrap(), Ranking::new(&negated, &member).unwrap());
        prop_assert!((a.auc() + b.auc() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn only_the_order_matters((scores, member) in labelled()) {
        let bent: Vec<f64> = scores.iter().map(|s| s.powi(3) * 1e200 - 7.0).collect();
        let (a, b) = (Ranking::new(&scores, &member).unwrap(), Ranking::new(&bent, &member).unwrap());
        prop_assert_eq!(a.curve(), b.curve());
        prop_assert_eq!(a.auc(), b.auc());
        prop_assert_eq!(a.advantage(), b.advantage());
    }

    #[test]
    fn points_are_the_best_of_the_curve((scores, member) in labelled(), fpr in 0.0..1.0, more in 0.0..1.0) {
        let ranking = Ranking::new(&scores, &member).unwrap();
        let (low, high) = (ranking.tpr_at(fpr), ranking.tpr_at(fpr + more));
        prop_assert!(low.tpr <= high.tpr);
        prop_assert!(low.realised_fpr <= fpr);
        let curve = ranking.curve();
        let best = curve.iter().filter(|p| p.0 <= fpr).map(|p| p.1).fold(0.0, f64::max);
        prop_assert_eq!(low.tpr, best);
        if let Some(threshold) = low.threshold {
            prop_assert_eq!(ranking.at_threshold(threshold), low);
        }
        prop_assert_eq!((curve[0], curve[curve.len() - 1]), ((0.0, 0.0), (1.0, 1.0)));
        let widest = curve.iter().map(|p| p.1 - p.0).fold(0.0, f64::max);
        prop_assert!((ranking.advantage() - widest).abs() < 1e-15);
        prop_assert!(ranking.advantage() >= 0.0);
        for score in &scores {
            let best = ranking.balanced_accuracy_at(ranking.best_threshold());
            prop_assert!(ranking.balanced_accuracy_at(*score) <= best + 1e-15);
        }
    }
}
