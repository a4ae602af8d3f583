//! The verdict in everyday words.

use flatleak_results::{Comparison, Document, RecipeResult, Verdict};
use flatleak_verdict::{HEADLINE, headline_metric};

/// Most comparisons that are each said in a sentence.
const MOST: usize = 4;

/// What a person who decides needs to hear first.
pub(crate) struct Plain {
    /// A word or two.
    pub(crate) badge: &'static str,
    /// A sign beside the word, so that colour is never alone.
    pub(crate) sign: &'static str,
    /// Class of the colour.
    pub(crate) tone: &'static str,
    /// One sentence each.
    pub(crate) sentences: Vec<String>,
}

/// Word, sign and tone of a verdict.
pub(crate) fn badge(verdict: Verdict) -> (&'static str, &'static str, &'static str) {
    match verdict {
        Verdict::RelevantlyMore | Verdict::More => ("leaks more", "▲", "bad"),
        Verdict::RelevantlyLess | Verdict::Less => ("leaks less", "▼", "good"),
        Verdict::MoreNegligible | Verdict::LessNegligible | Verdict::Equivalent => {
            ("no difference that matters", "≈", "good")
        }
        Verdict::Identical => ("leaks the same", "=", "good"),
        Verdict::LessInPart => ("less in part", "◐", "open"),
        Verdict::Open => ("undecided", "?", "open"),
        Verdict::Mixed => ("more and less", "◆", "open"),
        Verdict::Varies => ("it depends", "◆", "open"),
        Verdict::Withheld => ("no verdict", "!", "open"),
        Verdict::TooFewModels => ("too few models", "!", "open"),
        Verdict::Leaks => ("leaks", "▲", "bad"),
        Verdict::Inverted => ("check the input", "!", "bad"),
        Verdict::NoRelevantLeak => ("no relevant leak", "✓", "good"),
        Verdict::Recommended => ("some can be recommended", "✓", "good"),
        Verdict::NoRecommendation => ("none to recommend", "?", "open"),
        Verdict::NotAsked => ("not asked", "–", "open"),
    }
}

/// The verdict of a document.
pub(crate) fn of(d: &Document) -> Plain {
    let (badge, sign, tone) = badge(d.headline.verdict);
    let sentences = if d.comparisons.is_empty() {
        alone(d)
    } else if d.comparisons.len() <= MOST {
        d.comparisons.iter().map(|c| compared(c, d.study.datasets.len() > 1)).collect()
    } else {
        counted(d)
    };
    Plain { badge, sign, tone, sentences }
}

/// One comparison.
fn compared(c: &Comparison, several: bool) -> String {
    let (a, b) = (&c.candidate, &c.baseline);
    let whose = "about its training data";
    let text = match c.headline.verdict {
        Verdict::RelevantlyMore => format!("{a} gives away clearly more {whose} than {b}"),
        Verdict::More => format!("{a} gives away more {whose} than {b}"),
        Verdict::MoreNegligible => format!("{a} gives away more {whose} than {b}, but too little to matter"),
        Verdict::Identical => format!("{a} gives away exactly as much {whose} as {b}"),
        Verdict::Equivalent => format!("{a} gives away as much {whose} as {b}, up to what does not matter"),
        Verdict::LessNegligible => format!("{a} gives away less {whose} than {b}, but too little to matter"),
        Verdict::Less => format!("{a} gives away less {whose} than {b}"),
        Verdict::RelevantlyLess => format!("{a} gives away clearly less {whose} than {b}"),
        Verdict::LessInPart => {
            format!("{a} gives away less {whose} than {b} by one measure, and the other is undecided")
        }
        Verdict::Mixed => format!("{a} gives away more {whose} than {b} by one measure, and less by the other"),
        Verdict::TooFewModels => {
            format!("there are too few models to compare what {a} and {b} give away {whose}")
        }
        Verdict::Withheld => format!("nothing is said of what {a} gives away {whose} beside {b}, for the reason below"),
        _ => format!("it is undecided whether {a} gives away more or less {whose} than {b}"),
    };
    if several { format!("On {}, {text}.", c.dataset) } else { format!("{text}.") }
}

/// Recipes that stand alone.
fn alone(d: &Document) -> Vec<String> {
    let one = |r: &RecipeResult| {
        let what = &r.name;
        let said = match r.guessing.as_ref()?.verdict {
            Verdict::Leaks => format!("{what} gives away who is in its training data"),
            Verdict::NoRelevantLeak => format!("{what} gives away next to nothing about its training data"),
            Verdict::Inverted => {
                format!("the training data of {what} look less like it than other data: check the input")
            }
            Verdict::TooFewModels => {
                format!("there are too few models to say what {what} gives away about its training data")
            }
            Verdict::Withheld => {
                format!("nothing is said of what {what} gives away about its training data, for the reason below")
            }
            _ => format!("it is undecided whether {what} gives away anything about its training data"),
        };
        Some(said + ".")
    };
    let found: Vec<String> = d.recipes.iter().filter_map(one).take(MOST).collect();
    if found.is_empty() { vec!["Nothing was asked about the training data here.".into()] } else { found }
}

/// How many comparisons say what.
fn counted(d: &Document) -> Vec<String> {
    let count = |is: fn(Verdict) -> bool| d.comparisons.iter().filter(|c| is(c.headline.verdict)).count();
    let (more, less) = (count(Verdict::says_more), count(Verdict::says_less));
    let small = count(|v| {
        matches!(v, Verdict::MoreNegligible | Verdict::LessNegligible | Verdict::Equivalent | Verdict::Identical)
    });
    let all = d.comparisons.len();
    vec![
        format!(
            "In {all} comparisons, {more} recipes give away more about their training data than their baseline, and {less} give away less."
        ),
        format!("In {small} the difference is too small to matter, and {} are not decided.", all - more - less - small),
    ]
}

/// How often an attacker picks the right one of two examples, for up to six recipes: the AUC as a probability (Hanley & McNeil 1982,
/// Radiology 143, 29).
pub(crate) fn size(d: &Document) -> Option<String> {
    const RECIPES: usize = 4;
    let auc = |r: &RecipeResult| r.attack(&HEADLINE.name()).map(|a| 100.0 * a.auc.mean);
    let first = d.study.datasets.first().map(|s| s.name.as_str());
    let found: Vec<(&str, f64)> = d
        .recipes
        .iter()
        .filter(|r| first.is_none_or(|name| r.dataset == name))
        .filter_map(|r| Some((r.name.as_str(), auc(r)?)))
        .collect();
    let least = found.iter().map(|f| f.1).fold(f64::INFINITY, f64::min);
    let most = found.iter().map(|f| f.1).fold(f64::NEG_INFINITY, f64::max);
    match found.len() {
        0 => None,
        1..=RECIPES => {
            let all: Vec<String> = found.iter().map(|(name, v)| format!("{v:.0} for {name}")).collect();
            Some(format!("{} of 100 pairs", all.join(", ")))
        }
        _ => Some(format!("{least:.0} to {most:.0} of 100 pairs, by recipe")),
    }
}

/// How sure that is.
pub(crate) fn certainty(d: &Document) -> String {
    let models = d.recipes.iter().map(|r| r.models).min().unwrap_or(0);
    if d.headline.verdict == Verdict::TooFewModels {
        return format!("From {models} models of each recipe nothing can be said with 95 % confidence.");
    }
    let together = if d.comparisons.len() > 1 { ", for all comparisons together" } else { "" };
    format!("Said with 95 % confidence{together}, from {models} models of each recipe.")
}

/// A metric of the verdict as everyday words.
pub(crate) fn everyday(metric: &flatleak_results::Metric) -> String {
    use flatleak_results::Measure;
    match metric {
        m if *m == headline_metric(Measure::Auc) => "picks".into(),
        m if m.is_tpr() => "found".into(),
        m => flatleak_verdict::called(m),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every verdict has a sentence of at most thirty words that names the training data, and a sign of its own beside the colour.
    #[test]
    fn every_verdict_is_said_shortly() {
        let mut d = crate::json::parse(include_str!("../tests/version1.json")).unwrap();
        d.comparisons.truncate(1);
        for verdict in [
            Verdict::RelevantlyMore,
            Verdict::More,
            Verdict::MoreNegligible,
            Verdict::Identical,
            Verdict::Equivalent,
            Verdict::LessNegligible,
            Verdict::Less,
            Verdict::RelevantlyLess,
            Verdict::LessInPart,
            Verdict::Open,
            Verdict::Mixed,
            Verdict::Withheld,
            Verdict::TooFewModels,
        ] {
            d.comparisons[0].headline.verdict = verdict;
            let said = of(&d).sentences.join(" ");
            assert!(said.contains("training data") && said.split_whitespace().count() <= 30, "{said}");
            let (more, less) = (said.contains("more about"), said.contains("less about"));
            assert_eq!(
                more && !less,
                verdict.says_more() || verdict == Verdict::MoreNegligible || verdict == Verdict::Mixed,
                "{said}"
            );
            assert!(!badge(verdict).1.is_empty() && !badge(verdict).0.is_empty());
        }
    }

    #[test]
    fn the_size_is_the_auc_of_the_strongest_attack() {
        let mut d = crate::json::parse(include_str!("../tests/version1.json")).unwrap();
        d.recipes.truncate(1);
        d.recipes[0]
            .attacks
            .iter_mut()
            .filter(|a| a.name == flatleak_verdict::HEADLINE.name())
            .for_each(|a| a.auc.mean = 0.806);
        let name = d.recipes[0].name.clone();
        assert_eq!(size(&d).unwrap(), format!("81 for {name} of 100 pairs"));
    }
}
