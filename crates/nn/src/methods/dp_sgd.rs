//! Differentially private training.

use flatleak_kernel::Buffer;

use super::method::{Method, Optimize, Pass, Perturbed, Privacy, RHO, Training};
use crate::apart::{Apart, Sink};
use crate::checkpoint::Kept;
use crate::noise::add_noise;
use crate::settings::{Parameter, settings};

const CLIP: Parameter = Parameter::new(1.0, (1e-6, 1e6), "largest norm of an example's gradient");
const NOISE: Parameter = Parameter::new(1.0, (0.0, 1e6), "deviation of the noise in units of clip");
const DELTA: Parameter = Parameter::new(1e-5, (1e-300, 0.1), "delta at which epsilon is stated");
const BUDGET: Parameter =
    Parameter::new(0.0, (0.0, 1e6), "largest epsilon; a study that exceeds it is refused, 0 is without");

settings! {
    /// Differentially private SGD (Abadi et al. 2016, arXiv 1607.00133).
    pub struct DpSgd {
        /// Largest norm of an example's gradient.
        clip = CLIP,
        /// Deviation of the noise in units of `clip`.
        noise = NOISE,
        /// delta at which epsilon is stated.
        delta = DELTA,
        /// Largest epsilon; 0 is without.
        budget = BUDGET,
    }
}

settings! {
    /// Differentially private sharpness-aware training (Park et al. 2023, arXiv 2306.05651).
    pub struct DpSat {
        /// Radius of the perturbation.
        rho = RHO,
        /// Largest norm of an example's gradient.
        clip = CLIP,
        /// Deviation of the noise in units of `clip`.
        noise = NOISE,
        /// delta at which epsilon is stated.
        delta = DELTA,
        /// Largest epsilon; 0 is without.
        budget = BUDGET,
    }
}

impl Optimize for DpSgd {
    const NAME: &'static str = "dp-sgd";
    const SOURCE: &'static str = "Abadi et al. 2016, arXiv 1607.00133";
    const SPLITS_BATCHES: bool = true;

    fn method(&self, training: Training<'_>) -> Box<dyn Method> {
        Box::new(Private::new(*self, 0.0, training))
    }

    fn privacy(&self) -> Option<Privacy> {
        Some(Privacy { noise: self.noise, delta: self.delta, budget: self.budget })
    }
}

impl Optimize for DpSat {
    const NAME: &'static str = "dp-sat";
    const SOURCE: &'static str = "Park et al. 2023, arXiv 2306.05651";
    const SPLITS_BATCHES: bool = true;

    fn method(&self, training: Training<'_>) -> Box<dyn Method> {
        Box::new(Private::new(self.without_ascent(), self.rho, training))
    }

    // It ascends along a gradient that is there already.
    fn gradients(&self) -> f64 {
        1.0
    }

    fn privacy(&self) -> Option<Privacy> {
        self.without_ascent().privacy()
    }
}

impl DpSat {
    pub(super) fn without_ascent(&self) -> DpSgd {
        let Self { rho: _, clip, noise, delta, budget } = *self;
        DpSgd { clip, noise, delta, budget }
    }
}

/// DP-SGD (Abadi et al. 2016, arXiv 1607.00133, algorithm 1): gradients of single examples, each clipped to norm C, summed, with noise of
/// deviation sigma C on every coordinate, divided by the expected size of a batch. With a radius, DP-SAT (Park et al. 2023, arXiv
/// 2306.05651): gradients are taken at w + rho h / ||h||, h the noisy gradient of the step before, which spends no further budget.
#[derive(Debug)]
pub(super) struct Private {
    settings: DpSgd,
    /// Expected examples of a batch.
    pub(super) expected: f64,
    ascent: Option<(f64, Perturbed)>,
    previous: Buffer,
    apart: Apart,
    /// Standard normal draws in place of the stream's, one entry per step.
    #[cfg(test)]
    pub(super) replay: std::collections::VecDeque<Vec<f32>>,
}

impl Private {
    /// With a radius of 0 nothing ascends.
    pub(super) fn new(settings: DpSgd, rho: f64, Training { network, batch, .. }: Training<'_>) -> Self {
        let ascent = rho > 0.0;
        Self {
            settings,
            expected: batch as f64,
            ascent: ascent.then(|| (rho, Perturbed::new(network))),
            previous: Buffer::new(if ascent { network.parameters() } else { 0 }),
            apart: Apart::new(&network.steps, batch),
            #[cfg(test)]
            replay: Default::default(),
        }
    }

    fn add_noise(&mut self, pass: &mut Pass<'_>, g: &mut [f32]) {
        let deviation = self.settings.noise * self.settings.clip / self.expected;
        #[cfg(test)]
        if let Some(drawn) = self.replay.pop_front() {
            flatleak_kernel::sweep::mix(g, 1.0, &drawn, deviation as f32);
            return;
        }
        if deviation > 0.0 {
            add_noise(g, deviation, pass.stream);
        }
    }
}

impl Method for Private {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        let (batch, labels) = (pass.batch, pass.labels);
        // At the first step there is no gradient to ascend along.
        let moved = match &mut self.ascent {
            Some((rho, perturbed)) if pass.step > 0 => {
                perturbed.along(arena, &self.previous, *rho);
                true
            }
            _ => false,
        };
        if batch.is_empty() {
            g.fill(0.0);
        }
        let mut loss = 0.0;
        // Poisson sampling draws more than are expected, too.
        let most = self.apart.capacity;
        for (part, (rows, labels)) in batch.chunks(most).zip(labels.chunks(most)).enumerate() {
            let at = match &self.ascent {
                Some((_, perturbed)) if moved => &perturbed.arena,
                _ => &*arena,
            };
            let n = labels.len();
            loss += n as f64 * pass.part(rows, labels, &mut Sink::Apart(&mut self.apart), at);
            self.apart.clip(&pass.network.steps, pass.workspace.inputs(), n, self.settings.clip, self.expected);
            self.apart.sum(g, &pass.network.steps, pass.workspace.inputs(), part > 0);
        }
        self.add_noise(pass, g);
        if self.ascent.is_some() {
            self.previous.copy_from_slice(g);
        }
        loss / batch.len().max(1) as f64
    }

    fn state(&mut self) -> Vec<(&'static str, Kept<'_>)> {
        vec![("previous", Kept::Single(&mut self.previous))]
    }
}

#[cfg(test)]
mod tests {
    use flatleak_stream::{Purpose, Stream};

    use super::super::testing::{convolutional, left};
    use super::*;
    use crate::network::Network;

    /// Sum of the gradients of single examples, taken one by one, each clipped to `clip`; and how many were.
    fn clipped_one_by_one(network: &Network, w: &[f32], x: &[f32], labels: &[u32], clip: f64) -> (Vec<f64>, usize) {
        let mut ws = network.workspace(1);
        let (mut sum, mut clipped) = (vec![0.0; network.parameters()], 0);
        let mut g = vec![0.0; network.parameters()];
        for (k, label) in labels.iter().enumerate() {
            ws.gather(x, network.shape(), &[k as u32]);
            network.gradient(&mut g, w, &[*label], &mut ws);
            let norm = g.iter().map(|g| f64::from(*g) * f64::from(*g)).sum::<f64>().sqrt();
            clipped += usize::from(norm > clip);
            sum.iter_mut().zip(&g).for_each(|(sum, g)| *sum += f64::from(*g) * (clip / norm).min(1.0));
        }
        (sum, clipped)
    }

    #[test]
    fn clipping_is_that_of_gradients_taken_one_by_one() {
        const MIDDLE: f64 = 3.7;
        let (network, x, labels) = convolutional();
        let w = network.init(&mut Stream::new(9, Purpose::Simulation, 0, 0));
        for (clip, batch_size) in [(1e6, 7), (MIDDLE, 7), (0.1, 7), (MIDDLE, 3)] {
            // Twice as many examples as are expected, too.
            let training = Training { network: &network, batch: batch_size, lr: 0.1 };
            let mut method = DpSgd { clip, noise: 0.0, ..DpSgd::default() }.method(training);
            let found = left(&mut *method, &network, &w, (&x, &labels)).0;
            let (wanted, clipped) = clipped_one_by_one(&network, &w, &x, &labels, clip);
            assert!(if clip == MIDDLE { (2..6).contains(&clipped) } else { clipped == if clip < 1.0 { 7 } else { 0 } });
            let size = wanted.iter().map(|v| v * v).sum::<f64>().sqrt();
            for (found, wanted) in found.iter().zip(&wanted) {
                let found = f64::from(*found) * batch_size as f64;
                assert!((found - wanted).abs() < 1e-6 * size, "clip {clip}: {found}, not {wanted}");
            }
        }
    }
}
