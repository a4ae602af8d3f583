//! The minimum-norm interpolator of one metric, and what leaving an example out does to it.

use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::linalg::solvers::{Llt, Solve};
use faer::{Accum, ColRef, Mat, MatRef, Par, Side};

use crate::condition;
use crate::error::{Error, check_parameter};
use crate::problem::{Metric, Problem};

/// Condition number of X G^-1 X' from which on nothing is computed: its factor has no digits left to refine with.
const WORST_CONDITION: f64 = 1e14;

/// Most passes of solving and refining.
const PASSES: usize = 3;
/// Residual at which no further pass is made.
const SETTLED: f64 = 1e-13;

/// w = argmin w'Gw subject to Xw = y, which is G^-1 X' a with K = X G^-1 X' and a = K^-1 y; with a ridge lambda > 0 the minimiser of
/// |Xw - y|^2 + lambda w'Gw, a = (K + lambda I)^-1 y (book/methods/theory.md#minimum-norm-solution).
///
/// K is formed from whitened rows and factorised by Cholesky; w is refined against the residual of the original problem, as in the
/// corrected seminormal equations (Bjoerck 1987), which brings it to rounding even where K is ill conditioned. What leave-one-out takes
/// from K itself keeps an error of about the
/// condition number times 1e-16. No inverse is formed: the diagonal of K^-1, which leave-one-out needs, is that of L^-T L^-1, column by
/// column.
#[derive(Clone, Debug)]
pub struct Fit {
    metric: Metric,
    /// Whitened rows, (n, d).
    white: Mat<f64>,
    factor: Llt<f64>,
    dual: Vec<f64>,
    weights: Vec<f64>,
    labels: Vec<f64>,
    ridge: f64,
    condition: f64,
    residual: f64,
}

fn column(values: &[f64]) -> ColRef<'_, f64> {
    ColRef::from_slice(values)
}

fn values(m: MatRef<'_, f64>) -> Vec<f64> {
    m.col(0).iter().copied().collect()
}

impl Fit {
    /// Fits `problem` under `metric`.
    ///
    /// # Errors
    /// Without a ridge: as many examples as dimensions or more, or dependent examples. A negative ridge; a metric of another size.
    pub fn new(problem: &Problem, metric: &Metric, ridge: f64) -> Result<Self, Error> {
        check_parameter(
            "the ridge",
            ridge,
            ridge >= 0.0 && ridge.is_finite(),
            "but it has to be finite and at least 0",
        )?;
        let (n, d) = (problem.examples(), problem.dimensions());
        if n >= d && ridge == 0.0 {
            return Err(Error::TooManyExamples { examples: n, dimensions: d });
        }
        let white = metric.whiten(problem.x.as_ref())?;
        let mut gram = Mat::zeros(n, n);
        // Only the lower triangle; sequential, because work is spread over metrics and problems.
        matmul(
            gram.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Replace,
            white.as_ref(),
            BlockStructure::Rectangular,
            white.transpose(),
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
        for i in 0..n {
            gram[(i, i)] += ridge;
        }
        let dependent = |condition| Error::RankDeficient { examples: n, condition };
        let factor = gram.llt(Side::Lower).map_err(|_| dependent(f64::INFINITY))?;
        let condition = condition::estimate(gram.as_ref(), |b| factor.solve_in_place(b.as_mat_mut()));
        if condition.is_nan() || condition >= WORST_CONDITION {
            return Err(dependent(condition));
        }
        let mut fit = Self {
            metric: metric.clone(),
            white,
            factor,
            dual: vec![0.0; n],
            weights: vec![0.0; d],
            labels: problem.y.clone(),
            ridge,
            condition,
            residual: 0.0,
        };
        // The first pass solves, the others refine.
        let mut rest = fit.labels.clone();
        for _ in 0..PASSES {
            let step = fit.solve(&rest);
            let moved = fit.primal(&step);
            fit.dual.iter_mut().zip(&step).for_each(|(a, s)| *a += s);
            fit.weights.iter_mut().zip(&moved).for_each(|(w, m)| *w += m);
            rest = fit.rest(problem);
            fit.residual = rest.iter().fold(0.0, |m, r| m.max(r.abs()));
            if fit.residual < SETTLED {
                break;
            }
        }
        Ok(fit)
    }

    /// y - Xw - lambda a.
    fn rest(&self, problem: &Problem) -> Vec<f64> {
        let outputs = &problem.x * column(&self.weights);
        let found = outputs.iter().zip(&self.dual).map(|(f, a)| f + self.ridge * a);
        self.labels.iter().zip(found).map(|(y, f)| y - f).collect()
    }

    fn solve(&self, b: &[f64]) -> Vec<f64> {
        values(self.factor.solve(column(b).as_mat()).as_ref())
    }

    /// G^-1 X' a.
    fn primal(&self, dual: &[f64]) -> Vec<f64> {
        let mut w = (self.white.transpose() * column(dual)).as_mat().to_owned();
        self.metric.colour(&mut w);
        values(w.as_ref())
    }

    /// Weights, (d).
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Estimated condition number of K in the 1-norm (Hager 1984, Higham 1988).
    pub fn condition(&self) -> f64 {
        self.condition
    }

    /// Largest |y - Xw|, in units of the labels; with a ridge, of y - Xw - lambda a.
    pub fn residual(&self) -> f64 {
        self.residual
    }

    /// w'Sigma w for a covariance with this spectrum, (d), in the basis of the problem: the second moment of the output on unseen examples
    /// of mean 0.
    pub fn second_moment(&self, spectrum: &[f64]) -> f64 {
        self.weights.iter().zip(spectrum).map(|(w, s)| s * w * w).sum()
    }

    /// What is left of s = Sigma w outside row(X) in the geometry of G: (|P u|^2, |u|^2) with u = G^-1/2 s and P the projector on the complement of
    /// the whitened rows. v'(eta) = -2 |P u|^2 for G = I + eta Sigma: the form of book/methods/theory.md#output-variance that cannot cancel.
    pub(crate) fn outside_rows(&self, spectrum: &[f64]) -> Result<(f64, f64), Error> {
        let s = Mat::from_fn(1, spectrum.len(), |_, j| spectrum[j] * self.weights[j]);
        let u: Vec<f64> = self.metric.whiten(s.as_ref())?.row(0).iter().copied().collect();
        let square = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>();
        let (mut left, all) = (u.clone(), square(&u));
        // A second time where little is left: the first projection leaves rounding of the size of u inside the rows.
        for again in [false, true] {
            if again && square(&left) > 1e-4 * all {
                break;
            }
            let inside: Vec<f64> = (&self.white * column(&left)).iter().copied().collect();
            let t = self.solve(&inside);
            let back = self.white.transpose() * column(&t);
            left.iter_mut().zip(back.iter()).for_each(|(l, b)| *l -= b);
        }
        Ok((square(&left), all))
    }

    /// (K^-1)_ii, (n): column sums of squares of L^-1.
    fn inverse_diagonal(&self) -> Vec<f64> {
        let n = self.labels.len();
        let mut inverse = Mat::zeros(n, n);
        faer::linalg::triangular_inverse::invert_lower_triangular(inverse.as_mut(), self.factor.L(), Par::Seq);
        (0..n).map(|i| (i..n).map(|k| inverse[(k, i)] * inverse[(k, i)]).sum()).collect()
    }

    /// Leave-one-out memorization of the signed margin, (n): y_i (f(x_i) - f_-i(x_i)) = y_i a_i (1 / (K^-1)_ii - lambda), K with the ridge
    /// in it, G held fixed (the leave-one-out identity of ridge regression, Allen 1974; book/methods/theory.md#leave-one-out).
    pub fn memorization(&self) -> Vec<f64> {
        let diagonal = self.inverse_diagonal();
        let each = self.labels.iter().zip(&self.dual).zip(&diagonal);
        each.map(|((y, a), k)| y * a * (1.0 / k - self.ridge)).collect()
    }

    /// Influence of every training example on the outputs for `queries`, (q, d) by rows: f(x) - f_-i(x) = [K^-1 X G^-1 x]_i a_i /
    /// (K^-1)_ii, (q, n) by rows.
    ///
    /// # Errors
    /// Queries of another dimension.
    pub fn influence(&self, queries: &[f64]) -> Result<Vec<f64>, Error> {
        let d = self.weights.len();
        let q = queries.len() / d;
        crate::error::check_size("a query", queries.len(), q * d)?;
        let queries = self.metric.whiten(Mat::from_fn(q, d, |i, j| queries[i * d + j]).as_ref())?;
        let shares = self.factor.solve(&self.white * queries.transpose());
        let scale: Vec<f64> = self.dual.iter().zip(self.inverse_diagonal()).map(|(a, k)| a / k).collect();
        Ok((0..q).flat_map(|j| (0..scale.len()).map(move |i| (i, j))).map(|(i, j)| shares[(i, j)] * scale[i]).collect())
    }
}
