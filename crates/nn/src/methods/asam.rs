//! Adaptive SAM.

use std::ops::Range;

use flatleak_kernel::sweep;

use super::method::{Method, Optimize, Pass, Perturbed, RHO, Training, radius};
use crate::network::Network;
use crate::settings::{Parameter, settings};
use crate::tensors::{self, Tensor};

const ETA: Parameter = Parameter::new(0.01, (0.0, 1e3), "what is added to sizes");

settings! {
    /// Adaptive SAM (Kwon et al. 2021, arXiv 2102.11600), each parameter of a weight by its own size.
    pub struct Asam {
        /// Radius of the perturbation.
        rho = RHO.by_default(0.5),
        /// What is added to sizes.
        eta = ETA,
    }
}

settings! {
    /// The same with the norm of its filter as the size of a convolution's weight, the paper's other operator.
    pub struct AsamFilter {
        /// Radius of the perturbation.
        rho = RHO.by_default(0.5),
        /// What is added to sizes.
        eta = ETA,
    }
}

settings! {
    /// The same with the size of every parameter, biases too, and nothing added.
    pub struct AsamAll {
        /// Radius of the perturbation.
        rho = RHO.by_default(2.0),
    }
}

impl Optimize for Asam {
    const NAME: &'static str = "asam";
    const SOURCE: &'static str = "Kwon et al. 2021, arXiv 2102.11600, element-wise as in its authors' code";

    fn method(&self, training: Training<'_>) -> Box<dyn Method> {
        let size = |tensor: &Tensor| if tensor.is_weight() { Size::Own } else { Size::One };
        Box::new(Adaptive::new(training.network, (self.rho, self.eta), size))
    }
}

impl Optimize for AsamFilter {
    const NAME: &'static str = "asam-filter";
    const SOURCE: &'static str = "Kwon et al. 2021, arXiv 2102.11600, filter-wise";

    fn method(&self, training: Training<'_>) -> Box<dyn Method> {
        let size = |tensor: &Tensor| match (tensor.is_weight(), tensor.shape.as_slice()) {
            (false, _) => Size::One,
            (true, [filters, _, _, _]) => Size::Filter(vec![0.0; *filters]),
            (true, _) => Size::Own,
        };
        Box::new(Adaptive::new(training.network, (self.rho, self.eta), size))
    }
}

impl Optimize for AsamAll {
    const NAME: &'static str = "asam-all";
    const SOURCE: &'static str = "github.com/davda54/sam, adaptive = True";

    fn method(&self, training: Training<'_>) -> Box<dyn Method> {
        Box::new(Adaptive::new(training.network, (self.rho, 0.0), |_| Size::Own))
    }
}

/// ASAM (Kwon et al. 2021, arXiv 2102.11600, eq. 8): eps = rho T^2 g / ||T g||, T a diagonal of sizes that are parts of the parameters'.
#[derive(Debug)]
struct Adaptive {
    rho: f64,
    eta: f32,
    perturbed: Perturbed,
    tensors: Vec<(Range<usize>, Size)>,
}

/// T on one tensor.
#[derive(Clone, Debug)]
enum Size {
    /// 1.
    One,
    /// |w| + eta.
    Own,
    /// ||f|| + eta with f the filter that a weight belongs to, its parameters side by side `[.., filters]`.
    Filter(Vec<f32>),
}

impl Adaptive {
    fn new(network: &Network, (rho, eta): (f64, f64), size: impl Fn(&Tensor) -> Size) -> Self {
        let tensors = tensors::layout(network).into_iter().filter(|t| t.range().end <= network.parameters());
        Self {
            rho,
            eta: eta as f32,
            perturbed: Perturbed::new(network),
            tensors: tensors.map(|t| (t.range(), size(&t))).collect(),
        }
    }

    /// w + eps into the perturbed arena.
    fn perturb(&mut self, arena: &[f32], g: &[f32]) {
        let mut square = 0.0;
        for (at, size) in &mut self.tensors {
            let (w, g) = (&arena[at.clone()], &g[at.clone()]);
            square += match size {
                Size::One => sweep::squared_norm(g),
                Size::Own => sweep::squared_norm_by_size(w, g, self.eta),
                Size::Filter(sizes) => {
                    measure(sizes, w, self.eta);
                    let scaled = |(t, g): (&f32, &f32)| f64::from(t * g) * f64::from(t * g);
                    g.chunks_exact(sizes.len()).flat_map(|row| sizes.iter().zip(row)).map(scaled).sum()
                }
            };
        }
        let scale = radius(self.rho, square.sqrt());
        for (at, size) in &self.tensors {
            let (to, w, g) = (&mut self.perturbed.arena[at.clone()], &arena[at.clone()], &g[at.clone()]);
            match size {
                Size::One => sweep::perturb(to, w, g, scale),
                Size::Own => sweep::perturb_by_size(to, w, g, self.eta, scale),
                Size::Filter(sizes) => {
                    let filters = sizes.len();
                    let rows = to.chunks_exact_mut(filters).zip(w.chunks_exact(filters)).zip(g.chunks_exact(filters));
                    for ((to, w), g) in rows {
                        for (((to, w), g), t) in to.iter_mut().zip(w).zip(g).zip(sizes) {
                            *to = w + scale * t * (t * g);
                        }
                    }
                }
            }
        }
    }
}

/// Norms of filters, eta more.
fn measure(sizes: &mut [f32], w: &[f32], eta: f32) {
    let mut squares = vec![0.0f64; sizes.len()];
    for row in w.chunks_exact(sizes.len()) {
        squares.iter_mut().zip(row).for_each(|(square, w)| *square += f64::from(*w) * f64::from(*w));
    }
    sizes.iter_mut().zip(&squares).for_each(|(size, square)| *size = square.sqrt() as f32 + eta);
}

impl Method for Adaptive {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        let loss = pass.gradient(g, arena);
        pass.track(arena);
        self.perturb(arena, g);
        pass.gradient(g, &self.perturbed.arena);
        loss
    }
}

#[cfg(test)]
mod tests {
    use flatleak_stream::{Purpose, Stream};

    use super::super::testing::{convolutional, left};
    use super::*;

    /// w + eps as the operator's definition has it on tensors in PyTorch's order, from the gradient at w.
    #[test]
    fn filters_scale_perturbations_of_convolutions() {
        let (network, x, labels) = convolutional();
        let w = network.init(&mut Stream::new(9, Purpose::Simulation, 0, 0));
        let mut ws = network.workspace(7);
        let batch: Vec<u32> = (0..7).collect();
        ws.gather(&x, network.shape(), &batch);
        let mut g = vec![0.0; network.parameters()];
        network.gradient(&mut g, &w, &labels, &mut ws);
        let (values, gradients) = (tensors::export(&network, &w), tensors::export(&network, &g));
        let mut squares = 0.0;
        let scaled: Vec<Vec<f64>> = values
            .iter()
            .zip(&gradients)
            .map(|((name, shape, w), (_, _, g))| {
                let size = |i: usize| match (name.ends_with(".weight"), shape.len()) {
                    (false, _) => 1.0,
                    (true, 4) => {
                        let filter = w.chunks(w.len() / shape[0]).nth(i / (w.len() / shape[0])).unwrap();
                        filter.iter().map(|w| f64::from(*w) * f64::from(*w)).sum::<f64>().sqrt() + 0.01
                    }
                    _ => f64::from(w[i]).abs() + 0.01,
                };
                let once: Vec<f64> = (0..w.len()).map(|i| size(i) * f64::from(g[i])).collect();
                squares += once.iter().map(|v| v * v).sum::<f64>();
                once.iter().enumerate().map(|(i, v)| size(i) * v).collect()
            })
            .collect();
        let moved = |name: &str| {
            let at = values.iter().position(|(own, ..)| own == name)?;
            let to =
                values[at].2.iter().zip(&scaled[at]).map(|(w, t)| (f64::from(*w) + 0.5 * t / squares.sqrt()) as f32);
            Some((values[at].1.clone(), to.collect()))
        };
        let wanted = tensors::import(&network, moved).unwrap();
        network.gradient(&mut g, &wanted, &labels, &mut ws);
        let mut method = AsamFilter::default().method(Training { network: &network, batch: 7, lr: 0.1 });
        let found = left(&mut *method, &network, &w, (&x, &labels)).0;
        let size = g.iter().map(|g| g * g).sum::<f32>().sqrt();
        for (found, wanted) in found.iter().zip(&g) {
            assert!((found - wanted).abs() < 2e-6 * size, "{found}, not {wanted}");
        }
    }
}
