//! The optimizers: how each comes to the gradient that the base step takes.
//!
//! One is a file of this folder, whole, and a line of the list below: `mod file: Type`, or `in file: Type` for one that shares the file of
//! a relative. The order of the lines is that of tables.

mod method;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use method::Privacy;
pub(crate) use method::{Method, Pass, Training};

use self::method::{Optimize, Plain};
use crate::base::Base;
use crate::settings::{Parameter, SettingError, Settings};

/// Makes the modules, and [`Optimizer`] of their types.
macro_rules! optimizers {
    ($($(mod $file:ident)? $(in $of:ident)?: $name:ident;)*) => {
        $(
            $(mod $file; pub use $file::$name;)?
            $(pub use $of::$name;)?
        )*

        /// The optimizer of a recipe, with its parameters.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Optimizer {
            $(#[doc = concat!("[`", stringify!($name), "`].")] $name($name),)*
        }

        impl Optimizer {
            /// Every optimizer, its parameters at their defaults.
            pub const ALL: &'static [Self] = &[$(Self::$name($name::DEFAULT)),*];

            /// Name in study files.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => $name::NAME,)* }
            }

            /// Its own parameters, `rho` among them.
            pub fn parameters(&self) -> &'static [Parameter] {
                match self { $(Self::$name(_) => $name::PARAMETERS,)* }
            }

            /// Their values, in the same order.
            pub fn values(&self) -> Vec<(&'static str, f64)> {
                match self { $(Self::$name(own) => own.values(),)* }
            }

            /// Sets the value of a key; whether there is one.
            pub(crate) fn set(&mut self, key: &str, value: f64) -> bool {
                match self { $(Self::$name(own) => own.set(key, value),)* }
            }

            /// Where it is defined.
            pub fn source(&self) -> &'static str {
                match self { $(Self::$name(_) => $name::SOURCE,)* }
            }

            /// The radius at which it looks at gradients around the parameters, where it does.
            pub fn radius(&self) -> Option<f64> {
                match self { $(Self::$name(own) => own.radius(),)* }
            }

            /// Whether it goes where the surroundings are flat: sharpness-aware, with a radius above 0, and not the other way.
            pub fn seeks_flatness(&self) -> bool {
                match self { $(Self::$name(own) => own.seeks_flatness(),)* }
            }

            /// Its noise, where it clips and adds some; batches are then drawn by Poisson sampling.
            pub fn privacy(&self) -> Option<Privacy> {
                match self { $(Self::$name(own) => own.privacy(),)* }
            }

            /// Whether it looks at parts of a batch, so that examples must not depend on each other.
            pub fn splits_batches(&self) -> bool {
                match self { $(Self::$name(_) => $name::SPLITS_BATCHES,)* }
            }

            /// Whether training ends with other parameters than those of its last step.
            pub fn averages(&self) -> bool {
                match self { $(Self::$name(_) => $name::AVERAGES,)* }
            }

            /// The base step that the name stands for, where it stands for one.
            pub fn own_base(&self) -> Option<Base> {
                match self { $(Self::$name(_) => $name::BASE,)* }
            }

            /// Gradient evaluations per step, a forward pass counted as a third of one.
            pub fn gradients_per_step(&self) -> f64 {
                match self { $(Self::$name(own) => if self.is_plain() { 1.0 } else { own.gradients() },)* }
            }

            /// What takes a gradient.
            pub(crate) fn method(&self, training: Training<'_>) -> Box<dyn Method> {
                match self {
                    _ if self.is_plain() => Box::new(Plain),
                    $(Self::$name(own) => own.method(training),)*
                }
            }

            /// Refuses values out of range, and those that cannot stand beside each other.
            pub(crate) fn check(&self) -> Result<(), SettingError> {
                match self { $(Self::$name(own) => own.check_ranges().and_then(|()| own.check()),)* }
            }
        }
    };
}

optimizers! {
    mod sgd: Sgd;
    mod sam: Sam;
    in sam: Mixed;
    mod wsam: Wsam;
    in wsam: WsamCoupled;
    in sam: Sharpreg;
    mod asam: Asam;
    in asam: AsamFilter;
    in asam: AsamAll;
    mod gsam: Gsam;
    mod looksam: Looksam;
    mod friendly_sam: FriendlySam;
    mod esam: Esam;
    mod m_sam: MSam;
    mod swa: Swa;
    mod dp_sgd: DpSgd;
    in dp_sgd: DpSat;
    mod adam: Adam;
    in adam: Adamw;
}

impl Optimizer {
    /// The optimizer of a name, its parameters at their defaults.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|optimizer| optimizer.name() == name)
    }

    /// Whether it looks at gradients around the parameters.
    pub fn is_sharpness_aware(&self) -> bool {
        self.radius().is_some()
    }

    /// Whether it clips and adds noise.
    pub fn is_private(&self) -> bool {
        self.privacy().is_some()
    }

    /// Whether it takes no second pass because its radius is 0: every sharpness-aware one is then its base, bit for bit.
    fn is_plain(&self) -> bool {
        self.radius() == Some(0.0) && !self.is_private()
    }
}
