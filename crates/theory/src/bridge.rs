//! Trained networks on the map of the theory.

use flatleak_stats::gaussian::{
    Moments, likelihood_ratio_advantage, likelihood_ratio_slope, one_sided_advantage, one_sided_slope,
};
use flatleak_stats::{Interval, jackknife};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A recipe's models: moments of phi from all of them, and without each block.
#[derive(Clone, Copy, Debug)]
pub struct Recipe<'a> {
    /// Recipe name.
    pub name: &'a str,
    /// From all models.
    pub whole: Moments,
    /// Without each block, in the order of blocks.
    pub without: &'a [Moments],
}

/// The recipes of one finished run on one data set, and which pairs of them, by position, are compared: baseline, then candidate.
#[derive(Clone, Debug, Default)]
pub struct Run<'a> {
    /// The recipes.
    pub recipes: Vec<Recipe<'a>>,
    /// The pairs.
    pub pairs: Vec<(usize, usize)>,
}

impl<'a> Run<'a> {
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&Recipe<'a>, &Recipe<'a>)> {
        self.pairs.iter().filter_map(|&(a, b)| Some((self.recipes.get(a)?, self.recipes.get(b)?)))
    }
}

/// Whether a narrower spread of non-members would help an attacker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contraction {
    /// It would help: the advantage falls as sigma grows.
    Helps,
    /// It would hinder.
    Hinders,
    /// The interval of the slope holds 0.
    Open,
}

/// A recipe on the map. Only two numbers matter, because multiplying phi by a constant changes no attack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// Recipe name.
    pub recipe: String,
    /// (m - mu) / sigma: how far members lie from non-members in deviations of non-members.
    pub gap: Interval,
    /// tau / sigma: the spread of members in the same unit.
    pub ratio: Interval,
    /// Advantage of the best threshold, if phi were normal.
    pub confidence: Interval,
    /// Its derivative for ln sigma, m, tau and mu held.
    pub confidence_slope: Interval,
    /// Whether contraction helps that attack here.
    pub confidence_contraction: Contraction,
    /// Advantage of the likelihood ratio, if phi were normal.
    pub likelihood_ratio: Interval,
    /// Its derivative for ln sigma.
    pub likelihood_ratio_slope: Interval,
    /// Whether contraction helps that attack here.
    pub likelihood_ratio_contraction: Contraction,
}

/// Two recipes on the map, candidate - baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Baseline recipe.
    pub baseline: String,
    /// Candidate recipe.
    pub candidate: String,
    /// Difference of ln(sigma / (m - mu)): below 0 where the candidate's non-members are narrower in units of the distance between the
    /// means. `None` unless members lie above
    /// non-members on both sides.
    pub contraction: Option<Interval>,
    /// Difference in advantage of the best threshold, if phi were normal.
    pub confidence: Interval,
    /// Difference in advantage of the likelihood ratio, if phi were normal.
    pub likelihood_ratio: Interval,
}

fn over(recipe: &Recipe<'_>, of: impl Fn(&Moments) -> f64) -> Result<Interval, Error> {
    let without: Vec<f64> = recipe.without.iter().map(&of).collect();
    Ok(jackknife(of(&recipe.whole), &without, 0.95)?.interval)
}

fn answer(slope: &Interval) -> Contraction {
    match (slope.low > 0.0, slope.high < 0.0) {
        (_, true) => Contraction::Helps,
        (true, _) => Contraction::Hinders,
        _ => Contraction::Open,
    }
}

/// Places a recipe, with 95 % intervals by leaving blocks out.
///
/// # Errors
/// Fewer than two blocks; a deviation of 0, which leaves no map.
pub fn place(recipe: &Recipe<'_>) -> Result<Placed, Error> {
    let confidence_slope = over(recipe, one_sided_slope)?;
    let ratio_slope = over(recipe, likelihood_ratio_slope)?;
    Ok(Placed {
        recipe: recipe.name.into(),
        gap: over(recipe, |m| (m.member_mean - m.non_member_mean) / m.non_member_deviation)?,
        ratio: over(recipe, |m| m.member_deviation / m.non_member_deviation)?,
        confidence: over(recipe, one_sided_advantage)?,
        confidence_slope,
        confidence_contraction: answer(&confidence_slope),
        likelihood_ratio: over(recipe, likelihood_ratio_advantage)?,
        likelihood_ratio_slope: ratio_slope,
        likelihood_ratio_contraction: answer(&ratio_slope),
    })
}

/// Sets a candidate beside a baseline whose models are paired with its own, block by block.
///
/// # Errors
/// Fewer than two blocks, different numbers of blocks, a deviation of 0.
pub fn step(baseline: &Recipe<'_>, candidate: &Recipe<'_>) -> Result<Step, Error> {
    crate::error::check_size("the blocks of the candidate", candidate.without.len(), baseline.without.len())?;
    let difference = |of: &dyn Fn(&Moments) -> f64| -> Result<Interval, Error> {
        let without: Vec<f64> = baseline.without.iter().zip(candidate.without).map(|(a, b)| of(b) - of(a)).collect();
        Ok(jackknife(of(&candidate.whole) - of(&baseline.whole), &without, 0.95)?.interval)
    };
    let apart = |m: &Moments| m.member_mean > m.non_member_mean;
    let both = [baseline, candidate];
    let everywhere = both.iter().all(|r| apart(&r.whole) && r.without.iter().all(apart));
    let width = |m: &Moments| libm::log(m.non_member_deviation / (m.member_mean - m.non_member_mean));
    Ok(Step {
        baseline: baseline.name.into(),
        candidate: candidate.name.into(),
        contraction: if everywhere { Some(difference(&width)?) } else { None },
        confidence: difference(&one_sided_advantage)?,
        likelihood_ratio: difference(&likelihood_ratio_advantage)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(m: f64, tau: f64, sigma: f64) -> Moments {
        Moments { member_mean: m, member_deviation: tau, non_member_mean: 0.0, non_member_deviation: sigma }
    }

    fn recipe<'a>(name: &'a str, without: &'a [Moments]) -> Recipe<'a> {
        Recipe { name, whole: without[0], without }
    }

    #[test]
    fn regions_of_the_map() {
        // Far apart, contraction helps both; close together with narrow members it hinders both.
        let far = [moments(3.0, 0.2, 1.0), moments(3.01, 0.2, 1.0)];
        let near = [moments(0.4, 0.5, 1.0), moments(0.4, 0.51, 1.0)];
        let placed = place(&recipe("far", &far)).unwrap();
        assert_eq!(placed.confidence_contraction, Contraction::Helps);
        assert_eq!(placed.likelihood_ratio_contraction, Contraction::Helps);
        let placed = place(&recipe("near", &near)).unwrap();
        assert_eq!(placed.confidence_contraction, Contraction::Hinders);
        assert_eq!(placed.likelihood_ratio_contraction, Contraction::Hinders);
        // Blocks on either side of the border leave it open.
        let torn = [moments(1.0, 0.3, 1.0), moments(0.5, 0.3, 1.0), moments(1.5, 0.3, 1.0)];
        assert_eq!(place(&recipe("torn", &torn)).unwrap().likelihood_ratio_contraction, Contraction::Open);
        // A deviation of 0 has no place.
        assert!(place(&recipe("point", &[moments(1.0, 0.0, 1.0); 2])).is_err());
    }

    #[test]
    fn steps_measure_the_spread_in_units_of_the_gap() {
        let (wide, narrow) = ([moments(1.0, 0.2, 1.0); 3], [moments(2.0, 0.4, 1.0); 3]);
        let found = step(&recipe("a", &wide), &recipe("b", &narrow)).unwrap();
        assert!((found.contraction.unwrap().mean + std::f64::consts::LN_2).abs() < 1e-15);
        assert!(found.confidence.mean > 0.0);
        // Scaling phi moves nothing.
        let scaled = [moments(5.0, 1.0, 5.0); 3];
        let found = step(&recipe("a", &wide), &recipe("b", &scaled)).unwrap();
        assert!(found.contraction.unwrap().mean.abs() < 1e-15 && found.likelihood_ratio.mean.abs() < 1e-15);
        let behind = [moments(-1.0, 1.0, 1.0); 3];
        assert_eq!(step(&recipe("a", &wide), &recipe("b", &behind)).unwrap().contraction, None);
        assert!(step(&recipe("a", &wide), &recipe("b", &behind[..2])).is_err());
    }
}
