//! The likelihood-ratio attack and its offline forms (Carlini et al. 2022, arXiv 2112.03570).
//!
//! On phi; mu is the median over the shadows of one side, per example; s per example is their deviation about
//! the mean, ddof 0, plus 1e-30. The fixed forms pool s over examples and shadows, per target.

use crate::shadows::{Pooled, Shadows, per_block, score_by_shadows, score_seats};
use crate::{FixedVariance, Lineup};

/// log N(phi; mu_in, s_in) - log N(phi; mu_out, s_out); pooled s in the given variant.
pub(crate) fn online(lineup: &Lineup<'_>, fixed: Option<FixedVariance>) -> Vec<Vec<f64>> {
    let Some(variant) = fixed else {
        return score_by_shadows(
            lineup,
            |_, both| [&both[0], &both[1]].map(|side| (side.median(), Spread::new(side.deviation()))),
            |phi, [(mu_in, s_in), (mu_out, s_out)], _| s_in.log_density(phi, *mu_in) - s_out.log_density(phi, *mu_out),
        );
    };
    let mut pooled = vec![[Pooled::default(); 2]; lineup.blocks().len()];
    let medians = per_block(lineup, |block, both| {
        let mut medians = [0.0; 2];
        for (side, shadows) in both.iter().enumerate() {
            medians[side] = shadows.median();
            let centre = if variant == FixedVariance::Residual { medians[side] } else { 0.0 };
            shadows.pool(&mut pooled[block][side], centre);
        }
        medians
    });
    let fixed_s: Vec<[Spread; 2]> = pooled
        .iter()
        .map(|[inside, outside]| match variant {
            FixedVariance::Official => [inside.deviation(); 2],
            _ => [inside.deviation(), outside.deviation()],
        })
        .map(|both| both.map(Spread::new))
        .collect();
    score_seats(lineup, &medians, |phi, [mu_in, mu_out], block| {
        let [s_in, s_out] = fixed_s[block];
        s_in.log_density(phi, *mu_in) - s_out.log_density(phi, *mu_out)
    })
}

/// z = (phi - mu_out) / s_out, which ranks one query as log Phi(z) does and never ties in its tail; or, two-sided,
/// -log N(phi; mu_out, s_out).
pub(crate) fn offline(lineup: &Lineup<'_>, fixed: bool, two_sided: bool) -> Vec<Vec<f64>> {
    let score =
        |phi: f64, mu: f64, s: Spread| if two_sided { -s.log_density(phi, mu) } else { (phi - mu) / s.deviation };
    if !fixed {
        let fit = |_: usize, both: &[Shadows<'_>; 2]| (both[1].median(), Spread::new(both[1].deviation()));
        return score_by_shadows(lineup, fit, |phi, &(mu, s), _| score(phi, mu, s));
    }
    let mut pooled = vec![Pooled::default(); lineup.blocks().len()];
    let medians = per_block(lineup, |block, [_, outside]| {
        let mu = outside.median();
        outside.pool(&mut pooled[block], mu);
        mu
    });
    let fixed_s: Vec<Spread> = pooled.into_iter().map(|p| Spread::new(p.deviation())).collect();
    score_seats(lineup, &medians, |phi, mu, block| score(phi, *mu, fixed_s[block]))
}

/// log N(x; mu_in, s_in) - log N(x; mu_out, s_out), each side given as (mu, s) with s above 0: the score of the online attack when both
/// sides are known rather than
/// estimated from shadows (Neyman & Pearson 1933).
pub fn log_likelihood_ratio(x: f64, inside: (f64, f64), outside: (f64, f64)) -> f64 {
    Spread::new(inside.1).log_density(x, inside.0) - Spread::new(outside.1).log_density(x, outside.0)
}

/// A deviation and its logarithm, which is taken once and not for every score.
#[derive(Clone, Copy)]
struct Spread {
    deviation: f64,
    log: f64,
}

impl Spread {
    fn new(deviation: f64) -> Self {
        Self { deviation, log: libm::log(deviation) }
    }

    /// log N(x; mu, s).
    fn log_density(self, x: f64, mu: f64) -> f64 {
        let z = (x - mu) / self.deviation;
        -0.5 * z * z - self.log - HALF_LOG_TAU
    }
}

/// log(2 pi) / 2.
const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_8;
