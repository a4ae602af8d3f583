//! What forbids a word, or belongs beside it (book/methods/words.md#conditions).

use serde::{Deserialize, Serialize};

use crate::doubt::Doubt;

/// A condition on one recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "condition", rename_all = "kebab-case")]
pub enum Condition {
    /// Its models are hardly better on their own members than one that always names the commonest class.
    DidNotLearn {
        /// Which recipe.
        recipe: String,
        /// Accuracy on members.
        member_accuracy: f64,
        /// Share of the commonest class.
        chance: f64,
    },
    /// Members and non-members differ by themselves.
    BlindBeatsChance {
        /// Which recipe.
        recipe: String,
    },
    /// Its outputs say which class, not how sure the models are: an attacker who asks more than once may know more.
    LabelsOnly {
        /// Which recipe.
        recipe: String,
    },
    /// Its models are right on fewer of their members than of the others.
    MembersDoWorse {
        /// Which recipe.
        recipe: String,
    },
    /// Its members are not all fitted, which lowers leakage by itself. Forbids no word: to fit less is how many defences work.
    Unfitted {
        /// Which recipe.
        recipe: String,
        /// Accuracy on members.
        member_accuracy: f64,
    },
    /// Its outputs may not be what they are said to be.
    Doubtful {
        /// Which recipe.
        recipe: String,
        /// Why.
        doubt: Doubt,
    },
}

impl Condition {
    /// The recipe that it is about.
    pub fn recipe(&self) -> &str {
        match self {
            Self::DidNotLearn { recipe, .. }
            | Self::BlindBeatsChance { recipe }
            | Self::LabelsOnly { recipe }
            | Self::MembersDoWorse { recipe }
            | Self::Unfitted { recipe, .. }
            | Self::Doubtful { recipe, .. } => recipe,
        }
    }

    /// Whether it forbids every word about more and less leakage.
    pub fn withholds(&self) -> bool {
        match self {
            Self::Unfitted { .. } | Self::MembersDoWorse { .. } => false,
            Self::Doubtful { doubt, .. } => doubt.withholds(),
            _ => true,
        }
    }

    /// The reason, as a clause.
    pub fn reason(&self) -> String {
        match self {
            Self::DidNotLearn { recipe, member_accuracy, chance } => format!(
                "{recipe} did not learn: its models are right on {:.1} % of their own members, where naming the commonest class gives {:.1} %",
                100.0 * member_accuracy,
                100.0 * chance
            ),
            Self::BlindBeatsChance { recipe } => {
                format!("members and non-members of {recipe} differ by themselves")
            }
            Self::LabelsOnly { recipe } => {
                format!(
                    "the outputs of {recipe} are labels alone, of which stronger attacks may make more than one look does"
                )
            }
            Self::MembersDoWorse { recipe } => format!(
                "{recipe} is right on fewer of its members than of the others: check that the membership is not the wrong way round"
            ),
            Self::Unfitted { recipe, member_accuracy } => format!(
                "{recipe} fits {:.1} % of its members, and to fit less lowers leakage by itself",
                100.0 * member_accuracy
            ),
            Self::Doubtful { recipe, doubt } => doubt.about(recipe),
        }
    }
}
