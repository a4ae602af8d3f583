//! What can be wrong with a table of outputs, as the end of a sentence that begins with the file.

use flatleak_data::records::{Place, Spot};

use super::natural::Name;

/// What can be wrong with a table of outputs.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// A column that is missing.
    #[error(
        "has no column for {role}: name one `{name}`{}; the columns are {}",
        nearest.as_ref().map_or(String::new(), |near| format!(" (is it `{near}`?)")),
        listed(found)
    )]
    NoColumn {
        /// What it says.
        role: &'static str,
        /// A name that it can have.
        name: &'static str,
        /// The column whose name is nearest.
        nearest: Option<String>,
        /// The columns that are there.
        found: Vec<String>,
    },
    /// Columns that could all be the same.
    #[error(
        "has several columns that could be {role}: {}; keep one, and leave the others out or rename them, as `old_...`",
        listed(columns)
    )]
    Ambiguous {
        /// What they could be.
        role: String,
        /// Their names.
        columns: Vec<String>,
    },
    /// A column of a type that says nothing.
    #[error(
        "has the column `{column}` of type {found}, but {role} is a number or text: {}, or rename the column",
        if found == "vector of Spark" { "make it a list with pyspark.ml.functions.vector_to_array" } else { "write it as one" }
    )]
    Type {
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// What it is.
        role: &'static str,
    },
    /// No outputs.
    #[error(
        "has no outputs: name them logit_0, logit_1... or probability_0, probability_1... (or one column `logits` or `probabilities` of lists), phi, loss or confidence{}; the columns are {}",
        nearest.as_ref().map_or(String::new(), |near| format!(" (is it `{near}`?)")),
        listed(found)
    )]
    NoOutputs {
        /// The column whose name is nearest.
        nearest: Option<String>,
        /// The columns that are there.
        found: Vec<String>,
    },
    /// Several kinds of outputs.
    #[error(
        "has several kinds of outputs: {}; keep one kind, and leave the others out or rename them, as `old_...`",
        listed(kinds)
    )]
    Kinds {
        /// The first column of each kind.
        kinds: Vec<String>,
    },
    /// A column per class is missing.
    #[error(
        "has the columns `{first}` to `{last}`, but none for class {missing}: add it, or count the classes from 0 without a gap, in the columns and in the labels"
    )]
    Gap {
        /// The class.
        missing: usize,
        /// Column of the lowest class.
        first: String,
        /// Column of the highest class.
        last: String,
    },
    /// A single column of what is given per class.
    #[error(
        "has one number for each row in `{column}`, which can be of the true class or of one of two classes: name it `confidence` where it is the probability of the true class, `{kind}_1` where it is of the second class, and give {} as `{kind}_1` where it is of the first",
        if *kind == "logit" { "its negative" } else { "1 less it" }
    )]
    OneColumn {
        /// The column.
        column: String,
        /// What it is given as.
        kind: &'static str,
    },
    /// A field without a value.
    #[error("{spot}: nothing stands there, but {role} is needed: fill it in, or leave that example out of every model")]
    Missing {
        /// Where.
        spot: Spot,
        /// What should stand there.
        role: &'static str,
    },
    /// A field that is no number.
    #[error(
        "{spot}: `{found}` is no number: write it as a number with a decimal point, or leave that example out of every model"
    )]
    NoNumber {
        /// Where.
        spot: Spot,
        /// What stands there.
        found: String,
    },
    /// A field that is no list.
    #[error(
        "{spot}: `{found}` is no list of numbers: write one number per class, as [0.1, 0.2], or columns as logit_0, logit_1"
    )]
    NoList {
        /// Where.
        spot: Spot,
        /// What stands there.
        found: String,
    },
    /// A list of another length than the first.
    #[error(
        "{spot}: {found} numbers stand there, in the first row {expected}: write one number per class in every row"
    )]
    Length {
        /// Where.
        spot: Spot,
        /// Numbers of the list.
        found: usize,
        /// Numbers of the first.
        expected: usize,
    },
    /// A name of a model, example or view that is none.
    #[error("{spot}: `{found}` names no {role}: write a whole number or text")]
    Id {
        /// Where.
        spot: Spot,
        /// What stands there.
        found: String,
        /// Of what it is the name.
        role: &'static str,
    },
    /// Something else than yes and no.
    #[error("{spot}: `{found}` says neither yes nor no: write 1 or 0")]
    Bit {
        /// Where.
        spot: Spot,
        /// What stands there.
        found: String,
    },
    /// Something that says nothing about membership.
    #[error(
        "{spot}: `{found}` does not say who was trained on, of {}: write 1 or 0, true or false, yes or no, in or out, member or non-member, train or test, and val or held-out for examples that no model may have seen",
        listed(all)
    )]
    Member {
        /// Where.
        spot: Spot,
        /// What stands there.
        found: String,
        /// All that stands in the column.
        all: Vec<String>,
    },
    /// Numbers of splits.
    #[error(
        "{spot}: the split has the number {found}, and 0 can be train or test: write train and test, or name the column `member`, with 1 for members"
    )]
    SplitNumber {
        /// Where.
        spot: Spot,
        /// What stands there.
        found: String,
    },
    /// An example that is held out of some models and not of others.
    #[error(
        "{spot}: example {example} is held out there, but belongs to the pool in {other}: call it the same for every model (train or test within the pool, val outside)"
    )]
    HeldOut {
        /// Where it is held out.
        spot: Spot,
        /// The example.
        example: Name,
        /// Where it is not.
        other: Place,
    },
    /// More rows than are held.
    #[error(
        "{place}: more than {most} {what} are not held: give arrays (--logits, --membership, --labels), which are read in pieces"
    )]
    TooMany {
        /// The first row too many.
        place: Place,
        /// Rows or numbers.
        what: &'static str,
        /// Most of them.
        most: usize,
    },
    /// No row of the pool.
    #[error("has no row of an example within the pool: rows with 1 (member) or 0 (non-member) are needed")]
    NoRows,
    /// Rows that are missing.
    #[error(
        "has no row for model {model}, example {example}{}: {rows} rows are there, but {models} models x {examples} examples{} need {}; {}",
        view.as_ref().map_or(String::new(), |view| format!(", view {view}")),
        if *queries > 1 { format!(" x {queries} views") } else { String::new() },
        models.saturating_mul(*examples).saturating_mul(*queries),
        if *rows == *examples && *models > 1 {
            "the examples have a number of their own in every row: number them within the data set, the same for every model"
        } else {
            "add the missing rows, or leave that example out of every model"
        }
    )]
    Gone {
        /// The model of the first.
        model: Name,
        /// The example of the first.
        example: Name,
        /// The view of the first, where there are several.
        view: Option<Name>,
        /// Rows that are there.
        rows: usize,
        /// Models.
        models: usize,
        /// Examples.
        examples: usize,
        /// Views.
        queries: usize,
    },
    /// A row that is there twice.
    #[error("has model {model}, example {example} twice, in {first} and {second}: {mend}")]
    Twice {
        /// The model.
        model: Name,
        /// The example.
        example: Name,
        /// Where it is first.
        first: Place,
        /// Where it is again.
        second: Place,
        /// What to do.
        mend: &'static str,
    },
    /// Rows that disagree about who is a member.
    #[error("has model {model}, example {example} as a member and as none, in {first} and {second}: correct one")]
    BothSides {
        /// The model.
        model: Name,
        /// The example.
        example: Name,
        /// One row.
        first: Place,
        /// Another.
        second: Place,
    },
    /// Rows that disagree about a label.
    #[error(
        "has example {example} with the label {one} in {first} and {other} in {second}: an example has one label, whatever the model"
    )]
    Label {
        /// The example.
        example: Name,
        /// One label.
        one: Name,
        /// Where.
        first: Place,
        /// Another.
        other: Name,
        /// Where.
        second: Place,
    },
    /// A label without a column of its class.
    #[error("{spot}: the label is {label}, but the outputs are of the classes 0 to {}: {mend}", classes - 1)]
    Class {
        /// Where.
        spot: Spot,
        /// The label.
        label: Name,
        /// Classes.
        classes: usize,
        /// What to do.
        mend: &'static str,
    },
    /// Text labels of which it is not known which class is which.
    #[error(
        "has {} labels ({}) for outputs of {classes} classes, and nothing says which is which: name the columns by class, as `{kind}_{}`, or number the labels from 0",
        names.len(),
        listed(names),
        names.first().map_or("cat", String::as_str)
    )]
    Unordered {
        /// The labels.
        names: Vec<String>,
        /// Classes of the outputs.
        classes: usize,
        /// What the columns are called.
        kind: &'static str,
    },
    /// Text labels whose order depends on who sorts.
    #[error(
        "has text labels whose order is not known: sorted as text they are {}, sorted by the numbers in them {}; name the columns by class, as `{kind}_{}`, or number the labels as the columns are",
        listed(text),
        listed(natural),
        text.first().map_or("cat", String::as_str)
    )]
    Orders {
        /// Sorted as text.
        text: Vec<String>,
        /// In natural order.
        natural: Vec<String>,
        /// What the columns are called.
        kind: &'static str,
    },
    /// A label that no column is named by.
    #[error(
        "{spot}: the label is `{label}`, but the columns are of the classes {}: write the labels as these names, or name the columns by the labels",
        listed(classes)
    )]
    NoClass {
        /// Where.
        spot: Spot,
        /// The label.
        label: Name,
        /// Names of the classes.
        classes: Vec<String>,
    },
    /// A column named by no label.
    #[error(
        "has the column `{column}`, but no example with that label, and the name is that of a figure over classes: rename it, as `old_...`, or give its class another name in columns and labels"
    )]
    NoExample {
        /// The column.
        column: String,
    },
}

/// Names, of which the first twelve are told.
fn listed(names: &[String]) -> String {
    const TOLD: usize = 12;
    let mut text = names.iter().take(TOLD).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > TOLD {
        text.push_str(&format!(" and {} more", names.len() - TOLD));
    }
    text
}
