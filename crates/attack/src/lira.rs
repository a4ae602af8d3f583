//! The likelihood-ratio attack and its offline forms (Carlini et al. 2022, arXiv 2112.03570).
//!
//! On phi; mu is the median over the shadows of one side, per example; s per example is their deviation about
//! the mean, ddof 0, plus 1e-30. The fixed forms pool s over examples and shadows, per target.

use crate::shadows::{FLOOR, deviation, median, per_block, score_seats, signals};
use crate::{FixedVariance, Lineup};

/// Sums over one side of one target, to pool a deviation over examples and shadows. phi stays below a few hundred, so
/// plain sums in f64 lose nothing that matters.
#[derive(Clone, Copy, Default)]
struct Pooled {
    n: f64,
    sum: f64,
    squares: f64,
}

impl Pooled {
    fn extend(&mut self, values: &[f64], shift: f64) {
        self.n += values.len() as f64;
        for v in values {
            let d = v - shift;
            self.sum += d;
            self.squares += d * d;
        }
    }

    fn deviation(self) -> f64 {
        let mean = self.sum / self.n;
        (self.squares / self.n - mean * mean).max(0.0).sqrt() + FLOOR
    }
}

/// log N(phi; mu_in, s_in) - log N(phi; mu_out, s_out); pooled s in the given variant.
pub(crate) fn online(lineup: &Lineup<'_>, fixed: Option<FixedVariance>) -> Vec<Vec<f64>> {
    let mut pooled = vec![[Pooled::default(); 2]; lineup.blocks().len()];
    // (median, deviation) of the IN and of the OUT side.
    let rows = per_block(lineup, &signals(lineup), |block, inside, outside| {
        let mut fit = [(0.0, f64::NAN); 2];
        for (side, values) in [inside, outside].into_iter().enumerate() {
            fit[side].0 = median(values);
            match fixed {
                None => fit[side].1 = deviation(values),
                Some(FixedVariance::Residual) => pooled[block][side].extend(values, fit[side].0),
                Some(_) => pooled[block][side].extend(values, 0.0),
            }
        }
        fit
    });
    let fixed_s: Vec<[f64; 2]> = pooled
        .iter()
        .map(|[inside, outside]| match fixed {
            Some(FixedVariance::Official) => [inside.deviation(); 2],
            _ => [inside.deviation(), outside.deviation()],
        })
        .collect();
    score_seats(lineup, &rows, |phi, fit, block| {
        let [s_in, s_out] = if fixed.is_some() { fixed_s[block] } else { [fit[0].1, fit[1].1] };
        log_likelihood_ratio(phi, (fit[0].0, s_in), (fit[1].0, s_out))
    })
}

/// z = (phi - mu_out) / s_out, which ranks one query as log Phi(z) does and never ties in its tail; or, two-sided,
/// -log N(phi; mu_out, s_out).
pub(crate) fn offline(lineup: &Lineup<'_>, fixed: bool, two_sided: bool) -> Vec<Vec<f64>> {
    let mut pooled = vec![Pooled::default(); lineup.blocks().len()];
    let rows = per_block(lineup, &signals(lineup), |block, _, outside| {
        let mu = median(outside);
        if fixed {
            pooled[block].extend(outside, mu);
        }
        (mu, if fixed { f64::NAN } else { deviation(outside) })
    });
    let fixed_s: Vec<f64> = pooled.into_iter().map(Pooled::deviation).collect();
    score_seats(lineup, &rows, |phi, &(mu, s), block| {
        let s = if fixed { fixed_s[block] } else { s };
        if two_sided { -log_density(phi, mu, s) } else { (phi - mu) / s }
    })
}

/// log N(x; mu_in, s_in) - log N(x; mu_out, s_out), each side given as (mu, s) with s above 0: the score of the online attack when both sides are known rather than
/// estimated from shadows (Neyman & Pearson 1933).
pub fn log_likelihood_ratio(x: f64, inside: (f64, f64), outside: (f64, f64)) -> f64 {
    log_density(x, inside.0, inside.1) - log_density(x, outside.0, outside.1)
}

fn log_density(x: f64, mu: f64, s: f64) -> f64 {
    let z = (x - mu) / s;
    -0.5 * z * z - libm::log(s) - HALF_LOG_TAU
}

/// log(2 pi) / 2.
const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_8;
