//! Quantile regressions beside SciPy's (`make_quantile.py`).
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed fixture read is a failed test")]

use flatleak_attack::quantile::Regression;
use serde_json::Value;

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn coefficients_are_scipys() {
    let cases: Value = serde_json::from_str(include_str!("quantile.json")).unwrap();
    let mut worst = 0f64;
    for case in cases.as_array().unwrap() {
        let width = case["width"].as_u64().unwrap() as usize;
        let x: Vec<f32> = numbers(&case["x"]).into_iter().map(|v| v as f32).collect();
        let y = numbers(&case["y"]);
        let fit = Regression::fit(&x, &y, width, case["level"].as_f64().unwrap()).unwrap();
        let wanted = numbers(&case["coefficients"]);
        for row in x.chunks(width) {
            let at = wanted[0] + row.iter().zip(&wanted[1..]).map(|(x, b)| f64::from(*x) * b).sum::<f64>();
            worst = worst.max((fit.at(row) - at).abs() / at.abs().max(1.0));
        }
    }
    println!("largest relative difference {worst:.1e}");
    assert!(worst < 1e-9, "{worst:e}");
}

#[test]
fn a_tenth_of_new_examples_is_above() {
    // y is 2 x + noise whose spread grows with x; new draws of the same lie above with probability .1.
    let mut state = 1u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut draw = |n: usize| -> (Vec<f32>, Vec<f64>) {
        let x: Vec<f32> = (0..n).map(|_| uniform() as f32).collect();
        let y = x.iter().map(|&x| 2.0 * f64::from(x) + (0.2 + f64::from(x)) * uniform()).collect();
        (x, y)
    };
    let ((x, y), (new_x, new_y)) = (draw(4000), draw(20_000));
    let fit = Regression::fit(&x, &y, 1, 0.9).unwrap();
    let above = new_x.chunks(1).zip(&new_y).filter(|(x, y)| **y > fit.at(x)).count() as f64 / 20_000.0;
    // Three standard errors of the fit (4,000 draws) and of the count.
    assert!((above - 0.1).abs() < 0.017, "{above}");
}
