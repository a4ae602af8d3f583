//! Verdicts in words.

use crate::condition::{self, Condition};
use crate::guessing::GuessingPoint;
use crate::words::{Direction, Word};
use crate::{
    AgainstGuessing, Comparison, Estimate, FPR_LEVELS, Frontier, Headline, Pairing, PointResult, RecipeResult, Verdict,
    blind,
};

/// Most recipes of a study that asks one question.
pub const FEW: usize = 4;

/// Fewest decimals of a figure, and most.
const DECIMALS: std::ops::RangeInclusive<usize> = 3..=5;

/// Decimals at which a size still shows two digits.
fn decimals(size: f64) -> usize {
    let wanted = if size > 0.0 { (1.0 - size.abs().log10()).ceil().max(0.0) as usize } else { 0 };
    wanted.clamp(*DECIMALS.start(), *DECIMALS.end())
}

fn signed(value: f64, decimals: usize) -> String {
    format!("{value:+.decimals$}")
}

/// A difference with its interval, at the precision that its limits call for.
fn interval(e: &Estimate) -> String {
    let d = decimals((e.high - e.low).min(e.mean.abs().max(1e-9)));
    format!("{} [{}, {}]", signed(e.mean, d), signed(e.low, d), signed(e.high, d))
}

/// A metric of the attack of headlines for readers: `AUC`, `TPR @ 1 % FPR`.
pub fn called(metric: &str) -> String {
    let measure = metric.rsplit_once(").").map_or_else(|| metric.split_once('.').map_or(metric, |m| m.1), |m| m.1);
    match measure.strip_prefix("tpr@").and_then(|l| l.parse::<f64>().ok()) {
        Some(level) if FPR_LEVELS.contains(&level) => format!("TPR @ {} % FPR", (level * 1e6).round() / 1e4),
        _ if measure == "auc" => "AUC".into(),
        _ => metric.into(),
    }
}

/// What is said at one point, as "AUC relevantly more, by +.024 [+.018, +.030]".
pub(crate) fn at_point(p: &PointResult) -> String {
    let (name, e) = (called(&p.metric), &p.difference);
    let said = match p.word {
        Word::RelevantlyMore => format!("relevantly more, by {}", interval(e)),
        Word::More => format!("more, by {}", interval(e)),
        Word::MoreNegligible => format!("more, but negligibly, by {}", interval(e)),
        Word::Identical => "identical".into(),
        Word::Equivalent => {
            let most = e.low.abs().max(e.high.abs());
            let d = decimals(most);
            // Rounded up: the limit is below what is said.
            let scale = 10f64.powi(d as i32);
            format!("no relevant difference, below {:.d$} with 95 % confidence", (most * scale).ceil() / scale)
        }
        Word::LessNegligible => format!("less, but negligibly, by {}", interval(e)),
        Word::Less => format!("less, by {}", interval(e)),
        Word::RelevantlyLess => format!("relevantly less, by {}", interval(e)),
        Word::Open => {
            let d = decimals(e.high - e.low);
            format!("open, between {} and {}", signed(e.low, d), signed(e.high, d))
        }
        Word::TooFewModels => "too few models".into(),
        Word::Withheld => "withheld".into(),
    };
    format!("{name} {said}")
}

fn at_points(points: &[PointResult]) -> String {
    points.iter().map(at_point).collect::<Vec<_>>().join("; ")
}

/// What this number of models can tell, and what number would settle it: for open verdicts alone.
pub(crate) fn planning(verdict: Verdict, points: &[PointResult], models: usize) -> String {
    if !verdict.is_open() {
        return String::new();
    }
    // A point that has its word needs no more models.
    let open: Vec<&PointResult> = points.iter().filter(|p| p.word == Word::Open).collect();
    let found: Vec<String> = open
        .iter()
        .filter_map(|p| p.detectable.map(|d| format!("{:.*} in {}", decimals(d), d, called(&p.metric))))
        .collect();
    if found.is_empty() {
        return String::new();
    }
    let mut out = format!(" {models} models per recipe can detect a difference of {}", found.join(" and of "));
    let needed: Vec<_> = open.iter().filter_map(|p| p.models_needed).collect();
    // The point that needs most decides; one out of reach needs more than any.
    let most = needed.iter().max_by_key(|n| n.about.unwrap_or(usize::MAX));
    let most = most.filter(|n| n.about.is_none_or(|about| about > models));
    match most.map(|n| (n.about, n.low, n.high)) {
        Some((Some(about), low, high)) => {
            let low = low.unwrap_or(about).max(models);
            let range = high.map_or_else(|| format!("at least {low}"), |high| format!("{low} to {high}"));
            out += &format!("; about {about} ({range}) would probably show or exclude a relevant one");
        }
        Some((None, ..)) => out += "; more than 10000 would be needed to show or exclude a relevant one",
        None => {}
    }
    out + "."
}

/// What a verdict says of a candidate against a baseline; `None` where it needs its points to be said.
fn opening(verdict: Verdict, candidate: &str, against: &str) -> String {
    match verdict {
        Verdict::RelevantlyMore => format!("{candidate} leaks relevantly more about its training data than {against}"),
        Verdict::More => format!("{candidate} leaks more about its training data than {against}"),
        Verdict::MoreNegligible => format!("{candidate} leaks more than {against}, but negligibly"),
        Verdict::Identical => format!("{candidate} and {against} leak the same"),
        Verdict::Equivalent => format!("No relevant difference in leakage between {candidate} and {against}"),
        Verdict::LessNegligible => format!("{candidate} leaks less than {against}, but negligibly"),
        Verdict::Less => format!("{candidate} leaks less about its training data than {against}"),
        Verdict::RelevantlyLess => format!("{candidate} leaks relevantly less about its training data than {against}"),
        Verdict::LessInPart => {
            format!("Whether {candidate} leaks less than {against} is shown in part and open in part")
        }
        Verdict::Mixed => format!("{candidate} against {against} is mixed, more by one measure and less by another"),
        Verdict::Withheld => format!("Whether {candidate} leaks more or less than {against} is withheld"),
        Verdict::TooFewModels => format!("Too few models for any verdict on {candidate} against {against}"),
        _ => format!("It is open whether {candidate} leaks more or less than {against}"),
    }
}

/// The verdict over the points of one comparison of `models` models per recipe.
pub(crate) fn of_comparison(
    (baseline, candidate): (&str, &str),
    models: usize,
    pairing: Pairing,
    points: &[PointResult],
    conditions: &[Condition],
) -> Headline {
    let words: Vec<_> = points.iter().map(|p| (p.word, p.at_most_relevant)).collect();
    let verdict = condition::under(crate::words::joined(&words), conditions);
    let mut sentence = match verdict {
        // Something is shown, and too small to matter.
        Verdict::Open if points.iter().any(|p| p.word.direction() != Direction::Neither) => {
            format!("It is open whether {candidate} leaks relevantly more or less than {baseline}")
        }
        _ => opening(verdict, candidate, baseline),
    };
    match (verdict, condition::withholding(conditions)) {
        (Verdict::TooFewModels, _) => sentence += ".",
        (Verdict::Withheld, Some(why)) => sentence += &format!(": {}.", why.reason()),
        _ => sentence += &format!(": {}.", at_points(points)),
    }
    for fit in conditions.iter().filter(|c| stands_beside(c, verdict, candidate)) {
        sentence += &format!(" {}.", fit.reason());
    }
    if pairing == Pairing::OtherExamples && !matches!(verdict, Verdict::Withheld | Verdict::TooFewModels) {
        sentence += " The recipes are judged on different examples: intervals cover another draw of examples too.";
    }
    sentence += &planning(verdict, points, models);
    Headline { verdict, sentence }
}

/// Whether a condition that forbids nothing belongs beside a verdict: of a membership that looks inverted always, of a fit beside less leakage.
fn stands_beside(c: &Condition, verdict: Verdict, candidate: &str) -> bool {
    match c {
        Condition::MembersDoWorse { .. } => verdict != Verdict::TooFewModels,
        Condition::Unfitted { recipe, .. } => verdict.says_less() && recipe == candidate,
        _ => false,
    }
}

/// The verdict over everything that a document compares on one data set: a sentence for every candidate, "more" and "less" only where all its
/// baselines agree. Over more recipes than one question is about, the sets of the frontier answer.
pub(crate) fn overall(comparisons: &[Comparison], recipes: &[RecipeResult], frontier: Option<&Frontier>) -> Headline {
    let mut found = match (comparisons.is_empty(), frontier.filter(|_| recipes.len() > FEW)) {
        (true, _) => alone(recipes),
        (false, Some(frontier)) => many(comparisons, frontier),
        (false, None) => candidates(comparisons),
    };
    for text in recipes.iter().filter_map(|r| blind::sentence(&r.name, r.blind.as_ref()?)) {
        found.sentence = format!("{} {text}", found.sentence);
    }
    found
}

/// Every candidate of a document, in the order of the comparisons.
pub(crate) fn names(comparisons: &[Comparison]) -> Vec<&str> {
    let mut out: Vec<&str> = Vec::new();
    for c in comparisons {
        if !out.contains(&c.candidate.as_str()) {
            out.push(&c.candidate);
        }
    }
    out
}

/// One sentence or more for every candidate.
fn candidates(comparisons: &[Comparison]) -> Headline {
    let mut all = Vec::new();
    for candidate in names(comparisons) {
        let mine: Vec<&Comparison> = comparisons.iter().filter(|c| c.candidate == candidate).collect();
        all.push(of_candidate(&mine));
    }
    let first = all.first().map_or(Verdict::NotAsked, |h| h.verdict);
    let verdict = if all.iter().all(|h| h.verdict == first) { first } else { Verdict::Varies };
    Headline { verdict, sentence: all.into_iter().map(|h| h.sentence).collect::<Vec<_>>().join(" ") }
}

/// The verdicts against several baselines as one; `None` where they do not agree.
pub(crate) fn agreed(all: &[Verdict]) -> Option<Verdict> {
    let first = *all.first()?;
    let each = |f: &dyn Fn(Verdict) -> bool| all.iter().all(|v| f(*v));
    if each(&|v| v == first) {
        return Some(first);
    }
    let small =
        |v| matches!(v, Verdict::MoreNegligible | Verdict::LessNegligible | Verdict::Identical | Verdict::Equivalent);
    match () {
        () if each(&Verdict::says_more) => Some(Verdict::More),
        () if each(&Verdict::says_less) => Some(Verdict::Less),
        () if each(&small) => Some(Verdict::Equivalent),
        () if each(&|v| v.is_open()) => Some(Verdict::Open),
        () => None,
    }
}

fn of_candidate(mine: &[&Comparison]) -> Headline {
    let [only] = mine else {
        let verdicts: Vec<Verdict> = mine.iter().map(|c| c.headline.verdict).collect();
        let Some(first) = mine.first() else {
            return Headline { verdict: Verdict::NotAsked, sentence: String::new() };
        };
        let candidate = &first.candidate;
        if let Some(sentence) = withheld_alike(mine) {
            return Headline { verdict: Verdict::Withheld, sentence };
        }
        let each: Vec<String> = mine.iter().map(|c| format!("Against {}, {}", c.baseline, in_short(c))).collect();
        let (verdict, start) = match agreed(&verdicts) {
            Some(v) => {
                let all = mine.iter().map(|c| c.baseline.as_str()).collect::<Vec<_>>();
                // "between a and b and c" is none.
                let joint = match v {
                    Verdict::Equivalent => {
                        format!("No relevant difference in leakage between {candidate} and any of {}", all.join(", "))
                    }
                    Verdict::Identical => format!("{candidate} leaks the same as {}", all.join(" and as ")),
                    Verdict::Mixed => {
                        format!(
                            "{candidate} is mixed against {}, more by one measure and less by another",
                            all.join(" and ")
                        )
                    }
                    Verdict::TooFewModels => format!("Too few models for any verdict on {candidate}"),
                    _ => opening(v, candidate, &all.join(" and than ")),
                };
                (v, joint)
            }
            None => (Verdict::Varies, format!("What is said of {candidate} depends on the baseline")),
        };
        let planned = |c: &&Comparison| {
            let text = planning(c.headline.verdict, &c.points, c.models);
            if text.is_empty() { text } else { format!(" Against {},{text}", c.baseline) }
        };
        let more: String = mine.iter().map(planned).collect();
        return Headline { verdict, sentence: format!("{start}. {}.{more}", each.join(". ")) };
    };
    only.headline.clone()
}

/// All baselines at once, where one reason withholds every word.
fn withheld_alike(mine: &[&Comparison]) -> Option<String> {
    let first = mine.first()?;
    let why = condition::withholding(&first.conditions)?;
    let alike =
        |c: &&Comparison| c.headline.verdict == Verdict::Withheld && condition::withholding(&c.conditions) == Some(why);
    let all: Vec<&str> = mine.iter().map(|c| c.baseline.as_str()).collect();
    mine.iter().all(alike).then(|| {
        format!("{}: {}.", opening(Verdict::Withheld, &first.candidate, &all.join(" and than ")), why.reason())
    })
}

/// One comparison without its names.
fn in_short(c: &Comparison) -> String {
    match (c.headline.verdict, condition::withholding(&c.conditions)) {
        (Verdict::TooFewModels, _) => "too few models".into(),
        (Verdict::Withheld, Some(why)) => format!("withheld, {}", why.reason()),
        _ => {
            let fit = c.conditions.iter().find(|f| stands_beside(f, c.headline.verdict, &c.candidate));
            let word = GROUPS.iter().find(|(v, _)| *v == c.headline.verdict).map_or("open", |(_, word)| word);
            format!("{word}: {}", at_points(&c.points)) + &fit.map_or(String::new(), |f| format!(" ({})", f.reason()))
        }
    }
}

/// What can be recommended, and what is said of every candidate, by words.
fn many(comparisons: &[Comparison], frontier: &Frontier) -> Headline {
    let verdict = if frontier.recommended.is_empty() { Verdict::NoRecommendation } else { Verdict::Recommended };
    let mut sentence = format!("{}.", frontier.sentence);
    let mut baselines: Vec<&str> = Vec::new();
    for c in comparisons {
        if !baselines.contains(&c.baseline.as_str()) {
            baselines.push(&c.baseline);
        }
    }
    for baseline in baselines {
        let parts: Vec<String> = GROUPS
            .iter()
            .filter_map(|(verdict, word)| {
                let own = comparisons.iter().filter(|c| c.baseline == baseline && c.headline.verdict == *verdict);
                let own: Vec<&str> = own.map(|c| c.candidate.as_str()).collect();
                (!own.is_empty()).then(|| format!("{word}: {}", own.join(", ")))
            })
            .collect();
        sentence += &format!(" Against {baseline}, {}.", parts.join("; "));
    }
    Headline { verdict, sentence }
}

/// How candidates are grouped where there are many.
pub(crate) const GROUPS: [(Verdict, &str); 13] = [
    (Verdict::RelevantlyMore, "relevantly more"),
    (Verdict::More, "more"),
    (Verdict::MoreNegligible, "more, but negligibly"),
    (Verdict::Mixed, "more by one measure and less by another"),
    (Verdict::Identical, "the same"),
    (Verdict::Equivalent, "no relevant difference"),
    (Verdict::LessNegligible, "less, but negligibly"),
    (Verdict::LessInPart, "less by one measure and open by the other"),
    (Verdict::Less, "less"),
    (Verdict::RelevantlyLess, "relevantly less"),
    (Verdict::Open, "open"),
    (Verdict::Withheld, "withheld"),
    (Verdict::TooFewModels, "too few models"),
];

/// How far an attacker gets against every pool of a document that compares nothing.
fn alone(recipes: &[RecipeResult]) -> Headline {
    let found: Vec<(&RecipeResult, &AgainstGuessing)> =
        recipes.iter().filter_map(|r| Some((r, r.guessing.as_ref()?))).collect();
    let Some((_, first)) = found.first() else {
        return Headline {
            verdict: Verdict::NotAsked,
            sentence: "No attack was run: nothing is said of leakage.".into(),
        };
    };
    let verdict = if found.iter().all(|(_, g)| g.verdict == first.verdict) { first.verdict } else { Verdict::Varies };
    let each = found.iter().map(|(r, g)| against_guessing(&r.name, g, &r.conditions));
    Headline { verdict, sentence: each.collect::<Vec<_>>().join(" ") }
}

/// One pool, or one target, against guessing.
pub fn against_guessing(name: &str, found: &AgainstGuessing, conditions: &[Condition]) -> String {
    let said = said_of_one(name, found, conditions);
    let odd = conditions.iter().find(|c| matches!(c, Condition::MembersDoWorse { .. }));
    odd.map_or(said.clone(), |c| format!("{said} But {}.", c.reason()))
}

fn said_of_one(name: &str, found: &AgainstGuessing, conditions: &[Condition]) -> String {
    let figures = found.points.iter().map(beside_chance).collect::<Vec<_>>().join(" and ");
    let attack = "An attacker tells members from others";
    match (found.verdict, condition::withholding(conditions)) {
        (Verdict::Leaks, _) => format!("{name} leaks: an attacker tells members from others with {figures}."),
        (Verdict::NoRelevantLeak, _) if found.points.iter().any(GuessingPoint::is_above) => {
            format!("{name} leaks, but negligibly: an attacker tells members from others with {figures}.")
        }
        (Verdict::NoRelevantLeak, _) => format!("{name} shows no relevant leak. {attack} with {figures}."),
        (Verdict::Inverted, _) => format!(
            "{name} is inverted: its members look less like members than others do, with {figures}. Check that the membership is not the wrong way round."
        ),
        (Verdict::Withheld, Some(why)) => {
            format!("Whether {name} leaks is withheld: {}. {attack} with {figures}.", why.reason())
        }
        (Verdict::TooFewModels, _) => format!("Too few models of {name} for any verdict."),
        _ => format!("It is open whether {name} leaks. {attack} with {figures}."),
    }
}

fn beside_chance(p: &GuessingPoint) -> String {
    let (name, e) = (called(&p.metric), p.estimate);
    if name == "AUC" {
        return format!("AUC {:.3} [{:.3}, {:.3}] where .5 is guessing", e.mean, e.low, e.high);
    }
    let percent = |v: f64| format!("{:.*}", if v < 0.01 { 2 } else { 1 }, 100.0 * v);
    format!(
        "{name} {} % [{}, {}] where guessing gives {} %",
        percent(e.mean),
        percent(e.low),
        percent(e.high),
        percent(p.chance)
    )
}

/// Whether a candidate is said to leak more than a baseline at any point, however little.
pub(crate) fn says_up(c: &Comparison) -> bool {
    c.points.iter().any(|p| p.word.direction() == Direction::Up)
}

/// Whether it is said to leak less.
pub(crate) fn says_down(c: &Comparison) -> bool {
    c.points.iter().any(|p| p.word.direction() == Direction::Down)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::guessing;
    use crate::{Needed, Relevant};

    const BOOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../book/");

    /// A difference that gives a word, in units of the smallest relevant one.
    fn limits(word: Word) -> (f64, f64) {
        match word {
            Word::RelevantlyMore => (1.2, 3.0),
            Word::More => (0.2, 3.0),
            Word::MoreNegligible => (0.2, 0.8),
            Word::Identical => (0.0, 0.0),
            Word::Equivalent => (-0.4, 0.8),
            Word::LessNegligible => (-0.8, -0.2),
            Word::Less => (-3.0, -0.2),
            Word::RelevantlyLess => (-3.0, -1.2),
            Word::Open => (-2.0, 3.0),
            Word::TooFewModels | Word::Withheld => (-100.0, 100.0),
        }
    }

    fn point(metric: &str, relevant: f64, word: Word) -> PointResult {
        let (l, u) = limits(word);
        let sd = 0.5 * (u - l) * relevant / 2.5;
        let reached = word == Word::TooFewModels;
        PointResult {
            metric: metric.into(),
            word,
            difference: Estimate { mean: 0.5 * (l + u) * relevant, low: l * relevant, high: u * relevant },
            level: 0.975,
            p_adjusted: if l > 0.0 || u < 0.0 { 0.01 } else { 0.5 },
            relevant,
            at_most_relevant: u < 1.0,
            detectable: (!reached).then_some(3.3 * sd),
            models_needed: (!reached).then_some(Needed { about: Some(90), low: Some(54), high: Some(180) }),
        }
    }

    fn both(auc: Word, tpr: Word) -> Vec<PointResult> {
        vec![point("strongest.auc", 0.01, auc), point("strongest.tpr@0.01", 0.02, tpr)]
    }

    fn said(auc: Word, tpr: Word, conditions: &[Condition]) -> Headline {
        of_comparison(("sgd", "sam"), 32, Pairing::Paired, &both(auc, tpr), conditions)
    }

    fn conditions() -> Vec<(&'static str, Condition)> {
        let sam = || "sam".to_owned();
        vec![
            ("candidate did not learn", Condition::DidNotLearn { recipe: sam(), member_accuracy: 0.12, chance: 0.104 }),
            (
                "baseline did not learn",
                Condition::DidNotLearn { recipe: "sgd".into(), member_accuracy: 0.1, chance: 0.1 },
            ),
            ("blind attack beats chance", Condition::BlindBeatsChance { recipe: sam() }),
            ("labels alone", Condition::LabelsOnly { recipe: sam() }),
            ("members do worse", Condition::MembersDoWorse { recipe: sam() }),
            ("members not fitted", Condition::Unfitted { recipe: sam(), member_accuracy: 0.93 }),
        ]
    }

    /// The name of a verdict in `results.json`.
    fn json(v: Verdict) -> String {
        serde_json::to_string(&v).unwrap().trim_matches('"').to_owned()
    }

    /// What may be said of a verdict, whatever else stands beside it.
    fn check(h: &Headline, auc: Word, tpr: Word) {
        let text = &h.sentence;
        let opening = text.split(':').next().unwrap();
        let planned = text.contains("models per recipe can detect");
        match h.verdict {
            Verdict::Withheld => {
                assert!(opening.ends_with("is withheld") && !text.contains("AUC") && !planned, "{text}");
            }
            Verdict::TooFewModels => assert!(text == "Too few models for any verdict on sam against sgd.", "{text}"),
            v => {
                // Both points are in the sentence, with their words.
                assert!(text.contains("AUC ") && text.contains("TPR @ 1 % FPR "), "{text}");
                assert_eq!(planned, v.is_open() && [auc, tpr].contains(&Word::Open), "{text}");
                assert!(
                    !(opening.contains(" more ") && opening.contains(" less "))
                        || matches!(v, Verdict::Open | Verdict::Mixed),
                    "{text}"
                );
                let shown = [auc, tpr].iter().any(|w| w.direction() != Direction::Neither);
                let size =
                    matches!(v, Verdict::RelevantlyMore | Verdict::RelevantlyLess) || v == Verdict::Open && shown;
                assert_eq!(opening.contains("relevantly"), size, "{text}");
                if v.says_more() {
                    assert!(auc.says_more() || tpr.says_more());
                    assert!(auc.direction() != Direction::Down && tpr.direction() != Direction::Down);
                }
                if v.says_less() {
                    assert!(auc.says_less() || tpr.says_less());
                    assert!(![auc, tpr].contains(&Word::Open) && !auc.says_more() && !tpr.says_more(), "{text}");
                }
            }
        }
        assert!(text.ends_with('.') && !text.contains("..") && !text.contains("  "), "{text}");
    }

    /// Every cell of words at two points, without and with every condition, as the book's table has it.
    #[test]
    fn the_table_of_the_book_is_what_is_said() {
        let mut table = String::from("| AUC \\ TPR |");
        Word::ALL
            .iter()
            .for_each(|w| write!(table, " {} |", serde_json::to_string(w).unwrap().trim_matches('"')).unwrap());
        writeln!(table, "\n|---|{}", "---|".repeat(Word::ALL.len())).unwrap();
        let mut cells = 0;
        for auc in Word::ALL {
            write!(table, "| {} |", serde_json::to_string(&auc).unwrap().trim_matches('"')).unwrap();
            for tpr in Word::ALL {
                let plain = said(auc, tpr, &[]);
                check(&plain, auc, tpr);
                write!(table, " {} |", json(plain.verdict)).unwrap();
                for (_, condition) in conditions() {
                    let under = said(auc, tpr, std::slice::from_ref(&condition));
                    check(&under, auc, tpr);
                    let wanted = match plain.verdict {
                        Verdict::TooFewModels => Verdict::TooFewModels,
                        _ if condition.withholds() => Verdict::Withheld,
                        v => v,
                    };
                    assert_eq!(under.verdict, wanted, "{auc:?} {tpr:?} {condition:?}");
                    let back: Headline = serde_json::from_str(&serde_json::to_string(&under).unwrap()).unwrap();
                    assert_eq!(back, under);
                    // That it fits its members badly stands beside "less" alone.
                    let beside = under.sentence.contains("to fit less lowers leakage by itself");
                    let fits = matches!(condition, Condition::Unfitted { .. });
                    assert_eq!(beside, fits && under.verdict.says_less(), "{}", under.sentence);
                    cells += 1;
                }
                cells += 1;
            }
            table.push('\n');
        }
        assert_eq!(cells, 700);
        let book = std::fs::read_to_string(format!("{BOOK}verdicts.md")).unwrap();
        assert!(book.contains(&table), "the table of book/verdicts.md is not this one:\n{table}");
    }

    /// All sentences, as book/sentences.md has them; FLATLEAK_BLESS=1 writes that file.
    #[test]
    fn the_sentences_of_the_book_are_those_that_are_said() {
        let mut out = String::from(
            "# What flatleak can say\n\nWritten by a test from the code that says it; the same test fails where this page and the code differ. Figures are made up.\n",
        );
        let mut section = |title: &str, lines: Vec<String>| {
            writeln!(out, "\n## {title}\n").unwrap();
            let mut before: Vec<String> = Vec::new();
            for line in lines {
                if !before.contains(&line) {
                    writeln!(out, "- {line}").unwrap();
                    before.push(line);
                }
            }
        };
        let shown = |h: Headline| format!("`{}` {}", json(h.verdict), h.sentence);
        let pairs = || Word::ALL.into_iter().flat_map(|a| Word::ALL.into_iter().map(move |b| (a, b)));
        section("Two recipes, every pair of words", pairs().map(|(a, b)| shown(said(a, b, &[]))).collect());
        let alone = Word::ALL.map(|w| {
            let one = [point("strongest.auc", 0.01, w)];
            shown(of_comparison(("sgd", "sam"), 32, Pairing::Paired, &one, &[]))
        });
        section("Too few non-members for a TPR", alone.to_vec());
        let far = |about: Option<usize>, high: Option<usize>| {
            let mut points = both(Word::Open, Word::Equivalent);
            points[0].models_needed = Some(Needed { about, low: Some(54), high });
            shown(of_comparison(("sgd", "sam"), 32, Pairing::Paired, &points, &[]))
        };
        section("Far from settled", vec![far(Some(5000), None), far(None, None), far(Some(30), Some(60))]);
        let other = [Word::More, Word::Open, Word::Equivalent]
            .map(|w| shown(of_comparison(("sgd", "sam"), 32, Pairing::OtherExamples, &both(w, Word::Open), &[])));
        section("Recipes over other examples", other.to_vec());
        let under = |(_, c): (&str, Condition)| {
            [Word::More, Word::Less, Word::Open].map(|w| shown(said(w, w, std::slice::from_ref(&c))))
        };
        section("Under conditions", conditions().into_iter().flat_map(under).collect());
        let comparison = |baseline: &str, (a, b): (Word, Word), conditions: &[Condition]| Comparison {
            baseline: baseline.into(),
            candidate: "sam".into(),
            dataset: "digits".into(),
            pairing: Pairing::Paired,
            models: 32,
            headline: of_comparison((baseline, "sam"), 32, Pairing::Paired, &both(a, b), conditions),
            points: both(a, b),
            conditions: conditions.to_vec(),
            metrics: Vec::new(),
        };
        let one_of_each: Vec<(Word, Word)> = [
            (Word::RelevantlyMore, Word::Open),
            (Word::More, Word::Open),
            (Word::MoreNegligible, Word::Equivalent),
            (Word::Identical, Word::Identical),
            (Word::Equivalent, Word::Equivalent),
            (Word::LessNegligible, Word::Equivalent),
            (Word::Less, Word::Equivalent),
            (Word::RelevantlyLess, Word::Less),
            (Word::Less, Word::Open),
            (Word::Open, Word::Equivalent),
            (Word::More, Word::Less),
            (Word::TooFewModels, Word::TooFewModels),
        ]
        .to_vec();
        let two = one_of_each.iter().flat_map(|a| one_of_each.iter().map(move |b| (a, b)));
        let mut verdicts = Vec::new();
        let mut joint = |a: Comparison, b: Comparison| {
            let h = overall(&[a.clone(), b.clone()], &[], None);
            let both = [a.headline.verdict, b.headline.verdict];
            // More and less are said of all baselines or of none.
            assert_eq!(h.verdict.says_more(), both.iter().all(|v| v.says_more()), "{}", h.sentence);
            assert_eq!(h.verdict.says_less(), both.iter().all(|v| v.says_less()), "{}", h.sentence);
            verdicts.push(h.verdict);
            shown(h)
        };
        let lines = two.map(|(a, b)| joint(comparison("sgd", *a, &[]), comparison("sgd-2x", *b, &[]))).collect();
        section("One candidate, two baselines", lines);
        let withheld = conditions().into_iter().map(|(_, c)| {
            let w = (Word::Less, Word::Less);
            joint(comparison("sgd", w, std::slice::from_ref(&c)), comparison("sgd-2x", w, std::slice::from_ref(&c)))
        });
        let lines = withheld.collect();
        section("The same under conditions", lines);
        let tpr = crate::comparison::Point::Tpr(2);
        let auc = crate::comparison::Point::Auc;
        let at = |p, low: f64, high: f64| {
            let chance = if p == auc { 0.5 } else { 0.0132 };
            guessing::point(p, Estimate { mean: 0.5 * (low + high), low, high }, 0.975, chance, &Relevant::default())
        };
        let pool = |a: (f64, f64), t: (f64, f64), enough: bool, conditions: &[Condition]| {
            let points = vec![at(auc, a.0, a.1), at(tpr, t.0, t.1)];
            let verdict = condition::under(guessing::verdict(&points, enough), conditions);
            let found = AgainstGuessing { verdict, points };
            format!("`{}` {}", json(found.verdict), against_guessing("sam", &found, conditions))
        };
        let mut lines = vec![
            pool((0.648, 0.670), (0.081, 0.124), true, &[]),
            pool((0.49, 0.53), (0.02, 0.05), true, &[]),
            pool((0.49, 0.53), (0.01, 0.03), true, &[]),
            pool((0.496, 0.504), (0.01, 0.016), true, &[]),
            pool((0.501, 0.507), (0.01, 0.016), true, &[]),
            pool((0.40, 0.45), (0.004, 0.01), true, &[]),
            pool((0.0, 1.0), (0.0, 1.0), false, &[]),
        ];
        lines.extend(conditions().into_iter().map(|(_, c)| pool((0.648, 0.670), (0.081, 0.124), true, &[c])));
        section("One pool", lines);
        let path = format!("{BOOK}sentences.md");
        if std::env::var_os("FLATLEAK_BLESS").is_some() {
            std::fs::write(&path, &out).unwrap();
        }
        let book = std::fs::read_to_string(&path).unwrap_or_default();
        let first = out.lines().zip(book.lines()).find(|(a, b)| a != b);
        assert!(out == book, "book/sentences.md differs (FLATLEAK_BLESS=1 writes it): {first:?}");
    }
}
