//! Why outputs may not be what they are said to be (book/methods/plausibility.md).

use serde::{Deserialize, Serialize};

/// Something that outputs as a whole show, and that no careful user would pass over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Doubt {
    /// Outputs that are sure of themselves and right no more often than chance.
    RowsMixed {
        /// Accuracy on members.
        accuracy: f64,
        /// Share of the commonest class.
        chance: f64,
        /// Mean of the largest probability, on members.
        confidence: f64,
        /// Whether the models agree with each other: then labels stand in another order, else every model's rows do.
        agree: bool,
    },
    /// Members are less like members than others, in every way and by far.
    Inverted {
        /// The models of which that is so, where it is not so of all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        models: Vec<usize>,
    },
    /// Outputs of some models do not belong to the examples that those of the rest belong to.
    OtherOrder {
        /// These models.
        models: Vec<usize>,
    },
    /// Outputs of some models fit another model's row of the membership.
    OtherMembership {
        /// These models.
        models: Vec<usize>,
        /// By model, the row that fits.
        rows: Vec<usize>,
    },
    /// Outputs of some models are spread over another scale than those of the rest.
    OtherScale {
        /// These models.
        models: Vec<usize>,
        /// How many times as wide the first of them is spread as the median model.
        times: f64,
    },
    /// The last examples, of which every logit of every model is 0, as of arrays that were made and never filled.
    Unfilled {
        /// How many.
        examples: usize,
        /// Of so many that were looked at.
        of: usize,
    },
    /// Examples that are there twice, in a model once as a member and once as none.
    Duplicates {
        /// How many examples have such a double.
        examples: usize,
        /// Of so many.
        of: usize,
    },
}

impl Doubt {
    /// Whether it forbids every word about more and less leakage.
    pub fn withholds(&self) -> bool {
        !matches!(self, Self::Duplicates { .. })
    }

    /// The doubt about the outputs of a recipe, as a clause, with what to look at.
    pub fn about(&self, recipe: &str) -> String {
        match self {
            Self::RowsMixed { accuracy, chance, confidence, agree } => {
                let percent = |v: &f64| format!("{:.1} %", 100.0 * v);
                let mend = if *agree {
                    "the models agree with each other, so the labels seem to stand in another order than the outputs (save both in one pass), or not to be those that were learnt"
                } else {
                    "the models do not agree with each other, so the rows seem to be shuffled anew for every model (save outputs with shuffle=False), or these models learnt nothing"
                };
                format!(
                    "outputs of {recipe} are sure of themselves ({} on average) and right on only {} of the members, where naming the commonest class gives {}; {mend}",
                    percent(confidence),
                    percent(accuracy),
                    percent(chance)
                )
            }
            Self::Inverted { models } if models.is_empty() => format!(
                "members of {recipe} look less like members than the others do: the membership seems to be the wrong way round; turn 0 and 1 in it"
            ),
            Self::Inverted { models } => format!(
                "members of {} of {recipe} look less like members than the others do, unlike those of the rest: what the membership says of {} seems to be the wrong way round, or another model's; turn 0 and 1 there, or give each model its own row",
                who(models),
                who(models)
            ),
            Self::OtherOrder { models } => format!(
                "outputs of {} of {recipe} do not go with the examples as those of the rest do: their rows seem to stand in another order; save the outputs of all models in one order (shuffle=False)",
                who(models)
            ),
            Self::OtherMembership { models, rows } => format!(
                "outputs of {} of {recipe} fit what the membership says of {}: models seem to stand in another order in the outputs than in the membership (10 stands before 2 where names are sorted as text); bring both in one order",
                who(models),
                who(rows)
            ),
            Self::OtherScale { models, times } => format!(
                "outputs of {} of {recipe} are on another scale than those of the rest ({times:.2} times as wide): give all of them in one unit, at one temperature",
                who(models)
            ),
            Self::Unfilled { examples, of } => format!(
                "the last {examples} of {of} examples of {recipe} are 0 for every class of every model, as where outputs were never filled in (drop_last=True leaves the last batch out): leave these examples out, or fill them"
            ),
            Self::Duplicates { examples, of } => format!(
                "{examples} of {of} examples of {recipe} have a double that gives the same outputs, and some models were trained on one of both: who was trained on the other counts as a non-member, which hides leakage; leave doubles out"
            ),
        }
    }
}

/// "model 3", "models 3, 5".
fn who(models: &[usize]) -> String {
    match models {
        [one] => format!("model {one}"),
        many => format!("models {}", listed(many)),
    }
}

/// The first numbers of a list, and how many there are.
fn listed(all: &[usize]) -> String {
    let shown: Vec<String> = all.iter().take(5).map(usize::to_string).collect();
    let more = if all.len() > shown.len() { format!(" and {} more", all.len() - shown.len()) } else { String::new() };
    shown.join(", ") + &more
}
