//! What an attack says of itself.

use flatleak_pool::{Decimal, Matrix, Signal};

use crate::Lineup;

/// An attack whole: its parameters are the fields of the type, all else that is known of it is here. A new one is a type that implements
/// this, and a line in [`families`](crate::families).
pub(crate) trait Definition {
    /// Its name and what it needs.
    fn meta(&self) -> Meta;

    /// Parameters that a name may set, in the order in which names have them.
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        Vec::new()
    }

    /// The score in one line, with its source; mu is a median, s a deviation (ddof 0) over the shadows of one example, IN those that were
    /// trained on it, OUT the others. A temperature divides the logits before the softmax.
    fn formula(&self) -> &'static str;

    /// The signal that it reads.
    fn signal(&self) -> Signal;

    /// Variant, where the literature has several definitions under one name.
    fn variant(&self) -> Option<&'static str> {
        None
    }

    /// Name of the attack whose ROC this one has by construction; `equal` where every target's example has as many IN as OUT shadows.
    fn same_roc_as(&self, _equal: bool) -> Option<String> {
        None
    }

    /// Scores of every model of the lineup on every example, (M, N) as rows; higher = member.
    fn score(&self, lineup: &Lineup<'_>) -> Matrix;

    /// The parametrisations that have a row in tables.
    fn listed() -> Vec<Self>
    where
        Self: Sized + Default,
    {
        vec![Self::default()]
    }
}

/// An attack without parameters whose family has several alike: its type, what it needs, formula, signal and score.
macro_rules! attack {
    ($(#[$doc:meta])* $type:ident, $meta:expr, $formula:literal, $signal:expr, $score:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $type;

        impl Definition for $type {
            fn meta(&self) -> Meta {
                $meta
            }

            fn formula(&self) -> &'static str {
                $formula
            }

            fn signal(&self) -> Signal {
                $signal
            }

            fn score(&self, lineup: &Lineup<'_>) -> Matrix {
                $score(lineup)
            }
        }
    };
}
pub(crate) use attack;

/// Name of an attack and what it needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta {
    /// Name without parameters.
    pub(crate) name: &'static str,
    /// What it does, in a line of everyday words.
    pub(crate) about: &'static str,
    /// Who published it, or `own`.
    pub(crate) source: &'static str,
    /// Whether a target's score depends on the outputs of other models.
    pub(crate) uses_shadows: bool,
    /// Whether scores are signals less a threshold of the class, which jumps where shadows change.
    pub(crate) has_class_thresholds: bool,
    /// Which views of an example it reads.
    pub(crate) views: Views,
    /// Whether it is nothing without features of the examples.
    pub(crate) needs_features: bool,
    /// Whether it is nothing without outputs on examples outside the pool.
    pub(crate) needs_population: bool,
}

impl Meta {
    /// An attack by shadows that needs nothing more; what differs is set over it.
    pub(crate) const fn by_shadows(name: &'static str) -> Self {
        Self {
            name,
            about: "",
            source: "",
            uses_shadows: true,
            has_class_thresholds: false,
            views: Views::Any,
            needs_features: false,
            needs_population: false,
        }
    }

    /// What it does and where it comes from.
    pub(crate) const fn of(self, about: &'static str, source: &'static str) -> Self {
        Self { about, source, ..self }
    }

    /// An attack that reads the target alone.
    pub(crate) const fn by_target(name: &'static str) -> Self {
        Self { uses_shadows: false, ..Self::by_shadows(name) }
    }
}

/// Views of an example that an attack reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Views {
    /// As many as there are: its score is the mean over them.
    Any,
    /// The first: further ones are of no use to it.
    Plain,
    /// It is nothing without further ones.
    Several,
}

/// A parameter of an attack with its value and its default.
pub(crate) enum Parameter<'a> {
    /// A number.
    Number {
        /// Its name.
        name: &'static str,
        /// Its value.
        value: &'a mut Decimal,
        /// What it is where a name does not say.
        default: Decimal,
        /// What it may be.
        range: Range,
    },
    /// What the shadows of a side are summed up by.
    Centre(&'a mut Centre),
}

/// An attack's name with the parameters that are not the default: `rmia(t=2)`.
pub(crate) fn named(name: &str, parameters: &[Parameter<'_>]) -> String {
    let set: Vec<String> = parameters.iter().filter_map(Parameter::text).collect();
    if set.is_empty() { name.into() } else { format!("{name}({})", set.join(", ")) }
}

impl<'a> Parameter<'a> {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Number { name, .. } => name,
            Self::Centre(_) => "centre",
        }
    }

    /// `name=value`, where it is not the default.
    fn text(&self) -> Option<String> {
        match self {
            Self::Number { name, value, default, .. } => (*value != default).then(|| format!("{name}={value}")),
            Self::Centre(centre) => (**centre != Centre::default()).then(|| "centre=mean".to_owned()),
        }
    }

    /// The temperature that divides the logits.
    pub(crate) fn temperature(value: &'a mut Decimal) -> Self {
        Self::Number { name: "t", value, default: Decimal::ONE, range: Range::Positive }
    }
}

/// What a number may be.
#[derive(Clone, Copy)]
pub(crate) enum Range {
    /// Above 0.
    Positive,
    /// From 0 to 1.
    Share,
}

/// What the shadows of one side of an example are summed up by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Centre {
    /// The median (Carlini et al. 2022).
    #[default]
    Median,
    /// The mean (LeakPro, SACRO-ML, PrivacyGuard).
    Mean,
}
