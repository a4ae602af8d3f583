//! Comparison with NumPy and SciPy, which take the plain way: null spaces, refits, quadrature; the values come from `make_reference.py`.
#![allow(clippy::unwrap_used)] // in helpers, which the lint does not know to be tests

use flatleak_stats::gaussian::{self, Moments};
use flatleak_theory::{Component, Fit, MarginLaw, Metric, Path, Problem, owens_t};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    paths: Vec<PathCase>,
    general: Vec<General>,
    one_sided: Vec<Normals>,
    likelihood_ratio: Vec<Normals>,
    zero_mean: Vec<ZeroMean>,
    owens_t: Vec<Owens>,
    skew_normal: Vec<Skew>,
    margin: Vec<Margin>,
    margin_tv: Vec<Distance>,
}

type Rows = Vec<Vec<f64>>;

#[derive(Deserialize)]
struct PathCase {
    kind: String,
    x: Rows,
    y: Vec<f64>,
    sigma: Rows,
    etas: Vec<f64>,
    w: Rows,
    v: Vec<f64>,
    slope: Vec<f64>,
    v_limit: Option<f64>,
    mem: Rows,
    queries: Rows,
    influence: Vec<Rows>,
    ridge: Ridge,
}

#[derive(Deserialize)]
struct Ridge {
    lambda: f64,
    eta: f64,
    w: Vec<f64>,
    mem: Vec<f64>,
    influence: Rows,
}

#[derive(Deserialize)]
struct General {
    x: Rows,
    y: Vec<f64>,
    g: Rows,
    w: Vec<f64>,
}

#[derive(Deserialize)]
struct Normals {
    m: f64,
    tau: f64,
    mu: f64,
    sigma: f64,
    advantage: f64,
}

#[derive(Deserialize)]
struct ZeroMean {
    s0: f64,
    s1: f64,
    advantage: f64,
}

#[derive(Deserialize)]
struct Owens {
    h: f64,
    a: f64,
    t: f64,
}

#[derive(Deserialize)]
struct Skew {
    location: f64,
    scale: f64,
    shape: f64,
    z: f64,
    cdf: f64,
    pdf: f64,
    mean: f64,
    variance: f64,
}

#[derive(Deserialize)]
struct Margin {
    w: Vec<f64>,
    theta: Vec<f64>,
    sigma_diag: Vec<f64>,
    noise: f64,
    mean: f64,
    second_moment: f64,
    error: f64,
    cdf: Vec<(f64, f64)>,
}

#[derive(Deserialize)]
struct Part {
    weight: f64,
    location: f64,
    scale: f64,
    shape: f64,
}

#[derive(Deserialize)]
struct Distance {
    components: Vec<Part>,
    m: f64,
    tau: f64,
    one_sided: f64,
    total_variation: f64,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("reference.json")).unwrap()
}

fn flat(rows: &Rows) -> Vec<f64> {
    rows.concat()
}

#[track_caller]
fn close(what: &str, found: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (k, (f, w)) in found.iter().zip(wanted).enumerate() {
        assert!((f - w).abs() <= tolerance * (1.0 + w.abs()), "{what} {k}: {f:e}, not {w:e}");
    }
}

/// Sigma given in full; weights return to the given basis through the metric's own path.
#[test]
fn paths_in_any_basis() {
    for case in reference().paths {
        let d = case.sigma.len();
        let original = Problem::new(&flat(&case.x), &case.y, d).unwrap();
        let (problem, spectrum) = original.in_eigenbasis(&flat(&case.sigma)).unwrap();
        let path = Path::new(&problem, &spectrum, &case.etas, 2).unwrap();
        for (k, point) in path.points.iter().enumerate() {
            let what = format!("{}, eta {}", case.kind, point.eta);
            close(&what, &[point.second_moment], &case.v[k..=k], 1e-10);
            close(&what, &[point.slope], &case.slope[k..=k], 1e-9);
            close(&what, &point.memorization, &case.mem[k], 1e-9);
            assert!(point.residual < 1e-11 && point.condition > 0.999, "{what}");
            // The same with a full metric in the given basis.
            let g: Vec<f64> = flat(&case.sigma)
                .iter()
                .enumerate()
                .map(|(at, s)| point.eta * s + if at % (d + 1) == 0 { 1.0 } else { 0.0 })
                .collect();
            let fit = Fit::new(&original, &Metric::full(&g, d).unwrap(), 0.0).unwrap();
            close(&what, fit.weights(), &case.w[k], 1e-9);
            close(&what, &fit.memorization(), &case.mem[k], 1e-9);
            close(&what, &fit.influence(&flat(&case.queries)).unwrap(), &flat(&case.influence[k]), 1e-9);
        }
        assert_eq!(path.degenerate.is_some(), case.kind.contains("flat"), "{}", case.kind);
        if let Some(limit) = case.v_limit {
            let found = Path::new(&problem, &spectrum, &[f64::INFINITY], 1).unwrap();
            close(&case.kind, &[found.points[0].second_moment], &[limit], 1e-9);
        }
        let metric = Metric::full(
            &flat(&case.sigma)
                .iter()
                .enumerate()
                .map(|(at, s)| case.ridge.eta * s + if at % (d + 1) == 0 { 1.0 } else { 0.0 })
                .collect::<Vec<_>>(),
            d,
        )
        .unwrap();
        let fit = Fit::new(&original, &metric, case.ridge.lambda).unwrap();
        close("ridge weights", fit.weights(), &case.ridge.w, 1e-9);
        close("ridge memorization", &fit.memorization(), &case.ridge.mem, 1e-9);
        close("ridge influence", &fit.influence(&flat(&case.queries)).unwrap(), &flat(&case.ridge.influence), 1e-9);
    }
}

#[test]
fn general_metrics() {
    for case in reference().general {
        let d = case.w.len();
        let problem = Problem::new(&flat(&case.x), &case.y, d).unwrap();
        let fit = Fit::new(&problem, &Metric::full(&flat(&case.g), d).unwrap(), 0.0).unwrap();
        close("weights", fit.weights(), &case.w, 1e-9);
        assert!(fit.residual() < 1e-11);
    }
}

#[test]
fn advantages_of_normals() {
    let all = reference();
    let moments = |c: &Normals| Moments {
        member_mean: c.m,
        member_deviation: c.tau,
        non_member_mean: c.mu,
        non_member_deviation: c.sigma,
    };
    for c in &all.one_sided {
        close("one-sided", &[gaussian::one_sided_advantage(&moments(c))], &[c.advantage], 1e-11);
    }
    for c in &all.likelihood_ratio {
        let what = format!("ratio {} {} {} {}", c.m, c.tau, c.mu, c.sigma);
        close(&what, &[gaussian::likelihood_ratio_advantage(&moments(c))], &[c.advantage], 1e-9);
    }
    for c in &all.zero_mean {
        close("zero mean", &[gaussian::zero_mean_advantage(c.s0, c.s1)], &[c.advantage], 1e-11);
    }
}

#[test]
fn margins() {
    let all = reference();
    for c in &all.owens_t {
        close(&format!("T({}, {})", c.h, c.a), &[owens_t(c.h, c.a)], &[c.t], 1e-15);
    }
    for c in &all.skew_normal {
        let part = Component { weight: 1.0, location: c.location, scale: c.scale, shape: c.shape };
        let law = MarginLaw::new(vec![part]);
        let found = [law.cdf(c.z), law.density(c.z), law.mean(), law.variance()];
        close(&format!("shape {}", c.shape), &found, &[c.cdf, c.pdf, c.mean, c.variance], 1e-13);
    }
    for c in &all.margin_tv {
        // This crate's members lie at 1: the case is moved there.
        let parts = c.components.iter().map(|p| Component {
            weight: p.weight,
            location: p.location + 1.0 - c.m,
            scale: p.scale,
            shape: p.shape,
        });
        let law = MarginLaw::new(parts.collect());
        let found = [law.confidence(c.tau).1, law.likelihood_ratio(c.tau)];
        close(&format!("tau {}", c.tau), &found, &[c.one_sided, c.total_variation], 1e-10);
    }
}

#[test]
fn margins_of_a_linear_teacher() {
    for c in reference().margin {
        let population = flatleak_theory::Population::with_teacher(&c.sigma_diag, &c.theta, c.noise).unwrap();
        let law = population.margin(&c.w);
        let found = [law.mean(), law.second_moment(), law.error()];
        close("margin", &found, &[c.mean, c.second_moment, c.error], 1e-8);
        for (z, wanted) in c.cdf {
            close(&format!("P(margin <= {z})"), &[law.cdf(z)], &[wanted], 1e-9);
        }
    }
}
