//! The distribution of the signed margin y f(x) on unseen examples.

use flatleak_stats::gaussian::Moments;
use flatleak_stats::normal;
use serde::{Deserialize, Serialize};

use crate::owens::owens_t;

/// Deviations about a centre beyond which nothing is looked for.
const REACH: f64 = 9.0;
/// Points per component between which two densities are searched for crossings.
const POINTS: usize = 400;

/// A skew normal part: location + scale (delta |u| + sqrt(1 - delta^2) v) with standard normal u, v and delta = shape / sqrt(1 + shape^2) (Azzalini 1985). With shape 0 it is normal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// Share of the mixture.
    pub weight: f64,
    /// Location xi.
    pub location: f64,
    /// Scale omega, above 0.
    pub scale: f64,
    /// Shape alpha.
    pub shape: f64,
}

impl Component {
    fn density(&self, z: f64) -> f64 {
        let t = (z - self.location) / self.scale;
        // An infinite shape at t = 0 is on the edge of half a normal.
        let side = self.shape * t;
        2.0 * normal::density(t) * normal::cdf(if side.is_nan() { 0.0 } else { side }) / self.scale
    }

    fn cdf(&self, z: f64) -> f64 {
        let t = (z - self.location) / self.scale;
        (normal::cdf(t) - 2.0 * owens_t(t, self.shape)).clamp(0.0, 1.0)
    }

    fn shift(&self) -> f64 {
        let delta = if self.shape.is_infinite() { self.shape.signum() } else { self.shape / self.shape.hypot(1.0) };
        self.scale * delta * (2.0 / std::f64::consts::PI).sqrt()
    }

    fn mean(&self) -> f64 {
        self.location + self.shift()
    }

    fn second_moment(&self) -> f64 {
        self.location * self.location + 2.0 * self.location * self.shift() + self.scale * self.scale
    }
}

/// The law of the signed margin z = s f(x), s = +-1 the class, for one fixed linear f(x) = w'x: a mixture of [`Component`]s, exact for the
/// populations of this crate (own).
///
/// Gaussian x and classes by a noisy linear teacher, s = sign(theta'x + noise e): f and theta'x + noise e are jointly normal with
/// correlation rho, so z is skew
/// normal with location 0, scale sqrt v and shape rho / sqrt(1 - rho^2); its mean is rho sqrt(2 v / pi), its second moment v, its error P(z
/// < 0) = arccos(rho) / pi.
/// Classes at random have rho = 0 and a normal margin. Sub-groups with x = s a e + noise give one normal component each.
#[derive(Clone, Debug, PartialEq)]
pub struct MarginLaw {
    components: Vec<Component>,
}

impl MarginLaw {
    /// A mixture; weights are taken as shares of their sum. A scale of 0, of outputs that never vary, is taken as 1e-300.
    pub fn new(mut components: Vec<Component>) -> Self {
        let total: f64 = components.iter().map(|c| c.weight).sum();
        components.iter_mut().for_each(|c| {
            c.weight /= total;
            c.scale = c.scale.max(1e-300);
        });
        Self { components }
    }

    /// Its parts.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    fn sum(&self, of: impl Fn(&Component) -> f64) -> f64 {
        self.components.iter().map(|c| c.weight * of(c)).sum()
    }

    /// Mean margin, mu.
    pub fn mean(&self) -> f64 {
        self.sum(Component::mean)
    }

    /// Mean squared margin, v.
    pub fn second_moment(&self) -> f64 {
        self.sum(Component::second_moment)
    }

    /// sigma^2 = v - mu^2.
    pub fn variance(&self) -> f64 {
        let mean = self.mean();
        self.second_moment() - mean * mean
    }

    /// P(margin <= z).
    pub fn cdf(&self, z: f64) -> f64 {
        self.sum(|c| c.cdf(z))
    }

    /// Density at z.
    pub fn density(&self, z: f64) -> f64 {
        self.sum(|c| c.density(z))
    }

    /// Test error, P(margin < 0).
    pub fn error(&self) -> f64 {
        self.cdf(0.0)
    }

    /// The normal picture of the closed forms: members N(1, tau^2), non-members with this law's mean and deviation.
    pub fn moments(&self, tau: f64) -> Moments {
        Moments {
            member_mean: 1.0,
            member_deviation: tau,
            non_member_mean: self.mean(),
            non_member_deviation: self.variance().max(0.0).sqrt(),
        }
    }

    /// The confidence attack on this law itself: the best threshold z on the signed margin against members N(1, tau^2), "member when at
    /// least z", and its advantage, the maximum of
    /// P(member >= z) - P(margin >= z). For tau = 0 it is P(margin < 1), at z = 1. Never below 0.
    pub fn confidence(&self, tau: f64) -> (f64, f64) {
        if tau == 0.0 {
            return (1.0, self.cdf(1.0));
        }
        let gain = |z: f64| self.cdf(z) - normal::cdf((z - 1.0) / tau);
        let best = self.crossings(tau).into_iter().map(|z| (z, gain(z)));
        best.fold((f64::INFINITY, 0.0), |best, found| if found.1 > best.1 { found } else { best })
    }

    /// The confidence attack on |f| when members have |f| = 1: P(|margin| < 1).
    pub fn absolute(&self) -> f64 {
        self.cdf(1.0) - self.cdf(-1.0)
    }

    /// The best attack on this law itself against members N(1, tau^2): the total variation distance, half the integral of the absolute
    /// difference of the densities, summed
    /// between their crossings. 1 for tau = 0, where members are a point.
    pub fn likelihood_ratio(&self, tau: f64) -> f64 {
        if tau == 0.0 {
            return 1.0;
        }
        let gain = |z: f64| self.cdf(z) - normal::cdf((z - 1.0) / tau);
        let ends = self.crossings(tau);
        let mut last = 0.0;
        let mut sum = 0.0;
        for z in ends {
            let here = gain(z);
            sum += (here - last).abs();
            last = here;
        }
        0.5 * (sum + last.abs())
    }

    /// Where the density crosses that of N(1, tau^2), ascending: sign changes on a grid fine enough for every part, then bisection.
    fn crossings(&self, tau: f64) -> Vec<f64> {
        let member = |z: f64| normal::density((z - 1.0) / tau) / tau;
        let difference = |z: f64| member(z) - self.density(z);
        let mut grid: Vec<f64> = std::iter::once((1.0, tau))
            .chain(self.components.iter().map(|c| (c.location, c.scale)))
            .flat_map(|(centre, scale)| {
                (0..=POINTS).map(move |k| centre + REACH * scale * (2.0 * k as f64 / POINTS as f64 - 1.0))
            })
            .collect();
        grid.sort_unstable_by(f64::total_cmp);
        let signs: Vec<f64> = grid.iter().map(|z| difference(*z)).collect();
        let mut found = Vec::new();
        // The last point where the densities differ, and which is higher there.
        let mut last: Option<(f64, bool)> = None;
        for (&z, s) in grid.iter().zip(&signs).filter(|(_, s)| **s != 0.0) {
            let above = *s > 0.0;
            if let Some((mut low, was_above)) = last.filter(|(_, was)| *was != above) {
                let mut high = z;
                for _ in 0..60 {
                    let middle = 0.5 * (low + high);
                    let d = difference(middle);
                    if d != 0.0 && (d > 0.0) == was_above { low = middle } else { high = middle }
                }
                found.push(0.5 * (low + high));
            }
            last = Some((z, above));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Equal scales put a point of the grid on the crossing itself.
    #[test]
    fn crossings_on_the_grid_are_found() {
        let law = MarginLaw::new(vec![Component { weight: 1.0, location: 0.0, scale: 1.0 / 9.0, shape: 0.0 }]);
        let wanted = 2.0 * normal::cdf(4.5) - 1.0;
        assert!((law.confidence(1.0 / 9.0).1 - wanted).abs() < 1e-12);
        assert!((law.likelihood_ratio(1.0 / 9.0) - wanted).abs() < 1e-12);
    }
}
