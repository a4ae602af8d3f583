//! What can be wrong with an architecture or a recipe.

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A transform that does not exist.
    #[error("unknown transform `{0}`; there are `crop N`, `mirror` and `cutout N`, N from 1 to 1024")]
    Transform(String),
    /// No preset of that name.
    #[error("unknown architecture `{0}`; known: {known}", known = crate::PRESETS.join(", "))]
    UnknownPreset(String),
    /// A layer that cannot be parsed.
    #[error("unknown layer `{0}`; a layer is one of: linear N, linear, conv N, relu, tanh, max-pool, flatten")]
    UnknownLayer(String),
    /// A layer that does not fit its input.
    #[error("layer {index} ({layer}) {problem}")]
    Layer {
        /// Position in the list.
        index: usize,
        /// The layer as written.
        layer: String,
        /// What does not fit.
        problem: String,
    },
    /// A recipe value out of range.
    #[error("recipe `{recipe}`: {problem}")]
    Recipe {
        /// Name of the recipe.
        recipe: String,
        /// What is wrong.
        problem: String,
    },
    /// Parameters that do not match the network.
    #[error("weights do not fit the network: {0}")]
    Weights(String),
}
