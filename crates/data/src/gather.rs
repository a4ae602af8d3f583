//! The columns of a table of examples, as its cells come in: what is a feature, what an index, what neither.

use crate::budget::{Account, Budget, OverBudget};
use crate::labels;
use crate::remark::Remark;
use crate::table::{Cell, LABELS, Place, Roles, Table, TableError, numbered};

/// Rows below which 0, 1, ... is no sign of an index.
const FEWEST_COUNTED: u64 = 3;
/// Bytes of a label or group beside its letters, in the list of all and in that of distinct ones.
const OF_NAME: u64 = 64;
/// Texts for a value that is not there, in lower case.
const MISSING: [&str; 10] = ["", "na", "n/a", "nan", "null", "none", "<na>", "nat", "?", "-"];
/// Names of columns that are an index where they count the rows.
const INDEX: [&str; 12] = [
    "id",
    "index",
    "idx",
    "row",
    "rows",
    "rowid",
    "row_id",
    "rownum",
    "row_number",
    "rownames",
    "row_names",
    "level_0",
];

/// One cell of a column of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    /// A number, perhaps none that can be computed with.
    Number(f64),
    /// Nothing.
    Missing,
    /// Something else.
    Other,
}

impl Value {
    /// What a text stands for.
    pub(crate) fn of_text(text: &str) -> Self {
        if let Ok(number) = text.parse::<f64>()
            && !number.is_nan()
        {
            return Self::Number(number);
        }
        match text.to_ascii_lowercase().as_str() {
            "true" => Self::Number(1.0),
            "false" => Self::Number(0.0),
            other if MISSING.contains(&other) => Self::Missing,
            _ => Self::Other,
        }
    }
}

/// Whether a label's text says that there is none.
pub(crate) fn no_label(text: &str) -> bool {
    ["", "nan", "NaN", "<NA>"].contains(&text)
}

/// What is known of a column of values.
#[derive(Debug, Default)]
struct Column {
    numbers: u64,
    /// The first cell that is neither number nor missing, or an infinite number.
    wrong: Option<(Place, String)>,
    missing: Option<(Place, String)>,
    others: u64,
    first: f64,
    /// Every number is the one before and 1.
    counts: bool,
    /// Whole numbers of a column that its name says to be an index.
    whole: Option<Vec<i64>>,
}

impl Column {
    fn see(&mut self, row: u64, place: Place, value: Value, shown: impl FnOnce() -> String) -> f32 {
        let number = match value {
            Value::Number(v) => v,
            Value::Missing => {
                self.counts = false;
                self.whole = None;
                self.missing.get_or_insert_with(|| (place, shown()));
                return f32::NAN;
            }
            Value::Other => {
                self.counts = false;
                self.whole = None;
                self.others += 1;
                self.wrong.get_or_insert_with(|| (place, shown()));
                return f32::NAN;
            }
        };
        self.numbers += 1;
        if row == 0 {
            self.first = number;
            self.counts = number == 0.0 || number == 1.0;
        }
        self.counts &= number == self.first + row as f64;
        if number.fract() == 0.0 {
            self.whole.iter_mut().for_each(|all| all.push(number as i64));
        } else {
            self.whole = None;
        }
        let narrow = number as f32;
        if !narrow.is_finite() {
            self.wrong.get_or_insert_with(|| (place, shown()));
        }
        narrow
    }

    /// Whole numbers without a repetition.
    fn names_rows(&mut self) -> bool {
        let Some(all) = &mut self.whole else { return false };
        let rows = all.len();
        all.sort_unstable();
        all.dedup();
        all.len() == rows
    }
}

/// A table that is being read.
#[derive(Debug)]
pub(crate) struct Gather {
    roles: Roles,
    /// Names of all columns, where they are known.
    names: Vec<String>,
    /// Names that the format itself says to be an index.
    index: Vec<String>,
    columns: Vec<Column>,
    values: Vec<f32>,
    labels: Vec<String>,
    groups: Vec<String>,
    rows: u64,
    /// Cells have the names of their columns.
    by_name: bool,
    account: Account,
}

impl Gather {
    /// A table of `width` columns; `names` is empty where nothing says what they are called.
    pub(crate) fn new(width: usize, names: &[String], roles: Roles, index: Vec<String>, by_name: bool) -> Self {
        let mut columns: Vec<Column> = (0..width).map(|_| Column::default()).collect();
        for (column, name) in columns.iter_mut().zip(names) {
            column.whole = (index.contains(name) || is_written_index(name)).then(Vec::new);
        }
        let (values, labels, groups) = (Vec::new(), Vec::new(), Vec::new());
        let account = Account::new(Budget::now(), "its rows");
        Self { roles, names: names.to_vec(), index, columns, values, labels, groups, rows: 0, by_name, account }
    }

    /// Whether a column is of names, the label or the group.
    pub(crate) fn is_named(&self, column: usize) -> bool {
        column == self.roles.label || Some(column) == self.roles.group
    }

    /// A cell of the label or the group.
    pub(crate) fn name(&mut self, column: usize, text: String) {
        if column == self.roles.label {
            self.labels.push(text);
        } else {
            self.groups.push(text);
        }
    }

    /// A cell of another column.
    pub(crate) fn value(&mut self, column: usize, place: Place, value: Value, shown: impl FnOnce() -> String) {
        if let Some(own) = self.columns.get_mut(column) {
            self.values.push(own.see(self.rows, place, value, shown));
        }
    }

    /// The end of a row.
    ///
    /// # Errors
    /// More rows than can be held.
    pub(crate) fn end_row(&mut self) -> Result<(), OverBudget> {
        self.rows += 1;
        // Twice, as what is no feature is taken out, and the features become those of pool and test set.
        let names = [self.labels.last(), self.groups.last()].into_iter().flatten();
        let names: u64 = names.map(|name| OF_NAME + name.len() as u64).sum();
        self.account.spend(names + 8 * self.roles.values as u64)
    }

    /// How a remark calls a column.
    fn called(&self, column: usize) -> String {
        let named = self.names.get(column).filter(|name| !name.is_empty());
        named.cloned().unwrap_or_else(|| (column + 1).to_string())
    }

    fn cell(&self, place: Place, column: usize) -> Cell {
        Cell { place, column, name: self.names.get(column).filter(|_| self.by_name).cloned() }
    }

    /// The table, without what is no feature.
    pub(crate) fn finish(mut self) -> Result<Table, TableError> {
        let width = self.roles.values;
        let (labels, values) = (self.labels.len(), self.values.len());
        if labels == 0 || values != labels * width || self.roles.group.is_some() && self.groups.len() != labels {
            return Err(TableError::Lengths { labels, values });
        }
        let mut remarks = Vec::new();
        let kept = self.features(&mut remarks)?;
        if kept.len() < width {
            let mut at = 0;
            for row in 0..labels {
                for k in &kept {
                    self.values[at] = self.values[row * width + k];
                    at += 1;
                }
            }
            self.values.truncate(at);
        }
        let label = self.names.get(self.roles.label);
        if let Some(name) = label.filter(|name| !LABELS.contains(&name.to_ascii_lowercase().as_str())) {
            remarks.push(Remark::LastColumn { column: name.clone() });
        }
        let what = match label {
            Some(name) => format!("column `{name}`"),
            None => format!("column {}", self.roles.label + 1),
        };
        let numbered_labels = labels::number(&what, &self.labels)?;
        remarks.extend(numbered_labels.remark);
        let (groups, group_names) = numbered(&self.groups);
        Ok(Table {
            columns: kept.len(),
            values: self.values,
            labels: numbered_labels.labels,
            class_names: numbered_labels.names,
            groups: self.roles.group.map(|_| groups),
            group_names,
            remarks,
        })
    }

    /// Positions of the features among the columns of values.
    fn features(&mut self, remarks: &mut Vec<Remark>) -> Result<Vec<usize>, TableError> {
        let of_values: Vec<usize> = (0..self.columns.len()).filter(|c| !self.is_named(*c)).collect();
        let (mut kept, mut no_numbers, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for (k, &c) in of_values.iter().enumerate() {
            let own = &self.columns[c];
            if own.numbers == 0 && own.others > 0 {
                no_numbers.push(self.called(c));
                continue;
            }
            if let Some((place, field)) = &own.wrong {
                return Err(TableError::NotFinite { cell: self.cell(*place, c), field: field.clone() });
            }
            if let Some((place, field)) = &own.missing {
                return Err(TableError::Missing { cell: self.cell(*place, c), field: field.clone() });
            }
            match self.index_of(c) {
                Some(remark @ Remark::Index { .. }) => {
                    left_out.push(self.called(c));
                    remarks.push(remark);
                }
                remark => {
                    remarks.extend(remark);
                    remarks.extend(self.other_label(c));
                    kept.push(k);
                }
            }
        }
        left_out.extend(no_numbers.iter().cloned());
        if kept.is_empty() {
            return Err(TableError::NoFeatures { left_out });
        }
        if !no_numbers.is_empty() {
            remarks.push(Remark::NoNumbers { columns: no_numbers });
        }
        Ok(kept)
    }

    /// What is to be said of a feature that is called as labels are.
    fn other_label(&self, c: usize) -> Option<Remark> {
        let (label, name) = (self.names.get(self.roles.label)?, self.names.get(c)?);
        let is_label = LABELS.iter().any(|known| known.eq_ignore_ascii_case(name));
        is_label.then(|| Remark::OtherLabel { label: label.clone(), column: name.clone() })
    }

    /// What is to be said of a column that is an index, or may be one.
    fn index_of(&mut self, c: usize) -> Option<Remark> {
        let counts = self.columns[c].counts && self.rows >= FEWEST_COUNTED;
        let Some(name) = self.names.get(c).cloned() else {
            return counts.then(|| Remark::CountsRows { column: self.called(c) });
        };
        let written = self.index.contains(&name) || is_written_index(&name);
        let likely = INDEX.contains(&name.to_ascii_lowercase().as_str());
        let is_index = (written || likely) && counts || written && self.columns[c].names_rows();
        match (is_index, written || likely, counts) {
            (true, ..) => Some(Remark::Index { column: self.called(c) }),
            (_, true, _) => Some(Remark::NamedIndex { column: self.called(c) }),
            (.., true) => Some(Remark::CountsRows { column: format!("`{name}`") }),
            _ => None,
        }
    }
}

/// Whether only a program that wrote its own index gives a column this name.
fn is_written_index(name: &str) -> bool {
    let level =
        |prefix: &str| name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    name.is_empty() || level("Unnamed: ") || level("__index_level_")
}
