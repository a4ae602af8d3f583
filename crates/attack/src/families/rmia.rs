//! Attacks that set the target's confidence against that of its shadows.
//!
//! Ratios are formed in logarithms and through the complement q = 1 - p where p is near 1, so that
//! well-fitted examples keep distinct scores: log pbar = log1p(-qbar) there.
#![expect(
    clippy::redundant_closure,
    reason = "a closure can be told to become part of the vectors that call it, a function's name cannot"
)]

use flatleak_kernel::elementary::{log, log_1p, log_sigmoid, sigmoid};
use flatleak_pool::{Decimal, Matrix, Signal};

use crate::Lineup;
use crate::definition::{Definition, Meta, Parameter, Range, named};
use crate::means::score_by_means;
use crate::tile::Means;

/// Weight a of the offline correction, never tuned on a target (Zarifzadeh et al. 2024).
const OFFLINE_A: Decimal = Decimal::thousandths(300);

const TWO: Decimal = Decimal::thousandths(2000);
const FOUR: Decimal = Decimal::thousandths(4000);

/// The weight of the offline correction as a parameter.
fn weight(value: &mut Decimal) -> Parameter<'_> {
    Parameter::Number { name: "a", value, default: OFFLINE_A, range: Range::Share }
}

/// log(p_y / pbar) (Zarifzadeh et al. 2024, arXiv 2312.03262).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rmia {
    /// Of the softmax.
    pub temperature: Decimal,
}

impl Default for Rmia {
    fn default() -> Self {
        Self { temperature: Decimal::ONE }
    }
}

impl Definition for Rmia {
    fn meta(&self) -> Meta {
        Meta::by_shadows("rmia").of(
            "probability of the true class beside its mean over models with and without the example",
            "Zarifzadeh et al. 2024, arXiv 2312.03262",
        )
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![Parameter::temperature(&mut self.temperature)]
    }

    fn formula(&self) -> &'static str {
        "log(p_y / pbar), pbar = (mean IN + mean OUT) / 2, not trimmed (Zarifzadeh et al. 2024, arXiv 2312.03262)"
    }

    fn signal(&self) -> Signal {
        Signal::phi_at(self.temperature)
    }

    fn score(&self, lineup: &Lineup<'_>) -> Matrix {
        rmia(lineup)
    }

    fn listed() -> Vec<Self> {
        vec![Self::default(), Self { temperature: TWO }, Self { temperature: FOUR }]
    }
}

/// The same with pbar from OUT shadows alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RmiaOffline {
    /// Weight of the correction for what OUT shadows miss.
    pub a: Decimal,
    /// Of the softmax.
    pub temperature: Decimal,
}

impl Default for RmiaOffline {
    fn default() -> Self {
        Self { a: OFFLINE_A, temperature: Decimal::ONE }
    }
}

impl Definition for RmiaOffline {
    fn meta(&self) -> Meta {
        Meta::by_shadows("rmia-offline").of(
            "the same where only models without the example are to be had",
            "Zarifzadeh et al. 2024, arXiv 2312.03262",
        )
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![weight(&mut self.a), Parameter::temperature(&mut self.temperature)]
    }

    fn formula(&self) -> &'static str {
        "log(p_y / pbar), pbar = (1 + a)/2 mean OUT + (1 - a)/2, a = 0.3, never tuned on the target"
    }

    fn signal(&self) -> Signal {
        Signal::phi_at(self.temperature)
    }

    fn score(&self, lineup: &Lineup<'_>) -> Matrix {
        rmia_offline(lineup, self.a.value())
    }
}

/// Share of population examples whose offline ratio is exceeded gamma times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RmiaGamma {
    /// By how much.
    pub gamma: Decimal,
    /// Weight of the offline correction.
    pub a: Decimal,
    /// Of the softmax.
    pub temperature: Decimal,
}

impl Default for RmiaGamma {
    fn default() -> Self {
        Self { gamma: Decimal::ONE, a: OFFLINE_A, temperature: Decimal::ONE }
    }
}

impl Definition for RmiaGamma {
    fn meta(&self) -> Meta {
        Meta {
            needs_population: true,
            ..Meta::by_shadows("rmia-gamma")
                .of("how many other examples it beats by the same ratio", "Zarifzadeh et al. 2024, arXiv 2312.03262")
        }
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        let gamma =
            Parameter::Number { name: "gamma", value: &mut self.gamma, default: Decimal::ONE, range: Range::Positive };
        vec![gamma, weight(&mut self.a), Parameter::temperature(&mut self.temperature)]
    }

    fn formula(&self) -> &'static str {
        "share of held-out z with r_x / r_z > gamma = 1, r with the offline pbar"
    }

    fn signal(&self) -> Signal {
        Signal::phi_at(self.temperature)
    }

    fn score(&self, lineup: &Lineup<'_>) -> Matrix {
        rmia_gamma(lineup, self.gamma.value(), self.a.value())
    }
}

/// log p_y - log of the mean over shadows (Lassila et al. 2025, arXiv 2505.24089).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Base {
    /// Of the softmax.
    pub temperature: Decimal,
}

impl Default for Base {
    fn default() -> Self {
        Self { temperature: Decimal::ONE }
    }
}

impl Definition for Base {
    fn meta(&self) -> Meta {
        Meta::by_shadows("base").of(
            "probability of the true class beside its mean over all other models",
            "Lassila et al. 2025, arXiv 2505.24089",
        )
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![Parameter::temperature(&mut self.temperature)]
    }

    fn formula(&self) -> &'static str {
        "log p_y - log of the mean over all shadows (Lassila et al. 2025, arXiv 2505.24089)"
    }

    fn signal(&self) -> Signal {
        Signal::phi_at(self.temperature)
    }

    fn same_roc_as(&self, equal: bool) -> Option<String> {
        let mut rmia = Rmia { temperature: self.temperature };
        equal.then(|| named(rmia.meta().name, &rmia.parameters()))
    }

    fn score(&self, lineup: &Lineup<'_>) -> Matrix {
        base(lineup)
    }

    fn listed() -> Vec<Self> {
        vec![Self::default(), Self { temperature: TWO }]
    }
}

/// log(p / pbar), pbar = (mean IN + mean OUT) / 2.
fn rmia(lineup: &Lineup<'_>) -> Matrix {
    against_share(
        lineup,
        #[inline(always)]
        |[inside, outside]| {
            let ([p_in, q_in], [p_out, q_out]) = (inside.means(), outside.means());
            [0.5 * (p_in + p_out), 0.5 * (q_in + q_out)]
        },
    )
}

/// log p - log of the mean p over all shadows of the example.
fn base(lineup: &Lineup<'_>) -> Matrix {
    against_share(
        lineup,
        #[inline(always)]
        |[inside, outside]| inside.with(outside).means(),
    )
}

/// log(p / pbar), where `share` gives pbar and 1 - pbar from the sums of p and 1 - p.
fn against_share(lineup: &Lineup<'_>, share: impl Fn([Means<2>; 2]) -> [f64; 2]) -> Matrix {
    score_by_means(
        lineup,
        #[inline(always)]
        |phi| share_and_rest(phi),
        #[inline(always)]
        |sums| {
            let [p, q] = share(sums);
            [log_share(p, q)]
        },
        #[inline(always)]
        |phi, fit| ratio(phi, fit),
    )
}

/// log(p / pbar), pbar = (1 + a)/2 mean OUT + (1 - a)/2.
fn rmia_offline(lineup: &Lineup<'_>, a: f64) -> Matrix {
    score_by_means(
        lineup,
        #[inline(always)]
        |phi| [sigmoid(-phi)],
        #[inline(always)]
        |[_, out]| {
            let [rest] = out.means();
            [offline_log_pbar(rest, a)]
        },
        #[inline(always)]
        |phi, fit| ratio(phi, fit),
    )
}

/// p and 1 - p.
#[inline(always)]
fn share_and_rest(phi: f64) -> [f64; 2] {
    [sigmoid(phi), sigmoid(-phi)]
}

/// log p - log pbar.
#[inline(always)]
fn ratio(phi: f64, [log_pbar]: [f64; 1]) -> f64 {
    log_sigmoid(phi) - log_pbar
}

/// Share of population examples z with r_x / r_z > gamma; r = p / pbar with the offline pbar for x and z alike.
/// All shadows are OUT for z.
fn rmia_gamma(lineup: &Lineup<'_>, gamma: f64, a: f64) -> Matrix {
    let mut scores = rmia_offline(lineup, a);
    let population = lineup.seats.first().map_or(0, |s| s.population.len());
    let rest = Matrix::with_rows(lineup.seats.len(), population, |k, row| {
        row.iter_mut().zip(lineup.seats[k].population).for_each(|(q, &v)| *q = sigmoid(-v));
    });
    let log_pbars = Matrix::with_rows(lineup.blocks().len(), population, |at, sums| {
        let mut shadows = 0.0;
        for (_, q) in lineup.seats.iter().zip(&rest).filter(|(s, _)| s.block != lineup.blocks()[at]) {
            shadows += 1.0;
            sums.iter_mut().zip(q).for_each(|(sum, q)| *sum += q);
        }
        sums.iter_mut().for_each(|sum| *sum = offline_log_pbar(*sum / shadows, a));
    });
    let margin = log(gamma);
    for ((seat, at), row) in lineup.seats.iter().zip(lineup.positions()).zip(scores.iter_mut()) {
        let known = seat.population.iter().zip(&log_pbars[at.index()]);
        let mut reference: Vec<f64> = known.map(|(&phi, pbar)| log_sigmoid(phi) - pbar).collect();
        reference.sort_unstable_by(f64::total_cmp);
        for score in row {
            let below = reference.partition_point(|r| *r + margin < *score);
            *score = below as f64 / population.max(1) as f64;
        }
    }
    scores
}

/// log pbar of the offline form from the mean complement q of the OUT shadows: 1 - pbar = (1 + a)/2 q.
#[inline(always)]
fn offline_log_pbar(mean_complement: f64, a: f64) -> f64 {
    log_1p(-0.5 * (1.0 + a) * mean_complement)
}

/// log p, from the complement q = 1 - p where that is the small one: ln(1 - q) as [`log_1p`] has it.
#[inline(always)]
fn log_share(p: f64, q: f64) -> f64 {
    let is_large = q < 0.5;
    let u = if is_large { 1.0 - q } else { p };
    let lost = if is_large { ((1.0 - u) - q) / u } else { 0.0 };
    log(u) + lost
}
