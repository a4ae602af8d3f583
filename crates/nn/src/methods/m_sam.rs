//! SAM on chunks of the batch.

use flatleak_kernel::loss::Objective;
use flatleak_kernel::{Buffer, sweep};

use super::method::{Method, Optimize, Pass, Perturbed, RHO, Training};
use crate::apart::Sink;
use crate::lowrank::LowRank;
use crate::settings::{Parameter, settings};

settings! {
    /// SAM on chunks of the batch (Foret et al. 2021, section 4.1).
    pub struct MSam {
        /// Radius of the perturbation.
        rho = RHO,
        /// Examples of a chunk.
        m = Parameter::new(16.0, (1.0, 65536.0), "examples of a chunk"),
    }
}

impl Optimize for MSam {
    const NAME: &'static str = "m-sam";
    const SOURCE: &'static str = "Foret et al. 2021, arXiv 2010.01412, section 4.1";
    const SPLITS_BATCHES: bool = true;

    fn method(&self, training: Training<'_>) -> Box<dyn Method> {
        Box::new(Chunks::new(*self, training))
    }
}

/// m-SAM (Foret et al. 2021, arXiv 2010.01412, section 4.1): every chunk of m examples has its own perturbation; the gradient is the mean
/// of the chunks' perturbed gradients, weighted by their sizes.
///
/// Where all parameters are in linear layers, the chunks go through the network together and no perturbed parameters are formed
/// ([`LowRank`]); a batch of one chunk is SAM's to the bit.
#[derive(Debug)]
struct Chunks {
    rho: f64,
    m: usize,
    perturbed: Perturbed,
    own: Buffer,
    together: Option<LowRank>,
}

impl Chunks {
    fn new(settings: MSam, Training { network, batch, .. }: Training<'_>) -> Self {
        let m = (settings.m as usize).clamp(1, batch);
        Self {
            rho: settings.rho,
            m,
            perturbed: Perturbed::new(network),
            own: Buffer::new(network.parameters()),
            together: LowRank::new(&network.steps, batch, m),
        }
    }

    /// All chunks at once.
    fn together(&mut self, pass: &mut Pass<'_>, mut chunks: LowRank, arena: &[f32], g: &mut [f32]) -> f64 {
        let loss = pass.backward(&mut Sink::Apart(&mut chunks.apart), arena);
        chunks.ascend(&pass.network.steps, pass.workspace.inputs(), pass.labels.len(), self.rho);
        pass.workspace.moved = Some(chunks);
        pass.gradient(g, arena);
        self.together = pass.workspace.moved.take();
        loss
    }

    /// One chunk after the other.
    fn one_by_one(&mut self, pass: &mut Pass<'_>, arena: &[f32], g: &mut [f32]) -> f64 {
        let (batch, labels) = (pass.batch, pass.labels);
        g.fill(0.0);
        let mut loss = 0.0;
        for (rows, own_labels) in batch.chunks(self.m).zip(labels.chunks(self.m)) {
            let share = rows.len() as f64 / batch.len() as f64;
            loss += share * pass.part(rows, own_labels, &mut Sink::Sum(&mut self.own), arena);
            self.perturbed.along(arena, &self.own, self.rho);
            pass.part(rows, own_labels, &mut Sink::Sum(&mut self.own), &self.perturbed.arena);
            sweep::mix(g, 1.0, &self.own, share as f32);
        }
        loss
    }
}

impl Method for Chunks {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        // RelaxLoss sets the mean loss of what it is given beside a level.
        let whole = pass.labels.len() <= self.m || matches!(pass.workspace.objective, Objective::Relaxed { .. });
        match self.together.take_if(|_| !whole) {
            Some(chunks) => self.together(pass, chunks, arena, g),
            None => self.one_by_one(pass, arena, g),
        }
    }
}

#[cfg(test)]
mod tests {
    use flatleak_data::Shape;
    use flatleak_stream::{Purpose, Stream};

    use super::super::testing::left;
    use super::*;
    use crate::architecture::Architecture;
    use crate::network::Network;

    #[test]
    fn chunks_together_are_chunks_one_by_one() {
        // A convolution of one pixel is a linear layer, of which the engine does not know that it is one.
        let shape = Shape { channels: 20, height: 1, width: 1 };
        let compile =
            |layers: &[&str]| Network::compile(&Architecture::custom(layers.iter().copied()).unwrap(), shape, 3);
        let together = compile(&["flatten", "linear 16", "gelu", "linear 12", "tanh", "linear"]).unwrap();
        let apart = compile(&["conv 16 1x1", "gelu", "conv 12 1x1", "tanh", "flatten", "linear"]).unwrap();
        let mut s = Stream::new(4, Purpose::Simulation, 0, 0);
        let w = together.init(&mut s);
        let x: Vec<f32> = (0..11 * 20).map(|_| s.normal() as f32).collect();
        let labels: Vec<u32> = (0..11).map(|i| i % 3).collect();
        for m in [1.0, 3.0, 4.0, 10.0] {
            let [a, b] = [&together, &apart].map(|network| {
                let mut method = MSam { m, rho: 0.5 }.method(Training { network, batch: 11, lr: 0.1 });
                let (mut moved, mut losses) = (w.clone(), Vec::new());
                for _ in 0..5 {
                    let (g, loss) = left(&mut *method, network, &moved, (&x, &labels));
                    moved.iter_mut().zip(&g).for_each(|(w, g)| *w -= 0.3 * g);
                    losses.push(loss);
                }
                (moved, losses)
            });
            assert!(a.0.iter().zip(&w).any(|(a, w)| (a - w).abs() > 0.01));
            for (a, b) in a.0.iter().zip(&b.0) {
                assert!((a - b).abs() < 2e-6, "{m}: {a}, not {b}");
            }
            assert!(a.1.iter().zip(&b.1).all(|(a, b)| (a - b).abs() < 1e-6), "{m}: {:?}, not {:?}", a.1, b.1);
        }
    }
}
