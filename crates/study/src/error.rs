//! What can be wrong with a study.

use std::fmt;

use flatleak_results::NotRelevant;

/// A place in a study file, lines and columns counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A question behind an error, where something known is near.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion(pub Option<String>);

impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |known| write!(f, "did you mean `{known}`?"))
    }
}

impl Suggestion {
    /// What stands between an error and the question.
    fn after(&self, separator: &'static str) -> &'static str {
        if self.0.is_some() { separator } else { "" }
    }
}

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not valid TOML, or a wrong key or type outside recipes; the parser's message shows the line.
    #[error("{source}{suggestion}")]
    Parse {
        /// The parser's message, with line and column.
        #[source]
        source: toml::de::Error,
        /// The nearest known key.
        suggestion: Suggestion,
    },
    /// A key that no recipe has.
    #[error("{at}: unknown key `{key}` of recipe `{recipe}`{}{suggestion}", suggestion.after("; "))]
    UnknownKey {
        /// Where it stands.
        at: Place,
        /// The key.
        key: String,
        /// The recipe.
        recipe: String,
        /// The nearest known key.
        suggestion: Suggestion,
    },
    /// A name that no optimizer or base has.
    #[error(
        "{at}: recipe `{recipe}`: unknown variant `{found}`, expected one of {}{}{suggestion}",
        known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "), suggestion.after("; ")
    )]
    UnknownName {
        /// Where it stands.
        at: Place,
        /// The recipe.
        recipe: String,
        /// The name.
        found: String,
        /// The names that there are.
        known: Vec<&'static str>,
        /// The nearest of them.
        suggestion: Suggestion,
    },
    /// A value that is no number.
    #[error("{at}: recipe `{recipe}`: {key} = {value} is no number")]
    NoNumber {
        /// Where it stands.
        at: Place,
        /// The recipe.
        recipe: String,
        /// The key.
        key: String,
        /// The value as written.
        value: String,
    },
    /// A value of another type than its key's.
    #[error("recipe `{recipe}`: {}", source.message())]
    Type {
        /// The recipe.
        recipe: String,
        /// The parser's message.
        #[source]
        source: toml::de::Error,
    },
    /// A list that stands for no recipe.
    #[error("{at}: recipe `{recipe}`: `{key}` is a list without a value, or no list can stand there")]
    List {
        /// Where it stands.
        at: Place,
        /// The recipe.
        recipe: String,
        /// The key.
        key: String,
    },
    /// A key that has no meaning beside a command that trains.
    #[error("recipe `{recipe}` has `{key}` beside `trainer`: the command decides")]
    BesideTrainer {
        /// The recipe.
        recipe: String,
        /// The key.
        key: String,
    },
    /// Two networks.
    #[error("[model] has both `preset` and `layers`: give one")]
    TwoNetworks,
    /// A width factor beside layers.
    #[error("[model] has `width` beside `layers`: write the widths into the layers")]
    WidthBesideLayers,
    /// A number that cannot be meant.
    #[error("{key} = {value}, but {expected}")]
    Value {
        /// The key.
        key: &'static str,
        /// The value.
        value: f64,
        /// What it has to be.
        expected: &'static str,
    },
    /// More levels of noise than are possible.
    #[error("noise has {found} levels; at most {most} are possible")]
    NoiseLevels {
        /// Levels.
        found: usize,
        /// Most.
        most: usize,
    },
    /// No data.
    #[error("data = [] names no data set")]
    NoData,
    /// A data set twice.
    #[error("data names `{name}` twice")]
    DataTwice {
        /// Its name.
        name: String,
    },
    /// No recipe.
    #[error("no recipe: give at least one [[recipe]]")]
    NoRecipe,
    /// A name of two recipes.
    #[error("two recipes are named `{name}`")]
    RecipeTwice {
        /// The name.
        name: String,
    },
    /// A name that no recipe has.
    #[error("no recipe `{name}`; the study has: {}", known.join(", "))]
    UnknownRecipe {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// Relevant differences.
    #[error("relevant: {0}")]
    Relevant(#[from] NotRelevant),
    /// A value that TOML cannot hold.
    #[error(transparent)]
    Write(#[from] toml::ser::Error),
    /// The network or a recipe.
    #[error(transparent)]
    Engine(#[from] flatleak_nn::Error),
}
