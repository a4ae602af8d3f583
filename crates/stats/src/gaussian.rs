//! The best attacks on normally distributed outputs.

use crate::normal::{cdf, density};

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

impl Moments {
    fn are_valid(&self) -> bool {
        let all = [self.member_mean, self.member_deviation, self.non_member_mean, self.non_member_deviation];
        all.iter().all(|v| v.is_finite()) && self.member_deviation >= 0.0 && self.non_member_deviation >= 0.0
    }

    /// z at which the two densities cross, ascending: [m sigma^2 - mu tau^2 -+ sigma tau sqrt((m - mu)^2 + 2 (sigma^2 - tau^2) ln(sigma /
    /// tau))] /
    /// (sigma^2 - tau^2). The radicand is never negative. `None` where a deviation is 0 or the two are so close that no two crossings can
    /// be told apart.
    ///
    /// Computed about mu and in units of the larger deviation, so that nothing overflows.
    fn crossings(&self) -> Option<(f64, f64)> {
        let unit = self.member_deviation.max(self.non_member_deviation);
        let gap = (self.member_mean - self.non_member_mean) / unit;
        let (tau, sigma) = (self.member_deviation / unit, self.non_member_deviation / unit);
        let spread = (sigma - tau) * (sigma + tau);
        if tau == 0.0 || sigma == 0.0 || spread == 0.0 {
            return None;
        }
        let log = libm::log(sigma / tau);
        let root = sigma * tau * (gap * gap + 2.0 * spread * log).max(0.0).sqrt();
        // Both roots by the sum that does not cancel; their product is the constant term of the quadratic.
        let middle = gap * sigma * sigma;
        let far = middle + root.copysign(middle);
        let constant = sigma * sigma * (gap * gap - 2.0 * tau * tau * log);
        let (a, b) = (far / spread, if far == 0.0 { 0.0 } else { constant / far });
        let back = |z: f64| self.non_member_mean + unit * z;
        (a.is_finite() && b.is_finite()).then(|| (back(a.min(b)), back(a.max(b))))
    }
}

/// The advantage of the best one-sided threshold, max over z of Phi((m - z) / tau) - Phi((mu - z) / sigma), for members
/// N(m, tau^2) and non-members N(mu, sigma^2); never below 0 (own; book/methods/theory.md#best-threshold).
///
/// The maximum lies where the two densities cross, z = (m + mu) / 2 for tau = sigma. A deviation of 0 is a point mass, the limit. NaN for
/// anything
/// not finite or a negative deviation.
pub fn one_sided_advantage(moments: &Moments) -> f64 {
    one_sided_threshold(moments).1
}

/// The threshold z of [`one_sided_advantage`], "member when at least z", and that advantage. Where no threshold gains anything z is
/// infinite.
pub fn one_sided_threshold(moments: &Moments) -> (f64, f64) {
    let Moments { member_mean: m, member_deviation: tau, non_member_mean: mu, non_member_deviation: sigma } = *moments;
    if !moments.are_valid() {
        return (f64::NAN, f64::NAN);
    }
    // P(value >= z), a point mass included at z.
    let above = |mean: f64, deviation: f64, z: f64| {
        if deviation == 0.0 { f64::from(u8::from(mean >= z)) } else { cdf((mean - z) / deviation) }
    };
    let tried = match moments.crossings() {
        Some((low, high)) => [low, high, 0.5 * (m + mu)],
        // Just at either mass, and just above the non-members'.
        None if tau == 0.0 || sigma == 0.0 => [m, mu, mu + f64::EPSILON * mu.abs().max(f64::MIN_POSITIVE)],
        None => [0.5 * (m + mu); 3],
    };
    let gains = tried.map(|z| (z, above(m, tau, z) - above(mu, sigma, z)));
    gains.into_iter().fold((f64::INFINITY, 0.0), |best, found| if found.1 > best.1 { found } else { best })
}

/// The advantage of the likelihood-ratio attack, the largest of any attack: |[Phi((hi - m) / tau) - Phi((lo - m) / tau)] - [Phi((hi - mu) / sigma) -
/// Phi((lo - mu) / sigma)]| between the crossings lo, hi of the densities; 2 Phi(|m - mu| / (2 sigma)) - 1 for sigma = tau
/// (book/methods/theory.md#likelihood-ratio). A deviation of 0 gives 1 unless both distributions are the same point mass. NaN as for
/// [`one_sided_advantage`].
///
/// It is not monotone in sigma: see [`likelihood_ratio_slope`].
pub fn likelihood_ratio_advantage(moments: &Moments) -> f64 {
    let Moments { member_mean: m, member_deviation: tau, non_member_mean: mu, non_member_deviation: sigma } = *moments;
    if !moments.are_valid() {
        return f64::NAN;
    }
    if tau == 0.0 || sigma == 0.0 {
        return f64::from(u8::from(m != mu || tau != sigma));
    }
    match moments.crossings() {
        Some((low, high)) => (between(m, tau, low, high) - between(mu, sigma, low, high)).abs(),
        None => 2.0 * cdf((m - mu).abs() / (2.0 * sigma)) - 1.0,
    }
}

/// P(low < value < high), from the tail that is smaller.
fn between(mean: f64, deviation: f64, low: f64, high: f64) -> f64 {
    let (a, b) = ((low - mean) / deviation, (high - mean) / deviation);
    if a > 0.0 { cdf(-a) - cdf(-b) } else { cdf(b) - cdf(a) }
}

/// d advantage / d ln sigma of [`one_sided_advantage`] with m, tau and mu held: below 0 where a narrower spread of non-members helps the
/// attacker. At the best
/// threshold z only sigma moves (envelope theorem), which leaves phi(u) u with u = (mu - z) / sigma; 0 where no threshold gains anything.
pub fn one_sided_slope(moments: &Moments) -> f64 {
    let (z, _) = one_sided_threshold(moments);
    let u = (moments.non_member_mean - z) / moments.non_member_deviation;
    if u.is_infinite() { 0.0 } else { density(u) * u }
}

/// d advantage / d ln sigma of [`likelihood_ratio_advantage`] with m, tau and mu held: below 0 where a narrower spread of non-members helps
/// the attacker, which
/// it does for sigma below about sqrt((m - mu)^2 + tau^2) only. By the envelope theorem +-[phi(b) b - phi(a) a] with a, b the
/// crossings in deviations of non-members. At sigma = tau the advantage's derivative is that of its one crossing. NaN where a deviation is
/// 0.
pub fn likelihood_ratio_slope(moments: &Moments) -> f64 {
    let Moments { member_mean: m, member_deviation: tau, non_member_mean: mu, non_member_deviation: sigma } = *moments;
    if !moments.are_valid() || tau == 0.0 || sigma == 0.0 {
        return f64::NAN;
    }
    let flow = |z: f64| {
        let u = (z - mu) / sigma;
        density(u) * u
    };
    match moments.crossings() {
        // The share of non-members between the crossings changes by flow(low) - flow(high); it counts against the attacker where members
        // lie inside.
        Some((low, high)) => {
            let change = flow(low) - flow(high);
            if tau < sigma { -change } else { change }
        }
        None => -flow(0.5 * (m + mu)) * (m - mu).signum(),
    }
}

/// The advantage of the likelihood-ratio attack on two normals of mean 0 with deviations s0 of non-members and s1 of members: 2 |Phi(t / s0) - Phi(t / s1)| with
/// t^2 = 2 s0^2 s1^2 ln(s1 / s0) / (s1^2 - s0^2), and 0 for s0 = s1 (Tan et al. 2022, arXiv 2202.01243). Both deviations have to be
/// positive, else NaN.
pub fn zero_mean_advantage(s0: f64, s1: f64) -> f64 {
    if !(s0 > 0.0 && s1 > 0.0 && s0.is_finite() && s1.is_finite()) {
        return f64::NAN;
    }
    let spread = (s1 - s0) * (s1 + s0);
    if spread == 0.0 {
        return 0.0;
    }
    let t = s0 * s1 * (2.0 * libm::log(s1 / s0) / spread).sqrt();
    2.0 * (cdf(t / s0) - cdf(t / s1)).abs()
}

/// The advantage of "member when |f| >= 1" when members have |f| = 1 and non-members are N(0, sigma^2): 2 Phi(1 / sigma) - 1, the share of
/// non-members below 1 (own; book/methods/theory.md#absolute-output). NaN for a negative sigma.
pub fn absolute_advantage(sigma: f64) -> f64 {
    if sigma >= 0.0 { 2.0 * cdf(1.0 / sigma) - 1.0 } else { f64::NAN }
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

    #[test]
    fn the_ratio_attack_is_not_monotone() {
        // book/methods/theory.md#likelihood-ratio: m = 1, tau = .1, mu = 0.
        for (sigma, wanted) in [(0.2, 0.999), (0.6, 0.904), (1.0, 0.868), (4.0, 0.941)] {
            let found = likelihood_ratio_advantage(&moments(1.0, 0.1, 0.0, sigma));
            assert!((found - wanted).abs() < 5e-4, "{sigma}: {found}");
        }
        assert_eq!(likelihood_ratio_advantage(&moments(1.0, 0.0, 0.0, 1.0)), 1.0);
        assert_eq!(likelihood_ratio_advantage(&moments(1.0, 0.0, 1.0, 0.0)), 0.0);
        assert_eq!(likelihood_ratio_advantage(&moments(0.3, 0.5, 0.3, 0.5)), 0.0);
        let equal = likelihood_ratio_advantage(&moments(1.0, 0.5, 0.0, 0.5));
        let nearly = likelihood_ratio_advantage(&moments(1.0, 0.5, 0.0, 0.5 * (1.0 + 1e-9)));
        assert!((equal - (2.0 * cdf(1.0) - 1.0)).abs() < 1e-15 && (nearly - equal).abs() < 1e-8, "{equal} {nearly}");
    }

    #[test]
    fn huge_and_tiny_deviations() {
        assert!(likelihood_ratio_advantage(&moments(1.0, 0.1, 0.0, 1e155)) > 0.999);
        assert!(likelihood_ratio_advantage(&moments(1e150, 1e149, 0.0, 1e150)) > 0.8);
        assert!(likelihood_ratio_advantage(&moments(1.0, 1e-160, 0.0, 1e-170)) > 0.999);
    }

    #[test]
    fn no_attack_beats_the_ratio_and_zero_means_are_a_case_of_it() {
        for (m, tau, mu, sigma) in
            [(1.0, 0.1, 0.0, 0.4), (1.0, 1.3, 0.5, 0.4), (-1.0, 0.2, 0.0, 3.0), (0.0, 0.4, 0.0, 0.9)]
        {
            let all = moments(m, tau, mu, sigma);
            assert!(likelihood_ratio_advantage(&all) >= one_sided_advantage(&all) - 1e-15);
        }
        for (s0, s1) in [(0.9, 0.4), (0.4, 0.9), (1.0, 1.0), (1.0, 1.0 + 1e-12), (1e-3, 10.0)] {
            let general = likelihood_ratio_advantage(&moments(0.0, s1, 0.0, s0));
            assert!((zero_mean_advantage(s0, s1) - general).abs() < 1e-11, "{s0} {s1}");
        }
        assert!(zero_mean_advantage(0.0, 1.0).is_nan());
    }

    #[test]
    fn slopes_agree_with_differences() {
        for (m, tau, mu, sigma) in [
            (1.0, 0.1, 0.0, 0.4),
            (1.0, 0.1, 0.0, 2.0),
            (1.0, 1.3, 0.5, 0.4),
            (1.0, 0.5, 0.0, 0.5),
            (-1.0, 0.5, 0.0, 0.5),
        ] {
            let at = |log: f64| moments(m, tau, mu, sigma * log.exp());
            let step = 1e-5;
            let slope = |f: fn(&Moments) -> f64| (f(&at(step)) - f(&at(-step))) / (2.0 * step);
            let all = at(0.0);
            assert!((one_sided_slope(&all) - slope(one_sided_advantage)).abs() < 1e-6, "{all:?}");
            assert!((likelihood_ratio_slope(&all) - slope(likelihood_ratio_advantage)).abs() < 1e-6, "{all:?}");
        }
    }

    #[test]
    fn the_threshold_gives_the_advantage() {
        let all = moments(1.0, 0.2, 0.1, 0.6);
        let (z, advantage) = one_sided_threshold(&all);
        assert_eq!(advantage, one_sided_advantage(&all));
        assert!((cdf((1.0 - z) / 0.2) - cdf((0.1 - z) / 0.6) - advantage).abs() < 1e-15);
        assert_eq!(one_sided_threshold(&moments(0.0, 1.0, 0.0, 1.0)), (f64::INFINITY, 0.0));
        assert!((absolute_advantage(1.0) - 0.682_689_492_137_085_9).abs() < 1e-15);
    }
}
