//! What an attack says about differential privacy.

use crate::error::Error;
use crate::error::check_level;
use crate::proportion::clopper_pearson;
use crate::roc::Ranking;

/// A lower limit of epsilon from the errors of one attack: the largest of ln((TPR_lo - delta) / FPR_hi) and ln((TNR_lo - delta) / FNR_hi)
/// over thresholds, never below 0, with limits of Clopper & Pearson (1934). An (epsilon, delta)-private training keeps
/// TPR <= e^epsilon FPR + delta at every threshold (Wasserman & Zhou 2010, arXiv 0811.2501; Jagielski et al. 2020, arXiv 2006.07709).
///
/// Thresholds (own choice): the 1st, 2nd, 4th, 8th... highest score for the first form, the lowest for the second, ties whole. They are
/// chosen by rank, without a look at who is a member, and all limits hold together with probability `level` (Bonferroni), as far as the
/// examples are independent trials. Over the examples of one model they are not: there the figure is nominal, and no bound on its
/// training (book/methods/measures.md#nominal-epsilon).
///
/// # Errors
/// A level outside (0, 1).
pub fn empirical_epsilon(ranking: &Ranking, delta: f64, level: f64) -> Result<f64, Error> {
    check_level(level)?;
    let (members, others) = (ranking.members(), ranking.non_members());
    let all = members + others;
    let ranks: Vec<usize> = (0..usize::BITS).map(|j| 1 << j).take_while(|k| *k < all).collect();
    if ranks.is_empty() {
        return Ok(0.0);
    }
    // Two ends, two limits at each rank, one-sided each.
    let error = (1.0 - level) / (4 * ranks.len()) as f64;
    let limits = |k: usize, n: usize| clopper_pearson(k as u64, n as u64, 1.0 - 2.0 * error);
    let mut best = 0f64;
    for &rank in &ranks {
        let top = ranking.at_rank(rank);
        let (low, high) = (limits(top.true_positives, members)?.low, limits(top.false_positives, others)?.high);
        best = best.max(ratio(low - delta, high));
        // Called non-members: all but the highest of the others.
        let rest = ranking.at_rank(all - rank);
        let (low, high) =
            (limits(others - rest.false_positives, others)?.low, limits(members - rest.true_positives, members)?.high);
        best = best.max(ratio(low - delta, high));
    }
    Ok(best)
}

fn ratio(hits: f64, errors: f64) -> f64 {
    if hits > 0.0 { libm::log(hits / errors) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use flatleak_stream::{Purpose, Stream};

    use super::*;

    /// Randomised response: a member scores 1 with probability e^epsilon / (1 + e^epsilon), a non-member with the rest. Exactly epsilon.
    fn response(epsilon: f64, n: usize, stream: &mut Stream) -> Ranking {
        let p = epsilon.exp() / (1.0 + epsilon.exp());
        let member: Vec<bool> = (0..n).map(|i| i % 2 == 0).collect();
        let score =
            |m: &bool| if (f64::from(stream.below(1 << 24)) / f64::from(1 << 24) < p) == *m { 1.0 } else { 0.0 };
        let scores: Vec<f64> = member.iter().map(score).collect();
        Ranking::new(&scores, &member).unwrap()
    }

    #[test]
    fn randomised_response_is_bounded_and_nearly_reached() {
        let mut stream = Stream::new(5, Purpose::Simulation, 0, 0);
        for epsilon in [0.0, 0.5, 1.0, 2.0] {
            let found: Vec<f64> = (0..200)
                .map(|_| empirical_epsilon(&response(epsilon, 2000, &mut stream), 0.0, 0.95).unwrap())
                .collect();
            let above = found.iter().filter(|e| **e > epsilon).count();
            assert!(above <= 10, "{epsilon}: {above} of 200 above");
            let large = empirical_epsilon(&response(epsilon, 200_000, &mut stream), 0.0, 0.95).unwrap();
            assert!(large <= epsilon + 0.01 && large > epsilon - 0.06, "{epsilon}: {large}");
        }
    }

    #[test]
    fn a_case_by_hand() {
        // 32 members above 32 others: ranks 1 to 32, 6 of them. At rank 32 the TPR is 32 of 32, its lower limit a^(1/32) with
        // a = .05 / 24, and the FPR 0 of 32, its upper limit 1 - a^(1/32).
        let scores: Vec<f64> = (0..64).map(f64::from).collect();
        let member: Vec<bool> = (0..64).map(|i| i >= 32).collect();
        let ranking = Ranking::new(&scores, &member).unwrap();
        let low = (0.05f64 / 24.0).powf(1.0 / 32.0);
        let wanted = (low / (1.0 - low)).ln();
        assert!((empirical_epsilon(&ranking, 0.0, 0.95).unwrap() - wanted).abs() < 1e-9);
        let less = ((low - 0.1) / (1.0 - low)).ln();
        assert!((empirical_epsilon(&ranking, 0.1, 0.95).unwrap() - less).abs() < 1e-9);
        assert!(empirical_epsilon(&ranking, 0.0, 1.0).is_err());
    }
}
