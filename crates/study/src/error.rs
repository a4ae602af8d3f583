//! What can be wrong with a study.

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not valid TOML or has a wrong key or type; the message points at the line.
    #[error("{message}{}", suggestion.as_ref().map(|s| format!("did you mean `{s}`?")).unwrap_or_default())]
    Parse {
        /// The parser's message, with line and column.
        message: String,
        /// The nearest known key.
        suggestion: Option<String>,
    },
    /// A value that cannot be meant.
    #[error("{0}")]
    Invalid(String),
    /// The network or a recipe.
    #[error(transparent)]
    Engine(#[from] flatleak_nn::Error),
}
