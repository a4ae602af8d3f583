//! How large a difference must be to matter.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Smallest relevant differences, fixed before results are seen. A difference that is shown and smaller is negligible.
///
/// ```
/// let relevant: flatleak_results::Relevant = "auc=.02,tpr=20%".parse().unwrap();
/// assert_eq!((relevant.auc, relevant.tpr, relevant.accuracy), (0.02, 0.2, 0.01));
/// assert_eq!(relevant.to_string(), "auc=0.02,tpr=20%,accuracy=0.01");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Relevant {
    /// Of an AUC.
    pub auc: f64,
    /// Of a TPR, as a share of the baseline's.
    pub tpr: f64,
    /// Of an accuracy.
    pub accuracy: f64,
}

impl Default for Relevant {
    fn default() -> Self {
        Self { auc: 0.01, tpr: 0.1, accuracy: 0.01 }
    }
}

/// What is wrong with a text that should name relevant differences.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NotRelevant {
    /// A part that is no `name=value`.
    #[error("`{0}` is no `name=value`: write auc=.01,tpr=10%,accuracy=.01")]
    Form(String),
    /// A name that is none.
    #[error("nothing is named `{0}`: there are auc, tpr and accuracy")]
    Name(String),
    /// A name given twice.
    #[error("{0} is given twice")]
    Twice(&'static str),
    /// A value out of range.
    #[error("{name} = {value}, but a relevant difference lies above 0 and below .5 (50 %)")]
    Value {
        /// Which.
        name: &'static str,
        /// As given.
        value: String,
    },
}

impl Relevant {
    /// Refuses values outside (0, .5).
    ///
    /// # Errors
    /// The first that is.
    pub fn check(&self) -> Result<(), NotRelevant> {
        for (name, value) in [("auc", self.auc), ("tpr", self.tpr), ("accuracy", self.accuracy)] {
            if !(value > 0.0 && value < 0.5) {
                return Err(NotRelevant::Value { name, value: value.to_string() });
            }
        }
        Ok(())
    }
}

impl FromStr for Relevant {
    type Err = NotRelevant;

    fn from_str(text: &str) -> Result<Self, NotRelevant> {
        let mut out = Self::default();
        let mut given: Vec<&'static str> = Vec::new();
        for part in text.split(',').map(str::trim) {
            let (name, value) = part.split_once('=').ok_or_else(|| NotRelevant::Form(part.into()))?;
            let (name, to): (&'static str, &mut f64) = match name.trim() {
                "auc" => ("auc", &mut out.auc),
                "tpr" => ("tpr", &mut out.tpr),
                "accuracy" => ("accuracy", &mut out.accuracy),
                other => return Err(NotRelevant::Name(other.into())),
            };
            if given.contains(&name) {
                return Err(NotRelevant::Twice(name));
            }
            given.push(name);
            let value = value.trim();
            let number = value.strip_suffix('%').map_or_else(
                || value.parse::<f64>().ok(),
                |percent| percent.trim().parse::<f64>().ok().map(|p| p / 100.0),
            );
            *to = number.ok_or_else(|| NotRelevant::Value { name, value: value.into() })?;
        }
        out.check()?;
        Ok(out)
    }
}

impl fmt::Display for Relevant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A share of .1 is 10 %, whatever binary fractions make of it.
        let percent = (self.tpr * 1e6).round() / 1e4;
        write!(f, "auc={},tpr={percent}%,accuracy={}", self.auc, self.accuracy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_relevant_difference_is_refused() {
        for (text, says) in [
            ("auc=0", "above 0"),
            ("auc=.5", "below .5"),
            ("tpr=50%", "below .5"),
            ("accuracy=-0.01", "above 0"),
            ("auc=nan", "above 0"),
            ("auc=x", "auc = x"),
            ("auc", "no `name=value`"),
            ("", "no `name=value`"),
            ("loss=.1", "nothing is named `loss`"),
            ("auc=.1,auc=.2", "twice"),
        ] {
            let error = text.parse::<Relevant>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
        assert_eq!(
            " tpr = 5 % , auc=.02".parse::<Relevant>().unwrap(),
            Relevant { auc: 0.02, tpr: 0.05, accuracy: 0.01 }
        );
        let all = Relevant { auc: 0.03, tpr: 0.07, accuracy: 0.005 };
        assert_eq!(all.to_string().parse::<Relevant>().unwrap(), all);
    }
}
