//! The likelihood-ratio attack and its offline forms (Carlini et al. 2022, arXiv 2112.03570).
//!
//! On phi; mu is the median, or the mean, over the shadows of one side, per example; s per example is their deviation about
//! the mean, ddof 0, plus 1e-30. The fixed forms pool s over examples and shadows, per target.

use flatleak_kernel::elementary::log;
use flatleak_pool::{Matrix, Signal};

use crate::Lineup;
use crate::definition::{Centre, Definition, Meta, Parameter, attack};
use crate::shadows::{Pooled, Shadows, per_block, score_by_shadows, score_seats};

/// How the pooled standard deviation of `lira-online-fixed` is formed; the literature has several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FixedVariance {
    /// Deviation (ddof 0) of phi minus the example's centre, per side, over examples and shadows (TF Privacy).
    #[default]
    Residual,
    /// Deviation of all raw IN phi, for both sides (the 2022 reference code).
    Official,
    /// Deviation of all raw phi, per side.
    PerSide,
}

impl FixedVariance {
    /// Name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Residual => "residual",
            Self::Official => "official",
            Self::PerSide => "per-side",
        }
    }
}

/// Likelihood ratio with per-example deviations (Carlini et al. 2022, arXiv 2112.03570).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LiraOnline {
    /// Of the shadows.
    pub centre: Centre,
}

impl LiraOnline {
    pub(crate) const PUBLISHED: Self = Self { centre: Centre::Median };
}

impl Definition for LiraOnline {
    fn meta(&self) -> Meta {
        Meta::by_shadows("lira-online").of(
            "likelihood ratio of Gaussians fitted to each example with and without it",
            "Carlini et al. 2022, arXiv 2112.03570",
        )
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![Parameter::Centre(&mut self.centre)]
    }

    fn formula(&self) -> &'static str {
        "log N(phi; mu_in, s_in) - log N(phi; mu_out, s_out), s per example + 1e-30 (Carlini et al. 2022, arXiv 2112.03570)"
    }

    fn signal(&self) -> Signal {
        Signal::Phi
    }

    fn score(&self, lineup: &Lineup<'_>) -> Matrix {
        online(lineup, self.centre)
    }
}

/// Likelihood ratio with pooled deviations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LiraOnlineFixed {
    /// How they are pooled.
    pub variance: FixedVariance,
    /// Of the shadows.
    pub centre: Centre,
}

impl LiraOnlineFixed {
    pub(crate) const PUBLISHED: Self = Self { variance: FixedVariance::Residual, centre: Centre::Median };
}

impl Definition for LiraOnlineFixed {
    fn meta(&self) -> Meta {
        Meta::by_shadows("lira-online-fixed")
            .of("the same with one spread for all examples, for few shadows", "Carlini et al. 2022, arXiv 2112.03570")
    }

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![Parameter::Centre(&mut self.centre)]
    }

    fn formula(&self) -> &'static str {
        match (self.variance, self.centre) {
            (FixedVariance::Residual, Centre::Median) => {
                "the same, s per side over all examples of phi - mu (as TF Privacy)"
            }
            (FixedVariance::Residual, Centre::Mean) => "the same with means for mu (as LeakPro)",
            (FixedVariance::Official, _) => {
                "the same, one s for both sides: of all raw IN phi (the 2022 reference code)"
            }
            (FixedVariance::PerSide, _) => "the same, s per side of all raw phi",
        }
    }

    fn signal(&self) -> Signal {
        Signal::Phi
    }

    fn variant(&self) -> Option<&'static str> {
        Some(self.variance.name())
    }

    fn score(&self, lineup: &Lineup<'_>) -> Matrix {
        online_fixed(lineup, self.variance, self.centre)
    }

    fn listed() -> Vec<Self> {
        vec![Self::PUBLISHED, Self { centre: Centre::Mean, ..Self::PUBLISHED }]
    }
}

attack!(
    /// One-sided test against the OUT shadows, ranked by its z value.
    LiraOffline,
    Meta::by_shadows("lira-offline").of("how unusual the margin is among models that never saw the example, one side", "Carlini et al. 2022, arXiv 2112.03570"),
    "(phi - mu_out) / s_out, which ranks as log Phi of it (the paper's one-sided test)",
    Signal::Phi,
    |lineup| Offline::OneSided.per_example(lineup)
);
attack!(
    /// The same with a pooled deviation.
    LiraOfflineFixed,
    Meta::by_shadows("lira-offline-fixed").of("the same with one spread for all examples", "Carlini et al. 2022, arXiv 2112.03570"),
    "the same, s_out over all examples of phi - mu_out",
    Signal::Phi,
    |lineup| Offline::OneSided.fixed(lineup)
);
attack!(
    /// Negative OUT log-density, as the 2021 reference code computes it.
    LiraOfflineTwoSided,
    Meta::by_shadows("lira-offline-two-sided").of("how unusual the margin is in either direction", "Carlini et al. 2022, arXiv 2112.03570 (reference code of 2021)"),
    "-log N(phi; mu_out, s_out) (what the 2021 reference code computes)",
    Signal::Phi,
    |lineup| Offline::TwoSided.per_example(lineup)
);
attack!(
    /// The same with a pooled deviation.
    LiraOfflineTwoSidedFixed,
    Meta::by_shadows("lira-offline-two-sided-fixed").of("the same with one spread for all examples", "Carlini et al. 2022, arXiv 2112.03570 (reference code of 2021)"),
    "the same, s_out over all examples of phi - mu_out",
    Signal::Phi,
    |lineup| Offline::TwoSided.fixed(lineup)
);

/// Pooled sums of both sides, by position of the block and part of the examples.
type PooledSides = Matrix<[Pooled; 2]>;

fn pooled_sides(lineup: &Lineup<'_>) -> PooledSides {
    Matrix::filled(lineup.blocks().len(), lineup.parts(), [Pooled::default(); 2])
}

/// log N(phi; mu_in, s_in) - log N(phi; mu_out, s_out), s per example.
fn online(lineup: &Lineup<'_>, centre: Centre) -> Matrix {
    score_by_shadows(
        lineup,
        #[inline(always)]
        |_, _, [inside, outside]| {
            let (s_in, s_out) = (Spread::new(inside.deviation()), Spread::new(outside.deviation()));
            [centre.of(inside), s_in.deviation, s_in.log, centre.of(outside), s_out.deviation, s_out.log]
        },
        #[inline(always)]
        |phi, [mu_in, s_in, log_in, mu_out, s_out, log_out]| {
            let spread = |deviation: f64, log: f64| Spread { deviation, log };
            spread(s_in, log_in).log_density(phi, mu_in) - spread(s_out, log_out).log_density(phi, mu_out)
        },
    )
}

/// The same with pooled s in the given variant.
fn online_fixed(lineup: &Lineup<'_>, variant: FixedVariance, centre: Centre) -> Matrix {
    let mut pooled = pooled_sides(lineup);
    let centres = per_block(lineup, |block, i, both| {
        let mut centres = [0.0; 2];
        for (side, shadows) in both.iter().enumerate() {
            centres[side] = centre.of(shadows);
            let about = if variant == FixedVariance::Residual { centres[side] } else { 0.0 };
            lineup.teach(i, |part| shadows.pool(&mut pooled[block.index()][part][side], about));
        }
        centres
    });
    let spread = |[inside, outside]: &[Pooled; 2]| {
        let both = match variant {
            FixedVariance::Official => [inside.deviation(); 2],
            FixedVariance::Residual | FixedVariance::PerSide => [inside.deviation(), outside.deviation()],
        };
        both.map(Spread::new)
    };
    let fixed = pooled.map(spread);
    score_seats(lineup, centres.rows(), |phi, [mu_in, mu_out], block, i| {
        let [s_in, s_out] = fixed[block.index()][lineup.part(i)];
        s_in.log_density(phi, *mu_in) - s_out.log_density(phi, *mu_out)
    })
}

/// What the offline forms compute.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Offline {
    /// z = (phi - mu_out) / s_out, which ranks one query as log Phi(z) does and never ties in its tail.
    OneSided,
    /// -log N(phi; mu_out, s_out).
    TwoSided,
}

impl Offline {
    #[inline(always)]
    fn score(self, phi: f64, mu: f64, s: Spread) -> f64 {
        match self {
            Self::OneSided => (phi - mu) / s.deviation,
            Self::TwoSided => -s.log_density(phi, mu),
        }
    }

    /// With s per example.
    fn per_example(self, lineup: &Lineup<'_>) -> Matrix {
        score_by_shadows(
            lineup,
            #[inline(always)]
            |_, _, [_, outside]| {
                let spread = Spread::new(outside.deviation());
                [outside.median, spread.deviation, spread.log]
            },
            #[inline(always)]
            |phi, [mu, deviation, log]| self.score(phi, mu, Spread { deviation, log }),
        )
    }

    /// With pooled s.
    fn fixed(self, lineup: &Lineup<'_>) -> Matrix {
        let mut pooled = pooled_sides(lineup);
        let medians = per_block(lineup, |block, i, [_, outside]| {
            let mu = outside.median;
            lineup.teach(i, |part| outside.pool(&mut pooled[block.index()][part][1], mu));
            mu
        });
        let spread = |both: &[Pooled; 2]| Spread::new(both[1].deviation());
        let fixed = pooled.map(spread);
        score_seats(lineup, medians.rows(), |phi, mu, block, i| {
            self.score(phi, *mu, fixed[block.index()][lineup.part(i)])
        })
    }
}

/// log N(x; mu_in, s_in) - log N(x; mu_out, s_out), each side given as (mu, s) with s above 0: the score of the online attack when both
/// sides are known rather than
/// estimated from shadows (Neyman & Pearson 1933).
pub fn log_likelihood_ratio(x: f64, inside: (f64, f64), outside: (f64, f64)) -> f64 {
    Spread::new(inside.1).log_density(x, inside.0) - Spread::new(outside.1).log_density(x, outside.0)
}

impl Centre {
    #[inline(always)]
    fn of(self, shadows: &Shadows) -> f64 {
        match self {
            Self::Median => shadows.median,
            Self::Mean => shadows.mean,
        }
    }
}

/// A deviation and its logarithm, which is taken once and not for every score.
#[derive(Clone, Copy)]
struct Spread {
    deviation: f64,
    log: f64,
}

impl Spread {
    #[inline(always)]
    fn new(deviation: f64) -> Self {
        Self { deviation, log: log(deviation) }
    }

    /// log N(x; mu, s).
    #[inline(always)]
    fn log_density(self, x: f64, mu: f64) -> f64 {
        let z = (x - mu) / self.deviation;
        -0.5 * z * z - self.log - HALF_LOG_TAU
    }
}

/// log(2 pi) / 2.
const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_8;
