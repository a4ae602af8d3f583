//! Stochastic gradient descent.

use super::method::{Method, Optimize, Plain, Training};
use crate::settings::settings;

settings! {
    /// Stochastic gradient descent as PyTorch defines it.
    pub struct Sgd;
}

impl Optimize for Sgd {
    const NAME: &'static str = "sgd";
    const SOURCE: &'static str = "as PyTorch";

    fn method(&self, _: Training<'_>) -> Box<dyn Method> {
        Box::new(Plain)
    }
}
