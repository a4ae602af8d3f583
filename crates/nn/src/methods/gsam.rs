//! Surrogate-gap guided SAM.

use flatleak_kernel::{Buffer, sweep};

use super::method::{Method, Optimize, Pass, Perturbed, RHO, Training};
use crate::settings::{Parameter, SettingError, settings};

settings! {
    /// Surrogate-gap guided SAM (Zhuang et al. 2022, arXiv 2203.08065).
    pub struct Gsam {
        /// Radius at the highest learning rate.
        rho = RHO,
        /// Radius at learning rate 0.
        rho_min = Parameter::new(0.01, (0.0, 1e6), "radius at learning rate 0"),
        /// Weight of the orthogonal part that is taken off.
        alpha = Parameter::new(0.4, (0.0, 10.0), "weight of the orthogonal part that is taken off"),
    }
}

impl Optimize for Gsam {
    const NAME: &'static str = "gsam";
    const SOURCE: &'static str = "Zhuang et al. 2022, arXiv 2203.08065";

    fn method(&self, training: Training<'_>) -> Box<dyn Method> {
        Box::new(SurrogateGap::new(*self, training))
    }

    fn check(&self) -> Result<(), SettingError> {
        if self.rho_min > self.rho {
            return Err(SettingError::Above { key: "rho_min", value: self.rho_min, bound: "rho" });
        }
        Ok(())
    }
}

/// GSAM (Zhuang et al. 2022, arXiv 2203.08065, algorithm 1): g_s - alpha (g - (g.g_s)/(g_s.g_s) g_s); the radius follows the learning rate
/// linearly from `rho` at its highest to `rho_min` at 0.
#[derive(Debug)]
struct SurrogateGap {
    settings: Gsam,
    /// Highest learning rate.
    highest: f64,
    perturbed: Perturbed,
    second: Buffer,
    /// (g . g_s) / (g_s . g_s).
    share: f64,
}

impl SurrogateGap {
    fn new(settings: Gsam, Training { network, lr, .. }: Training<'_>) -> Self {
        Self {
            settings,
            highest: lr,
            perturbed: Perturbed::new(network),
            second: Buffer::new(network.parameters()),
            share: 0.0,
        }
    }
}

impl Method for SurrogateGap {
    fn gradient(&mut self, pass: &mut Pass<'_>, arena: &mut [f32], g: &mut [f32]) -> f64 {
        let loss = pass.gradient(g, arena);
        pass.track(arena);
        let (low, high) = (self.settings.rho_min, self.settings.rho);
        self.perturbed.along(arena, g, low + (high - low) * (pass.lr / self.highest));
        pass.gradient(&mut self.second, &self.perturbed.arena);
        let (across, own) = sweep::dots(g, &self.second);
        self.share = if own > 0.0 { across / own } else { 0.0 };
        loss
    }

    /// g_s - alpha (g - share g_s).
    fn beside(&self) -> Option<(f32, &[f32], f32)> {
        let alpha = self.settings.alpha;
        Some((-alpha as f32, &self.second, (1.0 + alpha * self.share) as f32))
    }
}
