//! Arrow IPC, as files (Feather of version 2 is the same) and streams, batch by batch, through `arrow-ipc`.

use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, OffsetSizeTrait, RecordBatchReader};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, DataType, Field as Column};

use super::batch::{Cells, Lists, ROWS, Value, countable, each, unreadable};
use super::error::RecordError;
use super::field::{Field, Head, Kind};
use super::ipc;
use super::line::MOST_COLUMNS;
use crate::budget::{Account, Budget, OverBudget};
use crate::guard::guarded;
use crate::table::Place;

/// Entries of a list that are read at once.
const AT_ONCE: usize = 1 << 12;

/// The rows of a file: see [`read`](super::read). A panic of the library is an error like any other.
pub(super) fn rows<T, E: From<RecordError>>(
    file: File,
    head: impl FnOnce(&[Head]) -> Result<(T, Vec<usize>), E>,
    row: impl FnMut(&mut T, Place, &[Field<'_>]) -> Result<(), E>,
) -> Result<T, E> {
    guarded(|| all(file, head, row)).unwrap_or_else(|| Err(RecordError::Damaged.into()))
}

fn all<T, E: From<RecordError>>(
    file: File,
    head: impl FnOnce(&[Head]) -> Result<(T, Vec<usize>), E>,
    mut row: impl FnMut(&mut T, Place, &[Field<'_>]) -> Result<(), E>,
) -> Result<T, E> {
    let mut file = BufReader::new(file);
    let (kept, rows) = ipc::check(&mut file)?;
    let schema = open(&mut file, kept, None)?.schema();
    if schema.fields().len() > MOST_COLUMNS {
        return Err(RecordError::Columns { found: schema.fields().len(), most: MOST_COLUMNS }.into());
    }
    let heads: Vec<Head> = schema.fields().iter().map(|field| named(field)).collect();
    let (mut state, wanted) = head(&heads)?;
    if wanted.is_empty() {
        // How many rows there are is claimed alone.
        return Ok(state);
    }
    let mut order = wanted.clone();
    order.sort_unstable();
    order.dedup();
    let (mut first, budget) = (0, Budget::now());
    countable(budget, rows).map_err(RecordError::from)?;
    let reader = open(&mut file, kept, Some(order.clone()))?;
    for batch in reader {
        let batch = batch.map_err(refused)?;
        for done in (0..batch.num_rows()).step_by(ROWS) {
            let here = ROWS.min(batch.num_rows() - done);
            let mut account = Account::new(budget, "one piece of its rows");
            let read = wanted.iter().map(|w| {
                let array = batch.column(order.partition_point(|o| o < w)).slice(done, here);
                Ok((&heads[*w], cells(&array, &heads[*w], first, &mut account)?))
            });
            let cells = read.collect::<Result<Vec<_>, RecordError>>()?;
            each(&cells, first, here, |place, fields| row(&mut state, place, fields))?;
            first += here as u64;
        }
    }
    Ok(state)
}

/// The batches, of some columns or all.
fn open(
    file: &mut BufReader<File>,
    kept: ipc::Kept,
    columns: Option<Vec<usize>>,
) -> Result<Box<dyn RecordBatchReader + '_>, RecordError> {
    file.seek(SeekFrom::Start(0))?;
    Ok(match kept {
        ipc::Kept::File => Box::new(FileReader::try_new(file, columns).map_err(refused)?),
        ipc::Kept::Stream => Box::new(StreamReader::try_new(file, columns).map_err(refused)?),
    })
}

fn refused(problem: ArrowError) -> RecordError {
    RecordError::Arrow(Box::new(problem))
}

/// A column before its rows.
fn named(column: &Column) -> Head {
    Head { name: column.name().clone(), kind: kind(column.data_type()) }
}

fn kind(of: &DataType) -> Kind {
    match of {
        DataType::Boolean => Kind::Bools,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Texts,
        DataType::Dictionary(_, values) => kind(values),
        DataType::List(entry) | DataType::LargeList(entry) | DataType::FixedSizeList(entry, _) => {
            match kind(entry.data_type()) {
                Kind::Numbers => Kind::Lists,
                _ => Kind::Other("list of something else than numbers".into()),
            }
        }
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Null => Kind::Numbers,
        other if other.is_integer() || other.is_floating() => Kind::Numbers,
        other => Kind::Other(other.to_string().to_lowercase()),
    }
}

/// Why an array cannot be read.
enum Unread {
    /// Its type.
    Kind,
    /// What it takes.
    Over(OverBudget),
}

impl From<OverBudget> for Unread {
    fn from(over: OverBudget) -> Self {
        Self::Over(over)
    }
}

fn cells(array: &dyn Array, head: &Head, first: u64, account: &mut Account) -> Result<Cells, RecordError> {
    let wrong = |why: Unread| match why {
        Unread::Kind => {
            unreadable(head, first, "a type of Arrow that is not known", "write the column as numbers or text")
        }
        Unread::Over(over) => over.into(),
    };
    if head.kind != Kind::Lists {
        return values(array, account).map(Cells::Single).map_err(wrong);
    }
    let found = match array.data_type() {
        DataType::List(_) => lists(array.as_list::<i32>(), account),
        DataType::LargeList(_) => lists(array.as_list::<i64>(), account),
        DataType::FixedSizeList(_, size) => {
            let array = array.as_fixed_size_list();
            let size = usize::try_from(*size).unwrap_or(0);
            entries(array, array.values(), account, |row| (row * size, (row + 1) * size))
        }
        _ => Err(Unread::Kind),
    };
    found.map(Cells::Lists).map_err(wrong)
}

fn lists<O: OffsetSizeTrait>(array: &arrow_array::GenericListArray<O>, account: &mut Account) -> Result<Lists, Unread> {
    let offsets = array.value_offsets();
    entries(array, array.values(), account, |row| (offsets[row].as_usize(), offsets[row + 1].as_usize()))
}

/// The lists of an array, of which each is a range of `all`.
fn entries(
    array: &dyn Array,
    all: &dyn Array,
    account: &mut Account,
    range: impl Fn(usize) -> (usize, usize),
) -> Result<Lists, Unread> {
    let mut lists = Lists::default();
    for row in 0..array.len() {
        let (from, to) = range(row);
        if array.is_valid(row) {
            account.spend(8 * to.saturating_sub(from) as u64)?;
            for at in (from..to).step_by(AT_ONCE) {
                let piece = all.slice(at, AT_ONCE.min(to - at));
                values(&piece, account)?.iter().for_each(|value| lists.push(value.entry()));
            }
        }
        lists.end(array.is_valid(row) && to > from);
    }
    Ok(lists)
}

fn primitive<P: ArrowPrimitiveType>(array: &dyn Array, value: impl Fn(P::Native) -> Value) -> Vec<Value> {
    array.as_primitive::<P>().iter().map(|v| v.map_or(Value::Missing, &value)).collect()
}

fn texts<'a>(all: impl Iterator<Item = Option<&'a str>>, account: &mut Account) -> Result<Vec<Value>, Unread> {
    let text = |text: Option<&str>| {
        let Some(text) = text else { return Ok(Value::Missing) };
        account.spend(text.len() as u64)?;
        Ok(Value::Text(text.to_owned()))
    };
    all.map(text).collect()
}

/// The values of a dictionary where they stand: of a large one, few may be wanted.
fn looked_up(array: &dyn Array, account: &mut Account) -> Result<Vec<Value>, Unread> {
    let dictionary = array.as_any_dictionary();
    let all = dictionary.values();
    if all.is_empty() {
        return Ok(vec![Value::Missing; array.len()]);
    }
    let mut value = |(row, key): (usize, usize)| match array.is_valid(row) {
        true => Ok(values(&all.slice(key, 1), account)?.pop().unwrap_or(Value::Missing)),
        false => Ok(Value::Missing),
    };
    dictionary.normalized_keys().into_iter().enumerate().map(&mut value).collect()
}

/// Single values.
fn values(array: &dyn Array, account: &mut Account) -> Result<Vec<Value>, Unread> {
    macro_rules! integers {
        ($kind:ty) => {
            primitive::<$kind>(array, |v| Value::Integer(v.into()))
        };
    }
    macro_rules! decimals {
        ($kind:ty, $scale:expr) => {
            primitive::<$kind>(array, |v| Value::decimal(v.into(), i32::from(*$scale)))
        };
    }
    Ok(match array.data_type() {
        DataType::Null => vec![Value::Missing; array.len()],
        DataType::Boolean => array.as_boolean().iter().map(|v| v.map_or(Value::Missing, Value::Bool)).collect(),
        DataType::Int8 => integers!(Int8Type),
        DataType::Int16 => integers!(Int16Type),
        DataType::Int32 => integers!(Int32Type),
        DataType::Int64 => integers!(Int64Type),
        DataType::UInt8 => integers!(UInt8Type),
        DataType::UInt16 => integers!(UInt16Type),
        DataType::UInt32 => integers!(UInt32Type),
        DataType::UInt64 => integers!(UInt64Type),
        DataType::Float16 => primitive::<Float16Type>(array, |v| Value::Number(v.to_f64())),
        DataType::Float32 => primitive::<Float32Type>(array, |v| Value::Number(v.into())),
        DataType::Float64 => primitive::<Float64Type>(array, Value::Number),
        DataType::Decimal32(_, scale) => decimals!(Decimal32Type, scale),
        DataType::Decimal64(_, scale) => decimals!(Decimal64Type, scale),
        DataType::Decimal128(_, scale) => decimals!(Decimal128Type, scale),
        DataType::Utf8 => texts(array.as_string::<i32>().iter(), account)?,
        DataType::LargeUtf8 => texts(array.as_string::<i64>().iter(), account)?,
        DataType::Utf8View => texts(array.as_string_view().iter(), account)?,
        DataType::Dictionary(..) => looked_up(array, account)?,
        _ => return Err(Unread::Kind),
    })
}
