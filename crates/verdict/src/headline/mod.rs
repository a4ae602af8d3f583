//! Verdicts in words.

pub(crate) mod phrases;
#[cfg(test)]
mod tests;

use crate::blind;
use crate::condition;
use flatleak_results::{
    AgainstGuessing, Comparison, Condition, Direction, Frontier, GuessingPoint, Headline, Pairing, PointResult,
    RecipeResult, Verdict,
};
pub use phrases::called;
use phrases::{at_points, beside_chance, planning};

/// Most recipes of a study that asks one question.
pub const FEW: usize = 4;

/// What a verdict says of a candidate against a baseline, before its points are named.
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
        Condition::Doubtful { doubt, .. } => !doubt.withholds() && verdict != Verdict::TooFewModels,
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

/// Names without those that stood before, in their order.
pub(crate) fn distinct<'n>(all: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut out: Vec<&str> = Vec::new();
    for name in all {
        if !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

/// Comparisons by what is said of them, each by a name of its own.
pub(crate) fn by_verdict<'c>(
    own: &[&'c Comparison],
    name: impl Fn(&'c Comparison) -> &'c str,
) -> Vec<(&'static str, Vec<&'c str>)> {
    let of = |(verdict, word): &(Verdict, &'static str)| {
        let named = own.iter().filter(|c| c.headline.verdict == *verdict).map(|c| name(c)).collect();
        (*word, named)
    };
    GROUPS.iter().map(of).filter(|(_, names): &(_, Vec<&str>)| !names.is_empty()).collect()
}

/// The one verdict that all are.
fn unanimous(all: impl IntoIterator<Item = Verdict>) -> Verdict {
    let mut all = all.into_iter();
    let first = all.next().unwrap_or(Verdict::NotAsked);
    if all.all(|v| v == first) { first } else { Verdict::Varies }
}

/// One sentence or more for every candidate.
fn candidates(comparisons: &[Comparison]) -> Headline {
    let of = |candidate: &str| {
        let mine: Vec<&Comparison> = comparisons.iter().filter(|c| c.candidate == candidate).collect();
        of_candidate(candidate, &mine)
    };
    let all: Vec<Headline> = distinct(comparisons.iter().map(|c| c.candidate.as_str())).into_iter().map(of).collect();
    let verdict = unanimous(all.iter().map(|h| h.verdict));
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

/// One candidate against all its baselines.
fn of_candidate(candidate: &str, mine: &[&Comparison]) -> Headline {
    if let [only] = mine {
        return only.headline.clone();
    }
    if let Some(sentence) = withheld_alike(mine) {
        return Headline { verdict: Verdict::Withheld, sentence };
    }
    let verdicts: Vec<Verdict> = mine.iter().map(|c| c.headline.verdict).collect();
    let baselines: Vec<&str> = mine.iter().map(|c| c.baseline.as_str()).collect();
    let (verdict, start) = match agreed(&verdicts) {
        Some(verdict) => (verdict, opening_of_all(verdict, candidate, &baselines)),
        None => (Verdict::Varies, format!("What is said of {candidate} depends on the baseline")),
    };
    let each: Vec<String> = mine.iter().map(|c| format!("Against {}, {}", c.baseline, in_short(c))).collect();
    let planned = |c: &&Comparison| {
        let text = planning(c.headline.verdict, &c.points, c.models);
        if text.is_empty() { text } else { format!(" Against {},{text}", c.baseline) }
    };
    let more: String = mine.iter().map(planned).collect();
    Headline { verdict, sentence: format!("{start}. {}.{more}", each.join(". ")) }
}

/// [`opening`] against several baselines: "between a and b and c" is none.
fn opening_of_all(verdict: Verdict, candidate: &str, baselines: &[&str]) -> String {
    match verdict {
        Verdict::Equivalent => {
            format!("No relevant difference in leakage between {candidate} and any of {}", baselines.join(", "))
        }
        Verdict::Identical => format!("{candidate} leaks the same as {}", baselines.join(" and as ")),
        Verdict::Mixed => {
            format!("{candidate} is mixed against {}, more by one measure and less by another", baselines.join(" and "))
        }
        Verdict::TooFewModels => format!("Too few models for any verdict on {candidate}"),
        _ => opening(verdict, candidate, &baselines.join(" and than ")),
    }
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
    for baseline in distinct(comparisons.iter().map(|c| c.baseline.as_str())) {
        let own: Vec<&Comparison> = comparisons.iter().filter(|c| c.baseline == baseline).collect();
        let parts: Vec<String> = by_verdict(&own, |c| &c.candidate)
            .into_iter()
            .map(|(word, names)| format!("{word}: {}", names.join(", ")))
            .collect();
        sentence += &format!(" Against {baseline}, {}.", parts.join("; "));
    }
    Headline { verdict, sentence }
}

/// How candidates are grouped where there are many.
const GROUPS: [(Verdict, &str); 13] = [
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
    if found.is_empty() {
        return Headline {
            verdict: Verdict::NotAsked,
            sentence: "No attack was run: nothing is said of leakage.".into(),
        };
    }
    let verdict = unanimous(found.iter().map(|(_, g)| g.verdict));
    let each = found.iter().map(|(r, g)| against_guessing(&r.name, g, &r.conditions));
    Headline { verdict, sentence: each.collect::<Vec<_>>().join(" ") }
}

/// One pool, or one target, against guessing.
pub fn against_guessing(name: &str, found: &AgainstGuessing, conditions: &[Condition]) -> String {
    let odd = conditions.iter().filter(|c| match c {
        Condition::MembersDoWorse { .. } => true,
        Condition::Doubtful { doubt, .. } => !doubt.withholds(),
        _ => false,
    });
    let but: String = odd.map(|c| format!(" But {}.", c.reason())).collect();
    said_of_one(name, found, conditions) + &but
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

/// Whether a candidate is said to leak more than a baseline at any point, however little.
pub(crate) fn says_up(c: &Comparison) -> bool {
    c.points.iter().any(|p| p.word.direction() == Direction::Up)
}

/// Whether it is said to leak less.
pub(crate) fn says_down(c: &Comparison) -> bool {
    c.points.iter().any(|p| p.word.direction() == Direction::Down)
}
