//! The terms of the page, each in a sentence or two.

/// One term.
pub(crate) struct Term {
    /// Anchor, behind `term-`.
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

const fn term(id: &'static str, name: &'static str, text: &'static str) -> Term {
    Term { id, name, text }
}

/// All of them, in the order of the alphabet.
pub(crate) const TERMS: [Term; 25] = [
    term(
        "advantage",
        "advantage",
        "The TPR minus the FPR of an attack at one threshold: 0 is guessing, 1 is certainty.",
    ),
    term("attack", "attack", "A rule that gives each example a score: the higher, the more it looks like a member."),
    term(
        "headline",
        "attack of the verdict",
        "The attack that is learnt from all other attacks, and that the verdict rests on.",
    ),
    term(
        "auc",
        "AUC",
        "The chance that an attack scores a random member above a random non-member (area under the ROC curve). 0.5 is guessing, 1 is certainty.",
    ),
    term(
        "balanced-accuracy",
        "balanced accuracy",
        "The mean of the share of members and the share of non-members that an attack tells rightly. 0.5 is guessing.",
    ),
    term(
        "block",
        "block",
        "Models that share a split of the examples. A target is never attacked with models of its own block.",
    ),
    term("confidence", "confidence", "The probability that a model gives the true label."),
    term(
        "fpr",
        "FPR",
        "False-positive rate: the share of non-members that an attack takes for members, so the people who are accused wrongly.",
    ),
    term("held-out", "held-out examples", "Examples that no model was trained on. Test accuracy is measured on them."),
    term(
        "influence",
        "influence",
        "How much more often models that were trained on one example are right about another, beside models that were not.",
    ),
    term(
        "influence-entropy",
        "influence entropy",
        "Over how many training examples the help for an unseen example is spread. Low: it rests on few, so it is atypical.",
    ),
    term(
        "interval",
        "interval",
        "A range around an estimate. In 95 of 100 repetitions such a range holds what more models would show.",
    ),
    term(
        "leak",
        "leak",
        "A model leaks when its outputs help to tell who is in its training set. Leakage is how well that works.",
    ),
    term(
        "lira",
        "LiRA",
        "The likelihood ratio attack of Carlini et al. (2022). It asks whether an output fits models that saw the example better than models that did not.",
    ),
    term("member", "member", "An example that the attacked model was trained on; the others are non-members."),
    term(
        "membership-inference",
        "membership inference",
        "Telling from a model's outputs whether an example was in the training set.",
    ),
    term(
        "memorization",
        "memorization",
        "How much more often models are right about an example when they were trained on it (Feldman 2020). 0 is learnt from others, 1 is known by heart.",
    ),
    term(
        "phi",
        "phi",
        "The logarithm of the odds that a model gives the true label. 0 is undecided, and each step of 1 is a factor of 2.7.",
    ),
    term(
        "recipe",
        "recipe",
        "How models are trained and published: optimizer, epochs, defences and all their settings.",
    ),
    term("relevant", "relevant difference", "The smallest difference that matters, fixed before results are seen."),
    term(
        "rmia",
        "RMIA",
        "The robust attack of Zarifzadeh et al. (2024). It compares the confidence in an example with what other models give it on average.",
    ),
    term("roc", "ROC curve", "The TPR of an attack at every FPR, from the strictest threshold to the laxest."),
    term(
        "sam",
        "SAM",
        "Sharpness-aware minimisation (Foret et al. 2021): training that looks for weights whose neighbourhood fits well too. SGD is plain training.",
    ),
    term(
        "shadow",
        "shadow model",
        "A model that the attacker trains, to see how outputs look with and without an example.",
    ),
    term(
        "tpr",
        "TPR",
        "True-positive rate: the share of members that an attack finds. TPR @ 1 % FPR is that share while 1 % of the non-members are accused wrongly.",
    ),
];

/// A term as a link to its entry, with the entry for whoever points at it; `shown` is how the text has it.
pub(crate) fn link(id: &str, shown: Option<&str>) -> String {
    TERMS.iter().find(|t| t.id == id).map_or_else(String::new, |t| {
        let (text, shown) = (crate::plot::escape_all(t.text), crate::plot::escape_all(shown.unwrap_or(t.name)));
        format!("<a class=\"term\" href=\"#term-{id}\" title=\"{text}\">{shown}</a>")
    })
}

/// A term as an abbreviation whose title is its entry.
pub(crate) fn abbr(id: &str, shown: Option<&str>) -> String {
    TERMS.iter().find(|t| t.id == id).map_or_else(String::new, |t| {
        let (text, shown) = (crate::plot::escape_all(t.text), crate::plot::escape_all(shown.unwrap_or(t.name)));
        format!("<abbr title=\"{text}\">{shown}</abbr>")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_sorted_and_short_and_every_link_finds_its_entry() {
        assert!(TERMS.is_sorted_by_key(|t| t.name.to_lowercase()));
        for t in &TERMS {
            // A point ends a sentence, but those of `et al.` and of numbers.
            for sentence in t.text.replace("et al.", "et al").split(". ") {
                assert!(sentence.split_whitespace().count() <= 30, "{sentence}");
            }
        }
        // Links of templates and of code, by their text.
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        for entry in ["src/sections", "templates"].iter().flat_map(|f| std::fs::read_dir(folder.join(f)).unwrap()) {
            let path = entry.unwrap().path();
            let text = if path.is_file() { std::fs::read_to_string(path).unwrap() } else { String::new() };
            for start in ["term(\"", "term_as(\"", "abbr(\""] {
                for id in text.split(start).skip(1).map(|rest| rest.split('"').next().unwrap()) {
                    assert!(!link(id, None).is_empty(), "{id}");
                }
            }
        }
    }
}
