//! Words for differences, and verdicts (book/methods/words.md#words-at-one-point).

use serde::{Deserialize, Serialize};

/// What is said at one operating point, of the simultaneous interval [l, u] of a difference and the smallest relevant one, delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// l >= delta > 0.
    RelevantlyMore,
    /// 0 < l < delta < u.
    More,
    /// l > 0, u <= delta.
    MoreNegligible,
    /// l = u = 0.
    Identical,
    /// l <= 0 <= u, -delta < l, u < delta.
    Equivalent,
    /// l >= -delta, u < 0.
    LessNegligible,
    /// l < -delta < u < 0.
    Less,
    /// u <= -delta.
    RelevantlyLess,
    /// l <= 0 <= u otherwise.
    Open,
    /// Fewer than 4 blocks.
    TooFewModels,
    /// A condition forbids the word.
    Withheld,
}

/// Which way a word points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// More.
    Up,
    /// Less.
    Down,
    /// Neither is said.
    Neither,
}

impl Word {
    /// All that follow from intervals.
    pub const ALL: [Self; 10] = [
        Self::RelevantlyMore,
        Self::More,
        Self::MoreNegligible,
        Self::Identical,
        Self::Equivalent,
        Self::LessNegligible,
        Self::Less,
        Self::RelevantlyLess,
        Self::Open,
        Self::TooFewModels,
    ];

    /// Which way it points.
    pub fn direction(self) -> Direction {
        match self {
            Self::RelevantlyMore | Self::More | Self::MoreNegligible => Direction::Up,
            Self::RelevantlyLess | Self::Less | Self::LessNegligible => Direction::Down,
            Self::Identical | Self::Equivalent | Self::Open | Self::TooFewModels | Self::Withheld => Direction::Neither,
        }
    }

    /// More, at a size that is not shown to be negligible.
    pub fn says_more(self) -> bool {
        matches!(self, Self::RelevantlyMore | Self::More)
    }

    /// Less, at a size that is not shown to be negligible.
    pub fn says_less(self) -> bool {
        matches!(self, Self::RelevantlyLess | Self::Less)
    }

    /// The difference is shown to be smaller than a relevant one, or none.
    pub fn is_small(self) -> bool {
        matches!(self, Self::MoreNegligible | Self::LessNegligible | Self::Identical | Self::Equivalent)
    }
}

/// What is said of two recipes, of a recipe alone, or of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The candidate leaks relevantly more.
    RelevantlyMore,
    /// The candidate leaks more; whether relevantly so is open.
    More,
    /// The candidate leaks more, but negligibly.
    MoreNegligible,
    /// The outputs leak the same, to the last bit.
    Identical,
    /// No relevant difference.
    Equivalent,
    /// The candidate leaks less, but negligibly.
    LessNegligible,
    /// The candidate leaks less; whether relevantly so is open.
    Less,
    /// The candidate leaks relevantly less.
    RelevantlyLess,
    /// Less at one point, and open at the other whether it leaks relevantly more there.
    LessInPart,
    /// Nothing is shown and nothing excluded.
    Open,
    /// Up at one point, down at the other.
    Mixed,
    /// The answer depends on the baseline, the data set or the candidate.
    Varies,
    /// A condition forbids the word.
    Withheld,
    /// Fewer than 4 blocks.
    TooFewModels,
    /// One pool: members are told from others.
    Leaks,
    /// One pool: members are told from others worse than by guessing.
    Inverted,
    /// One pool: it leaks no relevant amount.
    NoRelevantLeak,
    /// Many recipes: some can be recommended.
    Recommended,
    /// Many recipes: none can.
    NoRecommendation,
    /// Nothing was asked.
    NotAsked,
}

impl From<Word> for Verdict {
    fn from(word: Word) -> Self {
        match word {
            Word::RelevantlyMore => Self::RelevantlyMore,
            Word::More => Self::More,
            Word::MoreNegligible => Self::MoreNegligible,
            Word::Identical => Self::Identical,
            Word::Equivalent => Self::Equivalent,
            Word::LessNegligible => Self::LessNegligible,
            Word::Less => Self::Less,
            Word::RelevantlyLess => Self::RelevantlyLess,
            Word::Open => Self::Open,
            Word::TooFewModels => Self::TooFewModels,
            Word::Withheld => Self::Withheld,
        }
    }
}

impl Verdict {
    /// The candidate leaks more, and not negligibly.
    pub fn says_more(self) -> bool {
        matches!(self, Self::RelevantlyMore | Self::More)
    }

    /// The candidate leaks less at both points, and not negligibly.
    pub fn says_less(self) -> bool {
        matches!(self, Self::RelevantlyLess | Self::Less)
    }

    /// Whether the question "is there a relevant difference?" has its answer, or more models cannot give one: both sides of the smallest relevant
    /// difference are not left open.
    pub fn is_settled(self) -> bool {
        !matches!(self, Self::Open | Self::LessInPart | Self::More | Self::Less | Self::TooFewModels)
    }

    /// Whether more models could still change what is said.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::LessInPart)
    }
}
