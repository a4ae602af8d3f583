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
    /// A width factor out of range.
    #[error("width = {0}, but a factor above 0 and up to 64 is needed")]
    Width(f64),
    /// A layer that cannot be parsed.
    #[error(
        "unknown layer `{0}`; a layer is one of: linear N, linear, conv N [1x1] [stride S] [no-bias], batch-norm, group-norm G, relu, tanh, gelu, dropout P, max-pool, average-pool, global-pool, flatten, split, shortcut LAYER, add"
    )]
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
