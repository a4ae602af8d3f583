//! How each optimizer comes to the gradient that the base step takes.
//!
//! A [`Method`] sees a batch through a [`Pass`], which evaluates gradients anywhere, and leaves its gradient in one slice; what is written
//! for flat slices serves every architecture. All are defined in the book (book/methods/training.md#gradients-and-norms and below), with one norm
//! over all parameters in f64.

mod asam;
mod ascent;
mod average;
mod chunks;
mod esam;
mod friendly;
mod gsam;
mod looksam;
mod private;
#[cfg(test)]
mod tests;

use std::fmt::Debug;

use flatleak_kernel::Buffer;
use flatleak_kernel::sweep;
use flatleak_stream::Stream;

use crate::apart::Sink;
use crate::{Network, Optimizer, Recipe, Workspace};

/// A batch, and what evaluates it.
pub(crate) struct Pass<'a> {
    pub(crate) network: &'a Network,
    pub(crate) workspace: &'a mut Workspace,
    pub(crate) x: &'a [f32],
    pub(crate) labels: &'a [u32],
    pub(crate) batch: &'a [u32],
    /// Random numbers of the method's own.
    pub(crate) stream: &'a mut Stream,
    /// The whole batch lies in the workspace's input as it was gathered.
    pub(crate) gathered: bool,
    /// Learning rate of the step.
    pub(crate) lr: f64,
    /// Number of the step, from 0, and of all.
    pub(crate) step: usize,
    pub(crate) total: usize,
}

impl Pass<'_> {
    /// Mean loss and its gradient at `w`.
    pub(crate) fn gradient(&mut self, g: &mut [f32], w: &[f32]) -> f64 {
        self.backward(&mut Sink::Sum(g), w)
    }

    /// The same with a choice of where gradients of parameters go.
    pub(crate) fn backward(&mut self, to: &mut Sink<'_>, w: &[f32]) -> f64 {
        self.gather();
        self.network.backward(to, w, self.labels, self.workspace)
    }

    /// The same over some places of the batch, `batch` and `labels` theirs.
    pub(crate) fn part(&mut self, batch: &[u32], labels: &[u32], to: &mut Sink<'_>, w: &[f32]) -> f64 {
        self.workspace.gather(self.x, self.network.shape(), batch);
        self.gathered = false;
        self.network.backward(to, w, labels, self.workspace)
    }

    /// The batch into the workspace, where it is not there yet.
    fn gather(&mut self) {
        if !self.gathered {
            self.workspace.gather(self.x, self.network.shape(), self.batch);
            self.gathered = self.network.keeps_input();
        }
    }

    /// Cross entropy of every example at `w`.
    pub(crate) fn losses(&mut self, w: &[f32]) -> &[f64] {
        self.gather();
        self.network.measure(w, self.labels, self.workspace);
        &self.workspace.losses[..self.labels.len()]
    }

    /// Running statistics follow the pass that was just made.
    pub(crate) fn track(&mut self, arena: &mut [f32]) {
        self.network.track(arena, self.workspace);
    }
}

/// One optimizer's way to its gradient.
pub(crate) trait Method: Debug + Send {
    /// Leaves a gradient for the base step in `g` and returns the mean loss at `arena`, of which only running statistics change.
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64;

    /// What the base step descends along: the gradient that was left, or p of it and q of another slice.
    fn beside(&self) -> Option<(f32, &[f32], f32)> {
        None
    }

    /// What is done to the D parameters behind the base step, `g` the gradient that was left.
    fn after(&mut self, _pass: &mut Pass<'_>, _w: &mut [f32], _g: &[f32]) {}

    /// What takes the parameters' place when training is over.
    fn end(&mut self) -> Option<Vec<f32>> {
        None
    }
}

/// The method of a recipe.
pub(crate) fn new(network: &Network, recipe: &Recipe) -> Box<dyn Method> {
    let get = |key: &str| recipe.parameters.get(key);
    let sharpness = |gamma: f64| gamma / (1.0 - gamma);
    let ascent = |alpha: f64| -> Box<dyn Method> {
        if get("rho") > 0.0 && alpha != 0.0 {
            Box::new(ascent::Ascent::new(network, get("rho"), alpha))
        } else {
            Box::new(Plain)
        }
    };
    match recipe.optimizer {
        Optimizer::Sgd | Optimizer::Adam | Optimizer::Adamw => Box::new(Plain),
        Optimizer::Sam => ascent(1.0),
        Optimizer::Mixed | Optimizer::Sharpreg => ascent(get("alpha")),
        Optimizer::WsamCoupled => ascent(sharpness(get("gamma"))),
        Optimizer::Swa => Box::new(average::Average::new(network, get("average_from"))),
        Optimizer::DpSgd | Optimizer::DpSat => Box::new(private::Private::new(network, recipe)),
        // A radius of 0 takes no second pass in any member.
        _ if get("rho") == 0.0 => Box::new(Plain),
        Optimizer::Wsam => Box::new(ascent::Decoupled::new(network, get("rho"), sharpness(get("gamma")))),
        Optimizer::Asam | Optimizer::AsamFilter | Optimizer::AsamAll => Box::new(asam::Adaptive::new(network, recipe)),
        Optimizer::Gsam => Box::new(gsam::SurrogateGap::new(network, recipe)),
        Optimizer::Looksam => Box::new(looksam::Look::new(network, recipe)),
        Optimizer::FriendlySam => Box::new(friendly::Friendly::new(network, recipe)),
        Optimizer::Esam => Box::new(esam::Efficient::new(network, recipe)),
        Optimizer::MSam => Box::new(chunks::Chunks::new(network, recipe)),
    }
}

/// The gradient as it is.
#[derive(Debug)]
struct Plain;

impl Method for Plain {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        let loss = pass.gradient(g, arena);
        pass.track(arena);
        loss
    }
}

/// What a direction of this norm is multiplied by to have length rho.
fn radius(rho: f64, norm: f64) -> f32 {
    (rho / (norm + 1e-12)) as f32
}

/// Parameters away from w, in an arena of their own, so that restoring w is no arithmetic at all.
#[derive(Debug)]
struct Perturbed {
    arena: Buffer,
    parameters: usize,
}

impl Perturbed {
    fn new(network: &Network) -> Self {
        Self { arena: Buffer::new(network.arena()), parameters: network.parameters() }
    }

    /// w + rho g / (||g|| + 1e-12); returns ||g||.
    fn along(&mut self, arena: &[f32], g: &[f32], rho: f64) -> f64 {
        let norm = sweep::squared_norm(g).sqrt();
        sweep::perturb(&mut self.arena[..self.parameters], &arena[..self.parameters], g, radius(rho, norm));
        norm
    }
}
