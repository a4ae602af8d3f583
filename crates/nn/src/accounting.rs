//! The privacy that DP-SGD's noise buys: a Rényi accountant of the Poisson-sampled Gaussian mechanism (book/methods/training.md#accountant).
//!
//! No crate that does this is both maintained and sound (November 2026), so the few formulas stand here, pinned to values of Google's
//! dp-accounting. Noise that is drawn from a key is private only as long as the seed is secret.

/// Orders: those of dp-accounting.
fn orders() -> impl Iterator<Item = f64> {
    let tenths = (11..110).map(|k| f64::from(k) / 10.0);
    tenths.chain((11..64).map(f64::from)).chain([128.0, 256.0, 512.0, 1024.0])
}

/// epsilon at `delta` of `steps` steps, each of which sees every example with probability `q` and adds noise of `sigma` times the clipping
/// norm; neighbours differ by one example that is there or not.
///
/// Rényi divergences (Mironov, Talwar & Zhang 2019, arXiv 1908.10530) add up over steps and are turned into epsilon by proposition 12 of
/// Canonne, Kamath & Steinke (2020, arXiv 2004.00010): r + log1p(-1/a) - ln(delta a) / (a - 1), least over orders a. Infinite without
/// noise.
pub fn epsilon(q: f64, sigma: f64, steps: usize, delta: f64) -> f64 {
    least(orders(), q, sigma, steps, delta)
}

fn least(orders: impl Iterator<Item = f64>, q: f64, sigma: f64, steps: usize, delta: f64) -> f64 {
    let of = |a: f64| {
        let r = divergence(a, q, sigma) * steps as f64;
        if delta * delta + libm::expm1(-r) > 0.0 {
            return 0.0;
        }
        r + libm::log1p(-1.0 / a) - libm::log(delta * a) / (a - 1.0)
    };
    orders.map(of).fold(f64::INFINITY, f64::min).max(0.0)
}

/// Rényi divergence of order `a` of one step.
fn divergence(a: f64, q: f64, sigma: f64) -> f64 {
    if q == 0.0 {
        return 0.0;
    }
    if sigma == 0.0 {
        return f64::INFINITY;
    }
    if q == 1.0 {
        return a / (2.0 * sigma * sigma);
    }
    let log_moment = if a.fract() == 0.0 { by_sum(a, q, sigma) } else { by_quadrature(a, q, sigma) };
    log_moment / (a - 1.0)
}

/// log sum_k C(a, k) (1 - q)^(a - k) q^k exp((k^2 - k) / (2 sigma^2)), of a whole order.
fn by_sum(a: f64, q: f64, sigma: f64) -> f64 {
    let terms = (0..=a as usize).map(|k| {
        let k = k as f64;
        let choose = libm::lgamma(a + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(a - k + 1.0);
        choose + k * libm::log(q) + (a - k) * libm::log1p(-q) + (k * k - k) / (2.0 * sigma * sigma)
    });
    log_sum(terms)
}

/// log of the integral of N(z; 0, sigma^2) (1 - q + q exp((2 z - 1) / (2 sigma^2)))^a, by the trapezoidal rule, which converges
/// geometrically for it.
fn by_quadrature(a: f64, q: f64, sigma: f64) -> f64 {
    let step = sigma / 32.0;
    let (low, high) = (-14.0 * sigma, a + 14.0 * sigma);
    let n = ((high - low) / step).ceil() as usize;
    let log_q = (libm::log1p(-q), libm::log(q));
    let terms = (0..=n).map(|i| {
        let z = low + i as f64 * step;
        let (x, y) = (log_q.0, log_q.1 + (2.0 * z - 1.0) / (2.0 * sigma * sigma));
        let ratio = x.max(y) + libm::log1p(libm::exp(-(x - y).abs()));
        -0.5 * (z / sigma) * (z / sigma) + a * ratio
    });
    log_sum(terms) + libm::log(step / sigma) - 0.918_938_533_204_672_8
}

fn log_sum(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    top + libm::log(terms.map(|t| libm::exp(t - top)).sum())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn fixture() -> Value {
        serde_json::from_str(include_str!("../tests/accounting.json")).unwrap()
    }

    #[test]
    fn divergences_are_googles() {
        let f = fixture();
        for row in f["renyi"].as_array().unwrap() {
            let get = |key: &str| row[key].as_f64().unwrap();
            for (a, wanted) in f["renyi_orders"].as_array().unwrap().iter().zip(row["rdp"].as_array().unwrap()) {
                let (a, wanted) = (a.as_f64().unwrap(), wanted.as_f64().unwrap());
                let found = divergence(a, get("q"), get("sigma"));
                // The smallest is a difference of numbers near 1.
                assert!((found / wanted - 1.0).abs() < 1e-8, "{row} order {a}: {found}, not {wanted}");
                // A fraction next to a whole order: both ways must meet.
                let near = divergence(a + 1e-7, get("q"), get("sigma"));
                assert!((near - found).abs() < 1e-5 * found.max(1e-6), "{row} order {a}: {near} beside {found}");
            }
        }
    }

    #[test]
    fn epsilons_are_googles() {
        let f = fixture();
        let (mut worst, mut compared) = (0f64, 0);
        for row in f["grid"].as_array().unwrap() {
            let get = |key: &str| row[key].as_f64();
            let (q, sigma, steps) = (get("q").unwrap(), get("sigma").unwrap(), get("steps").unwrap() as usize);
            let whole = least((2..=256).map(f64::from), q, sigma, steps, 1e-5);
            let wanted = get("integer").unwrap();
            assert!((whole - wanted).abs() < 1e-8 * wanted.max(1e-3), "{row}: {whole}");
            let (found, wanted) = (epsilon(q, sigma, steps, 1e-5), get("rdp").unwrap());
            // At fractional orders dp-accounting 0.6 adds up terms whose signs alternate, which is a bound but too large a one.
            assert!(found <= wanted * (1.0 + 1e-6) + 1e-9, "{row}: {found}");
            if wanted <= 10.0 {
                worst = worst.max((found / wanted - 1.0).abs());
                compared += 1;
            }
            if let Some(tight) = get("pld") {
                assert!(found >= tight * (1.0 - 1e-3), "{row}: {found} is below what is true");
            }
        }
        println!("{compared} below 10, largest relative difference {worst:.1e}");
        assert!(worst < 0.01 && compared > 40);
        assert_eq!(epsilon(0.1, 0.0, 1, 1e-5), f64::INFINITY);
    }
}
