//! Verdicts in words, for a place that has room for a few.

use flatleak_results::Verdict;

/// A verdict in a few words.
pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::RelevantlyMore => "leaks relevantly more",
        Verdict::More => "leaks more",
        Verdict::MoreNegligible => "leaks more, but negligibly",
        Verdict::Identical => "leaks the same, to the last bit",
        Verdict::Equivalent => "no relevant difference",
        Verdict::LessNegligible => "leaks less, but negligibly",
        Verdict::Less => "leaks less",
        Verdict::RelevantlyLess => "leaks relevantly less",
        Verdict::LessInPart => "leaks less in part",
        Verdict::Open => "open",
        Verdict::Mixed => "more at one point, less at the other",
        Verdict::Varies => "depends on what is compared",
        Verdict::Withheld => "withheld",
        Verdict::TooFewModels => "too few models",
        Verdict::Leaks => "leaks",
        Verdict::Inverted => "worse than guessing: something is the wrong way round",
        Verdict::NoRelevantLeak => "no relevant leak",
        Verdict::Recommended => "some recipes can be recommended",
        Verdict::NoRecommendation => "no recipe can be recommended",
        Verdict::NotAsked => "nothing was asked",
    }
}
