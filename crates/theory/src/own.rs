//! The path of a problem that was brought along.

use flatleak_stats::{gaussian, moments};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::outcome::finite;
use crate::path::{Degenerate, Path};
use crate::problem::Problem;

/// One eta of a problem of which nothing is known but X, y and Sigma.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnPoint {
    /// Weight of flatness; `None` is the limit.
    pub eta: Option<f64>,
    /// v, the second moment of outputs on unseen examples of mean 0 and covariance Sigma.
    pub second_moment: f64,
    /// v'(eta).
    pub slope: f64,
    /// 2 Phi(1 / sqrt v) - 1: advantage of "member when |f| >= 1", if unseen outputs are normal; `None` where labels are no signs.
    pub absolute: Option<f64>,
    /// Mean leave-one-out memorization, y (f - f without the example).
    pub memorization: f64,
    /// Condition number of X G^-1 X'.
    pub condition: f64,
    /// Largest |y - Xw|.
    pub residual: f64,
}

/// The path of such a problem.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Own {
    /// Examples, n.
    pub examples: usize,
    /// Dimensions, d.
    pub dimensions: usize,
    /// Why there is no contraction, where there is none.
    pub degenerate: Option<Degenerate>,
    /// Why the attacks on |f| are left out, where they are.
    pub left_out: Option<String>,
    /// One per eta.
    pub path: Vec<OwnPoint>,
}

/// The path of `problem`, given in the eigenbasis of Sigma ([`Problem::in_eigenbasis`]), for `etas`; infinity is the limit.
///
/// # Errors
/// Those of [`Path::new`].
pub fn own(problem: &Problem, spectrum: &[f64], etas: &[f64], workers: usize) -> Result<Own, Error> {
    let path = Path::new(problem, spectrum, etas, workers)?;
    let signs = problem.check_signs();
    let points = path.points.iter().map(|p| OwnPoint {
        eta: finite(p.eta),
        second_moment: p.second_moment,
        slope: p.slope,
        absolute: signs.is_ok().then(|| gaussian::absolute_advantage(p.second_moment.sqrt())),
        memorization: moments::mean(&p.memorization),
        condition: p.condition,
        residual: p.residual,
    });
    Ok(Own {
        examples: problem.examples(),
        dimensions: problem.dimensions(),
        degenerate: path.degenerate,
        path: points.collect(),
        left_out: signs.err().map(|e| e.to_string()),
    })
}
