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
