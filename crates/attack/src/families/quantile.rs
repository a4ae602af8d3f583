//! Linear quantile regression of phi on features: what a non-member like this one would have (own simplification of Bertran et al. 2023,
//! arXiv 2307.03694, who regress the margin with networks).
//!
//! The linear program is solved by `clarabel`, an interior-point solver kept by its authors, whose multipliers are the coefficients. A
//! simplex solver in its place would be lighter, but gives no coefficients where outputs are tied.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettingsBuilder, DefaultSolver, IPSolver, SolverStatus, SupportedConeT};

use flatleak_pool::{Matrix, Signal};

use super::target::as_given;
use crate::definition::{Definition, Meta, Views};
use crate::{Error, Lineup};

/// phi minus the quantile of phi that a regression on features, fitted on the target's held-out outputs, expects of a non-member (own
/// simplification of Bertran et al. 2023, arXiv 2307.03694). The subtraction is done before scoring, by [`Regression`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Quantile;

impl Definition for Quantile {
    fn meta(&self) -> Meta {
        Meta {
            views: Views::Plain,
            needs_features: true,
            ..Meta::by_target("quantile").of(
                "margin beside what is expected of a non-member with such features",
                "own simplification of Bertran et al. 2023, arXiv 2307.03694",
            )
        }
    }

    fn formula(&self) -> &'static str {
        "phi - q(x), q the linear 0.9 quantile of the target's held-out phi given features (own simplification of Bertran et al. 2023, arXiv 2307.03694)"
    }

    fn signal(&self) -> Signal {
        Signal::Phi
    }

    fn score(&self, lineup: &Lineup<'_>) -> Matrix {
        as_given(lineup)
    }
}

/// Quantile that is regressed on: one non-member in ten is above it.
pub const LEVEL: f64 = 0.9;

/// Population examples that are needed above the quantile for each coefficient.
const ABOVE: f64 = 2.0;

/// Fewest population examples for `width` features: with fewer the fit follows single ones, and a tenth of new non-members is no longer
/// above it.
pub fn fewest(width: usize) -> usize {
    (ABOVE * (width + 1) as f64 / (1.0 - LEVEL)).ceil() as usize
}

/// Coefficients of a quantile of y as a linear function of features, the constant first.
#[derive(Clone, Debug, PartialEq)]
pub struct Regression {
    coefficients: Vec<f64>,
}

impl Regression {
    /// The `level` quantile of `y` (n) given `x` (n, width): the coefficients b that minimise sum rho(y - x b),
    /// `rho(r) = r (level - 1[r < 0])` (Koenker & Bassett 1978).
    ///
    /// Its dual is solved: max y'a with X'a = (1 - level) X'1, 0 <= a <= 1, of which b are the multipliers. Features are centred and scaled
    /// first; constant ones get a coefficient of 0. The solution is then moved to the corner of the program that it is next to.
    ///
    /// # Errors
    /// Sizes that do not fit, fewer than [`fewest`] rows, a program that is not solved.
    pub fn fit(x: &[f32], y: &[f64], width: usize, level: f64) -> Result<Self, Error> {
        let n = y.len();
        if x.len() != n * width || n < fewest(width) {
            return Err(Error::Population { found: n, needed: fewest(width), features: width });
        }
        let column = |j: usize| (0..n).map(move |i| f64::from(x[i * width + j]));
        let scales: Vec<(usize, f64, f64)> = (0..width)
            .filter_map(|j| {
                let mean = column(j).sum::<f64>() / n as f64;
                let spread = (column(j).map(|v| (v - mean) * (v - mean)).sum::<f64>() / n as f64).sqrt();
                (spread > 1e-12 * mean.abs().max(1.0)).then_some((j, mean, spread))
            })
            .collect();
        let design: Vec<Vec<f64>> = std::iter::once(vec![1.0; n])
            .chain(scales.iter().map(|&(j, mean, spread)| column(j).map(|v| (v - mean) / spread).collect()))
            .collect();
        let interior = solve(&design, y, level).ok_or(Error::Unsolved { features: width })?;
        let found = corner(&design, y, level, &interior).unwrap_or(interior);
        let mut coefficients = vec![0.0; width + 1];
        coefficients[0] = found[0];
        for (&(j, mean, spread), b) in scales.iter().zip(&found[1..]) {
            coefficients[1 + j] = b / spread;
            coefficients[0] -= b * mean / spread;
        }
        Ok(Self { coefficients })
    }

    /// The quantile at features `x` (width).
    pub fn at(&self, x: &[f32]) -> f64 {
        self.coefficients[0] + x.iter().zip(&self.coefficients[1..]).map(|(x, b)| f64::from(*x) * b).sum::<f64>()
    }
}

/// Residuals y - x b.
fn residuals(design: &[Vec<f64>], y: &[f64], b: &[f64]) -> Vec<f64> {
    let at = |i: usize| design.iter().zip(b).map(|(column, b)| column[i] * b).sum::<f64>();
    y.iter().enumerate().map(|(i, y)| y - at(i)).collect()
}

fn loss(residuals: &[f64], level: f64) -> f64 {
    residuals.iter().map(|r| if *r < 0.0 { r * (level - 1.0) } else { r * level }).sum()
}

/// The multipliers of the dual program; `design` holds columns.
fn solve(design: &[Vec<f64>], y: &[f64], level: f64) -> Option<Vec<f64>> {
    let (n, d) = (y.len(), design.len());
    // Per variable a_i: its row of the design, then -a_i <= 0 and a_i <= 1.
    let (mut starts, mut rows, mut values) = (vec![0], Vec::new(), Vec::new());
    for i in 0..n {
        for (j, column) in design.iter().enumerate() {
            rows.push(j);
            values.push(column[i]);
        }
        rows.extend([d + i, d + n + i]);
        values.extend([-1.0, 1.0]);
        starts.push(rows.len());
    }
    let constraints = CscMatrix::new(d + 2 * n, n, starts, rows, values);
    let mut bounds: Vec<f64> = design.iter().map(|column| (1.0 - level) * column.iter().sum::<f64>()).collect();
    bounds.extend(std::iter::repeat_n(0.0, n).chain(std::iter::repeat_n(1.0, n)));
    let cost: Vec<f64> = y.iter().map(|v| -v).collect();
    let cones = [SupportedConeT::ZeroConeT(d), SupportedConeT::NonnegativeConeT(2 * n)];
    let settings = DefaultSettingsBuilder::default().verbose(false).build().ok()?;
    let mut solver =
        DefaultSolver::new(&CscMatrix::zeros((n, n)), &cost, &constraints, &bounds, &cones, settings).ok()?;
    solver.solve();
    let done = matches!(solver.solution.status, SolverStatus::Solved | SolverStatus::AlmostSolved);
    done.then(|| solver.solution.z[..d].to_vec())
}

/// The fit through the d points nearest to that of `b`, where it is no worse: a linear program is solved in a corner, and there exactly.
fn corner(design: &[Vec<f64>], y: &[f64], level: f64, b: &[f64]) -> Option<Vec<f64>> {
    let before = residuals(design, y, b);
    let mut order: Vec<usize> = (0..y.len()).collect();
    order.sort_by(|i, k| before[*i].abs().total_cmp(&before[*k].abs()));
    let d = design.len();
    let rows = order.get(..d)?;
    let system: Vec<Vec<f64>> =
        rows.iter().map(|&i| design.iter().map(|column| column[i]).chain([y[i]]).collect()).collect();
    let found = eliminate(system)?;
    let (old, new) = (loss(&before, level), loss(&residuals(design, y, &found), level));
    (new <= old * (1.0 + 1e-9)).then_some(found)
}

/// Solves d equations, each d coefficients and a right side; `None` where they are as good as dependent.
fn eliminate(mut rows: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let d = rows.len();
    for k in 0..d {
        let pivot = (k..d).max_by(|a, b| rows[*a][k].abs().total_cmp(&rows[*b][k].abs()))?;
        rows.swap(k, pivot);
        if rows[k][k].abs() < 1e-9 {
            return None;
        }
        let (above, below) = rows.split_at_mut(k + 1);
        for row in below {
            let factor = row[k] / above[k][k];
            row.iter_mut().zip(&above[k]).skip(k).for_each(|(v, p)| *v -= factor * p);
        }
    }
    let mut out = vec![0.0; d];
    for k in (0..d).rev() {
        let known: f64 = (k + 1..d).map(|j| rows[k][j] * out[j]).sum();
        out[k] = (rows[k][d] - known) / rows[k][k];
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_features_it_is_the_quantile() {
        // The 0.9 quantile of 101 different values: 90 below, 10 above.
        let y: Vec<f64> = (0..101).map(|i| f64::from(i * 37 % 101) / 8.0).collect();
        let fit = Regression::fit(&[], &y, 0, 0.9).unwrap();
        assert!((fit.at(&[]) - 90.0 / 8.0).abs() < 1e-12, "{fit:?}");
        // Ties and constants.
        let flat = Regression::fit(&[2.0; 80], &[0.5; 80], 1, 0.9).unwrap();
        assert!((flat.at(&[2.0]) - 0.5).abs() < 1e-6, "{flat:?}");
        assert!(matches!(Regression::fit(&[], &[1.0; 5], 0, 0.9), Err(Error::Population { .. })));
    }
}
