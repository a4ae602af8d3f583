//! What can be wrong with a table that is read row by row.

use std::fmt;

use crate::budget::OverBudget;
use crate::columnar::over_budget;
use crate::table::Place;

/// A field of a table: its row and the name of its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The row.
    pub place: Place,
    /// Name of the column.
    pub column: String,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, column `{}`", self.place, self.column)
    }
}

/// What can be wrong with a table, as the end of a sentence that begins with its file.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file system refused, or a gzipped file is damaged.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Nothing is in it.
    #[error("is empty: give a table with a line of names and one row per model and example")]
    Empty,
    /// A format that is known, but is none of those that are read.
    #[error("is {found}: {mend}")]
    Foreign {
        /// What it is.
        found: &'static str,
        /// How to make a table of it.
        mend: &'static str,
    },
    /// Bytes that are of no known format.
    #[error("is neither text nor Parquet nor Arrow: save the table as CSV in UTF-8, as Parquet or as Feather")]
    Unknown,
    /// Bytes that are no text within text.
    #[error("{place} is not UTF-8 text: save the table as UTF-8")]
    NotUtf8 {
        /// The line.
        place: Place,
    },
    /// The `parquet` crate refused.
    #[error("is no readable Parquet file ({0}): write or copy it again")]
    Parquet(#[source] ::parquet::errors::ParquetError),
    /// More memory than is allowed.
    #[error(transparent)]
    Budget(#[from] OverBudget),
    /// The `arrow-ipc` crate refused.
    #[error("is no readable Arrow file ({0}): write or copy it again")]
    Arrow(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An Arrow file, and a program that was built without the crates that read it.
    #[error(
        "is an Arrow file, which this build does not read: build with the feature `arrow`, or write the table as Parquet"
    )]
    NoArrow,
    /// A file that ends too early.
    #[error("is cut short: write or copy it again")]
    Short,
    /// A file that says that it holds more than it can, or than is read.
    #[error("claims {found} bytes in one piece, of which at most {most} are read: write it in smaller pieces")]
    Claim {
        /// Bytes.
        found: u64,
        /// Most bytes.
        most: u64,
    },
    /// The library that reads the format panicked.
    #[error("is damaged beyond reading: write or copy it again")]
    Damaged,
    /// More columns than are read.
    #[error("has {found} columns; at most {most} are read: keep the outputs in one column of lists")]
    Columns {
        /// Columns.
        found: usize,
        /// Most that are read.
        most: usize,
    },
    /// A line that does not end.
    #[error("{place} has more than {most} bytes: is a quote left open, or are the line breaks missing?")]
    LongLine {
        /// The line.
        place: Place,
        /// Most bytes of a line.
        most: usize,
    },
    /// More lines in which nothing stands than there is time for.
    #[error("has more than {most} blank lines: save the table without them")]
    Blank {
        /// Most of them.
        most: u64,
    },
    /// A quote that does not end.
    #[error("{place} opens a quote that is never closed: close it, or write two quotes for one within a field")]
    OpenQuote {
        /// The line.
        place: Place,
    },
    /// A first line with a single name.
    #[error("has a single column: separate the fields by commas, semicolons or tabs")]
    OneColumn,
    /// A folder of other things than the parts of one table.
    #[error(
        "is a folder that does not hold Parquet files alone, or CSV files alone: keep the parts of one table in a folder of their own, or give one file"
    )]
    Folder,
    /// Parts of different tables.
    #[error(
        "holds `{name}` with other columns than the first of its files: keep the parts of one table in a folder of their own"
    )]
    Parts {
        /// The file.
        name: String,
    },
    /// Numbers where the names of the columns should be.
    #[error("has no line of names: put the names of the columns into the first line")]
    NoNames,
    /// A line with more or fewer fields than the first.
    #[error("{place} has {found} fields, the first line {expected}: {mend}")]
    Fields {
        /// The line.
        place: Place,
        /// Its fields.
        found: usize,
        /// Those of the first line.
        expected: usize,
        /// What to do.
        mend: &'static str,
    },
    /// Numbers with decimal commas and such with decimal points.
    #[error(
        "has the number `{comma}` with a comma in {of_comma} and `{point}` with a point in {of_point}: write all numbers with a point"
    )]
    Decimals {
        /// A number with a comma.
        comma: String,
        /// Where it is.
        of_comma: Spot,
        /// A number with a point.
        point: String,
        /// Where it is.
        of_point: Spot,
    },
    /// A value that cannot be read.
    #[error("{spot}: {found} cannot be read: {mend}")]
    Value {
        /// Where.
        spot: Spot,
        /// What stands there.
        found: &'static str,
        /// What to do.
        mend: &'static str,
    },
    /// Columns of different lengths.
    #[error("has {found} values of column `{column}` in a piece of {expected} rows: write the file again")]
    Lengths {
        /// The column.
        column: String,
        /// Its values.
        found: usize,
        /// Rows.
        expected: usize,
    },
}

impl From<::parquet::errors::ParquetError> for RecordError {
    fn from(error: ::parquet::errors::ParquetError) -> Self {
        over_budget(error).map_or_else(Self::Parquet, Self::Budget)
    }
}
