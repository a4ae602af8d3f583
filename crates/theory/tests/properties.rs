//! What holds for every problem and every metric.

use flatleak_stream::{Purpose, Stream};
use flatleak_theory::{Fit, Metric, Path, Problem};
use proptest::prelude::*;

/// A random rotation, (d, d) by rows, by Gram-Schmidt.
fn rotation(d: usize, stream: &mut Stream) -> Vec<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> = Vec::new();
    while rows.len() < d {
        let mut v: Vec<f64> = (0..d).map(|_| stream.normal()).collect();
        for _ in 0..2 {
            for r in &rows {
                let along: f64 = r.iter().zip(&v).map(|(a, b)| a * b).sum();
                v.iter_mut().zip(r).for_each(|(v, r)| *v -= along * r);
            }
        }
        let norm = v.iter().map(|v| v * v).sum::<f64>().sqrt();
        rows.push(v.iter().map(|v| v / norm).collect());
    }
    rows
}

/// R' diag(s) R by rows.
fn turned(s: &[f64], r: &[Vec<f64>]) -> Vec<f64> {
    let d = s.len();
    (0..d * d).map(|at| (0..d).map(|k| r[k][at / d] * s[k] * r[k][at % d]).sum()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_metric(seed in 0u64..1_000_000, n in 1usize..12, extra in 1usize..20, spread in 0.0f64..3.0) {
        let d = n + extra;
        let mut stream = Stream::new(seed, Purpose::Simulation, 0, 0);
        let x: Vec<f64> = (0..n * d).map(|_| stream.normal()).collect();
        let y: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        let problem = Problem::new(&x, &y, d).unwrap();
        let spectrum: Vec<f64> = (0..d).map(|_| stream.uniform(-spread, spread).exp()).collect();
        let turn = rotation(d, &mut stream);
        // A general metric: interpolation, and no smaller norm in any direction that keeps it.
        let g = turned(&spectrum, &turn);
        let metric = Metric::full(&g, d).unwrap();
        let fit = Fit::new(&problem, &metric, 0.0).unwrap();
        prop_assert!(fit.residual() < 1e-9, "{}", fit.residual());
        let norm = |w: &[f64]| (0..d * d).map(|at| w[at / d] * g[at] * w[at % d]).sum::<f64>();
        let other = Fit::new(&problem, &Metric::diagonal(&spectrum).unwrap(), 0.0).unwrap();
        prop_assert!(norm(fit.weights()) <= norm(other.weights()) * (1.0 + 1e-9));
        // v falls along the path, and neither it nor memorization depends on the basis.
        let etas = [0.0, 0.1, 1.0, 10.0, 100.0, f64::INFINITY];
        let path = Path::new(&problem, &spectrum, &etas, 1).unwrap();
        for pair in path.points.windows(2) {
            prop_assert!(pair[1].second_moment <= pair[0].second_moment * (1.0 + 1e-12));
            prop_assert!(pair[0].slope <= 0.0 && pair[0].residual < 1e-9);
        }
        let moved: Vec<f64> = (0..n).flat_map(|i| (0..d).map(move |j| (i, j))).map(|(i, j)| (0..d).map(|k| x[i * d + k] * turn[k][j]).sum()).collect();
        let (back, found) = Problem::new(&moved, &y, d).unwrap().in_eigenbasis(&turned(&spectrum, &turn)).unwrap();
        let again = Path::new(&back, &found, &etas, 2).unwrap();
        for (a, b) in path.points.iter().zip(&again.points) {
            prop_assert!((a.second_moment - b.second_moment).abs() <= 1e-9 * a.second_moment);
            for (p, q) in a.memorization.iter().zip(&b.memorization) {
                prop_assert!((p - q).abs() <= 1e-8 * (1.0 + p.abs()));
            }
        }
    }
}
