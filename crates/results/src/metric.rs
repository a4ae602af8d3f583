//! What is measured, by name.
//!
//! A metric is text in `results.json`: `strongest.auc`, `rmia(t=2).tpr@0.001`, `test-accuracy`, `test-accuracy@noise0.1`,
//! `confidence-variance.member`, `memorization[rare]`. Here it is a type, so that what kind of metric it is, and whether it is about single
//! examples, is never read off its letters.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::measure::{Measure, NoMeasure};

/// What is measured.
///
/// ```
/// use flatleak_results::{Measure, Metric};
/// let metric: Metric = "rmia(t=0.5).tpr@0.01".parse().unwrap();
/// assert_eq!(metric, Metric::attack("rmia(t=0.5)", Measure::Tpr(0.01)));
/// assert!(metric.is_leakage() && !metric.is_of_group());
/// assert_eq!(metric.to_string(), "rmia(t=0.5).tpr@0.01");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Metric {
    /// What an attack reaches.
    Attack {
        /// Name of the attack, with its parameters.
        attack: String,
        /// What of it.
        measure: Measure,
    },
    /// A property of the models.
    Property(Property),
    /// A property of the models on one known group of examples.
    Group {
        /// Which.
        property: GroupProperty,
        /// Name of the group.
        group: String,
    },
}

/// A property of a recipe's models.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Property {
    /// Accuracy on held-out examples.
    TestAccuracy,
    /// Accuracy on members.
    MemberAccuracy,
    /// Accuracy on the pool's other examples.
    NonMemberAccuracy,
    /// Variance of a signal over the examples of one side.
    Variance(Spreads, Side),
    /// Accuracy on held-out examples under noise of this deviation, in units of the inputs' own.
    NoisyAccuracy(f64),
    /// What it is less than without noise.
    LostAccuracy(f64),
}

/// A property of models on a group of examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupProperty {
    /// Accuracy on the group's held-out examples.
    TestAccuracy,
    /// Accuracy on those of its pool examples that a model was trained on.
    MemberAccuracy,
    /// Accuracy on its other pool examples.
    NonMemberAccuracy,
    /// Mean 0/1 memorization.
    Memorization,
}

/// A signal whose spread is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Spreads {
    /// p_y.
    Confidence,
    /// log(p_y / (1 - p_y)).
    Phi,
}

/// Whom a figure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Examples that a model was trained on.
    Member,
    /// Others.
    NonMember,
}

/// Text that names no metric.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no metric: there are ATTACK.auc, ATTACK.tpr@FPR and properties such as test-accuracy")]
pub struct NoMetric(pub String);

impl Metric {
    /// A measure of an attack.
    pub fn attack(attack: impl Into<String>, measure: Measure) -> Self {
        Self::Attack { attack: attack.into(), measure }
    }

    /// The text of a metric of an attack as its attack and what is measured of it: `rmia-offline(a=0.3).auc` is `rmia-offline(a=0.3)` and `auc`.
    /// Parentheses close before a dot is read. `None` without a measure.
    ///
    /// ```
    /// use flatleak_results::Metric;
    /// assert_eq!(Metric::split("rmia(t=0.5).tpr@0.01"), Some(("rmia(t=0.5)", "tpr@0.01")));
    /// assert_eq!(Metric::split("rmia(t=0.5)"), None);
    /// ```
    pub fn split(text: &str) -> Option<(&str, &str)> {
        let after = text.find(')').map_or(0, |at| at + 1);
        let dot = after + text[after..].find('.')?;
        Some((&text[..dot], &text[dot + 1..]))
    }

    /// Whether it says how much a recipe leaks.
    pub fn is_leakage(&self) -> bool {
        matches!(self, Self::Attack { .. })
    }

    /// Whether it is the AUC of an attack.
    pub fn is_auc(&self) -> bool {
        matches!(self, Self::Attack { measure: Measure::Auc, .. })
    }

    /// Whether it is the TPR of an attack.
    pub fn is_tpr(&self) -> bool {
        matches!(self, Self::Attack { measure: Measure::Tpr(_), .. })
    }

    /// Whether it is about one known group of examples, which may be a small one.
    pub fn is_of_group(&self) -> bool {
        matches!(self, Self::Group { .. })
    }

    /// Whether it is a property under noise on the inputs.
    pub fn is_lost_to_noise(&self) -> bool {
        matches!(self, Self::Property(Property::LostAccuracy(_)))
    }

    /// The group that it is about.
    pub fn group(&self) -> Option<&str> {
        if let Self::Group { group, .. } = self { Some(group) } else { None }
    }

    /// The attack that it is of.
    pub fn attack_name(&self) -> Option<&str> {
        if let Self::Attack { attack, .. } = self { Some(attack) } else { None }
    }
}

impl From<Property> for Metric {
    fn from(property: Property) -> Self {
        Self::Property(property)
    }
}

impl Display for Side {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Member => "member",
            Self::NonMember => "non-member",
        })
    }
}

impl Display for Spreads {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Confidence => "confidence",
            Self::Phi => "phi",
        })
    }
}

impl Display for Property {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::TestAccuracy => f.write_str("test-accuracy"),
            Self::MemberAccuracy => f.write_str("member-accuracy"),
            Self::NonMemberAccuracy => f.write_str("non-member-accuracy"),
            Self::Variance(signal, side) => write!(f, "{signal}-variance.{side}"),
            Self::NoisyAccuracy(level) => write!(f, "test-accuracy@noise{level}"),
            Self::LostAccuracy(level) => write!(f, "lost-accuracy@noise{level}"),
        }
    }
}

impl GroupProperty {
    const ALL: [Self; 4] = [Self::TestAccuracy, Self::MemberAccuracy, Self::NonMemberAccuracy, Self::Memorization];

    fn name(self) -> &'static str {
        match self {
            Self::TestAccuracy => "test-accuracy",
            Self::MemberAccuracy => "member-accuracy",
            Self::NonMemberAccuracy => "non-member-accuracy",
            Self::Memorization => "memorization",
        }
    }
}

impl Display for Metric {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attack { attack, measure } => write!(f, "{attack}.{measure}"),
            Self::Property(property) => property.fmt(f),
            Self::Group { property, group } => write!(f, "{}[{group}]", property.name()),
        }
    }
}

impl FromStr for Property {
    type Err = NoMetric;

    fn from_str(text: &str) -> Result<Self, NoMetric> {
        let fixed = [Self::TestAccuracy, Self::MemberAccuracy, Self::NonMemberAccuracy].into_iter();
        let spreads = [Spreads::Confidence, Spreads::Phi].into_iter();
        let all =
            fixed.chain(spreads.flat_map(|s| [Side::Member, Side::NonMember].map(|side| Self::Variance(s, side))));
        let noise = |prefix: &str| text.strip_prefix(prefix).and_then(|level| level.parse().ok());
        all.into_iter()
            .find(|p| p.to_string() == text)
            .or_else(|| noise("test-accuracy@noise").map(Self::NoisyAccuracy))
            .or_else(|| noise("lost-accuracy@noise").map(Self::LostAccuracy))
            .ok_or_else(|| NoMetric(text.into()))
    }
}

impl FromStr for Metric {
    type Err = NoMetric;

    fn from_str(text: &str) -> Result<Self, NoMetric> {
        let wrong = || NoMetric(text.into());
        if let Some((name, group)) = text.strip_suffix(']').and_then(|t| t.split_once('[')) {
            let property = GroupProperty::ALL.into_iter().find(|p| p.name() == name).ok_or_else(wrong)?;
            return Ok(Self::Group { property, group: group.into() });
        }
        if let Ok(property) = text.parse() {
            return Ok(Self::Property(property));
        }
        let (attack, measure) = Self::split(text).ok_or_else(wrong)?;
        Ok(Self::attack(attack, measure.parse().map_err(|_: NoMeasure| wrong())?))
    }
}

/// As text in files.
macro_rules! as_text {
    ($type:ty) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

as_text!(Metric);
as_text!(Property);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for text in [
            "strongest.auc",
            "rmia-gamma(gamma=2, a=0.3).tpr@0.0001",
            "lira-online.advantage",
            "confidence.balanced-accuracy",
            "test-accuracy",
            "member-accuracy",
            "non-member-accuracy",
            "confidence-variance.member",
            "phi-variance.non-member",
            "test-accuracy@noise0.25",
            "lost-accuracy@noise1",
            "test-accuracy[rare]",
            "non-member-accuracy[a.b [c]]",
            "memorization[]",
        ] {
            let metric: Metric = text.parse().unwrap();
            assert_eq!(metric.to_string(), text);
            let json = serde_json::to_string(&metric).unwrap();
            assert_eq!(serde_json::from_str::<Metric>(&json).unwrap(), metric);
        }
        for text in
            ["strongest", "strongest.", "strongest.acu", "strongest.tpr@x", "age[rare]", "", ".", "rmia(t=2.auc"]
        {
            assert!(text.parse::<Metric>().is_err() || text == "rmia(t=2.auc", "{text}");
        }
    }

    #[test]
    fn groups_are_told_from_the_rest() {
        let of = |text: &str| text.parse::<Metric>().unwrap();
        assert_eq!(of("memorization[x]").group(), Some("x"));
        assert_eq!(of("test-accuracy").group(), None);
        assert!(!of("memorization[x]").is_leakage() && of("base(t=2).auc").is_auc() && of("base.tpr@0.1").is_tpr());
    }
}
