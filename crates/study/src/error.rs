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

impl Place {
    /// The place of a byte of a text.
    pub(crate) fn of(text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or(before);
        Self { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
    }
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
    /// Not valid TOML, or a wrong type outside recipes; the parser's message shows the line.
    #[error("{}", .source.to_string().trim_end())]
    Parse {
        /// The parser's message, with line and column.
        #[source]
        source: toml::de::Error,
    },
    /// A key that no part of a study outside recipes has.
    #[error(
        "unknown key `{key}`, {at}{}{suggestion}",
        if suggestion.0.is_some() { ": ".to_owned() } else { format!("; known here: {}", known.join(", ")) }
    )]
    UnknownOutside {
        /// Where it stands.
        at: Place,
        /// The key.
        key: String,
        /// The keys that there are.
        known: Vec<String>,
        /// The nearest of them.
        suggestion: Suggestion,
    },
    /// A key that no recipe has.
    #[error(
        "unknown key `{key}` in recipe `{recipe}`, {at}{}{suggestion}",
        if suggestion.0.is_some() { ": " } else { "; `flatleak list optimizers` and `list defences` have the keys" }
    )]
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
    #[error("recipe `{recipe}`, {at}: {key} = {value}: {}", source.message().trim_end())]
    Type {
        /// Where it stands.
        at: Place,
        /// The recipe.
        recipe: String,
        /// The key.
        key: String,
        /// The value as written.
        value: String,
        /// The parser's message.
        #[source]
        source: toml::de::Error,
    },
    /// A recipe that nothing can be called by.
    #[error("recipe {number} has no name: add name = \"...\"")]
    NoName {
        /// Its place in the list, from 1.
        number: usize,
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
    /// A list of epochs without one.
    #[error("recipe `{recipe}`: measure_at = [] names no epoch: name at least one, or leave it out")]
    NoEpochs {
        /// The recipe.
        recipe: String,
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
    /// More recipes than anyone compares, in lists of values mostly.
    #[error("{found} recipes or more, but at most {most} are run: shorten the lists of values in [[recipe]]")]
    Recipes {
        /// Recipes at least.
        found: usize,
        /// Most of them.
        most: usize,
    },
    /// A name of two recipes.
    #[error("two recipes are named `{name}`")]
    RecipeTwice {
        /// The name.
        name: String,
    },
    /// The same recipe under two names.
    #[error(
        "recipes `{first}` and `{second}` have the same settings, so that nothing can differ between them: take one of them out, or change a setting"
    )]
    SameRecipe {
        /// The first name.
        first: String,
        /// The second.
        second: String,
    },
    /// Fewer epochs than leave every recipe one.
    #[error(
        "--epochs {epochs} leaves no epoch for recipe `{recipe}`, which is measured after {of} of {first} epochs of the first recipe: give at least {needed}"
    )]
    Epochs {
        /// The epochs asked for.
        epochs: usize,
        /// The recipe with the fewest.
        recipe: String,
        /// Its epochs in the study.
        of: usize,
        /// Those of the first recipe.
        first: usize,
        /// The fewest that can be asked for.
        needed: usize,
    },
    /// A seed that a study file cannot hold.
    #[error("seed = {0}, but 0 to {most} are possible", most = i64::MAX)]
    Seed(u64),
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
