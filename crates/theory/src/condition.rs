//! Condition numbers without a second factorisation.

use faer::{Col, ColMut, MatRef};

/// Estimate of |A|_1 |A^-1|_1 for a symmetric A of which the lower triangle is read, with `solve` overwriting b by A^-1 b: Hager's (1984) ascent over the unit ball
/// of the 1-norm with Higham's (1988) alternating vector as a second guess. A lower bound, in practice within a factor of 3.
pub(crate) fn estimate(a: MatRef<'_, f64>, solve: impl Fn(ColMut<'_, f64>)) -> f64 {
    let n = a.nrows();
    let norm_of = |v: &Col<f64>| v.iter().map(|x| x.abs()).sum::<f64>();
    // Column sums of absolute values; what lies above the diagonal is read below it, column by column.
    let mut sums = vec![0.0; n];
    for j in 0..n {
        for (i, v) in a.col(j).iter().enumerate().skip(j) {
            sums[j] += v.abs();
            if i > j {
                sums[i] += v.abs();
            }
        }
    }
    let norm = sums.into_iter().fold(0.0, f64::max);
    let mut x = Col::from_fn(n, |_| 1.0 / n as f64);
    let mut best: f64 = 0.0;
    for _ in 0..5 {
        let mut y = x.clone();
        solve(y.as_mut());
        let found = norm_of(&y);
        if found.is_nan() || found <= best {
            break;
        }
        best = found;
        let mut z = Col::from_fn(n, |i| if y[i] < 0.0 { -1.0 } else { 1.0 });
        solve(z.as_mut());
        let at = (0..n).max_by(|&i, &j| z[i].abs().total_cmp(&z[j].abs())).unwrap_or(0);
        x = Col::from_fn(n, |i| f64::from(u8::from(i == at)));
    }
    let last = (n.max(2) - 1) as f64;
    let mut alternating = Col::from_fn(n, |i| (1.0 + i as f64 / last) * if i % 2 == 0 { 1.0 } else { -1.0 });
    solve(alternating.as_mut());
    norm * best.max(2.0 * norm_of(&alternating) / (3.0 * n as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use faer::Mat;

    /// Diagonal matrices have the condition number of their entries.
    #[test]
    fn of_diagonal_matrices() {
        for worst in [0.5, 1e-3, 1e-9] {
            let d = [1.0, worst, 0.7];
            let a = Mat::from_fn(3, 3, |i, j| if i == j { d[i] } else { 0.0 });
            let found = estimate(a.as_ref(), |b| b.iter_mut().zip(d).for_each(|(b, d)| *b /= d));
            assert!((found * worst - 1.0).abs() < 1e-12, "{found}");
        }
    }
}
