//! A difference in advantage split into mean gap, member spread and non-member spread (own; book/methods/explanation.md#attribution).

use flatleak_pool::{Pool, Signal};
use flatleak_stats::gaussian::{Moments, one_sided_advantage};
use flatleak_stats::{Jackknife, jackknife, moments};

use crate::Error;

/// Moments of phi of one recipe, from all models and without each unit: means and variances within each model, averaged over models,
/// because the attack's threshold meets one model at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct PhiMoments {
    whole: Moments,
    without: Vec<Moments>,
}

/// The difference in advantage of the best threshold on normal phi, candidate - baseline, and its parts, which add up to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parts<T> {
    /// All of it.
    pub whole: T,
    /// From the distance between the means.
    pub gap: T,
    /// From the deviation over members, tau.
    pub member_spread: T,
    /// From the deviation over non-members, sigma.
    pub non_member_spread: T,
}

impl PhiMoments {
    /// Moments of a pool that has phi.
    ///
    /// # Errors
    /// Models of which some have phi and some do not.
    pub fn new(pool: &Pool) -> Result<Self, Error> {
        let m = &pool.membership;
        // Per model: mean and variance of members, of non-members.
        let of_model: Vec<[f64; 4]> = pool
            .rows(Signal::Phi)?
            .iter()
            .enumerate()
            .map(|(k, row)| {
                let side = |member: bool| {
                    let kept = m.side(k, row, member);
                    [moments::mean(&kept), moments::variance(&kept, 0)]
                };
                let ([a, b], [c, d]) = (side(true), side(false));
                [a, b, c, d]
            })
            .collect();
        let over = |keep: &dyn Fn(usize) -> bool| {
            let kept: Vec<&[f64; 4]> = of_model.iter().enumerate().filter(|(k, _)| keep(*k)).map(|(_, v)| v).collect();
            let [m, vm, n, vn] = [0, 1, 2, 3].map(|c| kept.iter().map(|v| v[c]).sum::<f64>() / kept.len() as f64);
            Moments { member_mean: m, member_deviation: vm.sqrt(), non_member_mean: n, non_member_deviation: vn.sqrt() }
        };
        let without = m.block_ids().map(|b| over(&|k| m.block(k) != b)).collect();
        Ok(Self { whole: over(&|_| true), without })
    }

    /// The moments from all models.
    pub fn moments(&self) -> &Moments {
        &self.whole
    }

    /// The moments without each unit, in the order of units.
    pub fn without(&self) -> &[Moments] {
        &self.without
    }

    /// The advantage of the best threshold if phi were normal, with its 95 % jackknife interval.
    ///
    /// # Errors
    /// Fewer than two units.
    pub fn advantage(&self) -> Result<Jackknife, Error> {
        let left_out: Vec<f64> = self.without.iter().map(one_sided_advantage).collect();
        Ok(jackknife(one_sided_advantage(&self.whole), &left_out, 0.95)?)
    }

    /// `self - baseline` in parts, each with its 95 % jackknife interval over the units that both share.
    ///
    /// # Errors
    /// Fewer than two units; pools of different numbers of units.
    pub fn attribute(&self, baseline: &Self) -> Result<Parts<Jackknife>, Error> {
        if self.without.len() != baseline.without.len() {
            let (found, expected) = (self.without.len(), baseline.without.len());
            return Err(Error::Size { what: "the units of the candidate", found, expected });
        }
        let whole = shapley(&baseline.whole, &self.whole);
        let left_out: Vec<Parts<f64>> =
            baseline.without.iter().zip(&self.without).map(|(a, b)| shapley(a, b)).collect();
        let part = |get: fn(&Parts<f64>) -> f64| -> Result<Jackknife, Error> {
            Ok(jackknife(get(&whole), &left_out.iter().map(get).collect::<Vec<_>>(), 0.95)?)
        };
        Ok(Parts {
            whole: part(|p| p.whole)?,
            gap: part(|p| p.gap)?,
            member_spread: part(|p| p.member_spread)?,
            non_member_spread: part(|p| p.non_member_spread)?,
        })
    }

    /// `self - baseline` in [`RelativeParts`], each with its 95 % jackknife interval; `None` where [`relative`] has none.
    ///
    /// # Errors
    /// Fewer than two units.
    pub fn attribute_relative(&self, baseline: &Self) -> Result<Option<RelativeParts<Jackknife>>, Error> {
        let left_out: Option<Vec<RelativeParts<f64>>> =
            baseline.without.iter().zip(&self.without).map(|(a, b)| relative(a, b)).collect();
        let Some((whole, left_out)) = relative(&baseline.whole, &self.whole).zip(left_out) else { return Ok(None) };
        let part = |get: fn(&RelativeParts<f64>) -> f64| -> Result<Jackknife, Error> {
            Ok(jackknife(get(&whole), &left_out.iter().map(get).collect::<Vec<_>>(), 0.95)?)
        };
        Ok(Some(RelativeParts {
            member_spread: part(|p| p.member_spread)?,
            non_member_spread: part(|p| p.non_member_spread)?,
        }))
    }
}

/// A difference in advantage in two parts that do not depend on the scale of phi.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RelativeParts<T> {
    /// From the deviation over members in units of the distance between the means, tau / (m - mu).
    pub member_spread: T,
    /// From the deviation over non-members in the same units, sigma / (m - mu).
    pub non_member_spread: T,
}

/// As [`shapley`], with phi measured in units of the distance between the means: in the interpolating model that distance is fixed, and
/// multiplying phi by a number moves neither part (own; book/methods/explanation.md#relative-parts). `None` unless members lie above non-members on both sides.
pub fn relative(a: &Moments, b: &Moments) -> Option<RelativeParts<f64>> {
    let scaled = |m: &Moments| {
        let gap = m.member_mean - m.non_member_mean;
        (gap > 0.0).then(|| Moments {
            member_mean: 1.0,
            member_deviation: m.member_deviation / gap,
            non_member_mean: 0.0,
            non_member_deviation: m.non_member_deviation / gap,
        })
    };
    let (a, b) = (scaled(a)?, scaled(b)?);
    let parts = shapley(&a, &b);
    Some(RelativeParts { member_spread: parts.member_spread, non_member_spread: parts.non_member_spread })
}

/// The difference in advantage from moments `a` to moments `b`, split by swapping gap, tau and sigma one after the other, averaged
/// over the six orders (Shapley 1953). The advantage depends on the two means by their distance alone.
pub fn shapley(a: &Moments, b: &Moments) -> Parts<f64> {
    let value = |swapped: [bool; 3]| {
        let pick = |at: usize, get: fn(&Moments) -> f64| if swapped[at] { get(b) } else { get(a) };
        one_sided_advantage(&Moments {
            member_mean: pick(0, |m| m.member_mean - m.non_member_mean),
            member_deviation: pick(1, |m| m.member_deviation),
            non_member_mean: 0.0,
            non_member_deviation: pick(2, |m| m.non_member_deviation),
        })
    };
    let mut parts = [0.0; 3];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut swapped = [false; 3];
        for part in order {
            let before = value(swapped);
            swapped[part] = true;
            parts[part] += (value(swapped) - before) / 6.0;
        }
    }
    Parts {
        whole: value([true; 3]) - value([false; 3]),
        gap: parts[0],
        member_spread: parts[1],
        non_member_spread: parts[2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments_of(m: f64, tau: f64, mu: f64, sigma: f64) -> Moments {
        Moments { member_mean: m, member_deviation: tau, non_member_mean: mu, non_member_deviation: sigma }
    }

    #[test]
    fn parts_add_up_and_what_did_not_change_has_none() {
        let (a, b) = (moments_of(5.0, 1.0, 2.0, 2.0), moments_of(4.0, 0.7, 1.5, 1.4));
        let all = shapley(&a, &b);
        assert!((all.gap + all.member_spread + all.non_member_spread - all.whole).abs() < 1e-14);
        let only = shapley(&a, &moments_of(6.0, 1.0, 3.0, 1.5));
        assert!(only.gap.abs() < 1e-15 && only.member_spread.abs() < 1e-15);
        assert!((only.non_member_spread - only.whole).abs() < 1e-15 && only.whole > 0.0);
        // Scaling phi moves nothing as a whole, but the parts.
        let scaled = shapley(&a, &moments_of(10.0, 2.0, 4.0, 4.0));
        assert!(scaled.whole.abs() < 1e-15 && scaled.gap > 0.1 && scaled.non_member_spread < 0.0);
        let still = relative(&a, &moments_of(10.0, 2.0, 4.0, 4.0)).unwrap();
        assert!(still.member_spread.abs() < 1e-15 && still.non_member_spread.abs() < 1e-15);
        let both = relative(&a, &b).unwrap();
        assert!((both.member_spread + both.non_member_spread - all.whole).abs() < 1e-14);
        assert_eq!(relative(&a, &moments_of(1.0, 1.0, 1.0, 1.0)), None);
    }
}
