//! Attacks and their parameters as text: `rmia`, `rmia(t=2)`, `rmia-offline(a=0.5, t=2)`.

use std::fmt::{Display, Formatter, Result as Written};
use std::str::FromStr;

use flatleak_pool::Decimal;

use crate::definition::{Centre, Parameter, Range, named};
use crate::families::{Attack, all};

/// Text that names no attack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAttack {
    /// An unknown name.
    #[error("there is no attack {name:?}{suggestion}; see `flatleak list attacks`")]
    Unknown {
        /// The text.
        name: String,
        /// The nearest name, as a question.
        suggestion: String,
    },
    /// An opened parenthesis that is not closed, or text behind a closed one.
    #[error("{0:?} is no attack: write its parameters in parentheses, as in rmia(t=2)")]
    Parentheses(String),
    /// A parameter that the attack does not have.
    #[error("{attack} has no parameter {parameter:?}{known}")]
    Parameter {
        /// The attack.
        attack: &'static str,
        /// The parameter.
        parameter: String,
        /// Those that it has.
        known: String,
    },
    /// A value that the parameter cannot have.
    #[error("{parameter} of {attack} cannot be {value:?}: {expected}")]
    Value {
        /// The attack.
        attack: &'static str,
        /// The parameter.
        parameter: &'static str,
        /// The value.
        value: String,
        /// What it can be.
        expected: &'static str,
    },
}

impl Range {
    fn holds(self, value: Decimal) -> bool {
        match self {
            Self::Positive => value > Decimal::thousandths(0),
            Self::Share => value <= Decimal::ONE,
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Positive => "a number above 0 with at most three decimal places",
            Self::Share => "a number from 0 to 1 with at most three decimal places",
        }
    }
}

/// Sets a parameter of an attack to the value that a text gives.
fn set(parameter: Parameter<'_>, attack: &'static str, text: &str) -> Result<(), NoAttack> {
    let wrong = |parameter, expected| NoAttack::Value { attack, parameter, value: text.to_owned(), expected };
    match parameter {
        Parameter::Number { name, value, range, .. } => match text.parse() {
            Ok(found) if range.holds(found) => *value = found,
            _ => return Err(wrong(name, range.expected())),
        },
        Parameter::Centre(centre) => match text {
            "median" => *centre = Centre::Median,
            "mean" => *centre = Centre::Mean,
            _ => return Err(wrong("centre", "median or mean")),
        },
    }
    Ok(())
}

impl Attack {
    /// Name in tables, results and files, with the parameters that are not the default: `rmia(t=2)`.
    pub fn name(self) -> String {
        self.to_string()
    }
}

impl Display for Attack {
    fn fmt(&self, f: &mut Formatter<'_>) -> Written {
        let mut copy = *self;
        f.write_str(&named(self.family(), &copy.definition_mut().parameters()))
    }
}

impl FromStr for Attack {
    type Err = NoAttack;

    fn from_str(text: &str) -> Result<Self, NoAttack> {
        let (family, list) = match text.split_once('(') {
            None => (text, None),
            Some((family, rest)) => match rest.strip_suffix(')') {
                Some(list) if !list.contains(['(', ')']) => (family, Some(list)),
                _ => return Err(NoAttack::Parentheses(text.into())),
            },
        };
        let families = all();
        let Some(mut attack) = families.iter().copied().find(|a| a.family() == family.trim()) else {
            let near = families.iter().map(|a| (strsim::jaro_winkler(a.family(), family), a.family()));
            let near = near.filter(|(close, _)| *close > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
            let suggestion = near.map_or(String::new(), |(_, name)| format!(", did you mean {name:?}?"));
            return Err(NoAttack::Unknown { name: family.into(), suggestion });
        };
        let name = attack.family();
        for part in list.into_iter().flat_map(|list| list.split(',')).map(str::trim) {
            let (parameter, value) = part.split_once('=').unwrap_or((part, ""));
            let (parameter, value) = (parameter.trim(), value.trim());
            let all = attack.definition_mut().parameters();
            let known = all.iter().map(Parameter::name).collect::<Vec<_>>().join(", ");
            match all.into_iter().find(|p| p.name() == parameter) {
                Some(found) => set(found, name, value)?,
                None => {
                    let known = if known.is_empty() { String::new() } else { format!("; it has {known}") };
                    return Err(NoAttack::Parameter { attack: name, parameter: parameter.into(), known });
                }
            }
        }
        Ok(attack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        let mut names = std::collections::HashSet::new();
        for attack in all() {
            assert_eq!(attack.name().parse(), Ok(attack));
            assert!(names.insert(attack.name()), "{attack}");
            assert!(!attack.about().is_empty() && !attack.source().is_empty(), "{attack}");
        }
        for text in ["rmia(t=3)", "rmia-offline(a=0.5)", "rmia-gamma(gamma=2, a=0, t=0.5)", "lira-online(centre=mean)"]
        {
            let attack: Attack = text.parse().unwrap();
            assert_eq!(attack.name(), text);
        }
        // Spaces, and parameters that are the default, are no part of a name.
        assert_eq!("rmia-offline( t = 2.0 ,a=.3 )".parse::<Attack>().unwrap().name(), "rmia-offline(t=2)");
        assert_eq!("rmia(t=1)".parse(), Ok(Attack::RMIA));
    }

    #[test]
    fn wrong_names_say_what_is_wrong() {
        let error = |text: &str| text.parse::<Attack>().unwrap_err().to_string();
        assert!(error("rima").contains("did you mean \"rmia\"?"));
        assert!(error("rmia(t=2").contains("parentheses") && error("rmia(t=2)x").contains("parentheses"));
        assert_eq!(error("rmia(a=1)"), "rmia has no parameter \"a\"; it has t");
        assert_eq!(error("entropy(t=2)"), "entropy has no parameter \"t\"");
        assert!(error("rmia(t=0)").contains("above 0") && error("rmia(t=x)").contains("above 0"));
        assert!(error("rmia-offline(a=1.5)").contains("from 0 to 1"));
        assert!(error("lira-online(centre=mode)").contains("median or mean"));
        assert!(error("rmia()").contains("no parameter"));
    }
}
