//! Adam and AdamW as optimizers: names for the bases over no other method.

use super::method::{Method, Optimize, Plain, Training};
use crate::base::{AdamSettings, Base};
use crate::settings::{Settings, settings};

settings! {
    /// Adam (Kingma & Ba 2015, arXiv 1412.6980).
    pub struct Adam;
}

settings! {
    /// AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101).
    pub struct Adamw;
}

impl Optimize for Adam {
    const NAME: &'static str = "adam";
    const SOURCE: &'static str = "Kingma & Ba 2015, arXiv 1412.6980";
    const BASE: Option<Base> = Some(Base::Adam(AdamSettings::DEFAULT));

    fn method(&self, _: Training<'_>) -> Box<dyn Method> {
        Box::new(Plain)
    }
}

impl Optimize for Adamw {
    const NAME: &'static str = "adamw";
    const SOURCE: &'static str = "Loshchilov & Hutter 2019, arXiv 1711.05101";
    const BASE: Option<Base> = Some(Base::Adamw(AdamSettings::DEFAULT));

    fn method(&self, _: Training<'_>) -> Box<dyn Method> {
        Box::new(Plain)
    }
}
