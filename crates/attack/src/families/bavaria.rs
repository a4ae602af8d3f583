//! The likelihood ratio with few shadows: means and variances shrunk towards those of the whole pool (BaVarIA, Brännvall 2026, arXiv
//! 2603.11799).
//!
//! Per side, the cells of all shadows and examples give a normal-inverse-gamma prior with mean mu0 and variance V: kappa0 = 1, alpha0 = 1
//! for the normal form and 2 for Student's, beta0 = V in both. An example with n shadows of mean x and sum of squares ss about it has
//! kappa = 1 + n, alpha = alpha0 + n/2, beta = V + ss/2 + n (x - mu0)^2 / (2 (n + 1)). The paper's text could not be had; formulas are
//! those that its author's code computes, and the priors its defaults.

use flatleak_kernel::elementary::{log, log_1p};
use flatleak_pool::{Matrix, Signal};

use crate::Lineup;
use crate::definition::{Definition, Meta};
use crate::shadows::{Pooled, Shadows, per_block, score_by_shadows};

/// Likelihood ratio with means and variances shrunk towards the pool's, for few shadows (Brännvall 2026, arXiv 2603.11799).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BavariaNormal;

impl Definition for BavariaNormal {
    fn meta(&self) -> Meta {
        Meta::by_shadows("bavaria-n")
            .of("likelihood ratio with means and variances shrunk, Gaussian", "Brännvall 2026, arXiv 2603.11799")
    }

    fn formula(&self) -> &'static str {
        "log N(phi; mean_in, v_in) - log N(phi; mean_out, v_out), v = (2 V + ss + n (mean - mu0)^2 / (n + 1)) / n with mu0, V over all examples (Brännvall 2026, arXiv 2603.11799, as its code)"
    }

    fn signal(&self) -> Signal {
        Signal::Phi
    }

    fn score(&self, lineup: &Lineup<'_>) -> Matrix {
        normal(lineup)
    }
}

/// The same with Student's predictive densities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BavariaStudent;

impl Definition for BavariaStudent {
    fn meta(&self) -> Meta {
        Meta::by_shadows("bavaria-t")
            .of("likelihood ratio with means and variances shrunk, Student's t", "Brännvall 2026, arXiv 2603.11799")
    }

    fn formula(&self) -> &'static str {
        "the same with Student's posterior predictive densities, n + 4 degrees of freedom about (mu0 + n mean) / (n + 1)"
    }

    fn signal(&self) -> Signal {
        Signal::Phi
    }

    fn score(&self, lineup: &Lineup<'_>) -> Matrix {
        student(lineup)
    }
}

/// The least beta0, and the least squared scale.
const LEAST: f64 = 1e-10;

/// What is known of one side of all examples.
#[derive(Clone, Copy)]
struct Prior {
    mean: f64,
    /// beta0.
    variance: f64,
}

/// What is known of one side of one example.
#[derive(Clone, Copy)]
struct Posterior {
    kappa: f64,
    alpha: f64,
    beta: f64,
    /// Of the example's shadows.
    mean: f64,
    /// Of prior and shadows.
    centre: f64,
}

impl Posterior {
    #[inline(always)]
    fn new(shadows: &Shadows, prior: Prior, alpha0: f64) -> Self {
        let Shadows { n, mean, variance, .. } = *shadows;
        let squares = n * variance;
        let away = mean - prior.mean;
        Self {
            kappa: 1.0 + n,
            alpha: alpha0 + 0.5 * n,
            beta: prior.variance + 0.5 * squares + 0.5 * n * away * away / (n + 1.0),
            mean,
            centre: (prior.mean + n * mean) / (n + 1.0),
        }
    }
}

/// Priors of both sides for the targets of every block, by part of the examples.
fn priors(lineup: &Lineup<'_>) -> Matrix<[Prior; 2]> {
    let mut pooled = Matrix::filled(lineup.blocks().len(), lineup.parts(), [Pooled::default(); 2]);
    per_block(lineup, |block, i, both| {
        lineup.teach(i, |part| {
            both.iter().zip(&mut pooled[block.index()][part]).for_each(|(shadows, all)| shadows.pool(all, 0.0));
        });
    });
    let prior = |all: Pooled| {
        let (mean, variance) = all.moments();
        Prior { mean, variance: variance.max(LEAST) }
    };
    pooled.map(|both| both.map(prior))
}

/// log N(phi; mean IN, v_in) - log N(phi; mean OUT, v_out), v = beta / (alpha - 1) the posterior mean of the variance.
fn normal(lineup: &Lineup<'_>) -> Matrix {
    let priors = priors(lineup);
    let priors: Vec<&[[Prior; 2]]> = priors.iter().collect();
    score_by_shadows(
        lineup,
        #[inline(always)]
        |block, i, [inside, outside]| {
            let [p_in, p_out] = priors[block.index()][lineup.part(i)];
            let ([a, b, c], [d, e, f]) = (normal_law(inside, p_in), normal_law(outside, p_out));
            [a, b, c, d, e, f]
        },
        #[inline(always)]
        |phi, [a, b, c, d, e, f]| log_normal(phi, [a, b, c]) - log_normal(phi, [d, e, f]),
    )
}

/// Mean, variance and the variance's logarithm of one side's law.
#[inline(always)]
fn normal_law(shadows: &Shadows, prior: Prior) -> [f64; 3] {
    let posterior = Posterior::new(shadows, prior, 1.0);
    let variance = posterior.beta / (posterior.alpha - 1.0);
    [posterior.mean, variance, log(variance)]
}

/// log N(phi; mean, variance), but for a constant.
#[inline(always)]
fn log_normal(phi: f64, [mean, variance, log]: [f64; 3]) -> f64 {
    let d = phi - mean;
    -0.5 * (log + d * d / variance)
}

/// log t(phi; IN) - log t(phi; OUT), t the posterior predictive: Student's with 2 alpha degrees of freedom about the shrunken mean, of
/// squared scale beta (kappa + 1) / (alpha kappa).
fn student(lineup: &Lineup<'_>) -> Matrix {
    let priors = priors(lineup);
    let priors: Vec<&[[Prior; 2]]> = priors.iter().collect();
    // log Gamma((d + 1) / 2) - log Gamma(d / 2) with d = n + 4, by the number of shadows.
    let gammas: Vec<f64> = (0..=lineup.seats.len())
        .map(|n| libm::lgamma(0.5 * (n as f64 + 5.0)) - libm::lgamma(0.5 * (n as f64 + 4.0)))
        .collect();
    score_by_shadows(
        lineup,
        #[inline(always)]
        |block, i, [inside, outside]| {
            let [p_in, p_out] = priors[block.index()][lineup.part(i)];
            let a = student_law(inside, p_in, gammas[inside.n as usize]);
            let b = student_law(outside, p_out, gammas[outside.n as usize]);
            [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]]
        },
        #[inline(always)]
        |phi, [a, b, c, d, e, f, g, h]| log_student(phi, [a, b, c, d]) - log_student(phi, [e, f, g, h]),
    )
}

/// Centre, degrees of freedom, these times the squared scale, and the logarithm of the density at the centre of one side's law.
#[inline(always)]
fn student_law(shadows: &Shadows, prior: Prior, gamma: f64) -> [f64; 4] {
    let p = Posterior::new(shadows, prior, 2.0);
    let (degrees, squared) = (2.0 * p.alpha, p.beta * (p.kappa + 1.0) / (p.alpha * p.kappa));
    // A comparison with NaN is false: it is kept.
    let squared = if squared < LEAST { LEAST } else { squared };
    [p.centre, degrees, degrees * squared, gamma - 0.5 * log(degrees * std::f64::consts::PI * squared)]
}

/// log t(phi).
#[inline(always)]
fn log_student(phi: f64, [centre, degrees, scale, peak]: [f64; 4]) -> f64 {
    let d = phi - centre;
    peak - 0.5 * (degrees + 1.0) * log_1p(d * d / scale)
}
