//! What can be wrong with what others wrote, as the end of a sentence that begins with the file.

use std::io;
use std::path::PathBuf;

use flatleak_data::ArrayError;
use flatleak_data::budget::OverBudget;
use flatleak_data::records::{Place, RecordError};

use crate::import::{Given, Name, RowsError, Terms};

use crate::implausible::{Dark, Implausible, dark};
use crate::number::number;

/// What keeps a foreign file from being a pool.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file system refused.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The array, or the file that holds it.
    #[error(transparent)]
    Array(#[from] ArrayError),
    /// The table.
    #[error(transparent)]
    Table(#[from] RecordError),
    /// More memory than is allowed.
    #[error(transparent)]
    Budget(#[from] OverBudget),
    /// Sizes that no pool can have.
    #[error(transparent)]
    Pool(#[from] flatleak_pool::Error),
    /// Outputs, labels or membership that mean nothing.
    #[error(transparent)]
    Outputs(#[from] OutputsError),
    /// Outputs that cannot be what they are said to be.
    #[error(transparent)]
    Implausible(#[from] Implausible),
    /// Rows that do not make up a pool.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// A value of a row of a table.
    #[error("{place} (model {model}, example {example}) {problem}")]
    Row {
        /// The row.
        place: Place,
        /// Its model.
        model: Name,
        /// Its example.
        example: Name,
        /// What is wrong with it.
        #[source]
        problem: Box<ImportError>,
    },
    /// A folder that lacks something.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// An archive of who is right that lacks something.
    #[error(transparent)]
    Correctness(#[from] CorrectnessError),
}

/// What can be wrong with outputs, labels and membership as arrays.
#[derive(Debug, thiserror::Error)]
pub enum OutputsError {
    /// Another number of axes, or other sizes.
    #[error("is of shape {found:?} and type {dtype}, not {wanted}")]
    Shape {
        /// Its shape.
        found: Vec<usize>,
        /// Type of its values.
        dtype: String,
        /// What was expected.
        wanted: &'static str,
    },
    /// Another number of models or examples than elsewhere.
    #[error("has {kind} of ({first}, {second}) models and examples in either order, but {others}")]
    Sizes {
        /// What its values are.
        kind: &'static str,
        /// Its first axis.
        first: usize,
        /// Its second axis.
        second: usize,
        /// Who says otherwise.
        others: String,
    },
    /// Two readings that both fit.
    #[error(
        "can be read as {first} models and {second} examples, or as {second} models and {first} examples: give labels, which tell, or an array with models first"
    )]
    TwoWays {
        /// Its first axis.
        first: usize,
        /// Its second axis.
        second: usize,
    },
    /// As many models as examples, and nothing that tells which axis is which.
    #[error(
        "can be read as {size} models and {size} examples with either axis first, and neither the outputs nor the membership tell which: bring both arrays into the order of models first, and leave one model out of both, so that the shorter axis is that of models"
    )]
    Square {
        /// Models, and examples.
        size: usize,
    },
    /// Another number of labels than of examples.
    #[error("has {examples} examples, but there are {labels} labels")]
    Labels {
        /// Examples.
        examples: usize,
        /// Labels.
        labels: usize,
    },
    /// No example, or too many values of one.
    #[error("is of shape {found:?}: between 1 and {most} values are read per example, and at least one example")]
    PerExample {
        /// Its shape.
        found: Vec<usize>,
        /// Most values of one example.
        most: usize,
    },
    /// Outputs by class without labels.
    #[error("needs labels: which of the classes is the true one?")]
    NoLabels,
    /// One column for more than two classes.
    #[error(
        "is of shape {found:?}, one value per example, but there are {classes} classes: give one column per class, or the value of the label as {}, {} or {}",
        terms.single(Given::Phi),
        terms.single(Given::Loss),
        terms.single(Given::Confidence)
    )]
    OneColumn {
        /// Its shape.
        found: Vec<usize>,
        /// Classes of the labels.
        classes: usize,
        /// How outputs were given.
        terms: Terms,
    },
    /// Probabilities that are given as logits.
    #[error(
        "holds probabilities, not logits (every row lies between 0 and 1 and sums to 1): give it as {}",
        terms.by_class(Given::Probabilities)
    )]
    Probabilities {
        /// How outputs were given.
        terms: Terms,
    },
    /// One column that is below 0 everywhere.
    #[error(
        "has one column of two classes that is nowhere above 0, so that it can be the logarithm of the second class's probability or its logit: give exp of the logarithm as {}, or a logit as {} of two classes, 0 and the logit",
        terms.second(Given::Probabilities),
        terms.by_class(Given::Logits)
    )]
    LogProbability {
        /// How outputs were given.
        terms: Terms,
    },
    /// Numbers between 0 and 1 that are given as logits.
    #[error(
        "holds numbers from 0 to 1 alone, which are no logits: {}",
        if *one {
            format!("give the one column as {}", terms.second(Given::Probabilities))
        } else {
            "sigmoids of single classes are no classification; give the logits before them".into()
        }
    )]
    Sigmoids {
        /// One column stands for two classes.
        one: bool,
        /// How outputs were given.
        terms: Terms,
    },
    /// Whole numbers too large for logits.
    #[error(
        "holds logits of type {dtype} beyond 4096: are these the bits of bf16 numbers, which (bits.view(\"u2\").astype(\"u4\") << 16).view(\"f4\") reads, or whole numbers, which .astype(\"f4\") says?"
    )]
    Bits {
        /// Type of the values.
        dtype: String,
    },
    /// Values by class where those of views are expected.
    #[error(
        "has {queries} values per example, of which that of the label stands out, so they are of {queries} classes and no views: give logits or probabilities by class as such, or the label's {given} alone, (models, examples)"
    )]
    ClassesAsViews {
        /// What its values are said to be.
        given: &'static str,
        /// Values per example.
        queries: usize,
    },
    /// A label beyond the classes.
    #[error(
        "is of shape {found:?}, with {classes} classes, but labels go up to {most}{}",
        if *from_one { ", from 1: subtract 1 from the labels" } else { ": labels count from 0; are these the labels of these outputs?" }
    )]
    Class {
        /// Its shape.
        found: Vec<usize>,
        /// Classes of the outputs.
        classes: usize,
        /// The largest label.
        most: u32,
        /// Labels run from 1 to the number of classes.
        from_one: bool,
    },
    /// Labels in a type that cannot tell the classes apart.
    #[error(
        "has {classes} classes, but the labels are of type {found}, which tells {most} apart, so that larger ones have wrapped or were rounded: save the labels as int64 from where they come"
    )]
    Wrapped {
        /// Type of the labels.
        found: String,
        /// Classes that it tells apart.
        most: usize,
        /// Classes of the outputs.
        classes: usize,
    },
    /// Something that is no label.
    #[error("has the label {value} for example {example}, not a whole number from 0 to {most}", value = number(*value))]
    Label {
        /// What stands there.
        value: f64,
        /// The example.
        example: usize,
        /// The largest label.
        most: u32,
    },
    /// Fewer names than columns.
    #[error(
        "has {classes} classes, but the labels are text of {names} names, and nothing says which column is whose: give each label the number of its column"
    )]
    Names {
        /// Distinct names.
        names: usize,
        /// Classes of the outputs.
        classes: usize,
    },
    /// A label of held-out examples that the pool does not have.
    #[error("has the label `{name}`, which no example of the pool has: give numbers of columns as labels of both")]
    NewName {
        /// The name.
        name: String,
    },
    /// Labels of -1 and 1.
    #[error(
        "has labels of -1 and 1: which class is which is for you to say; (labels + 1) // 2 makes -1 the first class, of number 0"
    )]
    Signs,
    /// Labels that are measurements.
    #[error(
        "has the label {value} for example {example}: labels are classes, whole numbers from 0, and these are continuous; membership inference on regression takes losses, without labels", value = number(*value)
    )]
    Continuous {
        /// What stands there.
        value: f64,
        /// The example.
        example: usize,
    },
    /// Something that is neither a member's value nor another's.
    #[error("has the value {value} for model {model}, where only 0 and 1 mean something", value = number(*value))]
    Bit {
        /// What stands there.
        value: f64,
        /// The model.
        model: usize,
    },
    /// A mask of two values that have no usual meaning.
    #[error(
        "has the values {low} and {high}: which of them is a member? Save `membership == {high}` or `membership == {low}`"
    )]
    TwoValues {
        /// The smaller.
        low: f64,
        /// The larger.
        high: f64,
    },
    /// More than two values that are no positions.
    #[error("has values such as {some:?}: a membership is 0 and 1, or lists the positions of each model's members")]
    Values {
        /// Some of them.
        some: Vec<f64>,
    },
    /// A word that does not say who is a member.
    #[error(
        "has the word `{word}`: `train` and `test`, `in` and `out`, `member` and `nonmember`, `true` and `false` mean something"
    )]
    Word {
        /// What stands there.
        word: String,
    },
    /// A mask of another shape than the outputs.
    #[error("is of shape {found:?}, but the outputs have {models} models and {examples} examples")]
    Membership {
        /// Its shape.
        found: Vec<usize>,
        /// Models of the outputs.
        models: usize,
        /// Examples of the outputs.
        examples: usize,
    },
    /// Lists of positions that are not one per model.
    #[error(
        "is of shape {found:?} and lists positions of members, but there are {models} models: one row is needed for each"
    )]
    Positions {
        /// Its shape.
        found: Vec<usize>,
        /// Models of the outputs.
        models: usize,
    },
    /// A position that a model has twice.
    #[error("has the position {value} twice for model {model}", value = number(*value))]
    PositionTwice {
        /// The position.
        value: f64,
        /// The model.
        model: usize,
    },
    /// Outputs that are no numbers.
    #[error("{}", dark(models))]
    NoNumbers {
        /// By model that has some.
        models: Vec<Dark>,
    },
    /// A value out of the range of its kind.
    #[error("has the {kind} {value} for model {model}, example {example}: {advice}", value = number(*value))]
    Range {
        /// What it is said to be.
        kind: &'static str,
        /// What stands there.
        value: f64,
        /// The model.
        model: usize,
        /// The example.
        example: usize,
        /// The range, or what it could be instead.
        advice: String,
    },
    /// Probabilities that do not sum to 1.
    #[error(
        "has probabilities that sum to {sum} for model {model}, example {example}: give logits as {}; probabilities of several labels at once are no single classification",
        terms.by_class(Given::Logits), sum = number(*sum)
    )]
    Sum {
        /// How outputs were given.
        terms: Terms,
        /// Their sum.
        sum: f64,
        /// The model.
        model: usize,
        /// The example.
        example: usize,
    },
    /// Another number of views than elsewhere.
    #[error("has {found} views of each example, but {other} {expected}")]
    Views {
        /// Views.
        found: usize,
        /// What has another number.
        other: &'static str,
        /// Its number.
        expected: usize,
    },
    /// Another number of classes than the first model.
    #[error("is of shape {found:?}, but the others have {expected} values per example")]
    Classes {
        /// Its shape.
        found: Vec<usize>,
        /// Values per example elsewhere.
        expected: usize,
    },
    /// No room for the views beyond the first.
    #[error("has views that cannot be laid aside in {}: {cause} (TMPDIR names another place)", place.display())]
    NoRoom {
        /// The folder of temporary files.
        place: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Features of no held-out examples.
    #[error("is of no use without outputs on held-out examples")]
    NoHeldOut,
    /// Features of other examples.
    #[error("has {width} features of {found} examples, but there are {expected} examples")]
    Features {
        /// Features.
        width: usize,
        /// Examples.
        found: usize,
        /// Examples of the pool or the held-out set.
        expected: usize,
    },
    /// A feature that is no number.
    #[error("has no number as feature {feature} of example {example}")]
    Feature {
        /// The feature.
        feature: usize,
        /// The example.
        example: usize,
    },
    /// Other features than the pool's.
    #[error("has {found} features, those of the pool {expected}")]
    Width {
        /// Features.
        found: usize,
        /// Those of the pool.
        expected: usize,
    },
    /// A position beyond the labels.
    #[error("has the position {value}, but there are {labels} labels", value = number(*value))]
    Position {
        /// What stands there.
        value: f64,
        /// Labels.
        labels: usize,
    },
    /// An array that is no mask.
    #[error("is of shape {found:?}, which is no mask over {labels} labels")]
    Mask {
        /// Its shape.
        found: Vec<usize>,
        /// Labels.
        labels: usize,
    },
}

/// Names of arrays, of which the first twelve are told.
fn told(names: &[String]) -> String {
    const TOLD: usize = 12;
    let first = names.iter().take(TOLD).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(TOLD);
    if more > 0 { format!("{first} and {more} more") } else { first }
}

/// What can be wrong with a folder as published code leaves it.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Models of several runs.
    #[error("holds the models of several runs, which differ in the number behind the underscore: keep one")]
    SeveralRuns,
    /// A gap between the models.
    #[error("lacks model {model}, or holds it twice: {folders} folders of models")]
    Lacks {
        /// The model.
        model: usize,
        /// Folders that are there.
        folders: usize,
    },
    /// Models that were trained for different times.
    #[error(
        "has outputs of epoch {found} as the last of model {model}, but of epoch {most} of others: finish that model's training, or remove later epochs"
    )]
    Epochs {
        /// The model.
        model: usize,
        /// Its last epoch.
        found: u64,
        /// That of others.
        most: u64,
    },
    /// Outputs of which it is not said who was trained on what.
    #[error("has outputs but no membership: call it one of {}; the arrays are {}", names.join(", "), told(found))]
    NoMembership {
        /// The arrays that are there.
        found: Vec<String>,
        /// Names that are known.
        names: &'static [&'static str],
    },
    /// No outputs of a known name.
    #[error(
        "holds no arrays that are called logits, probabilities, phi, loss or confidence: call the outputs what they are; the arrays are {}",
        told(found)
    )]
    NoOutputs {
        /// The arrays that are there.
        found: Vec<String>,
    },
    /// Two arrays that could be the same.
    #[error("has {first} and {second}, which could both be the {role}: keep one")]
    TwoNames {
        /// What either could be.
        role: &'static str,
        /// A name.
        first: String,
        /// Another.
        second: String,
    },
    /// Several kinds of outputs.
    #[error("has several kinds of outputs ({}): keep one of these arrays", kinds.join(", "))]
    SeveralKinds {
        /// Their names.
        kinds: Vec<String>,
    },
    /// A model without its files.
    #[error("has no logits or no membership, which the layout of {layout} wants of every model")]
    Incomplete {
        /// The layout.
        layout: &'static str,
    },
    /// No labels.
    #[error("is in the layout of {layout} but has no y_train.npy: give --labels")]
    NoLabels {
        /// The layout.
        layout: &'static str,
    },
    /// Membership of other models.
    #[error("has membership of {membership} models, but outputs of {outputs}")]
    Models {
        /// Models of the membership.
        membership: usize,
        /// Models with outputs.
        outputs: usize,
    },
    /// Signals of a random part of the examples.
    #[error(
        "holds {rows} examples of {columns} models, the memberships {examples} of {models}: with audit.data_size below the size of the data set the rows are a random part of it, and nothing says which; run Privacy Meter without it"
    )]
    Part {
        /// Examples with signals.
        rows: usize,
        /// Models with signals.
        columns: usize,
        /// Examples of the memberships.
        examples: usize,
        /// Models of the memberships.
        models: usize,
    },
}

/// What can be wrong with an archive of who is right.
#[derive(Debug, thiserror::Error)]
pub enum CorrectnessError {
    /// An array that is missing.
    #[error("has no array `{name}`: (runs, examples), 0 and 1")]
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// An array of another shape.
    #[error("has `{name}` of shape {found:?}, not (runs, examples)")]
    Shape {
        /// Its name.
        name: &'static str,
        /// Its shape.
        found: Vec<usize>,
    },
    /// Something else than 0 and 1.
    #[error("has the value {value} in `{name}`, where only 0 and 1 mean something", value = number(*value))]
    Bit {
        /// The array.
        name: &'static str,
        /// What stands there.
        value: f64,
    },
    /// Other runs or examples than the mask.
    #[error(
        "has `{name}` of shape ({rows}, {columns}), but a mask of {runs} runs{}",
        examples.map_or(String::new(), |n| format!(" and {n} examples"))
    )]
    Fit {
        /// The array.
        name: &'static str,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
        /// Runs of the mask.
        runs: usize,
        /// Examples of the mask, where they have to be the same.
        examples: Option<usize>,
    },
    /// A number of a group beyond the number of examples.
    #[error("has a group number of {group}, but {examples} examples")]
    Group {
        /// The group.
        group: usize,
        /// Examples.
        examples: usize,
    },
    /// Something that is no number of a class or group.
    #[error("has values in `{name}` that are not whole numbers from 0 to 16777215")]
    Number {
        /// The array.
        name: &'static str,
    },
    /// Another number of values than of examples.
    #[error("has {found} values in `{name}`, not {expected}")]
    Length {
        /// The array.
        name: &'static str,
        /// Its values.
        found: usize,
        /// Examples.
        expected: usize,
    },
}
