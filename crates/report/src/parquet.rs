//! Tables as Parquet files, through the `parquet` crate without arrow: it is kept by the project that defines the format.

use std::sync::Arc;

use ::parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::Type;

use crate::columns::{Column, Table};
use crate::error::Error;

/// A Parquet file with one row group, Snappy-compressed. Numbers are optional doubles: NaN is null; labels are optional integers.
///
/// # Errors
/// When the library cannot encode it, which no table makes it do.
pub fn render(table: &Table) -> Result<Vec<u8>, Error> {
    Ok(encode(table)?)
}

fn encode(table: &Table) -> Result<Vec<u8>, ParquetError> {
    let fields = table.columns.iter().map(|(name, column)| field(name, column)).collect::<Result<_, _>>()?;
    let schema = Arc::new(Type::group_type_builder("table").with_fields(fields).build()?);
    let properties = Arc::new(WriterProperties::builder().set_compression(Compression::SNAPPY).build());
    let mut out = Vec::new();
    let mut file = SerializedFileWriter::new(&mut out, schema, properties)?;
    let mut group = file.next_row_group()?;
    for (_, column) in &table.columns {
        let Some(mut writer) = group.next_column()? else { break };
        match column {
            Column::Integers(v) => {
                writer.typed::<Int64Type>().write_batch(v, None, None)?;
            }
            Column::Known(v) => {
                let present: Vec<i64> = v.iter().flatten().copied().collect();
                let levels: Vec<i16> = v.iter().map(|x| i16::from(x.is_some())).collect();
                writer.typed::<Int64Type>().write_batch(&present, Some(&levels), None)?;
            }
            Column::Numbers(v) => {
                let present: Vec<f64> = v.iter().copied().filter(|x| !x.is_nan()).collect();
                let levels: Vec<i16> = v.iter().map(|x| i16::from(!x.is_nan())).collect();
                writer.typed::<DoubleType>().write_batch(&present, Some(&levels), None)?;
            }
            Column::Text(v) => {
                let bytes: Vec<ByteArray> = v.iter().map(|s| ByteArray::from(s.as_str())).collect();
                writer.typed::<ByteArrayType>().write_batch(&bytes, None, None)?;
            }
        }
        writer.close()?;
    }
    group.close()?;
    file.close()?;
    Ok(out)
}

fn field(name: &str, column: &Column) -> Result<Arc<Type>, ParquetError> {
    let (physical, logical, repetition) = match column {
        Column::Integers(_) => (Physical::INT64, None, Repetition::REQUIRED),
        Column::Known(_) => (Physical::INT64, None, Repetition::OPTIONAL),
        Column::Numbers(_) => (Physical::DOUBLE, None, Repetition::OPTIONAL),
        Column::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String), Repetition::REQUIRED),
    };
    let built = Type::primitive_type_builder(name, physical).with_logical_type(logical).with_repetition(repetition);
    Ok(Arc::new(built.build()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    use ::parquet::record::Field;

    #[test]
    fn what_was_written_reads_back() {
        let table = Table {
            columns: vec![
                ("name", Column::Text(vec!["a".into(), "b".into(), "a".into()])),
                ("n", Column::Integers(vec![-1, 2, 3])),
                ("x", Column::Numbers(vec![0.5, f64::NAN, -0.0])),
            ],
        };
        let bytes = render(&table).unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        let rows: Vec<Vec<Field>> = reader
            .get_row_iter(None)
            .unwrap()
            .map(|r| r.unwrap().get_column_iter().map(|(_, f)| f.clone()).collect())
            .collect();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0], [Field::Str("a".into()), Field::Long(-1), Field::Double(0.5)]);
        assert_eq!(rows[1], [Field::Str("b".into()), Field::Long(2), Field::Null]);
        assert!(render(&Table { columns: vec![("n", Column::Integers(Vec::new()))] }).is_ok());
    }
}
