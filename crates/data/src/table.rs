//! What readers of tables have in common: which column is what, numbers for names, and what can be wrong.

use std::fmt;

use crate::budget::OverBudget;
use crate::columnar::over_budget;
use crate::labels::LabelError;
use crate::raw::{Raw, Values, Whole};
use crate::remark::Remark;
use crate::shape::Shape;

/// Names that make a column the label.
pub(crate) const LABELS: [&str; 4] = ["label", "class", "target", "y"];
/// Names that make a column the group.
const GROUPS: [&str; 2] = ["group", "groups"];

/// A table with its labels and groups numbered in the order of their sorted names.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Values per row.
    pub columns: usize,
    /// (rows, columns).
    pub values: Vec<f32>,
    /// Class of each row.
    pub labels: Vec<u32>,
    /// Label of each class.
    pub class_names: Vec<String>,
    /// Group of each row, where there is such a column.
    pub groups: Option<Vec<u32>>,
    /// Names of the groups.
    pub group_names: Vec<String>,
    /// What was left out, and what columns were taken for.
    pub remarks: Vec<Remark>,
}

impl Table {
    /// The table as examples.
    pub(crate) fn whole(self) -> Whole {
        let shape = Shape { channels: 1, height: 1, width: self.columns };
        let raw = Raw { groups: self.groups, ..Raw::new(Values::Table(self.values), self.labels) };
        let (groups, classes, remarks) = (self.group_names, Some(self.class_names), self.remarks);
        Whole { groups, classes, remarks, ..Whole::new(shape, raw) }
    }
}

/// Which column is what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roles {
    pub(crate) label: usize,
    pub(crate) group: Option<usize>,
    /// Number of the others.
    pub(crate) values: usize,
}

impl Roles {
    /// By the names of the columns, of which `names` has those that may be trusted; `label` is taken where no name says which is the
    /// label, else the last that is no group.
    pub(crate) fn new(width: usize, names: &[String], label: Option<usize>) -> Result<Self, TableError> {
        // A column `y` beside a column `label` is a coordinate: the earlier name counts, not the earlier column.
        let column = |name: &&str| names.iter().position(|h| h.eq_ignore_ascii_case(name));
        let named = |wanted: &[&str]| wanted.iter().find_map(column);
        let group = named(&GROUPS);
        let last = (0..width).rev().find(|column| Some(*column) != group);
        let label = named(&LABELS).or(label).or(last).ok_or(TableError::NoValues)?;
        match width.saturating_sub(1 + usize::from(group.is_some())) {
            0 => Err(TableError::NoValues),
            values => Ok(Self { label, group, values }),
        }
    }
}

/// Numbers for names, by their order as whole numbers where all are, else as text.
pub(crate) fn numbered(names: &[String]) -> (Vec<u32>, Vec<String>) {
    let mut distinct = names.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.iter().all(|n| n.parse::<i64>().is_ok()) {
        distinct.sort_by_key(|n| n.parse::<i64>().ok());
    }
    let position: std::collections::HashMap<&str, u32> = distinct.iter().map(String::as_str).zip(0..).collect();
    (names.iter().map(|n| position[n.as_str()]).collect(), distinct)
}

/// A row, as its format counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of text, from 1.
    Line(u64),
    /// A row behind the names, from 0.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(n) => write!(f, "line {n}"),
            Self::Row(n) => write!(f, "row {n}"),
        }
    }
}

/// A field of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its row.
    pub place: Place,
    /// Number of its column, from 0.
    pub column: usize,
    /// Name of its column, where rows have no lines.
    pub name: Option<String>,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{}, column `{name}`", self.place),
            None => write!(f, "{}, column {}", self.place, self.column + 1),
        }
    }
}

/// What can be wrong with a table, as the end of a sentence that begins with its file.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file system refused.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Nothing is in it.
    #[error("is empty")]
    Empty,
    /// Bytes that are no text, where text is expected.
    #[error("is not UTF-8 text: {0}")]
    NotUtf8(#[from] std::str::Utf8Error),
    /// The `parquet` crate refused.
    #[error("is no readable Parquet file: {0}")]
    Parquet(#[source] ::parquet::errors::ParquetError),
    /// More memory than is allowed.
    #[error(transparent)]
    Budget(#[from] OverBudget),
    /// More columns than are read.
    #[error("has more than {most} columns: take columns out")]
    Columns {
        /// Most that are read.
        most: usize,
    },
    /// The `parquet` crate panicked.
    #[error("is damaged beyond reading")]
    Damaged,
    /// A table that is too narrow or too large.
    #[error("has {columns} columns and {rows} rows: at least 2 columns and at most {most} values are read")]
    Size {
        /// Columns.
        columns: usize,
        /// Rows.
        rows: i64,
        /// Most values.
        most: i64,
    },
    /// Several columns of text without names.
    #[error(
        "has text in columns {} and no line of names, so that any of them may be the label: add one, with the label's column called `label`",
        columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    UnnamedText {
        /// Their numbers, from 1.
        columns: Vec<usize>,
    },
    /// A label and nothing else.
    #[error("has a single column: a label and at least one value are needed")]
    SingleColumn,
    /// Labels and groups and nothing else.
    #[error("has no column of values")]
    NoValues,
    /// A line with more or fewer fields than the first.
    #[error("{place} has {found} fields, the first line {expected}")]
    Fields {
        /// The line.
        place: Place,
        /// Its fields.
        found: usize,
        /// Those of the first line.
        expected: usize,
    },
    /// A field that is no number, or none that can be computed with, in a column of numbers.
    #[error("{cell}: `{field}` is not a finite number: correct it, or take the column out")]
    NotFinite {
        /// Where.
        cell: Cell,
        /// What stands there.
        field: String,
    },
    /// A field without a value in a column of numbers.
    #[error("{cell}: no value (`{field}`): fill it in, or take the row or the column out")]
    Missing {
        /// Where.
        cell: Cell,
        /// What stands there.
        field: String,
    },
    /// A row without a label or a group.
    #[error("{cell}: no label: fill it in, or take the row out")]
    NoLabel {
        /// Where.
        cell: Cell,
    },
    /// A table in which nothing can be a feature.
    #[error(
        "has no column of numbers beside the label; {} cannot be a feature: add a column of numbers",
        left_out.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    )]
    NoFeatures {
        /// What was left out.
        left_out: Vec<String>,
    },
    /// Labels that are no classes.
    #[error(transparent)]
    Labels(#[from] LabelError),
    /// Columns of different lengths.
    #[error("has {labels} labels, but {values} values")]
    Lengths {
        /// Labels.
        labels: usize,
        /// Values.
        values: usize,
    },
}

impl From<::parquet::errors::ParquetError> for TableError {
    fn from(error: ::parquet::errors::ParquetError) -> Self {
        over_budget(error).map_or_else(Self::Parquet, Self::Budget)
    }
}
