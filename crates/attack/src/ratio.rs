//! Attacks that set the target's confidence or loss against that of its shadows.
//!
//! Ratios are formed in logarithms and through the complement q = 1 - p where p is near 1, so that
//! well-fitted examples keep distinct scores: log pbar = log1p(-qbar) there.

use crate::Lineup;
use crate::shadows::{mean, per_block, score_seats};

/// Weight of the offline correction, never tuned on a target (Zarifzadeh et al. 2024).
const OFFLINE_A: f64 = 0.3;

/// Margin of `rmia-gamma`.
const GAMMA: f64 = 1.0;

/// Share of the example's OUT shadows with a loss above the target's; ties count half.
pub(crate) fn attack_r(lineup: &Lineup<'_>) -> Vec<Vec<f64>> {
    let rows = per_block(lineup, |_, _, outside| outside.to_vec());
    score_seats(lineup, &rows, |v, outside, _| {
        // Values are log p = -loss: a larger loss is a smaller value.
        let wins: f64 = outside.iter().map(|&o| if o < v { 1.0 } else { f64::from(u8::from(o == v)) * 0.5 }).sum();
        wins / outside.len() as f64
    })
}

/// Mean OUT loss minus the target's loss.
pub(crate) fn calibrated_loss(lineup: &Lineup<'_>) -> Vec<Vec<f64>> {
    let rows = per_block(lineup, |_, _, outside| mean(outside));
    score_seats(lineup, &rows, |v, out, _| v - out)
}

/// log(p / pbar), pbar = (mean IN + mean OUT) / 2.
pub(crate) fn rmia(lineup: &Lineup<'_>) -> Vec<Vec<f64>> {
    let rows = per_block(lineup, |_, inside, outside| {
        let half = |f: fn(f64) -> f64, side: &[f64]| 0.5 * side.iter().map(|&v| f(v)).sum::<f64>() / side.len() as f64;
        log_share(half(sigmoid, inside) + half(sigmoid, outside), half(complement, inside) + half(complement, outside))
    });
    score_seats(lineup, &rows, |phi, log_pbar, _| log_sigmoid(phi) - log_pbar)
}

/// log(p / pbar), pbar = (1 + a)/2 mean OUT + (1 - a)/2.
pub(crate) fn rmia_offline(lineup: &Lineup<'_>) -> Vec<Vec<f64>> {
    let rows = per_block(lineup, |_, _, outside| offline_log_pbar(outside.iter().copied(), outside.len()));
    score_seats(lineup, &rows, |phi, log_pbar, _| log_sigmoid(phi) - log_pbar)
}

/// log p - log of the mean p over all shadows of the example.
pub(crate) fn base(lineup: &Lineup<'_>) -> Vec<Vec<f64>> {
    let rows = per_block(lineup, |_, inside, outside| {
        let n = (inside.len() + outside.len()) as f64;
        let all = || inside.iter().chain(outside.iter()).copied();
        log_share(all().map(sigmoid).sum::<f64>() / n, all().map(complement).sum::<f64>() / n)
    });
    score_seats(lineup, &rows, |phi, log_mean, _| log_sigmoid(phi) - log_mean)
}

/// Share of population examples z with r_x / r_z > gamma; r = p / pbar with the offline pbar for x and z alike.
/// All shadows are OUT for z.
pub(crate) fn rmia_gamma(lineup: &Lineup<'_>) -> Vec<Vec<f64>> {
    let own = rmia_offline(lineup);
    let population = lineup.seats.first().map_or(0, |s| s.population.len());
    let log_pbars: Vec<Vec<f64>> = lineup
        .blocks()
        .iter()
        .map(|&block| {
            let shadows = lineup.shadows(block);
            (0..population).map(|z| offline_log_pbar(shadows.iter().map(|s| s.population[z]), shadows.len())).collect()
        })
        .collect();
    let margin = libm::log(GAMMA);
    lineup
        .seats
        .iter()
        .zip(own)
        .map(|(seat, mut scores)| {
            let at = lineup.blocks().binary_search(&seat.block).unwrap_or(0);
            let mut reference: Vec<f64> =
                seat.population.iter().zip(&log_pbars[at]).map(|(&phi, pbar)| log_sigmoid(phi) - pbar).collect();
            reference.sort_unstable_by(f64::total_cmp);
            for score in &mut scores {
                let below = reference.partition_point(|r| *r + margin < *score);
                *score = below as f64 / population.max(1) as f64;
            }
            scores
        })
        .collect()
}

fn offline_log_pbar(phis: impl Iterator<Item = f64> + Clone, n: usize) -> f64 {
    let weight = 0.5 * (1.0 + OFFLINE_A) / n as f64;
    let p = phis.clone().map(sigmoid).sum::<f64>() * weight + 0.5 * (1.0 - OFFLINE_A);
    log_share(p, phis.map(complement).sum::<f64>() * weight)
}

/// log p, from the complement q = 1 - p where that is the small one.
fn log_share(p: f64, q: f64) -> f64 {
    if q < 0.5 { libm::log1p(-q) } else { libm::log(p) }
}

fn sigmoid(phi: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-phi))
}

fn complement(phi: f64) -> f64 {
    1.0 / (1.0 + libm::exp(phi))
}

fn log_sigmoid(phi: f64) -> f64 {
    if phi >= 0.0 { -libm::log1p(libm::exp(-phi)) } else { phi - libm::log1p(libm::exp(phi)) }
}
