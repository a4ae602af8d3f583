//! What forbids a word, or belongs beside it (own; book/methods/words.md#conditions): a verdict is about training recipes that learn, attacked with
//! all that they put out.

use flatleak_pool::{Pool, Signal};
use serde::{Deserialize, Serialize};

use crate::{RecipeResult, Verdict};

/// Share of the way from naming the commonest class to perfection that a recipe must go on its own members to have learnt (own).
const LEARNT: f64 = 0.1;

/// Accuracy on members from which a recipe counts as fitting them.
pub(crate) const FITTED: f64 = 0.99;

/// A condition on one recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
}

/// What of a pool conditions need.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Knowledge {
    /// Share of the commonest class; `None` where classes are not known.
    chance: Option<f64>,
    labels_only: bool,
}

impl Knowledge {
    pub(crate) fn new(pool: &Pool) -> Self {
        let classes = pool.labels.iter().max().map_or(0, |c| *c as usize + 1);
        let mut counts = vec![0usize; classes];
        pool.labels.iter().for_each(|c| counts[*c as usize] += 1);
        // Imported losses come without classes: all labels are the same then, and chance is not known.
        let known = counts.iter().filter(|n| **n > 0).count() > 1;
        let most = counts.iter().max().copied().unwrap_or(0);
        Self {
            chance: known.then(|| most as f64 / pool.labels.len() as f64),
            labels_only: !pool.offers(Signal::Phi) || says_labels_alone(pool),
        }
    }
}

/// Whether phi says no more than who is right: it takes at most two values in every model.
fn says_labels_alone(pool: &Pool) -> bool {
    pool.pool.iter().all(|signals| {
        let mut values: Vec<u32> = Vec::new();
        signals.phi.iter().all(|v| {
            // 0 and -0 are one value.
            let bits = (v + 0.0).to_bits();
            if !values.contains(&bits) {
                values.push(bits);
            }
            values.len() <= 2
        })
    })
}

/// The conditions of one recipe.
pub(crate) fn of(result: &RecipeResult, known: Knowledge) -> Vec<Condition> {
    let beaten = result.blind.as_ref().is_some_and(|b| b.beats_chance);
    let mut out = about(result.name.clone(), result.member_accuracy.mean, beaten, known);
    if result.member_accuracy.high < result.non_member_accuracy.low {
        out.push(Condition::MembersDoWorse { recipe: result.name.clone() });
    }
    out
}

/// The conditions of a recipe, or of one model, with this accuracy on members and perhaps a blind attack that beats chance.
pub(crate) fn about(recipe: String, member_accuracy: f64, blind: bool, known: Knowledge) -> Vec<Condition> {
    let mut out = Vec::new();
    let unlearnt = known.chance.filter(|chance| member_accuracy <= chance + LEARNT * (1.0 - chance));
    if let Some(chance) = unlearnt {
        out.push(Condition::DidNotLearn { recipe: recipe.clone(), member_accuracy, chance });
    }
    if blind {
        out.push(Condition::BlindBeatsChance { recipe: recipe.clone() });
    }
    if known.labels_only {
        out.push(Condition::LabelsOnly { recipe: recipe.clone() });
    }
    if unlearnt.is_none() && known.chance.is_some() && member_accuracy < FITTED {
        out.push(Condition::Unfitted { recipe, member_accuracy });
    }
    out
}

impl Condition {
    /// The recipe that it is about.
    pub fn recipe(&self) -> &str {
        match self {
            Self::DidNotLearn { recipe, .. }
            | Self::BlindBeatsChance { recipe }
            | Self::LabelsOnly { recipe }
            | Self::MembersDoWorse { recipe }
            | Self::Unfitted { recipe, .. } => recipe,
        }
    }

    /// Whether it forbids every word about more and less leakage.
    pub fn withholds(&self) -> bool {
        !matches!(self, Self::Unfitted { .. } | Self::MembersDoWorse { .. })
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
        }
    }
}

/// The first condition that forbids a word.
pub(crate) fn withholding(all: &[Condition]) -> Option<&Condition> {
    all.iter().find(|c| c.withholds())
}

/// A verdict under conditions: too few models and open comparisons stay what they are, everything else is withheld where one forbids it.
pub(crate) fn under(verdict: Verdict, conditions: &[Condition]) -> Verdict {
    match verdict {
        Verdict::TooFewModels => verdict,
        _ if withholding(conditions).is_some() => Verdict::Withheld,
        _ => verdict,
    }
}
