//! Attacks that set the target's confidence or loss against that of its shadows.
//!
//! Ratios are formed in logarithms and through the complement q = 1 - p where p is near 1, so that
//! well-fitted examples keep distinct scores: log pbar = log1p(-qbar) there.

use flatleak_pool::log_sigmoid;

use crate::Lineup;
use crate::shadows::{Means, score_by_means, score_by_shadows};

/// Share of the example's OUT shadows with a loss above the target's; ties count half.
pub(crate) fn attack_r(lineup: &Lineup<'_>) -> Vec<Vec<f64>> {
    score_by_shadows(
        lineup,
        |_, _, _| (),
        |v, (), outside| {
            // Values are log p = -loss: a larger loss is a smaller value.
            let (below, equal) = outside.rank(v);
            (below as f64 + 0.5 * equal as f64) / outside.len() as f64
        },
    )
}

/// The target's value less that of the shadows, the mean of both sides' means.
pub(crate) fn calibrated_correctness(lineup: &Lineup<'_>) -> Vec<Vec<f64>> {
    let middle = |[inside, outside]: [Means<1>; 2]| [0.5 * (inside.means()[0] + outside.means()[0])];
    score_by_means(lineup, |v| [v], middle, |v, [middle]| v - middle)
}

/// Mean OUT loss minus the target's loss.
pub(crate) fn calibrated_loss(lineup: &Lineup<'_>) -> Vec<Vec<f64>> {
    score_by_means(lineup, |v| [v], |[_, out]| out.means(), |v, [out]| v - out)
}

/// log(p / pbar), pbar = (mean IN + mean OUT) / 2.
pub(crate) fn rmia(lineup: &Lineup<'_>) -> Vec<Vec<f64>> {
    let half = |a: f64, b: f64| 0.5 * (a + b);
    let log_pbar = |[inside, outside]: [Means<2>; 2]| {
        let ([p_in, q_in], [p_out, q_out]) = (inside.means(), outside.means());
        log_share(half(p_in, p_out), half(q_in, q_out))
    };
    score_by_means(lineup, share_and_rest, log_pbar, |phi, log_pbar| log_sigmoid(phi) - log_pbar)
}

/// log p - log of the mean p over all shadows of the example.
pub(crate) fn base(lineup: &Lineup<'_>) -> Vec<Vec<f64>> {
    let log_mean = |[inside, outside]: [Means<2>; 2]| {
        let [p, q] = inside.with(outside).means();
        log_share(p, q)
    };
    score_by_means(lineup, share_and_rest, log_mean, |phi, log_mean| log_sigmoid(phi) - log_mean)
}

/// log(p / pbar), pbar = (1 + a)/2 mean OUT + (1 - a)/2.
pub(crate) fn rmia_offline(lineup: &Lineup<'_>, a: f64) -> Vec<Vec<f64>> {
    let log_pbar = |[_, out]: [Means<1>; 2]| {
        let [rest] = out.means();
        offline_log_pbar(rest, a)
    };
    score_by_means(lineup, |phi| [complement(phi)], log_pbar, |phi, log_pbar| log_sigmoid(phi) - log_pbar)
}

/// p and 1 - p.
fn share_and_rest(phi: f64) -> [f64; 2] {
    [sigmoid(phi), complement(phi)]
}

/// Share of population examples z with r_x / r_z > gamma; r = p / pbar with the offline pbar for x and z alike.
/// All shadows are OUT for z.
pub(crate) fn rmia_gamma(lineup: &Lineup<'_>, gamma: f64, a: f64) -> Vec<Vec<f64>> {
    let own = rmia_offline(lineup, a);
    let population = lineup.seats.first().map_or(0, |s| s.population.len());
    let rest: Vec<Vec<f64>> =
        lineup.seats.iter().map(|s| s.population.iter().map(|&v| complement(v)).collect()).collect();
    let log_pbars: Vec<Vec<f64>> = lineup
        .blocks()
        .iter()
        .map(|&block| {
            let mut sums = vec![0.0; population];
            let mut shadows = 0.0;
            for (_, q) in lineup.seats.iter().zip(&rest).filter(|(s, _)| s.block != block) {
                shadows += 1.0;
                sums.iter_mut().zip(q).for_each(|(sum, q)| *sum += q);
            }
            sums.into_iter().map(|sum| offline_log_pbar(sum / shadows, a)).collect()
        })
        .collect();
    let margin = libm::log(gamma);
    lineup
        .seats
        .iter()
        .zip(lineup.positions())
        .zip(own)
        .map(|((seat, at), mut scores)| {
            let mut reference: Vec<f64> = seat
                .population
                .iter()
                .zip(&log_pbars[at as usize])
                .map(|(&phi, pbar)| log_sigmoid(phi) - pbar)
                .collect();
            reference.sort_unstable_by(f64::total_cmp);
            for score in &mut scores {
                let below = reference.partition_point(|r| *r + margin < *score);
                *score = below as f64 / population.max(1) as f64;
            }
            scores
        })
        .collect()
}

/// log pbar of the offline form from the mean complement q of the OUT shadows: 1 - pbar = (1 + a)/2 q.
fn offline_log_pbar(mean_complement: f64, a: f64) -> f64 {
    libm::log1p(-0.5 * (1.0 + a) * mean_complement)
}

/// log p, from the complement q = 1 - p where that is the small one.
fn log_share(p: f64, q: f64) -> f64 {
    if q < 0.5 { libm::log1p(-q) } else { libm::log(p) }
}

pub(crate) fn sigmoid(phi: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-phi))
}

pub(crate) fn complement(phi: f64) -> f64 {
    1.0 / (1.0 + libm::exp(phi))
}
