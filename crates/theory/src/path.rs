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
            Self::Isotropic => {
                "the covariance is a multiple of the identity, so every metric picks the same interpolator"
            }
            Self::AlignedWithRows => {
                "Sigma w lies in the span of the examples, so the minimum-norm interpolator already is the flattest"
            }
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
    /// Set where neither the weights nor v depend on eta; then all points have those of eta = 0, bit for bit, and slopes of 0. Memorization
    /// may still depend
    /// on eta: without an example, the rest may no longer be in such a position.
    pub degenerate: Option<Degenerate>,
}

/// The interpolator at one eta, and whether Sigma w lies in row(X).
fn point(problem: &Problem, spectrum: &[f64], eta: f64) -> Result<(Point, bool), Error> {
    let fit = Fit::new(problem, &Metric::sharpness(spectrum, eta)?, 0.0)?;
    let (outside, all) = fit.outside_rows(spectrum)?;
    let point = Point {
        eta,
        weights: fit.weights().to_vec(),
        second_moment: fit.second_moment(spectrum),
        slope: if eta.is_finite() { -2.0 * outside } else { 0.0 },
        memorization: fit.memorization(),
        condition: fit.condition(),
        residual: fit.residual(),
    };
    Ok((point, outside <= ALIGNED * ALIGNED * all))
}

impl Path {
    /// The path of `problem`, given in the eigenbasis of Sigma, for `etas` in any order, infinity included where the spectrum is positive.
    /// The etas are spread
    /// over `workers` threads; no figure depends on their number.
    ///
    /// # Errors
    /// Those of [`Fit::new`] and [`Metric::sharpness`]; a spectrum of another size.
    pub fn new(problem: &Problem, spectrum: &[f64], etas: &[f64], workers: usize) -> Result<Self, Error> {
        crate::error::check_size("the spectrum", spectrum.len(), problem.dimensions())?;
        let isotropic = spectrum.iter().all(|s| (s - spectrum[0]).abs() <= ROUNDING * spectrum[0]);
        for &eta in etas {
            Metric::sharpness(spectrum, eta)?;
        }
        // eta = 0 comes first, asked for or not: it shows whether there is a path at all.
        let fitted: Vec<f64> =
            if isotropic { Vec::new() } else { etas.iter().copied().filter(|eta| *eta != 0.0).collect() };
        let found = parallel::map(1 + fitted.len(), workers, |k| {
            point(problem, spectrum, if k == 0 { 0.0 } else { fitted[k - 1] })
        });
        let mut found = found.into_iter().collect::<Result<Vec<_>, _>>()?;
        let (start, aligned) = found.remove(0);
        let mut found = found.into_iter();
        let degenerate = match (isotropic, aligned) {
            (true, _) => Some(Degenerate::Isotropic),
            (false, true) => Some(Degenerate::AlignedWithRows),
            (false, false) => None,
        };
        let mut points = Vec::with_capacity(etas.len());
        for &eta in etas {
            let fitted = if eta == 0.0 { None } else { found.next() };
            let mut point = fitted.map_or_else(|| Point { eta, ..start.clone() }, |(point, _)| point);
            if degenerate.is_some() {
                point.weights.clone_from(&start.weights);
                (point.second_moment, point.slope) = (start.second_moment, 0.0);
            }
            points.push(point);
        }
        Ok(Self { points, degenerate })
    }
}
