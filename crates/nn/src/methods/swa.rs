//! Stochastic weight averaging.

use std::slice;

use super::method::{Method, Optimize, Pass, Plain, Training};
use crate::checkpoint::Kept;
use crate::network::Network;
use crate::settings::{Parameter, settings};

settings! {
    /// Stochastic weight averaging (Izmailov et al. 2018, arXiv 1803.05407).
    pub struct Swa {
        /// Share of training after which parameters are averaged.
        average_from = Parameter::new(0.75, (0.0, 1.0), "share of training after which parameters are averaged"),
    }
}

impl Optimize for Swa {
    const NAME: &'static str = "swa";
    const SOURCE: &'static str = "Izmailov et al. 2018, arXiv 1803.05407";
    const AVERAGES: bool = true;

    fn method(&self, training: Training<'_>) -> Box<dyn Method> {
        Box::new(Average::new(training.network, self.average_from))
    }
}

/// SWA (Izmailov et al. 2018, arXiv 1803.05407): the plain gradient, and at the end the mean of the parameters after every step of the last
/// part of training, in f64. Running statistics of batch norms are then measured anew.
#[derive(Debug)]
struct Average {
    from: f64,
    sum: Vec<f64>,
    /// How many parameters were summed.
    taken: f64,
}

impl Average {
    fn new(network: &Network, from: f64) -> Self {
        Self { from, sum: vec![0.0; network.parameters()], taken: 0.0 }
    }
}

impl Method for Average {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        Plain.gradient(pass, arena, g)
    }

    fn after(&mut self, pass: &mut Pass<'_>, w: &mut [f32], _: &[f32]) {
        // The last step always counts.
        if pass.step as f64 >= self.from * pass.total as f64 || pass.step + 1 == pass.total {
            self.taken += 1.0;
            self.sum.iter_mut().zip(w.iter()).for_each(|(sum, w)| *sum += f64::from(*w));
        }
    }

    fn end(&mut self) -> Option<Vec<f32>> {
        let n = self.taken;
        (n > 0.0).then(|| self.sum.iter().map(|sum| (sum / n) as f32).collect())
    }

    fn state(&mut self) -> Vec<(&'static str, Kept<'_>)> {
        vec![("sum", Kept::Double(&mut self.sum)), ("taken", Kept::Double(slice::from_mut(&mut self.taken)))]
    }
}
