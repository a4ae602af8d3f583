//! mixup.

use flatleak_stream::Stream;

use super::defence::{Defence, Mixing};
use crate::clash::DefenceError;
use crate::methods::Optimizer;
use crate::settings::{Parameter, settings};

settings! {
    /// mixup: inputs and targets of pairs of a batch, mixed by a weight from Beta(a, a) (Zhang et al. 2018, arXiv 1710.09412).
    pub struct Mixup {
        /// a.
        a: "mixup" = Parameter::new(0.0, (0.0, 100.0), "pairs of examples mixed by a weight from Beta(a, a)"),
    }
}

impl Defence for Mixup {
    const SOURCE: &'static str = "Zhang et al. 2018, arXiv 1710.09412";
    const MIXES: bool = true;

    fn check_beside(&self, optimizer: &Optimizer) -> Result<(), DefenceError> {
        if !optimizer.splits_batches() {
            return Ok(());
        }
        Err(DefenceError::Optimizer {
            defence: "mixup",
            does: "mixes examples of a batch",
            optimizer: optimizer.name(),
            instead: "takes apart",
            advise: false,
        })
    }

    fn mixing(&self, n: usize, stream: &mut Stream) -> Option<Mixing> {
        let weight = beta(self.a, stream) as f32;
        Some(Mixing { partners: stream.permutation(n), weight })
    }
}

/// A draw from Beta(a, a) as the share of two gamma draws.
fn beta(a: f64, stream: &mut Stream) -> f64 {
    let (x, y) = (gamma(a, stream), gamma(a, stream));
    if x + y > 0.0 { x / (x + y) } else { 0.5 }
}

/// A draw from Gamma(a, 1) (Marsaglia & Tsang 2000); below 1 by way of a + 1.
fn gamma(a: f64, stream: &mut Stream) -> f64 {
    if a < 1.0 {
        let larger = gamma(a + 1.0, stream);
        return larger * libm::pow(stream.unit().max(f64::MIN_POSITIVE), 1.0 / a);
    }
    let d = a - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = stream.normal();
        let v = (1.0 + c * x) * (1.0 + c * x) * (1.0 + c * x);
        if v > 0.0 && libm::log(stream.unit().max(f64::MIN_POSITIVE)) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use flatleak_stream::Purpose;

    use super::*;

    #[test]
    fn beta_draws_have_their_moments() {
        for a in [0.2, 1.0, 3.0] {
            let mut stream = Stream::new(3, Purpose::Simulation, 0, 0);
            let draws: Vec<f64> = (0..40_000).map(|_| beta(a, &mut stream)).collect();
            let mean = draws.iter().sum::<f64>() / 40_000.0;
            let variance = draws.iter().map(|v| (v - 0.5) * (v - 0.5)).sum::<f64>() / 40_000.0;
            // The variance of Beta(a, a) is 1 / (4 (2 a + 1)).
            let wanted = 0.25 / (2.0 * a + 1.0);
            assert!((mean - 0.5).abs() < 0.01 && (variance / wanted - 1.0).abs() < 0.03, "{a}: {mean} {variance}");
        }
    }
}
