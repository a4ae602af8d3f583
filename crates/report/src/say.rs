//! How numbers and words are put, the same in the terminal and on the page.

use flatleak_results::{Blind, BlindStatus, Document, Estimate, MetricDifference, Word};
use flatleak_verdict::SUMMARY;

/// A rate in percent with the half width of its interval.
pub(crate) fn percent(e: &Estimate) -> String {
    if let Some((sign, limit)) = at_end(e) {
        return format!("{} % ({sign} {:.2})", 100.0 * e.mean, 100.0 * limit);
    }
    format!("{:.2} ± {:.2} %", 100.0 * e.mean, 50.0 * (e.high - e.low))
}

/// Four places with the half width of the interval.
pub(crate) fn value(e: &Estimate) -> String {
    format!("{:.4} ± {:.4}", e.mean, 0.5 * (e.high - e.low)).replace('-', "−")
}

/// A difference with its interval: four places, or two digits where four places would show nothing.
pub(crate) fn signed(e: &Estimate) -> String {
    let largest = e.low.abs().max(e.high.abs());
    let text = if e.mean != 0.0 && e.mean.abs() < 0.00005 && largest < 0.0005 {
        format!("{:+.1e} [{:+.1e}, {:+.1e}]", e.mean, e.low, e.high)
    } else {
        format!("{:+.4} [{:+.4}, {:+.4}]", e.mean, e.low, e.high)
    };
    text.replace('-', "−")
}

/// Text in which a hyphen that stands before a digit, and behind no letter or digit, is a minus.
pub(crate) fn prose(text: &str) -> String {
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    let mut out = String::with_capacity(text.len());
    while let Some(c) = rest.next() {
        let sign = c == '-' && !before.is_alphanumeric() && rest.peek().is_some_and(char::is_ascii_digit);
        out.push(if sign { '−' } else { c });
        before = c;
    }
    out
}

/// The sentences of a text, and the parts of those that semicolons join, each for a line of its own.
pub(crate) fn parts(text: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    for word in text.split(' ') {
        let last = out.len() - 1;
        if !out[last].is_empty() {
            out[last].push(' ');
        }
        // What ends a sentence; abbreviations do not stand in verdicts.
        let ends = word.ends_with(['.', ';']);
        out[last].push_str(word.strip_suffix(';').unwrap_or(word));
        if ends {
            out.push(String::new());
        }
    }
    out.retain(|part| !part.is_empty());
    out.iter().flat_map(|part| shorter(part)).collect()
}

/// A part in two where it is longer than a person reads at once and `and` joins clauses.
fn shorter(part: &str) -> Vec<String> {
    const LONGEST: usize = 28;
    match part.rsplit_once(", and ") {
        Some((first, second)) if part.split(' ').count() > LONGEST => {
            shorter(first).into_iter().chain([second.to_owned()]).collect()
        }
        _ => vec![part.to_owned()],
    }
}

/// A sentence that begins with a capital where its first word is no name.
pub(crate) fn capital(text: &str) -> String {
    let plain = ["it ", "there ", "nothing ", "the "];
    if plain.iter().any(|word| text.starts_with(word)) {
        let mut rest = text.chars();
        return rest.next().into_iter().flat_map(char::to_uppercase).chain(rest).collect();
    }
    text.to_owned()
}

/// A count with commas between thousands.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(d);
    }
    out
}

/// A p-value to four places, never as zero.
pub(crate) fn probability(p: f64) -> String {
    if p < 0.00005 { "<0.0001".into() } else { format!("{p:.4}") }
}

/// What a metric's word says: leakage is more or less, any other property higher or lower.
pub(crate) fn outcome(m: &MetricDifference) -> &'static str {
    let leakage = m.metric.is_leakage();
    match m.word {
        Word::RelevantlyMore if !leakage => "relevantly higher",
        Word::More if !leakage => "higher",
        Word::MoreNegligible if !leakage => "higher, but negligibly",
        Word::RelevantlyLess if !leakage => "relevantly lower",
        Word::Less if !leakage => "lower",
        Word::LessNegligible if !leakage => "lower, but negligibly",
        word => leaks(word),
    }
}

/// A word about leakage.
pub(crate) fn leaks(word: Word) -> &'static str {
    match word {
        Word::RelevantlyMore => "relevantly more",
        Word::More => "more",
        Word::MoreNegligible => "more, but negligibly",
        Word::Identical => "identical",
        Word::Equivalent => "no relevant difference",
        Word::LessNegligible => "less, but negligibly",
        Word::Less => "less",
        Word::RelevantlyLess => "relevantly less",
        Word::Open => "open",
        Word::TooFewModels => "too few models",
        Word::Withheld => "withheld",
    }
}

/// The only limit of a rate that is exactly 1 or 0: half a width says nothing at the end of its range.
pub(crate) fn at_end(e: &Estimate) -> Option<(char, f64)> {
    match (e.mean, e.low, e.high) {
        (1.0, low, 1.0) if low < 1.0 => Some(('≥', low)),
        (0.0, 0.0, high) if high > 0.0 => Some(('≤', high)),
        _ => None,
    }
}

/// The AUC of the blind attack, or why none is given.
pub(crate) fn without_outputs(blind: &Blind, figure: impl Fn(Estimate) -> String) -> String {
    match (blind.status, blind.auc) {
        (BlindStatus::BalancedByDesign, _) => "balanced".into(),
        (BlindStatus::FixedByDesign, _) => "fixed".into(),
        (BlindStatus::TooFewModels, _) => "too few models".into(),
        (BlindStatus::Measured, auc) => auc.map_or(String::new(), figure),
    }
}

/// An attack with the others that share its ROC.
pub(crate) fn label(d: &Document, attack: &str) -> String {
    let all = d.recipes.first().map_or(&[][..], |r| &r.attacks);
    let same = all.iter().filter(|a| a.same_roc_as.as_deref() == Some(attack));
    let aliases = same.map(|a| a.name.as_str()).collect::<Vec<_>>().join(", ");
    if aliases.is_empty() { attack.to_owned() } else { format!("{attack} (= {aliases})") }
}

/// Whether an attack stands in summaries.
pub(crate) fn stands_out(attack: &str) -> bool {
    SUMMARY.iter().any(|shown| shown.name() == attack)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_fall_into_parts_without_losing_a_word() {
        let text = "Against sgd, open: AUC less, by -0.0043 [-0.0075, -0.0011]; TPR @ 1 % FPR open. About 46 (32 to 90) would do.";
        let found = parts(text);
        assert_eq!(
            found,
            [
                "Against sgd, open: AUC less, by -0.0043 [-0.0075, -0.0011]",
                "TPR @ 1 % FPR open.",
                "About 46 (32 to 90) would do."
            ]
        );
        let long = format!("a {}, and this moves it by 1, and that by 2.", "word ".repeat(30));
        assert!(parts(&long).iter().all(|part| !part.contains(", and")) && parts(&long).len() == 3);
        assert_eq!(parts(""), Vec::<String>::new());
    }

    #[test]
    fn hyphens_before_numbers_alone_become_signs() {
        assert_eq!(prose("(-0.5 [-12, -4e-3]) of sgd-2x, 2026-11 - 3"), "(−0.5 [−12, −4e-3]) of sgd-2x, 2026-11 - 3");
    }
}
