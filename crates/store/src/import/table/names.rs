//! What a column is called, and what that makes it.

use super::super::given::Given;
use super::super::side::plain;

/// What a column says of a row, beside its outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Model,
    Example,
    Member,
    Label,
    Query,
    HeldOut,
}

impl Role {
    pub(super) const ALL: [Self; 6] =
        [Self::Model, Self::Example, Self::Member, Self::Label, Self::Query, Self::HeldOut];

    /// Names that a column of this role can have, the usual one first; case and signs between words do not count.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Model => &["model", "model_id", "model_idx", "model_index", "seed", "run", "run_id"],
            Self::Example => {
                &["example", "example_id", "example_idx", "example_index", "sample", "sample_id", "index", "idx", "id"]
            }
            Self::Member => {
                &["member", "is_member", "membership", "in_train", "in_training", "is_train", "train", "split"]
            }
            Self::Label => &["label", "labels", "target", "targets", "y", "true_label", "y_true"],
            Self::Query => &["query", "view"],
            Self::HeldOut => &["held_out", "heldout", "is_held_out"],
        }
    }

    /// In words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Model => "the model",
            Self::Example => "the example",
            Self::Member => "who is a member",
            Self::Label => "the label",
            Self::Query => "the view",
            Self::HeldOut => "what is held out",
        }
    }
}

/// Of which class a column is, or that it is of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Lists, one number per class.
    All,
    /// A class by number.
    Class(usize),
    /// A class by name.
    Named(String),
}

/// What a column is by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Row numbers that pandas, R and spreadsheets write: never used.
    Counter,
    Role(Role),
    /// One output per row.
    Single(Given),
    /// An output per class.
    PerClass(Given, Part),
    Unknown,
}

const SINGLE: [(Given, &[&str]); 3] = [
    (Given::Phi, &["phi"]),
    (Given::Loss, &["loss", "losses", "nll", "cross_entropy"]),
    (Given::Confidence, &["confidence", "conf"]),
];

/// Beginnings of the names of columns per class; longer ones stand before those that they begin with. Log-probabilities are logits: the
/// softmax of both is the same.
const PER_CLASS: [(&str, Given); 16] = [
    ("log_probabilities", Given::Logits),
    ("log_probability", Given::Logits),
    ("log_proba", Given::Logits),
    ("log_probs", Given::Logits),
    ("log_prob", Given::Logits),
    ("logprobs", Given::Logits),
    ("logprob", Given::Logits),
    ("logits", Given::Logits),
    ("logit", Given::Logits),
    ("probabilities", Given::Probabilities),
    ("probability", Given::Probabilities),
    ("probas", Given::Probabilities),
    ("proba", Given::Probabilities),
    ("probs", Given::Probabilities),
    ("prob", Given::Probabilities),
    ("p", Given::Probabilities),
];

/// What a column is by its name.
pub(super) fn meaning(name: &str) -> Meaning {
    let plain = plain(name);
    let counter = ["unnamed__", "__index_level_", "level_"]
        .iter()
        .any(|start| plain.strip_prefix(start).is_some_and(|rest| rest.trim_end_matches('_').parse::<u32>().is_ok()));
    if plain.is_empty() || counter {
        return Meaning::Counter;
    }
    let plain = plain.trim_matches(|c: char| !c.is_alphanumeric());
    if let Some(role) = Role::ALL.into_iter().find(|role| role.names().contains(&plain)) {
        return Meaning::Role(role);
    }
    if let Some((given, _)) = SINGLE.iter().find(|(_, names)| names.contains(&plain)) {
        return Meaning::Single(*given);
    }
    per_class(name.trim()).map_or(Meaning::Unknown, |(given, part)| Meaning::PerClass(given, part))
}

fn per_class(name: &str) -> Option<(Given, Part)> {
    let lower = name.to_ascii_lowercase();
    PER_CLASS.iter().find_map(|(start, given)| {
        // The rest keeps its case: it may be the name of a class.
        let rest = lower.strip_prefix(start).map(|rest| &name[name.len() - rest.len()..])?;
        if rest.is_empty() {
            return (*start != "p").then_some((*given, Part::All));
        }
        let (behind, apart) = match rest.strip_prefix(['_', '-', '.', ':', ' ', '[', '(']) {
            Some(behind) => (behind.trim_end_matches([']', ')']), true),
            None => (rest, false),
        };
        match behind.parse::<usize>() {
            Ok(class) if behind.bytes().all(|b| b.is_ascii_digit()) => Some((*given, Part::Class(class))),
            _ if apart && !behind.is_empty() => Some((*given, Part::Named(behind.to_owned()))),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_case_and_with_any_sign() {
        for (name, role) in [
            ("Model ID", Role::Model),
            ("seed", Role::Model),
            ("IDX", Role::Example),
            ("example-id", Role::Example),
            ("In_Train", Role::Member),
            ("Split", Role::Member),
            ("Y", Role::Label),
            ("true.label", Role::Label),
            ("Held-Out", Role::HeldOut),
            ("Member?", Role::Member),
            ("# model", Role::Model),
        ] {
            assert_eq!(meaning(name), Meaning::Role(role), "{name}");
        }
        for name in ["", "Unnamed: 0", "Unnamed: 12", "__index_level_0__", "level_0"] {
            assert_eq!(meaning(name), Meaning::Counter, "{name}");
        }
        for name in ["logits_", "probe", "pred_0", "logitx", "price_2", "p", "unnamed", "test_index"] {
            assert_eq!(meaning(name), Meaning::Unknown, "{name}");
        }
    }

    #[test]
    fn columns_per_class() {
        let class = |name: &str| match meaning(name) {
            Meaning::PerClass(given, Part::Class(class)) => Some((given, class)),
            _ => None,
        };
        for name in ["logit_3", "logit3", "Logits_3", "logit_03", "logit.3", "logits[3]", "LOGIT 3", "log_prob_3"] {
            assert_eq!(class(name), Some((Given::Logits, 3)), "{name}");
        }
        for name in ["probability_3", "prob_3", "probs_3", "p_3", "P3", "proba_3", "probabilities3"] {
            assert_eq!(class(name), Some((Given::Probabilities, 3)), "{name}");
        }
        assert_eq!(meaning("logits"), Meaning::PerClass(Given::Logits, Part::All));
        assert_eq!(meaning("proba"), Meaning::PerClass(Given::Probabilities, Part::All));
        assert_eq!(meaning("logit_Ankle boot"), Meaning::PerClass(Given::Logits, Part::Named("Ankle boot".into())));
        assert_eq!(meaning("Loss"), Meaning::Single(Given::Loss));
    }
}
