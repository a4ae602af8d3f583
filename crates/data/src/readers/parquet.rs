//! Tables as Parquet files, through the `parquet` crate without arrow (the format is a specification of its own; its reader is kept
//! by the project that defines it).

use ::parquet::file::metadata::FileMetaData;
use ::parquet::file::reader::FileReader;
use ::parquet::record::Field;
use bytes::Bytes;

use crate::budget::MOST_VALUES;
use crate::columnar;
use crate::error::Error;
use crate::gather::{Gather, Value, no_label};
use crate::guard::guarded;
use crate::reader::{Found, Input, Options, Reader};
use crate::table::{Cell, Place, Roles, Table, TableError};

/// Most values of a table.
const MAX_VALUES: i64 = MOST_VALUES.cast_signed();

/// Reads them as data sets.
pub(crate) struct Parquet;

impl Reader for Parquet {
    fn takes(&self) -> &'static str {
        "a table as `.parquet`"
    }

    fn detect(&self, input: &Input) -> Result<bool, Error> {
        Ok(input.ends(&["parquet"]) || input.head().starts_with(b"PAR1"))
    }

    fn read(&self, input: &Input, _: Options) -> Result<Found, Error> {
        Ok(Found::One(parse(input.bytes()?).map_err(|e| input.wrong(e))?.whole()))
    }
}

/// Reads a flat table of numbers and booleans; label and group columns as in [`csv`](crate::csv::parse), and they may be text. What is left
/// out is as there; a column that pandas notes as its index is one.
///
/// A panic of the library is an error like any other.
///
/// # Errors
/// What is wrong, with the row from 0 and the column's name.
pub fn parse(content: Vec<u8>) -> Result<Table, TableError> {
    guarded(|| table(content)).unwrap_or(Err(TableError::Damaged))
}

fn table(content: Vec<u8>) -> Result<Table, TableError> {
    let content = Bytes::from(content);
    let reader = columnar::open(content.clone(), content)?;
    let metadata = reader.metadata().file_metadata();
    let head: Vec<String> = metadata.schema().get_fields().iter().map(|f| f.name().to_owned()).collect();
    let rows = i64::try_from(columnar::rows(&reader)).unwrap_or(i64::MAX);
    if head.len() < 2 || rows.saturating_mul(head.len() as i64) > MAX_VALUES {
        return Err(TableError::Size { columns: head.len(), rows, most: MAX_VALUES });
    }
    let roles = Roles::new(head.len(), &head, None)?;
    let mut gather = Gather::new(head.len(), &head, roles, pandas_index(metadata), true);
    for (place, row) in (0..).map(Place::Row).zip(reader.get_row_iter(None)?) {
        for (column, (name, field)) in row?.get_column_iter().enumerate() {
            if !gather.is_named(column) {
                gather.value(column, place, value(field), || field.to_string());
                continue;
            }
            let label = label(field).filter(|text| !no_label(text));
            let missing = || TableError::NoLabel { cell: Cell { place, column, name: Some(name.clone()) } };
            gather.name(column, label.ok_or_else(missing)?);
        }
        gather.end_row()?;
    }
    gather.finish()
}

/// Columns that pandas wrote as an index, by what it notes in the file.
fn pandas_index(metadata: &FileMetaData) -> Vec<String> {
    let noted = metadata.key_value_metadata().into_iter().flatten().find(|pair| pair.key == "pandas");
    let text = noted.and_then(|pair| pair.value.as_deref()).unwrap_or_default();
    let Ok(notes) = serde_json::from_str::<serde_json::Value>(text) else { return Vec::new() };
    // A range that was not written as a column is described by an object.
    let columns = notes.get("index_columns").and_then(serde_json::Value::as_array);
    columns.into_iter().flatten().filter_map(|column| column.as_str().map(str::to_owned)).collect()
}

/// A cell of a column of values.
fn value(field: &Field) -> Value {
    match field {
        Field::Null => Value::Missing,
        Field::Str(text) => Value::of_text(text),
        Field::Float16(v) => Value::Number(f64::from(*v)),
        _ => match number(field) {
            Some(v) if v.is_nan() => Value::Missing,
            Some(v) => Value::Number(v),
            None => Value::Other,
        },
    }
}

/// A label or group as text; a floating-point number as what it is worth.
fn label(field: &Field) -> Option<String> {
    match field {
        Field::Float(_) | Field::Double(_) => number(field).map(|v| v.to_string()),
        _ => text(field),
    }
}

/// A number or a boolean.
fn number(field: &Field) -> Option<f64> {
    Some(match field {
        Field::Bool(v) => f64::from(u8::from(*v)),
        Field::Byte(v) => f64::from(*v),
        Field::Short(v) => f64::from(*v),
        Field::Int(v) => f64::from(*v),
        Field::Long(v) => *v as f64,
        Field::UByte(v) => f64::from(*v),
        Field::UShort(v) => f64::from(*v),
        Field::UInt(v) => f64::from(*v),
        Field::ULong(v) => *v as f64,
        Field::Float(v) => f64::from(*v),
        Field::Double(v) => *v,
        _ => return None,
    })
}

fn text(field: &Field) -> Option<String> {
    match field {
        Field::Str(v) => Some(v.clone()),
        Field::Bytes(v) => std::str::from_utf8(v.data()).ok().map(str::to_owned),
        Field::Bool(_)
        | Field::Byte(_)
        | Field::Short(_)
        | Field::Int(_)
        | Field::Long(_)
        | Field::UByte(_)
        | Field::UShort(_)
        | Field::UInt(_)
        | Field::ULong(_) => Some(field.to_string()),
        _ => None,
    }
}
