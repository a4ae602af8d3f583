//! What is worth saying of data that was read: what was left out, and what its parts were taken for.

use std::fmt;
use std::path::PathBuf;

/// Most names that a remark shows.
const SHOWN: usize = 12;

/// One thing that is worth saying. Each is a sentence without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A column that numbers the rows was left out.
    Index {
        /// Its name.
        column: String,
    },
    /// A column counts the rows, but its name does not say that it is an index.
    CountsRows {
        /// Its name, or its position from 1.
        column: String,
    },
    /// A column is named as an index, but does not count the rows.
    NamedIndex {
        /// Its name.
        column: String,
    },
    /// Columns that are no numbers were left out.
    NoNumbers {
        /// Their names.
        columns: Vec<String>,
    },
    /// No column is called a label, so that the last one is.
    LastColumn {
        /// Its name.
        column: String,
    },
    /// A feature could be the label by its name.
    OtherLabel {
        /// The column that is the label.
        label: String,
        /// The feature.
        column: String,
    },
    /// Labels that are numbers, but not those of their classes.
    Labels {
        /// The label of each class.
        labels: Vec<String>,
    },
    /// Folders of classes are numbered in another order than that of their names as text.
    Order {
        /// The name of each class.
        folders: Vec<String>,
    },
    /// Of several arrays or splits that could be meant, one was taken.
    Taken {
        /// What was taken.
        taken: String,
        /// What was left out.
        left_out: Vec<String>,
    },
    /// Something else of the same name was not taken.
    Shadowed {
        /// The name.
        name: String,
        /// What was taken.
        taken: String,
        /// What was not taken, and how to name it.
        other: PathBuf,
    },
}

/// Some names in a list; of many the first ones.
fn list(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(SHOWN).map(|n| format!("`{n}`")).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index { column } => write!(f, "column `{column}` numbers the rows and is left out"),
            Self::CountsRows { column } => write!(
                f,
                "column {column} counts the rows and is read as a feature: take it out of the file if it is an index"
            ),
            Self::NamedIndex { column } => write!(
                f,
                "column `{column}` does not count the rows and is read as a feature: take it out of the file if it is an index"
            ),
            Self::NoNumbers { columns } => {
                write!(
                    f,
                    "columns without numbers are left out: {}; write categories as numbers to use them",
                    list(columns)
                )
            }
            Self::LastColumn { column } => write!(
                f,
                "the label is the last column, `{column}`: call the column of the classes `label` if it is another"
            ),
            Self::OtherLabel { label, column } => write!(
                f,
                "the label is column `{label}`, and column `{column}` is read as a feature: take it out of the file if it tells the label"
            ),
            Self::Labels { labels } => {
                write!(f, "labels {} are classes 0 to {}", list(labels), labels.len().saturating_sub(1))
            }
            Self::Order { folders } => {
                write!(
                    f,
                    "class folders are numbered by value, not in the order of text: {} are classes from 0",
                    list(folders)
                )
            }
            Self::Taken { taken, left_out } => write!(f, "{taken} is read; {} left out", list(left_out)),
            Self::Shadowed { name, taken, other } => {
                write!(f, "{name} is {taken}; write {} for what lies there", other.display())
            }
        }
    }
}
