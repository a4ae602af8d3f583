//! Outputs that are no numbers, or cannot be what they are said to be.

use crate::import::{Given, Terms};
use crate::number::number;

/// Values of one model that are no numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Dark {
    /// The model.
    pub model: usize,
    /// How many.
    pub all: usize,
    /// How many of them on members.
    pub members: usize,
    /// Whether it is known who is a member.
    pub sides: bool,
    /// The first of them, and its example.
    pub first: Option<(f64, usize)>,
}

impl Dark {
    /// None so far.
    pub(crate) fn of(model: usize) -> Self {
        Self { model, all: 0, members: 0, sides: false, first: None }
    }

    /// One more, on a member or not, where that is known.
    pub(crate) fn add(&mut self, value: f64, example: usize, member: Option<bool>) {
        self.all += 1;
        self.members += usize::from(member == Some(true));
        self.sides |= member.is_some();
        self.first.get_or_insert((value, example));
    }
}

/// Values that are no numbers, by model and side.
pub(crate) fn dark(models: &[Dark]) -> String {
    const SHOWN: usize = 5;
    let one = |d: &Dark| {
        let sides = if d.sides {
            format!(" ({} on members, {} on others)", d.members, d.all - d.members)
        } else {
            String::new()
        };
        let first = d
            .first
            .map_or(String::new(), |(value, example)| format!(", the first {} at example {example}", number(value)));
        format!("{} of model {}{sides}{first}", d.all, d.model)
    };
    let all: usize = models.iter().map(|d| d.all).sum();
    let shown: Vec<String> = models.iter().take(SHOWN).map(one).collect();
    let more = if models.len() > SHOWN { format!("; and {} more models", models.len() - SHOWN) } else { String::new() };
    let mend = "leave these examples or models out of every array, or repair what made them";
    format!("has {all} values that are no numbers: {}{more}; {mend}", shown.join("; "))
}

/// Why outputs cannot be what they are said to be; each says what would be right.
#[derive(Debug, thiserror::Error)]
pub enum Implausible {
    /// One value for all.
    #[error(
        "does not vary: phi is {phi} for every model and example, so that there is nothing to attack: probabilities that all round to 1 need logits instead, and outputs that were never computed are to be computed"
    )]
    Constant {
        /// The value.
        phi: f32,
    },
    /// Two models with the same bits.
    #[error(
        "has the same outputs for models {first} and {second}, bit by bit: give every model once, trained from its own membership"
    )]
    Identical {
        /// One.
        first: usize,
        /// The other.
        second: usize,
    },
    /// Columns of other labels.
    #[error("{}", columns(self))]
    Columns {
        /// What its values are.
        given: Given,
        /// How outputs were given.
        terms: Terms,
        /// By label, the column that fits.
        order: Vec<usize>,
        /// Share of members on which the given labels are right.
        accuracy: f64,
        /// Share on which the other order is.
        fits: f64,
        /// The columns stand as their numbers do as text.
        in_text_order: bool,
    },
    /// The one column is the other class's.
    #[error(
        "is right on {:.1} % of the members as the second class's {}, so it seems to be the first class's: give {}{}",
        100.0 * accuracy, given.name(), if *given == Given::Logits { "its negative" } else { "1 less it" }, deliberate(*terms)
    )]
    OtherColumn {
        /// What its values are.
        given: Given,
        /// How outputs were given.
        terms: Terms,
        /// Share of members on which it is right.
        accuracy: f64,
    },
    /// Logits with their sign turned.
    #[error(
        "has the least value at the label for {:.1} % of the members: the sign seems to be turned, or these are losses by class; give the negative{}",
        100.0 * share, deliberate(*terms)
    )]
    Negated {
        /// How outputs were given.
        terms: Terms,
        /// Share of members on which the label's value is least.
        share: f64,
    },
    /// Scores of pairs of classes.
    #[error(
        "has {columns} columns for {classes} classes and is right on {:.1} % of the members: these seem to be the one-against-one scores of {classes} classes, whose columns are no classes; save one-against-rest scores (decision_function_shape=\"ovr\") or predict_proba",
        100.0 * accuracy
    )]
    OneAgainstOne {
        /// Columns.
        columns: usize,
        /// Classes of the labels.
        classes: usize,
        /// Share of members on which they are right.
        accuracy: f64,
    },
    /// Values of the positive class instead of the label's.
    #[error("{}", positive_class(*given, *terms))]
    PositiveClass {
        /// What its values are said to be.
        given: Given,
        /// How outputs were given.
        terms: Terms,
    },
}

/// What else may be so where labels do not fit, and what to do then.
fn deliberate(terms: Terms) -> String {
    let loss = terms.single(Given::Loss);
    format!(
        "; or the labels are wrong on purpose, as those of canaries are: then give the cross-entropy at each example's label as {loss}"
    )
}

/// Values of the positive class, in words.
fn positive_class(given: Given, terms: Terms) -> String {
    let second = |given| terms.second(given);
    let (what, mend) = match given {
        Given::Loss => ("loss", format!("give exp(-loss) as {}", second(Given::Probabilities))),
        Given::Phi => ("logit", format!("give it as {}", second(Given::Logits))),
        _ => ("probability", format!("give it as {}", second(Given::Probabilities))),
    };
    format!(
        "rises with membership for examples of class 1 and falls for those of class 0: it seems to be the {what} of class 1 and not of each example's label; {mend}"
    )
}

/// Columns that belong to other labels, in words.
fn columns(found: &Implausible) -> String {
    const SHOWN: usize = 24;
    let Implausible::Columns { given, terms, order, accuracy, fits, in_text_order } = found else {
        return String::new();
    };
    let text = if *in_text_order { ", which is their order as text (0, 1, 10, 11, 2)" } else { "" };
    let percent = |v: &f64| format!("{:.1} %", 100.0 * v);
    let list: Vec<String> = order.iter().take(SHOWN).map(usize::to_string).collect();
    let list = list.join(", ");
    let mend = match terms {
        _ if order.len() > SHOWN => format!("the columns of the first labels are {list}"),
        Terms::Columns => {
            let labels: Vec<String> = (0..order.len()).map(|y| y.to_string()).collect();
            let labels = labels.join(", ");
            format!("rename the columns of the classes {list} to those of {labels}, or put lists into that order")
        }
        Terms::Flags => format!("outputs[..., [{list}]] has the labels' order"),
        Terms::Names | Terms::Arguments => format!("{}[..., [{list}]] has the labels' order", given.name()),
    };
    format!(
        "has its columns in another order than the labels{text}: labels are right on {} of the members, in the other order on {}; {mend}{}",
        percent(accuracy),
        percent(fits),
        deliberate(*terms)
    )
}
