//! Why a layer does not fit where it stands.

/// What is wrong with a layer beside those before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// No image to read.
    #[error("needs an image, but the input is flat here")]
    Flat,
    /// An image too small to halve.
    #[error("cannot halve an image of {height} x {width}")]
    Halve {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// An image where a vector is read.
    #[error("needs `flatten` or `global-pool` before it")]
    Image,
    /// A number of outputs out of range.
    #[error("has {found} {what}; between 1 and {most} are possible")]
    Size {
        /// What is counted.
        what: &'static str,
        /// The number.
        found: usize,
        /// Largest number.
        most: &'static str,
    },
    /// A norm over an image that was flattened: pixels lie channels-last here and channel-first elsewhere.
    #[error("would normalise a flattened image: put it before `flatten`, or a `linear` between")]
    FlattenedNorm,
    /// Channels that make no equal groups.
    #[error("cannot put {channels} channels into {groups} equal groups")]
    Groups {
        /// Channels.
        channels: usize,
        /// Groups.
        groups: usize,
    },
    /// Groups of one value.
    #[error("has one value in each group, of which nothing would be left")]
    SingleValue,
    /// An activation in place behind one whose gradient needs its own output.
    #[error("follows an activation whose output it would change: leave one of them out")]
    Activated,
    /// Nothing to add, or to work on.
    #[error("has no `split` before it")]
    NoSplit,
    /// Nothing between `split` and `add`.
    #[error("adds a layer to itself: put a layer between `split` and `add`")]
    Itself,
    /// Different shapes.
    #[error("cannot add {kept} to {main}")]
    Shapes {
        /// What `split` kept.
        kept: String,
        /// What it is added to.
        main: String,
    },
    /// An image that was flattened and a vector.
    #[error("adds a flattened image to another vector: put a `linear` behind `flatten`")]
    FlattenedSum,
    /// In place on a shortcut that nothing has worked on.
    #[error("would change what the other path reads: put a layer before it")]
    ChangesMain,
    /// In place behind `split`.
    #[error("would change what `split` keeps: put a layer between them")]
    ChangesKept,
    /// More parameters than a network may have.
    #[error("ends a network of {parameters} parameters; at most 2^30 are possible")]
    Parameters {
        /// Parameters.
        parameters: usize,
    },
    /// A `split` without its `add`.
    #[error("ends while a `split` waits for its `add`")]
    OpenSplit,
    /// A last layer that gives no logits.
    #[error("must be `linear` with one output per class ({classes})")]
    NoLogits {
        /// Classes.
        classes: usize,
    },
}
