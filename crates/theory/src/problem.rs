//! Training examples and the geometry of their space.

use faer::{Mat, MatRef, Side};

use crate::error::{Error, check_finite, check_size};

/// n examples in d dimensions with their labels.
#[derive(Clone, Debug)]
pub struct Problem {
    pub(crate) x: Mat<f64>,
    pub(crate) y: Vec<f64>,
}

/// A symmetric matrix from its rows.
fn symmetric(what: &'static str, rows: &[f64], d: usize) -> Result<Mat<f64>, Error> {
    check_size(what, rows.len(), d * d)?;
    check_finite(what, rows)?;
    let scale = rows.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    for i in 0..d {
        for j in 0..i {
            if (rows[i * d + j] - rows[j * d + i]).abs() > 1e-12 * scale {
                return Err(Error::NotSymmetric { what, row: i, column: j });
            }
        }
    }
    Ok(Mat::from_fn(d, d, |i, j| rows[i * d + j]))
}

/// `values` when each is at least 0 up to rounding, small negative ones as 0.
fn not_negative(what: &'static str, mut values: Vec<f64>) -> Result<Vec<f64>, Error> {
    let largest = values.iter().fold(0.0, |m: f64, v| m.max(*v));
    let smallest = values.iter().fold(f64::INFINITY, |m, v| m.min(*v));
    if smallest < -1e-12 * largest.max(f64::MIN_POSITIVE) {
        return Err(Error::NotPositive { what, eigenvalue: smallest, needed: "no covariance has one below 0" });
    }
    values.iter_mut().for_each(|v| *v = v.max(0.0));
    Ok(values)
}

impl Problem {
    /// `x`: (n, d) by rows; `y`: (n) labels, of which any real number is allowed.
    ///
    /// # Errors
    /// Sizes that do not fit, numbers that are not finite, no example.
    pub fn new(x: &[f64], y: &[f64], d: usize) -> Result<Self, Error> {
        let n = y.len();
        check_size("x", x.len(), n * d)?;
        if n == 0 || d == 0 {
            return Err(Error::Size { what: "the problem", found: 0, expected: 1 });
        }
        check_finite("entry of x", x)?;
        check_finite("label", y)?;
        Ok(Self { x: Mat::from_fn(n, d, |i, j| x[i * d + j]), y: y.to_vec() })
    }

    /// Number of examples, n.
    pub fn examples(&self) -> usize {
        self.y.len()
    }

    /// Number of dimensions, d.
    pub fn dimensions(&self) -> usize {
        self.x.ncols()
    }

    /// Labels, (n).
    pub fn labels(&self) -> &[f64] {
        &self.y
    }

    /// Example `i`, (d).
    pub fn row(&self, i: usize) -> Vec<f64> {
        self.x.row(i).iter().copied().collect()
    }

    /// The problem in the eigenbasis of a full covariance, (d, d) by rows, with the spectrum: x becomes x U for Sigma = U diag U'. Outputs,
    /// variances,
    /// memorization and influence do not depend on the basis; only weights do, and w = U w' in the old one.
    ///
    /// # Errors
    /// A matrix of another size, not symmetric, or with an eigenvalue below 0 by more than rounding.
    pub fn in_eigenbasis(&self, sigma: &[f64]) -> Result<(Self, Vec<f64>), Error> {
        let sigma = symmetric("the covariance", sigma, self.dimensions())?;
        let eigen = sigma.self_adjoint_eigen(Side::Lower).map_err(|_| Error::NoConvergence("eigendecomposition"))?;
        let spectrum = not_negative("the covariance", eigen.S().column_vector().iter().copied().collect())?;
        Ok((Self { x: &self.x * eigen.U(), y: self.y.clone() }, spectrum))
    }

    /// The problem without example `i`.
    pub fn without(&self, i: usize) -> Self {
        let n = self.examples() - 1;
        let row = |k: usize| k + usize::from(k >= i);
        let x = Mat::from_fn(n, self.dimensions(), |k, j| self.x[(row(k), j)]);
        Self { x, y: (0..n).map(|k| self.y[row(k)]).collect() }
    }

    /// `Ok` when every label is +1 or -1.
    ///
    /// # Errors
    /// The first label that is neither.
    pub fn check_signs(&self) -> Result<(), Error> {
        match self.y.iter().position(|y| y.abs() != 1.0) {
            Some(index) => Err(Error::NotSigns { index, value: self.y[index] }),
            None => Ok(()),
        }
    }
}

/// What "small weights" means: the interpolator minimises w' G w for a symmetric G > 0.
#[derive(Clone, Debug)]
pub struct Metric(Root);

#[derive(Clone, Debug)]
enum Root {
    /// 1 / sqrt of the diagonal.
    Diagonal(Vec<f64>),
    /// The lower Cholesky factor.
    Lower(Mat<f64>),
}

impl Metric {
    /// A diagonal G, (d).
    ///
    /// # Errors
    /// An entry that is not positive and finite.
    pub fn diagonal(g: &[f64]) -> Result<Self, Error> {
        check_finite("metric entry", g)?;
        match g.iter().find(|v| **v <= 0.0) {
            Some(&eigenvalue) => {
                Err(Error::NotPositive { what: "the metric", eigenvalue, needed: "a metric needs all above 0" })
            }
            None => Ok(Self(Root::Diagonal(g.iter().map(|v| 1.0 / v.sqrt()).collect()))),
        }
    }

    /// A full G, (d, d) by rows.
    ///
    /// # Errors
    /// A matrix that is not square, not symmetric or not positive.
    pub fn full(g: &[f64], d: usize) -> Result<Self, Error> {
        let g = symmetric("the metric", g, d)?;
        match g.llt(Side::Lower) {
            Ok(factor) => Ok(Self(Root::Lower(factor.L().to_owned()))),
            Err(_) => {
                let smallest = g.self_adjoint_eigenvalues(Side::Lower).ok().and_then(|v| v.first().copied());
                let eigenvalue = smallest.unwrap_or(f64::NAN);
                Err(Error::NotPositive { what: "the metric", eigenvalue, needed: "a metric needs all above 0" })
            }
        }
    }

    /// G_eta = I + eta Sigma in the eigenbasis of Sigma, whose `spectrum` is (d): the model of what SAM prefers. eta 0 is the metric of
    /// gradient descent; eta infinity is Sigma itself, the limit of G_eta / eta.
    ///
    /// # Errors
    /// eta below 0 or NaN; a negative spectrum; a spectrum with a 0 in the limit.
    pub fn sharpness(spectrum: &[f64], eta: f64) -> Result<Self, Error> {
        crate::error::check_parameter("eta", eta, eta >= 0.0, "but a preference for flatness is at least 0")?;
        check_finite("eigenvalue", spectrum)?;
        let spectrum = not_negative("the covariance", spectrum.to_vec())?;
        if eta == f64::INFINITY {
            return Self::diagonal(&spectrum);
        }
        Self::diagonal(&spectrum.iter().map(|s| 1.0 + eta * s).collect::<Vec<_>>())
    }

    fn dimensions(&self) -> usize {
        match &self.0 {
            Root::Diagonal(r) => r.len(),
            Root::Lower(l) => l.nrows(),
        }
    }

    /// The rows of `x`, (k, d), in coordinates in which G is the identity: x G^-1/2 with G^1/2 the root that is stored.
    ///
    /// # Errors
    /// Rows of another length than the metric's.
    pub(crate) fn whiten(&self, x: MatRef<'_, f64>) -> Result<Mat<f64>, Error> {
        check_size("a row of x", x.ncols(), self.dimensions())?;
        match &self.0 {
            Root::Diagonal(r) => {
                let mut white = x.to_owned();
                for (j, r) in r.iter().enumerate() {
                    white.col_mut(j).iter_mut().for_each(|v| *v *= r);
                }
                Ok(white)
            }
            // x L'^-1, row by row L^-1 x'.
            Root::Lower(l) => {
                let mut columns = x.transpose().to_owned();
                faer::linalg::triangular_solve::solve_lower_triangular_in_place(
                    l.as_ref(),
                    columns.as_mut(),
                    faer::Par::Seq,
                );
                Ok(columns.transpose().to_owned())
            }
        }
    }

    /// G^-1/2 of white weights, (d, k): what gives the same outputs on x as the white weights on whitened x.
    pub(crate) fn colour(&self, white: &mut Mat<f64>) {
        match &self.0 {
            Root::Diagonal(r) => {
                for column in white.col_iter_mut() {
                    column.iter_mut().zip(r).for_each(|(v, r)| *v *= r);
                }
            }
            Root::Lower(l) => faer::linalg::triangular_solve::solve_upper_triangular_in_place(
                l.transpose(),
                white.as_mut(),
                faer::Par::Seq,
            ),
        }
    }
}
