//! Some rows of the wanted columns, as readers of binary formats hand them on.

use super::error::{RecordError, Spot};
use super::field::{Field, Head};
use crate::budget::{Budget, OverBudget};
use crate::table::Place;

/// Rows that are read at once.
pub(super) const ROWS: usize = 1024;

/// Bytes that whoever reads a row may keep of it beside its numbers.
pub(super) const OF_ROW: u64 = 64;

/// Refuses rows that could not be counted to their end. Rows of nothing take no byte of their file, so that any number can be claimed.
pub(super) fn countable(budget: Budget, rows: u64) -> Result<(), OverBudget> {
    budget.memory("its rows", rows.checked_mul(OF_ROW))
}

/// A single value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Missing,
    Integer(i128),
    Number(f64),
    Bool(bool),
    Text(String),
}

impl Value {
    /// As an entry of a list: nothing is no number.
    pub(super) fn entry(&self) -> f64 {
        self.field().number().unwrap_or(f64::NAN)
    }

    fn field(&self) -> Field<'_> {
        match self {
            Self::Missing => Field::Missing,
            Self::Integer(v) => Field::Integer(*v),
            Self::Number(v) => Field::Number(*v),
            Self::Bool(v) => Field::Bool(*v),
            Self::Text(v) => Field::Text(v),
        }
    }

    /// Whole number over a power of ten.
    pub(super) fn decimal(digits: i128, scale: i32) -> Self {
        match scale {
            0 => Self::Integer(digits),
            // Through text: the quotient of two rounded numbers would be rounded twice.
            _ => format!("{digits}e{}", -scale).parse().map_or(Self::Missing, Self::Number),
        }
    }
}

/// Values of one column.
#[derive(Debug)]
pub(super) enum Cells {
    /// One per row.
    Single(Vec<Value>),
    /// A list per row.
    Lists(Lists),
}

/// Lists, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Lists {
    values: Vec<f64>,
    /// Where each ends, and whether it is there.
    ends: Vec<(usize, bool)>,
}

impl Lists {
    pub(super) fn push(&mut self, value: f64) {
        self.values.push(value);
    }

    /// Ends a list, or a row without one.
    pub(super) fn end(&mut self, present: bool) {
        self.ends.push((self.values.len(), present));
    }
}

impl Cells {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Single(values) => values.len(),
            Self::Lists(lists) => lists.ends.len(),
        }
    }

    fn get(&self, row: usize) -> Field<'_> {
        match self {
            Self::Single(values) => values[row].field(),
            Self::Lists(lists) => {
                let start = if row == 0 { 0 } else { lists.ends[row - 1].0 };
                match lists.ends[row] {
                    (end, true) => Field::List(&lists.values[start..end]),
                    (_, false) => Field::Missing,
                }
            }
        }
    }
}

/// Hands over `rows` rows, of which the first has the number `first`.
pub(super) fn each<E: From<RecordError>>(
    columns: &[(&Head, Cells)],
    first: u64,
    rows: usize,
    mut row: impl FnMut(Place, &[Field<'_>]) -> Result<(), E>,
) -> Result<(), E> {
    if let Some((head, cells)) = columns.iter().find(|(_, cells)| cells.len() != rows) {
        let (column, found) = (head.name.clone(), cells.len());
        return Err(RecordError::Lengths { column, found, expected: rows }.into());
    }
    let mut fields = Vec::with_capacity(columns.len());
    for (at, number) in (0..rows).zip(first..) {
        fields.clear();
        fields.extend(columns.iter().map(|(_, cells)| cells.get(at)));
        row(Place::Row(number), &fields)?;
    }
    Ok(())
}

/// That a value cannot be read.
pub(super) fn unreadable(head: &Head, row: u64, found: &'static str, mend: &'static str) -> RecordError {
    RecordError::Value { spot: Spot { place: Place::Row(row), column: head.name.clone() }, found, mend }
}
