//! What an optimizer is made of.
//!
//! A [`Method`] sees a batch through a [`Pass`], which evaluates gradients anywhere, and leaves its gradient in one slice; what is written
//! for flat slices serves every architecture. [`Optimize`] is what a study file says of it. All are defined in the book
//! (book/methods/training.md#gradients-and-norms and below), with one norm over all parameters in f64.

use std::fmt::Debug;

use flatleak_kernel::Buffer;
use flatleak_kernel::sweep;
use flatleak_stream::Stream;

use crate::apart::Sink;
use crate::base::Base;
use crate::checkpoint::Kept;
use crate::network::Network;
use crate::settings::{Parameter, SettingError, Settings};
use crate::workspace::Workspace;

/// The radius of a perturbation, of the optimizers that have one.
pub(crate) const RHO: Parameter = Parameter::new(0.1, (0.0, 1e6), "radius of the perturbation");

/// What a method is made for.
#[derive(Clone, Copy)]
pub(crate) struct Training<'a> {
    pub(crate) network: &'a Network,
    /// Examples of a batch.
    pub(crate) batch: usize,
    /// Highest learning rate.
    pub(crate) lr: f64,
}

/// Noise that hides single examples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Privacy {
    /// Deviation of the noise in units of the clipping norm.
    pub noise: f64,
    /// delta at which epsilon is stated.
    pub delta: f64,
    /// Largest epsilon; 0 is without.
    pub budget: f64,
}

/// An optimizer: its parameters are the fields of the type.
pub(crate) trait Optimize: Settings {
    /// Name in study files.
    const NAME: &'static str;
    /// Where it is defined.
    const SOURCE: &'static str;
    /// Whether it looks at parts of a batch, so that examples must not depend on each other.
    const SPLITS_BATCHES: bool = false;
    /// Whether training ends with other parameters than those of its last step.
    const AVERAGES: bool = false;
    /// The base step that the name stands for, where it stands for one.
    const BASE: Option<Base> = None;

    /// What takes a gradient, with a radius above 0 where there is one.
    fn method(&self, training: Training<'_>) -> Box<dyn Method>;

    /// Gradient evaluations per step, a forward pass counted as a third of one, with a radius above 0 where there is one.
    fn gradients(&self) -> f64 {
        if self.radius().is_some() { 2.0 } else { 1.0 }
    }

    /// The radius at which it looks at gradients around the parameters.
    fn radius(&self) -> Option<f64> {
        self.values().into_iter().find(|(key, _)| *key == "rho").map(|(_, rho)| rho)
    }

    /// Whether it goes where the surroundings are flat, rather than away from there.
    fn seeks_flatness(&self) -> bool {
        self.radius().is_some_and(|rho| rho > 0.0)
    }

    /// Its noise, where it clips and adds some; batches are then drawn by Poisson sampling.
    fn privacy(&self) -> Option<Privacy> {
        None
    }

    /// Refuses values that cannot stand beside each other.
    fn check(&self) -> Result<(), SettingError> {
        Ok(())
    }
}

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

    /// What is kept from one step to the next, by name: a step depends on nothing else that an earlier one left.
    fn state(&mut self) -> Vec<(&'static str, Kept<'_>)> {
        Vec::new()
    }

    /// What takes the parameters' place when training is over.
    fn end(&mut self) -> Option<Vec<f32>> {
        None
    }
}

/// The gradient as it is.
#[derive(Debug)]
pub(crate) struct Plain;

impl Method for Plain {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        let loss = pass.gradient(g, arena);
        pass.track(arena);
        loss
    }
}

/// What a direction of this norm is multiplied by to have length rho.
pub(crate) fn radius(rho: f64, norm: f64) -> f32 {
    (rho / (norm + 1e-12)) as f32
}

/// Parameters away from w, in an arena of their own, so that restoring w is no arithmetic at all.
#[derive(Debug)]
pub(crate) struct Perturbed {
    pub(crate) arena: Buffer,
    parameters: usize,
}

impl Perturbed {
    pub(crate) fn new(network: &Network) -> Self {
        Self { arena: Buffer::new(network.arena()), parameters: network.parameters() }
    }

    /// w + rho g / (||g|| + 1e-12); returns ||g||.
    pub(crate) fn along(&mut self, arena: &[f32], g: &[f32], rho: f64) -> f64 {
        let norm = sweep::squared_norm(g).sqrt();
        sweep::perturb(&mut self.arena[..self.parameters], &arena[..self.parameters], g, radius(rho, norm));
        norm
    }
}
