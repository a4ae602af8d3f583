//! The interpolators from gradient descent's to the flattest.

use flatleak_stats::parallel;

use crate::error::Error;
use crate::fit::Fit;
use crate::problem::{Metric, Problem};

/// Share of Sigma w_0 outside row(X), as a length, below which it counts as none: the slope that is left, its square, is below rounding.
const ALIGNED: f64 = 1e-8;

/// Relative spread of a spectrum that counts as none: what a change of basis leaves.
const ROUNDING: f64 = 1e-12;

/// Why a problem shows no contraction at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Degenerate {
    /// Sigma is a multiple of the identity: every G_eta is, and picks the same interpolator.
    Isotropic,
    /// Sigma w_0 lies in row(X), as for Sigma = X'X / n: w_0 already satisfies every G_eta's optimality condition G w in row(X).
    AlignedWithRows,
}

impl Degenerate {
    /// In words.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Isotropic => "the covariance is a multiple of the identity, so every metric picks the same interpolator",
            Self::AlignedWithRows => "Sigma w lies in the span of the examples, so the minimum-norm interpolator already is the flattest",
        }
    }
}

/// One interpolator of the path.
#[derive(Clone, Debug)]
pub struct Point {
    /// Weight of flatness; infinity is the limit.
    pub eta: f64,
    /// Weights, (d).
    pub weights: Vec<f64>,
    /// v(eta) = w'Sigma w, the second moment of the output on unseen examples.
    pub second_moment: f64,
    /// v'(eta); 0 at the limit.
    pub slope: f64,
    /// Leave-one-out memorization of the signed margin, (n).
    pub memorization: Vec<f64>,
    /// Condition number of X G^-1 X'.
    pub condition: f64,
    /// Largest |y - Xw|.
    pub residual: f64,
}

/// Minimum-G-norm interpolators for G_eta = I + eta Sigma over a grid of eta.
#[derive(Clone, Debug)]
pub struct Path {
    /// One per eta, in the order asked for.
    pub points: Vec<Point>,
    /// Set where v does not depend on eta; then all points are that of eta = 0, bit for bit, and all slopes 0.
    pub degenerate: Option<Degenerate>,
}

fn point(spectrum: &[f64], eta: f64, fit: &Fit) -> Result<Point, Error> {
    let slope = if eta.is_finite() { -2.0 * fit.outside_rows(spectrum)?.0 } else { 0.0 };
    Ok(Point {
        eta,
        weights: fit.weights().to_vec(),
        second_moment: fit.second_moment(spectrum),
        slope,
        memorization: fit.memorization(),
        condition: fit.condition(),
        residual: fit.residual(),
    })
}

impl Path {
    /// The path of `problem`, given in the eigenbasis of Sigma, for `etas` in any order, infinity included where the spectrum is positive. The etas are spread
    /// over `workers` threads; no figure depends on their number.
    ///
    /// # Errors
    /// Those of [`Fit::new`] and [`Metric::sharpness`]; a spectrum of another size.
    pub fn new(problem: &Problem, spectrum: &[f64], etas: &[f64], workers: usize) -> Result<Self, Error> {
        crate::error::check_size("the spectrum", spectrum.len(), problem.dimensions())?;
        let flat = Fit::new(problem, &Metric::sharpness(spectrum, 0.0)?, 0.0)?;
        for &eta in etas {
            Metric::sharpness(spectrum, eta)?;
        }
        let degenerate = if spectrum.iter().all(|s| (s - spectrum[0]).abs() <= ROUNDING * spectrum[0]) {
            Some(Degenerate::Isotropic)
        } else {
            let (outside, all) = flat.outside_rows(spectrum)?;
            (outside <= ALIGNED * ALIGNED * all).then_some(Degenerate::AlignedWithRows)
        };
        let start = point(spectrum, 0.0, &flat)?;
        drop(flat);
        let points = parallel::map(etas.len(), workers, |k| match etas[k] {
            0.0 if degenerate.is_none() => Ok(start.clone()),
            eta if degenerate.is_some() => Ok(Point { eta, slope: 0.0, ..start.clone() }),
            eta => point(spectrum, eta, &Fit::new(problem, &Metric::sharpness(spectrum, eta)?, 0.0)?),
        });
        Ok(Self { points: points.into_iter().collect::<Result<_, _>>()?, degenerate })
    }
}
