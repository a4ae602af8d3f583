//! Tables as Parquet files, through the `parquet` crate without arrow (the format is a specification of its own; its reader is kept
//! by the project that defines it).

use std::panic::{AssertUnwindSafe, catch_unwind};

use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::Field;
use bytes::Bytes;

use crate::table::{GROUPS, LABELS, Table, numbered, role};

/// Most values of a table.
const MAX_VALUES: i64 = 1 << 30;

/// Reads a flat table of numbers and booleans; label and group columns as in [`csv`](crate::csv::parse), and they may be text.
///
/// A panic of the library is an error like any other.
///
/// # Errors
/// What is wrong, with the row from 0 and the column's name, as a fragment.
pub fn parse(content: Vec<u8>) -> Result<Table, String> {
    catch_unwind(AssertUnwindSafe(|| read(content))).unwrap_or_else(|_| Err("is damaged beyond reading".into()))
}

fn read(content: Vec<u8>) -> Result<Table, String> {
    let damaged = |e: ::parquet::errors::ParquetError| format!("is no readable Parquet file: {e}");
    let reader = SerializedFileReader::new(Bytes::from(content)).map_err(damaged)?;
    let metadata = reader.metadata().file_metadata();
    let fields = metadata.schema().get_fields();
    let head: Vec<String> = fields.iter().map(|f| f.name().to_owned()).collect();
    if head.len() < 2 || metadata.num_rows().saturating_mul(head.len() as i64) > MAX_VALUES {
        return Err(format!("has {} columns and {} rows", head.len(), metadata.num_rows()));
    }
    let label = role(&head, &LABELS).unwrap_or(head.len() - 1);
    let group = role(&head, &GROUPS);
    let columns = head.len() - 1 - usize::from(group.is_some());
    if columns == 0 {
        return Err("has no column of values".into());
    }
    let (mut values, mut labels, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    for (index, row) in reader.get_row_iter(None).map_err(damaged)?.enumerate() {
        let row = row.map_err(damaged)?;
        for (column, (name, field)) in row.get_column_iter().enumerate() {
            let place = || format!("row {index}, column `{name}`");
            if column == label || Some(column) == group {
                let text = text(field).ok_or_else(|| format!("{}: no label", place()))?;
                if column == label { &mut labels } else { &mut groups }.push(text);
                continue;
            }
            match number(field).map(|v| v as f32).filter(|v| v.is_finite()) {
                Some(v) => values.push(v),
                None => return Err(format!("{}: `{field}` is not a finite number", place())),
            }
        }
    }
    if labels.is_empty() || values.len() != labels.len() * columns {
        return Err(format!("has {} labels, but {} values", labels.len(), values.len()));
    }
    let (labels, _) = numbered(&labels);
    let (groups, group_names) = numbered(&groups);
    Ok(Table { columns, values, labels, groups: group.map(|_| groups), group_names })
}

/// A number or a boolean.
pub(crate) fn number(field: &Field) -> Option<f64> {
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
