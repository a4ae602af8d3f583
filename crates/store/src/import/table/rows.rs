//! The rows of a table while they are read.

use flatleak_data::records::{Field, Place, Spot};

use super::columns::{Columns, Layout};
use super::member::{Words, bit};
use super::natural::Names;
use super::problem::RowsError;

/// Most rows of a table, which is held whole; larger pools come as arrays, which are read in pieces.
const MOST_ROWS: usize = 1 << 26;
/// Most numbers among the outputs, 8 bytes each.
const MOST_NUMBERS: usize = 1 << 29;

/// Of which cell of the pool a row is, by the numbers of names, and what it says beside the outputs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) model: u32,
    pub(super) example: u32,
    pub(super) query: u32,
    pub(super) label: u32,
    /// Its word of membership; none where a column says that the example is held out.
    pub(super) word: Option<u8>,
    pub(super) place: Place,
}

/// All rows.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) columns: Columns,
    pub(super) models: Names,
    pub(super) examples: Names,
    pub(super) queries: Names,
    pub(super) labels: Names,
    pub(super) words: Words,
    pub(super) keys: Vec<Key>,
    /// The outputs of all rows, one behind the other, as little-endian doubles.
    pub(super) values: Vec<u8>,
    /// Numbers per row; 0 before the first.
    pub(super) width: usize,
    buffer: Vec<f64>,
}

impl Rows {
    pub(super) fn new(columns: Columns) -> Self {
        let width = if columns.outputs.layout == Layout::List { 0 } else { columns.outputs.at.len() };
        Self {
            columns,
            models: Names::default(),
            examples: Names::default(),
            queries: Names::default(),
            labels: Names::default(),
            words: Words::default(),
            keys: Vec::new(),
            values: Vec::new(),
            width,
            buffer: Vec::new(),
        }
    }

    /// Where a field is, for a message.
    fn spot(&self, place: Place, column: usize) -> Spot {
        Spot { place, column: self.columns.names[column].clone() }
    }

    /// Takes in a row.
    pub(super) fn add(&mut self, place: Place, row: &[Field<'_>]) -> Result<(), RowsError> {
        if self.keys.len() == MOST_ROWS {
            return Err(RowsError::TooMany { place, what: "rows", most: MOST_ROWS });
        }
        if self.values.len() / 8 + self.width > MOST_NUMBERS {
            return Err(RowsError::TooMany { place, what: "outputs", most: MOST_NUMBERS });
        }
        let (model_at, example_at) = (self.columns.model, self.columns.example);
        let model = name(&mut self.models, row[model_at], place);
        let model = model.ok_or_else(|| self.nameless(row[model_at], place, model_at, "the model"))?;
        let example = name(&mut self.examples, row[example_at], place);
        let example = example.ok_or_else(|| self.nameless(row[example_at], place, example_at, "the example"))?;
        let query = match self.columns.query {
            Some(at) => {
                let found = name(&mut self.queries, row[at], place);
                found.ok_or_else(|| self.nameless(row[at], place, at, "the view"))?
            }
            None => name(&mut self.queries, Field::Integer(0), place).unwrap_or_default(),
        };
        let label = match self.columns.label {
            Some(at) => {
                let found = name(&mut self.labels, row[at], place);
                found.ok_or_else(|| self.nameless(row[at], place, at, "the label"))?
            }
            None => 0,
        };
        let word = self.word(place, row)?;
        self.outputs(place, row)?;
        self.keys.push(Key { model, example, query, label, word, place });
        Ok(())
    }

    /// Why a field is no name.
    fn nameless(&self, field: Field<'_>, place: Place, at: usize, role: &'static str) -> RowsError {
        let spot = self.spot(place, at);
        match field.is_missing() {
            true => RowsError::Missing { spot, role },
            false => RowsError::Id { spot, found: field.to_string(), role },
        }
    }

    fn word(&mut self, place: Place, row: &[Field<'_>]) -> Result<Option<u8>, RowsError> {
        if let Some(at) = self.columns.held_out {
            let found = row[at];
            let held = bit(found).ok_or_else(|| match found.is_missing() {
                true => RowsError::Missing { spot: self.spot(place, at), role: "1 or 0" },
                false => RowsError::Bit { spot: self.spot(place, at), found: found.to_string() },
            });
            if held? {
                return Ok(None);
            }
        }
        let (at, _) = self.columns.member;
        if let Some(word) = self.words.number(row[at], place) {
            return Ok(Some(word));
        }
        let (spot, found) = (self.spot(place, at), row[at]);
        Err(match found.is_missing() {
            true => RowsError::Missing { spot, role: "who is a member" },
            false => RowsError::Member { spot, found: found.to_string(), all: self.words.told() },
        })
    }

    fn outputs(&mut self, place: Place, row: &[Field<'_>]) -> Result<(), RowsError> {
        let Self { columns, values, width, buffer, .. } = self;
        let spot = |at: usize| Spot { place, column: columns.names[at].clone() };
        let missing = |at| RowsError::Missing { spot: spot(at), role: "a number" };
        if let (Layout::List, &[at]) = (&columns.outputs.layout, columns.outputs.at.as_slice()) {
            let field = row[at];
            if field.is_missing() {
                return Err(missing(at));
            }
            let found = field.list(buffer).ok_or_else(|| match field.number() {
                Some(_) if *width == 0 => {
                    RowsError::OneColumn { column: columns.names[at].clone(), kind: columns.kind() }
                }
                _ => RowsError::NoList { spot: spot(at), found: field.to_string() },
            })?;
            match found.len() {
                0 => return Err(missing(at)),
                1 if *width == 0 => {
                    return Err(RowsError::OneColumn { column: columns.names[at].clone(), kind: columns.kind() });
                }
                len if *width == 0 => *width = len,
                _ => {}
            }
            if found.len() != *width {
                return Err(RowsError::Length { spot: spot(at), found: found.len(), expected: *width });
            }
            if found.iter().any(|v| v.is_nan()) {
                return Err(missing(at));
            }
            found.iter().for_each(|v| values.extend_from_slice(&v.to_le_bytes()));
            return Ok(());
        }
        for &at in &columns.outputs.at {
            match row[at].number() {
                Some(v) if !v.is_nan() => values.extend_from_slice(&v.to_le_bytes()),
                Some(_) => return Err(missing(at)),
                None if row[at].is_missing() => return Err(missing(at)),
                None => return Err(RowsError::NoNumber { spot: spot(at), found: row[at].to_string() }),
            }
        }
        Ok(())
    }
}

/// The number of a name; a number with decimals is none.
fn name(names: &mut Names, field: Field<'_>, place: Place) -> Option<u32> {
    let broken = field.whole().is_none()
        && field.text().is_some_and(|text| text.contains('.') && text.trim().parse::<f64>().is_ok());
    if field.is_missing() || broken { None } else { names.number(field, place) }
}
