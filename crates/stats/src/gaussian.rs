//! The best attacks on normally distributed outputs.

use crate::normal::cdf;

/// Mean and deviation of members and of non-members.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Mean over members, m.
    pub member_mean: f64,
    /// Deviation over members, tau.
    pub member_deviation: f64,
    /// Mean over non-members, mu.
    pub non_member_mean: f64,
    /// Deviation over non-members, sigma.
    pub non_member_deviation: f64,
}

/// The advantage of the best one-sided threshold, max over z of Phi((m - z) / tau) - Phi((mu - z) / sigma), for members
/// N(m, tau^2) and non-members N(mu, sigma^2); never below 0 (own, METHODS section 5).
///
/// The maximum lies where the two densities cross: z = (m + mu) / 2 for tau = sigma, else
/// z = [m sigma^2 - mu tau^2 -+ sigma tau sqrt((m - mu)^2 + 2 (sigma^2 - tau^2) ln(sigma / tau))] / (sigma^2 - tau^2).
/// A deviation of 0 is a point mass, the limit. NaN for anything not finite or a negative deviation.
pub fn one_sided_advantage(moments: &Moments) -> f64 {
    let Moments { member_mean: m, member_deviation: tau, non_member_mean: mu, non_member_deviation: sigma } = *moments;
    if !(m.is_finite() && mu.is_finite() && tau.is_finite() && sigma.is_finite()) || tau < 0.0 || sigma < 0.0 {
        return f64::NAN;
    }
    // P(value >= z), a point mass included at z.
    let above = |mean: f64, deviation: f64, z: f64| {
        if deviation == 0.0 { f64::from(u8::from(mean >= z)) } else { cdf((mean - z) / deviation) }
    };
    let gain = |z: f64| above(m, tau, z) - above(mu, sigma, z);
    let mut best: f64 = 0.0;
    if tau == 0.0 || sigma == 0.0 {
        // Just at either mass, and just above the non-members'.
        let over = mu + f64::EPSILON * mu.abs().max(f64::MIN_POSITIVE);
        return [m, mu, over].into_iter().map(gain).fold(best, f64::max);
    }
    let (vs, vt) = (sigma * sigma, tau * tau);
    let middle = 0.5 * (m + mu);
    best = best.max(gain(middle));
    let discriminant = (m - mu) * (m - mu) + 2.0 * (vs - vt) * libm::log(sigma / tau);
    if vs != vt && discriminant >= 0.0 {
        let root = sigma * tau * discriminant.sqrt();
        for sign in [-1.0, 1.0] {
            let z = (m * vs - mu * vt + sign * root) / (vs - vt);
            if z.is_finite() {
                best = best.max(gain(z));
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(m: f64, tau: f64, mu: f64, sigma: f64) -> Moments {
        Moments { member_mean: m, member_deviation: tau, non_member_mean: mu, non_member_deviation: sigma }
    }

    #[test]
    fn closed_forms() {
        // sigma = tau: 2 Phi((m - mu) / (2 sigma)) - 1.
        let found = one_sided_advantage(&moments(1.0, 0.8, 0.2, 0.8));
        assert!((found - (2.0 * cdf(0.5) - 1.0)).abs() < 1e-15);
        // tau -> 0 at m = 1: Phi((1 - mu) / sigma).
        for tau in [0.0, 1e-9] {
            let found = one_sided_advantage(&moments(1.0, tau, 0.1, 0.5));
            assert!((found - cdf(1.8)).abs() < 1e-6, "{found}");
        }
        assert_eq!(one_sided_advantage(&moments(0.0, 1.0, 0.0, 1.0)), 0.0);
        assert_eq!(one_sided_advantage(&moments(1.0, 0.0, 0.0, 0.0)), 1.0);
        assert_eq!(one_sided_advantage(&moments(0.0, 0.0, 0.0, 0.0)), 0.0);
        assert!(one_sided_advantage(&moments(0.0, -1.0, 0.0, 1.0)).is_nan());
    }

    #[test]
    fn a_search_over_thresholds_finds_no_more() {
        for (m, tau, mu, sigma) in
            [(2.0, 0.5, 0.0, 1.5), (2.0, 1.5, 0.0, 0.5), (-1.0, 1.0, 0.5, 2.0), (0.1, 1.0, 0.0, 1.0001)]
        {
            let found = one_sided_advantage(&moments(m, tau, mu, sigma));
            let searched = (0..200_001)
                .map(|i| -10.0 + f64::from(i) * 1e-4)
                .map(|z| cdf((m - z) / tau) - cdf((mu - z) / sigma))
                .fold(0.0, f64::max);
            assert!((found - searched).abs() < 1e-8, "{found} {searched}");
        }
    }
}
