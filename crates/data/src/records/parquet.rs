//! Parquet, column by column, through the `parquet` crate without arrow.
//!
//! All common codecs are read. Snappy, gzip, lz4 and brotli are Rust. zstd, which polars writes unless it is told otherwise, is the C of
//! `zstd-sys`: `parquet` offers no other, and turning away what polars writes by itself would be worse. It needs the `cc` that rustc itself
//! calls to link, and nothing else. Processor time of a build of the dependencies (`opt-level = 3`, two cores of a Xeon): zstd 38 s, brotli
//! 21 s, lz4 1 s; beside them `parquet` takes 117 s and the crates of Arrow, which are therefore a feature of their own, 115 s.

use std::fs::File;
use std::path::{Path, PathBuf};

use ::parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::DataType;
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::FileReader;
use ::parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use super::batch::{Cells, Lists, ROWS, Value, countable, each, unreadable};
use super::error::RecordError;
use super::field::{Field, Head, Kind};
use super::line::MOST_COLUMNS;
use crate::arrays::element::half;
use crate::budget::{Account, Budget};
use crate::columnar::{self, Checked};
use crate::files;
use crate::guard::guarded;
use crate::table::Place;

/// What a vector of `spark.ml` is said to be.
const SPARK_VECTOR: &str = "vector of Spark";

/// The rows of one file, or of several that are parts of one table: see [`read`](super::read). A panic of the library is an error like any
/// other.
pub(super) fn rows<T, E: From<RecordError>>(
    files: &[PathBuf],
    head: impl FnOnce(&[Head]) -> Result<(T, Vec<usize>), E>,
    row: impl FnMut(&mut T, Place, &[Field<'_>]) -> Result<(), E>,
) -> Result<T, E> {
    guarded(|| all(files, head, row)).unwrap_or_else(|| Err(RecordError::Damaged.into()))
}

fn all<T, E: From<RecordError>>(
    files: &[PathBuf],
    head: impl FnOnce(&[Head]) -> Result<(T, Vec<usize>), E>,
    mut row: impl FnMut(&mut T, Place, &[Field<'_>]) -> Result<(), E>,
) -> Result<T, E> {
    let mut files = files.iter();
    let mut part = Part::open(files.next().ok_or(RecordError::Empty)?)?;
    let heads = part.heads();
    let (mut state, wanted) = head(&heads)?;
    let mut first = 0;
    loop {
        first = part.each(&wanted, first, |place, fields| row(&mut state, place, fields))?;
        let Some(next) = files.next() else {
            return Ok(state);
        };
        part = Part::open(next)?;
        if part.heads() != heads {
            let name = next.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            return Err(RecordError::Parts { name }.into());
        }
    }
}

/// An open file.
struct Part {
    reader: Checked<File>,
    columns: Vec<Column>,
    budget: Budget,
}

impl Part {
    fn open(path: &Path) -> Result<Self, RecordError> {
        let file = files::open(path)?;
        let reader = columnar::open(file.try_clone()?, file)?;
        let schema = reader.metadata().file_metadata().schema_descr_ptr();
        let found = schema.root_schema().get_fields().len();
        if found > MOST_COLUMNS {
            return Err(RecordError::Columns { found, most: MOST_COLUMNS });
        }
        Ok(Self { reader, columns: columns(&schema), budget: Budget::now() })
    }

    fn heads(&self) -> Vec<Head> {
        self.columns.iter().map(|column| column.head.clone()).collect()
    }

    /// Hands over the rows, of which the first has the number `first`; the number behind the last comes back.
    fn each<E: From<RecordError>>(
        &self,
        wanted: &[usize],
        mut first: u64,
        mut row: impl FnMut(Place, &[Field<'_>]) -> Result<(), E>,
    ) -> Result<u64, E> {
        if wanted.is_empty() {
            // How many rows there are is claimed alone.
            return Ok(first);
        }
        countable(self.budget, columnar::rows(&self.reader)).map_err(RecordError::from)?;
        let wanted: Vec<&Column> = wanted.iter().filter_map(|&w| self.columns.get(w)).collect();
        for group in 0..self.reader.num_row_groups() {
            let group = self.reader.get_row_group(group).map_err(RecordError::from)?;
            let rows = usize::try_from(group.metadata().num_rows()).map_err(|_| RecordError::Damaged)?;
            let mut readers = Vec::new();
            for column in &wanted {
                readers.push(group.get_column_reader(column.leaf).map_err(RecordError::from)?);
            }
            for done in (0..rows).step_by(ROWS) {
                let here = ROWS.min(rows - done);
                let both = wanted.iter().zip(&mut readers);
                let mut account = Account::new(self.budget, "texts of one piece of its rows");
                let read = both.map(|(column, from)| Ok((&column.head, column.read(from, here, first, &mut account)?)));
                let cells = read.collect::<Result<Vec<_>, RecordError>>()?;
                each(&cells, first, here, &mut row)?;
                first += here as u64;
            }
        }
        Ok(first)
    }
}

/// What a leaf holds.
#[derive(Clone, Copy)]
enum Element {
    Signed,
    Unsigned,
    Float,
    Half,
    Bool,
    Text,
    Decimal(i32),
    Other,
}

/// A column of the table.
struct Column {
    head: Head,
    /// Number of its only leaf.
    leaf: usize,
    element: Element,
    /// Levels of a value that is there, and of an entry of a list that is there or missing.
    present: i16,
    entry: i16,
}

/// The columns of the table, of which those with several leaves, or with other values, are of kind `Other`.
fn columns(schema: &SchemaDescriptor) -> Vec<Column> {
    let mut all: Vec<Column> = Vec::new();
    let mut last = None;
    for leaf in 0..schema.num_columns() {
        let (root, descr) = (schema.get_column_root_idx(leaf), schema.column(leaf));
        if last.replace(root) == Some(root) {
            // A map, or a record of several fields.
            if let Some(before) = all.last_mut() {
                before.head.kind = Kind::Other(record(schema, root).into());
            }
            continue;
        }
        let element = element(&descr);
        let parts = descr.path().parts().len();
        let kind = match (element, descr.max_rep_level()) {
            (Element::Other, _) => Kind::Other(named(&descr)),
            (Element::Text, 0) if parts == 1 => Kind::Texts,
            (Element::Bool, 0) if parts == 1 => Kind::Bools,
            (_, 0) if parts == 1 => Kind::Numbers,
            (Element::Text | Element::Bool, 1) => Kind::Other("list of text or booleans".into()),
            (_, 1) if parts <= 3 => Kind::Lists,
            (_, 1 | 0) => Kind::Other("record".into()),
            _ => Kind::Other("list of lists".into()),
        };
        let present = descr.max_def_level();
        let entry = present - i16::from(descr.self_type().is_optional());
        let name = schema.get_column_root(leaf).name().to_owned();
        all.push(Column { head: Head { name, kind }, leaf, element, present, entry });
    }
    all
}

/// What a column of several leaves is.
fn record(schema: &SchemaDescriptor, root: usize) -> &'static str {
    let field = &schema.root_schema().get_fields()[root];
    let has = |name| field.is_group() && field.get_fields().iter().any(|own| own.name() == name);
    if ["type", "size", "indices", "values"].into_iter().all(has) { SPARK_VECTOR } else { "record" }
}

/// What a leaf holds. Writers give the older kind of annotation, the newer or both.
fn element(descr: &ColumnDescriptor) -> Element {
    use {ConvertedType as C, LogicalType as L, Physical as P};
    let (logical, converted) = (descr.logical_type_ref(), descr.converted_type());
    if let Some(L::Decimal(decimal)) = logical {
        return Element::Decimal(decimal.scale);
    }
    match (descr.physical_type(), logical, converted) {
        (_, _, C::DECIMAL) => Element::Decimal(descr.type_scale()),
        (P::BOOLEAN, ..) => Element::Bool,
        (P::FLOAT | P::DOUBLE, ..) => Element::Float,
        (P::INT32 | P::INT64, Some(L::Integer(kind)), _) if !kind.is_signed => Element::Unsigned,
        (P::INT32 | P::INT64, Some(L::Integer(_)), _) => Element::Signed,
        (P::INT32 | P::INT64, None, C::UINT_8 | C::UINT_16 | C::UINT_32 | C::UINT_64) => Element::Unsigned,
        (P::INT32 | P::INT64, None, C::NONE | C::INT_8 | C::INT_16 | C::INT_32 | C::INT_64) => Element::Signed,
        (P::FIXED_LEN_BYTE_ARRAY, Some(L::Float16), _) => Element::Half,
        (P::BYTE_ARRAY, None | Some(L::String | L::Enum | L::Json), _) => Element::Text,
        _ => Element::Other,
    }
}

/// The type of a leaf in words.
fn named(descr: &ColumnDescriptor) -> String {
    match (descr.logical_type_ref(), descr.converted_type()) {
        (Some(LogicalType::Date), _) | (_, ConvertedType::DATE) => "date".into(),
        (Some(LogicalType::Time(_)), _) => "time".into(),
        (Some(LogicalType::Timestamp(_)), _) => "date and time".into(),
        _ => format!("{:?}", descr.physical_type()).to_lowercase(),
    }
}

impl Column {
    /// The next `rows` rows.
    fn read(
        &self,
        from: &mut ColumnReader,
        rows: usize,
        first: u64,
        account: &mut Account,
    ) -> Result<Cells, RecordError> {
        let (element, at) = (self.element, (rows, first));
        match from {
            ColumnReader::BoolColumnReader(r) => self.gather(r, at, account, |v| Some(Value::Bool(*v))),
            ColumnReader::Int32ColumnReader(r) => self.gather(r, at, account, |&v| {
                Some(match element {
                    Element::Unsigned => Value::Integer(i128::from(v as u32)),
                    Element::Decimal(scale) => Value::decimal(v.into(), scale),
                    _ => Value::Integer(v.into()),
                })
            }),
            ColumnReader::Int64ColumnReader(r) => self.gather(r, at, account, |&v| {
                Some(match element {
                    Element::Unsigned => Value::Integer(i128::from(v as u64)),
                    Element::Decimal(scale) => Value::decimal(v.into(), scale),
                    _ => Value::Integer(v.into()),
                })
            }),
            ColumnReader::FloatColumnReader(r) => self.gather(r, at, account, |v| Some(Value::Number(f64::from(*v)))),
            ColumnReader::DoubleColumnReader(r) => self.gather(r, at, account, |v| Some(Value::Number(*v))),
            ColumnReader::ByteArrayColumnReader(r) => self.gather(r, at, account, |v| bytes(v.data(), element)),
            ColumnReader::FixedLenByteArrayColumnReader(r) => self.gather(r, at, account, |v| bytes(v.data(), element)),
            ColumnReader::Int96ColumnReader(_) => {
                Err(unreadable(&self.head, first, "a date", "leave the column out or rename it"))
            }
        }
    }

    fn gather<D: DataType>(
        &self,
        from: &mut ColumnReaderImpl<D>,
        (rows, first): (usize, u64),
        account: &mut Account,
        value: impl Fn(&D::T) -> Option<Value>,
    ) -> Result<Cells, RecordError> {
        let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
        let mut records = 0;
        while records < rows {
            let (more, ..) = from.read_records(rows - records, Some(&mut defined), Some(&mut repeated), &mut values)?;
            if more == 0 {
                break;
            }
            records += more;
        }
        let mut there = values.iter();
        let mut next = |row: usize| -> Result<Value, RecordError> {
            let read = there.next().ok_or_else(|| RecordError::Parquet(ParquetError::EOF("values".into())))?;
            let wrong = || {
                let mend = "write it as text in UTF-8 or as a number of at most 38 digits";
                unreadable(&self.head, first + row as u64, "what stands there", mend)
            };
            let found = value(read).ok_or_else(wrong)?;
            if let Value::Text(text) = &found {
                account.spend(text.len() as u64)?;
            }
            Ok(found)
        };
        if self.head.kind == Kind::Lists {
            return lists(&defined, &repeated, [self.present, self.entry], next).map(Cells::Lists);
        }
        let single = (0..records).map(|row| match defined.get(row) {
            Some(level) if *level < self.present => Ok(Value::Missing),
            _ => next(row),
        });
        Ok(Cells::Single(single.collect::<Result<_, _>>()?))
    }
}

/// Lists from the levels of their entries.
fn lists(
    defined: &[i16],
    repeated: &[i16],
    [present, entry]: [i16; 2],
    mut next: impl FnMut(usize) -> Result<Value, RecordError>,
) -> Result<Lists, RecordError> {
    let mut lists = Lists::default();
    let mut rows = 0;
    for (at, level) in defined.iter().enumerate() {
        match *level {
            level if level >= present => lists.push(next(rows)?.entry()),
            level if level >= entry => lists.push(f64::NAN),
            _ => {}
        }
        if repeated.get(at + 1).is_none_or(|next| *next == 0) {
            // An empty list has no value to compute with either.
            lists.end(*level >= entry);
            rows += 1;
        }
    }
    Ok(lists)
}

/// Text, a half or a decimal.
fn bytes(data: &[u8], element: Element) -> Option<Value> {
    match element {
        Element::Half => data.try_into().ok().map(|two| Value::Number(f64::from(half(u16::from_le_bytes(two))))),
        Element::Decimal(scale) => whole(data).map(|digits| Value::decimal(digits, scale)),
        _ => std::str::from_utf8(data).ok().map(|text| Value::Text(text.to_owned())),
    }
}

/// A whole number in two's complement, the highest byte first.
fn whole(data: &[u8]) -> Option<i128> {
    let sign = if data.first().is_some_and(|b| *b >= 0x80) { 0xff } else { 0 };
    let (rest, low) = data.split_at(data.len().saturating_sub(16));
    if rest.iter().any(|b| *b != sign) || !rest.is_empty() && (low[0] ^ sign) >= 0x80 {
        return None;
    }
    let mut all = [sign; 16];
    all[16 - low.len()..].copy_from_slice(low);
    Some(i128::from_be_bytes(all))
}
