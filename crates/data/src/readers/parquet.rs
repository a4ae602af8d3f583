//! Tables as Parquet files, through the `parquet` crate without arrow (the format is a specification of its own; its reader is kept
//! by the project that defines it).

use std::panic::{AssertUnwindSafe, catch_unwind};

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::Field;
use bytes::Bytes;

use crate::error::Error;
use crate::reader::{Found, Input, Options, Reader};
use crate::table::{Cell, Columns, Place, Roles, Table, TableError};

/// Most values of a table.
const MAX_VALUES: i64 = 1 << 30;

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

/// Reads a flat table of numbers and booleans; label and group columns as in [`csv`](crate::csv::parse), and they may be text.
///
/// A panic of the library is an error like any other.
///
/// # Errors
/// What is wrong, with the row from 0 and the column's name.
pub fn parse(content: Vec<u8>) -> Result<Table, TableError> {
    catch_unwind(AssertUnwindSafe(|| table(content))).unwrap_or(Err(TableError::Damaged))
}

fn table(content: Vec<u8>) -> Result<Table, TableError> {
    let reader = SerializedFileReader::new(Bytes::from(content))?;
    let metadata = reader.metadata().file_metadata();
    let head: Vec<String> = metadata.schema().get_fields().iter().map(|f| f.name().to_owned()).collect();
    if head.len() < 2 || metadata.num_rows().saturating_mul(head.len() as i64) > MAX_VALUES {
        return Err(TableError::Size { columns: head.len(), rows: metadata.num_rows(), most: MAX_VALUES });
    }
    let roles = Roles::new(head.len(), &head, None)?;
    let mut columns = Columns::default();
    for (place, row) in (0..).map(Place::Row).zip(reader.get_row_iter(None)?) {
        for (column, (name, field)) in row?.get_column_iter().enumerate() {
            let cell = || Cell { place, column, name: Some(name.clone()) };
            let names = match column {
                c if c == roles.label => &mut columns.labels,
                c if Some(c) == roles.group => &mut columns.groups,
                _ => match number(field).map(|v| v as f32).filter(|v| v.is_finite()) {
                    Some(v) => {
                        columns.values.push(v);
                        continue;
                    }
                    None => return Err(TableError::NotFinite { cell: cell(), field: field.to_string() }),
                },
            };
            names.push(text(field).ok_or_else(|| TableError::NoLabel { cell: cell() })?);
        }
    }
    let (labels, values, groups) = (columns.labels.len(), columns.values.len(), columns.groups.len());
    if labels == 0 || values != labels * roles.values || roles.group.is_some() && groups != labels {
        return Err(TableError::Lengths { labels, values });
    }
    Ok(columns.into_table(roles))
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
