//! Verdicts and figures as summaries put them, for a place that has room for a few words.

use flatleak_results::{Estimate, Verdict};

use crate::say::at_end;

/// Four places with the half width of the interval; of a rate that is exactly 1 or 0 the only limit.
pub fn plus_minus(e: Estimate) -> String {
    if let Some((sign, limit)) = at_end(&e) {
        return format!("{:.4} {sign}{limit:.4}", e.mean);
    }
    format!("{:.4} ±{:.4}", e.mean, (e.high - e.low) / 2.0)
}

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
