//! What can be wrong with an architecture or a recipe.

use crate::clash::DefenceError;
use crate::command::CommandError;
use crate::misfit::Misfit;
use crate::settings::SettingError;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A transform that does not exist.
    #[error("unknown transform `{found}`; there are `crop N`, `mirror` and `cutout N`, N from 1 to 1024")]
    Transform {
        /// The text.
        found: String,
    },
    /// No preset of that name.
    #[error("unknown architecture `{found}`; known: {}", known.join(", "))]
    UnknownPreset {
        /// The name.
        found: String,
        /// The names that there are.
        known: &'static [&'static str],
    },
    /// A width factor out of range.
    #[error("width = {0}, but a factor above 0 and up to 64 is needed")]
    Width(f64),
    /// A layer that cannot be parsed.
    #[error("unknown layer `{found}`; a layer is one of: {}", known.join(", "))]
    UnknownLayer {
        /// The text.
        found: String,
        /// The forms that there are.
        known: Vec<&'static str>,
    },
    /// A layer that does not fit its input.
    #[error("layer {index} ({layer}) {problem}")]
    Layer {
        /// Position in the list.
        index: usize,
        /// The layer as written.
        layer: String,
        /// What does not fit.
        problem: Misfit,
    },
    /// A recipe value out of range.
    #[error("recipe `{recipe}`: {problem}")]
    Recipe {
        /// Name of the recipe.
        recipe: String,
        /// What is wrong.
        problem: Problem,
    },
    /// Weights that lack a tensor of the network.
    #[error("weights do not fit the network: tensor `{name}` is missing")]
    MissingTensor {
        /// Its name.
        name: String,
    },
    /// A tensor that is not as the network has it.
    #[error("weights do not fit the network: `{name}` has shape {found:?}, not {expected:?}")]
    TensorShape {
        /// Its name.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The network's.
        expected: Vec<usize>,
    },
}

/// What can be wrong with a recipe.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Problem {
    /// A name that cannot be a folder's.
    #[error("a name has 1 to 64 letters, digits, `-`, `_`, `+` or `.`, and does not start with `.`")]
    Name,
    /// A command that trains no model.
    #[error("trainer = {command:?} {problem}")]
    Trainer {
        /// The command.
        command: String,
        /// What is wrong with it.
        problem: CommandError,
    },
    /// A number of epochs or examples out of range.
    #[error("{key} = {value}, but {low} to {high} are possible")]
    Count {
        /// The key.
        key: &'static str,
        /// The value.
        value: usize,
        /// Least value.
        low: usize,
        /// Largest value.
        high: usize,
    },
    /// Measured at an epoch that is none before the last.
    #[error("measure_at = {epoch}, but 1 to {last} are epochs before the last")]
    MeasuredAt {
        /// The epoch.
        epoch: usize,
        /// The one before the last.
        last: usize,
    },
    /// Measured before an average is there.
    #[error("measure_at: what {optimizer} averages is there at the end only")]
    MeasuredEarly {
        /// The optimizer.
        optimizer: &'static str,
    },
    /// Warm-up without end.
    #[error("warmup = {warmup} leaves nothing of {epochs} epochs")]
    Warmup {
        /// Its epochs.
        warmup: usize,
        /// All epochs.
        epochs: usize,
    },
    /// A rate, momentum or decay out of range.
    #[error("{key} = {value}, but {allowed}")]
    Range {
        /// The key.
        key: &'static str,
        /// The value.
        value: f64,
        /// What is possible.
        allowed: &'static str,
    },
    /// More examples in a step than a model is trained on.
    #[error(
        "batch = {batch}, but a model is trained on {members} examples: set batch to at most {members}, or take a pool of at least {}",
        2 * batch
    )]
    Batch {
        /// Examples of a batch.
        batch: usize,
        /// Examples of the member set.
        members: usize,
    },
    /// A delta at which a guarantee says nothing.
    #[error(
        "delta = {delta}, but of {members} training examples one may then be given away whole: set delta to at most {:?}, which is 1 / {members}",
        1.0 / *members as f64
    )]
    Delta {
        /// delta at which epsilon is stated.
        delta: f64,
        /// Examples of the member set.
        members: usize,
    },
    /// A parameter of the optimizer, of its base or of a defence.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// Defences.
    #[error(transparent)]
    Defence(#[from] DefenceError),
    /// Poisson sampling beside transforms.
    #[error("{optimizer} draws batches of any size, which augment does not allow")]
    Augment {
        /// The optimizer.
        optimizer: &'static str,
    },
    /// Another base beside an optimizer that is one.
    #[error("base = {base} beside optimizer = \"{optimizer}\", which is a base itself")]
    Base {
        /// The base.
        base: &'static str,
        /// The optimizer.
        optimizer: &'static str,
    },
    /// Nesterov's form of no momentum.
    #[error("nesterov needs momentum above 0")]
    Nesterov,
    /// Noise that does not keep the budget.
    #[error(
        "noise = {noise} comes to epsilon {epsilon:.3} at delta {delta} over {epochs} epochs of {members} examples, above budget = {budget}: more noise, fewer epochs or smaller batches"
    )]
    Budget {
        /// Deviation of the noise in units of the clipping norm.
        noise: f64,
        /// What it comes to.
        epsilon: f64,
        /// delta at which epsilon is stated.
        delta: f64,
        /// Epochs.
        epochs: usize,
        /// Examples of the member set.
        members: usize,
        /// Largest epsilon.
        budget: f64,
    },
    /// Parts of a batch, of which the examples depend on each other.
    #[error(
        "{optimizer} looks at parts of a batch, which batch norm and dropout do not allow: take a network without, such as mlp or one with group norm"
    )]
    Parts {
        /// The optimizer.
        optimizer: &'static str,
    },
    /// Batch norm over one example.
    #[error("batch = 1 with batch norm, which sets the examples of a batch against each other: give at least 2")]
    Single,
    /// Batch norm over one example, the last of an epoch.
    #[error(
        "batch = {batch} leaves one of {members} examples alone in the last batch, which batch norm cannot use: change either"
    )]
    Alone {
        /// Examples of a batch.
        batch: usize,
        /// Examples of the member set.
        members: usize,
    },
}
