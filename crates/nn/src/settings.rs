//! Numbers with a key in study files: the parameters of optimizers, their bases and defences.
//!
//! [`settings!`] writes a struct with one field for each, so that a number which does not exist is an error of compilation, and with it
//! what texts need: keys, defaults, ranges.

/// One number that a study file can give.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Key in a study file.
    pub key: &'static str,
    /// Value where the study gives none.
    pub default: f64,
    /// Least and largest value.
    pub range: (f64, f64),
    /// What it is.
    pub about: &'static str,
}

impl Parameter {
    /// One whose key [`settings!`] takes from its field.
    pub(crate) const fn new(default: f64, range: (f64, f64), about: &'static str) -> Self {
        Self { key: "", default, range, about }
    }

    /// The same with a key.
    pub(crate) const fn called(self, key: &'static str) -> Self {
        Self { key, ..self }
    }

    /// The same with another default.
    pub(crate) const fn by_default(self, default: f64) -> Self {
        Self { default, ..self }
    }

    /// Refuses a value out of range.
    pub(crate) fn check(&self, value: f64) -> Result<(), SettingError> {
        let (low, high) = self.range;
        if (low..=high).contains(&value) {
            return Ok(());
        }
        Err(SettingError::Range { key: self.key, value, about: self.about, low, high })
    }
}

/// What can be wrong with a number by itself.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SettingError {
    /// A key that none of the parameters has.
    #[error(
        "`{key}` is no parameter of {of}, which {}",
        if known.is_empty() { "has none".to_owned() } else { format!("has {}", known.join(", ")) }
    )]
    Unknown {
        /// The key.
        key: String,
        /// The optimizer.
        of: &'static str,
        /// The keys that there are.
        known: Vec<&'static str>,
    },
    /// A value out of its range.
    #[error("{key} = {value} is out of range: {about}, {low} to {high}")]
    Range {
        /// The key.
        key: &'static str,
        /// The value.
        value: f64,
        /// What it is.
        about: &'static str,
        /// Least value.
        low: f64,
        /// Largest value.
        high: f64,
    },
    /// A value above that of another key which bounds it.
    #[error("{key} = {value} is above {bound}")]
    Above {
        /// The key.
        key: &'static str,
        /// The value.
        value: f64,
        /// Key of the bound.
        bound: &'static str,
    },
    /// A fraction where a whole number is needed.
    #[error("{key} = {value} is no whole number{}", if *parts == 1 { "" } else { " of thousandths" })]
    Fraction {
        /// The key.
        key: &'static str,
        /// The value.
        value: f64,
        /// Parts of 1 that it is counted in.
        parts: u32,
    },
}

impl SettingError {
    /// Refuses fractions.
    pub(crate) fn unless_whole(key: &'static str, value: f64) -> Result<(), Self> {
        if value.fract() == 0.0 { Ok(()) } else { Err(Self::Fraction { key, value, parts: 1 }) }
    }
}

/// A struct of numbers by key; [`settings!`] writes it.
pub(crate) trait Settings: Copy + PartialEq + 'static {
    /// Every number at its default.
    const DEFAULT: Self;
    /// The numbers, in the order of the fields.
    const PARAMETERS: &'static [Parameter];

    /// Their values, in the same order.
    fn values(&self) -> Vec<(&'static str, f64)>;

    /// Sets the value of a key; whether there is one.
    fn set(&mut self, key: &str, value: f64) -> bool;

    /// Refuses values out of range.
    fn check_ranges(&self) -> Result<(), SettingError> {
        Self::PARAMETERS.iter().zip(self.values()).try_for_each(|(parameter, (_, value))| parameter.check(value))
    }
}

/// Writes a struct of numbers, each `field = Parameter`, or `field: "key" = Parameter` where the key is another; and its [`Settings`].
/// `struct Name: "key", "what it is";` is one that is there or not.
macro_rules! settings {
    ($(#[$about:meta])* pub struct $name:ident;) => {
        $crate::settings::settings! { $(#[$about])* pub struct $name {} }
    };
    ($(#[$about:meta])* pub struct $name:ident: $key:literal, $what:literal;) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct $name;

        impl $crate::settings::Settings for $name {
            const DEFAULT: Self = Self;
            const PARAMETERS: &'static [$crate::settings::Parameter] =
                &[$crate::settings::Parameter::new(0.0, (0.0, 1.0), $what).called($key)];

            fn values(&self) -> Vec<(&'static str, f64)> {
                vec![($key, 1.0)]
            }

            fn set(&mut self, key: &str, _: f64) -> bool {
                key == $key
            }
        }
    };
    (
        $(#[$about:meta])*
        pub struct $name:ident { $($(#[$doc:meta])* $field:ident $(: $key:literal)? = $parameter:expr),* $(,)? }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name {
            $($(#[$doc])* pub $field: f64,)*
        }

        impl Default for $name {
            fn default() -> Self {
                <Self as $crate::settings::Settings>::DEFAULT
            }
        }

        impl $crate::settings::Settings for $name {
            const DEFAULT: Self = Self { $($field: $parameter.default),* };
            const PARAMETERS: &'static [$crate::settings::Parameter] =
                &[$($parameter.called($crate::settings::key!($field $($key)?))),*];

            fn values(&self) -> Vec<(&'static str, f64)> {
                vec![$(($crate::settings::key!($field $($key)?), self.$field)),*]
            }

            fn set(&mut self, key: &str, value: f64) -> bool {
                let fields: &mut [(&str, &mut f64)] =
                    &mut [$(($crate::settings::key!($field $($key)?), &mut self.$field)),*];
                fields.iter_mut().find(|(known, _)| *known == key).map(|(_, field)| **field = value).is_some()
            }
        }
    };
}

/// The key of a field.
macro_rules! key {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $key:literal) => {
        $key
    };
}
pub(crate) use key;
pub(crate) use settings;

#[cfg(test)]
mod tests {
    #![allow(unreachable_pub, reason = "the macro writes public structs")]

    use super::*;

    settings! {
        /// Two numbers.
        pub struct Two {
            /// One.
            one = Parameter::new(1.0, (0.0, 2.0), "the first"),
            /// Other.
            another: "other" = Parameter::new(5.0, (0.0, 9.0), "the second"),
        }
    }

    #[test]
    fn fields_are_keys() {
        let mut two = Two { another: 3.0, ..Two::default() };
        assert_eq!(two.values(), [("one", 1.0), ("other", 3.0)]);
        assert!(!two.set("third", 1.0) && two.check_ranges().is_ok());
        assert!(two.set("one", f64::NAN));
        assert_eq!(two.check_ranges().unwrap_err().to_string(), "one = NaN is out of range: the first, 0 to 2");
        assert_eq!(Two::PARAMETERS[1].key, "other");
    }
}
