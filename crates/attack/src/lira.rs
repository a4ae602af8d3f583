//! The likelihood-ratio attack and its offline forms (Carlini et al. 2022, arXiv 2112.03570).
//!
//! On phi; mu is the median over the shadows of one side, per example; s per example is their deviation about
//! the mean, ddof 0, plus 1e-30. The fixed forms pool s over examples and shadows, per target.

use crate::shadows::{FLOOR, deviation, median, per_block, score_seats};
use crate::{FixedVariance, Lineup};

/// Running moments of one side of one target, to pool a deviation over examples and shadows.
///
/// Welford's updates, so that values far from 0 lose no precision.
#[derive(Clone, Copy, Default)]
struct Moments {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn push(&mut self, v: f64) {
        self.n += 1.0;
        let d = v - self.mean;
        self.mean += d / self.n;
        self.squares += d * (v - self.mean);
    }

    fn deviation(self) -> f64 {
        (self.squares / self.n).sqrt() + FLOOR
    }
}

/// Median and deviation of each side for one target block and example.
struct Fit {
    inside: (f64, f64),
    outside: (f64, f64),
}

/// log N(phi; mu_in, s_in) - log N(phi; mu_out, s_out); pooled s in the given variant.
pub(crate) fn online(lineup: &Lineup<'_>, fixed: Option<FixedVariance>) -> Vec<Vec<f64>> {
    let n = lineup.examples();
    let (mut pooled_in, mut pooled_out) = (Vec::new(), Vec::new());
    let rows = per_block(lineup, |i, inside, outside| {
        if i == 0 {
            pooled_in.push(Moments::default());
            pooled_out.push(Moments::default());
        }
        let side = |values: &mut [f64], pool: &mut Vec<Moments>| {
            let mu = median(values);
            let shift = if fixed == Some(FixedVariance::Residual) { mu } else { 0.0 };
            match (fixed, pool.last_mut()) {
                (Some(_), Some(moments)) => values.iter().for_each(|v| moments.push(v - shift)),
                _ => return (mu, deviation(values)),
            }
            (mu, f64::NAN)
        };
        Fit { inside: side(inside, &mut pooled_in), outside: side(outside, &mut pooled_out) }
    });
    debug_assert!(n == 0 || pooled_in.len() == lineup.blocks().len());
    score_seats(lineup, &rows, |phi, fit, block| {
        let (s_in, s_out) = match fixed {
            None => (fit.inside.1, fit.outside.1),
            Some(FixedVariance::Official) => (pooled_in[block].deviation(), pooled_in[block].deviation()),
            Some(_) => (pooled_in[block].deviation(), pooled_out[block].deviation()),
        };
        log_density(phi, fit.inside.0, s_in) - log_density(phi, fit.outside.0, s_out)
    })
}

/// z = (phi - mu_out) / s_out, which ranks one query as log Phi(z) does and never ties in its tail; or, two-sided,
/// -log N(phi; mu_out, s_out).
pub(crate) fn offline(lineup: &Lineup<'_>, fixed: bool, two_sided: bool) -> Vec<Vec<f64>> {
    let mut pooled: Vec<Moments> = Vec::new();
    let rows = per_block(lineup, |i, _, outside| {
        if i == 0 {
            pooled.push(Moments::default());
        }
        let mu = median(outside);
        match pooled.last_mut() {
            Some(moments) if fixed => outside.iter().for_each(|v| moments.push(v - mu)),
            _ => {}
        }
        (mu, if fixed { f64::NAN } else { deviation(outside) })
    });
    score_seats(lineup, &rows, |phi, &(mu, s), block| {
        let s = if fixed { pooled[block].deviation() } else { s };
        if two_sided { -log_density(phi, mu, s) } else { (phi - mu) / s }
    })
}

fn log_density(x: f64, mu: f64, s: f64) -> f64 {
    let z = (x - mu) / s;
    -0.5 * z * z - libm::log(s) - 0.5 * libm::log(std::f64::consts::TAU)
}
