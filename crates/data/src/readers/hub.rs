//! Pictures in Parquet, as Hugging Face's `datasets` writes them: a column `image` of PNG or JPEG bytes, and one `label`.
//!
//! One file, or a folder with `train*.parquet` and `test*.parquet`, perhaps in `data`. Names of classes are those that the file notes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::file::reader::FileReader;
use parquet::record::{Field, RowAccessor};
use parquet::schema::types::Type;

use crate::columnar;
use crate::error::Error;
use crate::files::{open, sorted};
use crate::guard::guarded;
use crate::labels::{LabelError, MOST_CLASSES, number};
use crate::raw::Whole;
use crate::reader::{Found, Input, Options, Reader};
use crate::readers::pictures::{Album, Problem as PictureProblem};
use crate::remark::Remark;
use crate::table::TableError;

/// Names of the column of pictures, and of that of labels; the first that is there is read.
const IMAGES: [&str; 3] = ["image", "img", "picture"];
const LABELS: [&str; 5] = ["label", "labels", "fine_label", "class", "target"];

/// Reads them.
pub(crate) struct Hub;

impl Reader for Hub {
    fn takes(&self) -> &'static str {
        "pictures in `.parquet` as Hugging Face writes them, one file or a folder with `train*.parquet` and `test*.parquet`"
    }

    fn detect(&self, input: &Input) -> Result<bool, Error> {
        if input.is_folder() {
            return Ok(splits(input.path())?.is_some());
        }
        let parquet = input.ends(&["parquet"]) || input.head().starts_with(b"PAR1");
        Ok(parquet && Layout::of(input.path()).is_ok_and(|layout| layout.is_some()))
    }

    fn resizes(&self) -> bool {
        true
    }

    fn read(&self, input: &Input, options: Options) -> Result<Found, Error> {
        let Some(Splits { train, test, others }) = splits(input.path())? else {
            let (whole, labels) = split(&[input.path().to_owned()], options.side)?;
            return Ok(Found::One(joined(vec![(whole, labels)], input)?.swap_remove(0)));
        };
        let both = vec![split(&train, options.side)?, split(&test, options.side)?];
        let mut both = joined(both, input)?;
        let mut pool = both.swap_remove(0);
        if !others.is_empty() {
            pool.remarks.push(Remark::Taken { taken: "`train*` and `test*`".into(), left_out: others });
        }
        let test = both.swap_remove(0);
        Ok(Found::Both(Box::new([pool, test])))
    }
}

/// What can be wrong with a file, as the end of a sentence that begins with it.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Pictures without labels.
    #[error("has pictures in `{image}` and no column of labels: name it one of {}", LABELS.join(", "))]
    NoLabels {
        /// The column of the pictures.
        image: String,
    },
    /// A picture that is elsewhere.
    #[error(
        "row {row}, column `{column}`: no bytes of a picture; write the files into the table, or give their folder"
    )]
    NoBytes {
        /// The row, from 0.
        row: usize,
        /// The column.
        column: String,
    },
    /// A label that is none.
    #[error("row {row}, column `{column}`: `{found}` is no label (-1 marks examples without one): take such rows out")]
    Label {
        /// The row, from 0.
        row: usize,
        /// The column.
        column: String,
        /// What stands there.
        found: String,
    },
    /// Labels that are no classes.
    #[error(transparent)]
    Classes(#[from] LabelError),
    /// Text in one file, numbers in another.
    #[error("has labels that are numbers in some rows and text in others: write all in one way")]
    Mixed,
}

/// Files of the splits of a folder.
struct Splits {
    train: Vec<PathBuf>,
    test: Vec<PathBuf>,
    others: Vec<String>,
}

/// The splits of a folder, where it has both.
fn splits(folder: &Path) -> Result<Option<Splits>, Error> {
    if !folder.is_dir() {
        return Ok(None);
    }
    let inner = folder.join("data");
    let mut files = sorted(folder)?;
    if inner.is_dir() {
        files.extend(sorted(&inner)?);
    }
    files.retain(|path| path.extension().is_some_and(|ending| ending == "parquet"));
    let name = |path: &PathBuf| path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let begins = |with: &str| files.iter().filter(|path| name(path).starts_with(with)).cloned().collect::<Vec<_>>();
    let (train, test) = (begins("train"), begins("test"));
    if train.is_empty() || test.is_empty() {
        return Ok(None);
    }
    let others = files.iter().filter(|path| !train.contains(path) && !test.contains(path)).map(name).collect();
    Ok(Some(Splits { train, test, others }))
}

/// Which columns are what.
struct Layout {
    image: Arc<Type>,
    label: Option<Arc<Type>>,
    /// Names of classes that the file notes.
    names: Option<Vec<String>>,
    /// Further columns that could be labels.
    others: Vec<String>,
}

impl Layout {
    /// That of a file; `None` where it has no pictures.
    fn of(path: &Path) -> Result<Option<Self>, Error> {
        let wrong = |e: TableError| Error::file(path, e);
        let [file, again] = handles(path)?;
        guarded(|| Self::found(&columnar::open(file, again)?)).unwrap_or(Err(TableError::Damaged)).map_err(wrong)
    }

    fn found(reader: &impl FileReader) -> Result<Option<Self>, TableError> {
        let metadata = reader.metadata().file_metadata();
        let fields = metadata.schema().get_fields();
        let named = |name: &&str| fields.iter().find(|field| field.name() == *name).cloned();
        let is_bytes = |field: &Type| {
            field.is_primitive()
                && field.get_physical_type() == parquet::basic::Type::BYTE_ARRAY
                && field.get_basic_info().logical_type_ref().is_none()
        };
        let holds = |field: &Type| {
            field.is_group() && field.get_fields().iter().any(|f| f.name() == "bytes" && is_bytes(f)) || is_bytes(field)
        };
        let Some(image) = IMAGES.iter().find_map(named).filter(|field| holds(field)) else { return Ok(None) };
        let mut labels = LABELS.iter().filter_map(named);
        let label = labels.next();
        let others = labels.map(|field| field.name().to_owned()).collect();
        let noted = metadata.key_value_metadata().into_iter().flatten().find(|pair| pair.key == "huggingface");
        let text = noted.and_then(|pair| pair.value.as_deref()).unwrap_or_default();
        let notes: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let own = label.as_ref().map_or("", |field| field.name());
        let names = notes["info"]["features"][own]["names"].as_array();
        let names = names.map(|all| all.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect());
        Ok(Some(Self { image, label, names, others }))
    }
}

/// A file, and a second handle to it.
fn handles(path: &Path) -> Result<[File; 2], Error> {
    let both = || {
        let file = open(path)?;
        Ok([file.try_clone()?, file])
    };
    both().map_err(|cause| Error::Io { path: path.into(), cause })
}

/// Labels as they stand in the files.
enum Labels {
    Numbers(Vec<u32>),
    Text { column: String, all: Vec<String> },
}

/// One split from its files; its labels are apart.
fn split(files: &[PathBuf], side: Option<usize>) -> Result<(Whole, Labels), Error> {
    let mut album = Album::new(side);
    let (mut numbers, mut texts) = (Vec::new(), Vec::new());
    let (mut names, mut remarks, mut column) = (None, Vec::new(), String::new());
    for path in files {
        let wrong = |problem: Problem| Error::file(path, problem);
        let layout = Layout::of(path)?.ok_or_else(|| Error::file(path, PictureProblem::NoPictures))?;
        let no_labels = || wrong(Problem::NoLabels { image: layout.image.name().to_owned() });
        let label = layout.label.as_ref().ok_or_else(no_labels)?;
        label.name().clone_into(&mut column);
        let read = || rows(path, &layout, label, &mut album, (&mut numbers, &mut texts));
        guarded(read).unwrap_or(Err(wrong(Problem::Table(TableError::Damaged))))?;
        if remarks.is_empty() && !layout.others.is_empty() {
            remarks.push(Remark::Taken { taken: format!("`{column}`"), left_out: layout.others });
        }
        names = names.or(layout.names);
    }
    let first = files.first().cloned().unwrap_or_default();
    let whole = album.whole().ok_or_else(|| Error::file(&first, PictureProblem::NoPictures))?;
    let labels = match (numbers.is_empty(), texts.is_empty()) {
        (_, true) => Labels::Numbers(numbers),
        (true, false) => Labels::Text { column, all: texts },
        (false, false) => return Err(Error::file(&first, Problem::Mixed)),
    };
    Ok((Whole { classes: names, remarks, ..whole }, labels))
}

/// The pictures and labels of one file.
fn rows(
    path: &Path,
    layout: &Layout,
    label: &Arc<Type>,
    album: &mut Album,
    (numbers, texts): (&mut Vec<u32>, &mut Vec<String>),
) -> Result<(), Error> {
    let wrong = |problem: Problem| Error::file(path, problem);
    let damaged = |e: parquet::errors::ParquetError| wrong(Problem::Table(e.into()));
    let [file, again] = handles(path)?;
    album.begin(again.metadata().map_err(|cause| Error::Io { path: path.into(), cause })?.len());
    let reader = columnar::open(file, again).map_err(damaged)?;
    let schema = reader.metadata().file_metadata().schema();
    let fields = schema.get_fields().iter().filter(|f| *f == &layout.image || *f == label).cloned().collect();
    let projected = Type::group_type_builder(schema.name()).with_fields(fields).build().map_err(damaged)?;
    for (row, found) in reader.get_row_iter(Some(projected)).map_err(damaged)?.enumerate() {
        let found = found.map_err(damaged)?;
        let cell = |name: &str| found.get_column_iter().find(|(own, _)| *own == name).map(|(_, field)| field);
        let image = match cell(layout.image.name()) {
            Some(Field::Group(parts)) => {
                let bytes = parts.get_column_iter().position(|(name, _)| name == "bytes");
                bytes.and_then(|at| parts.get_bytes(at).ok()).map(parquet::data_type::ByteArray::data)
            }
            Some(Field::Bytes(bytes)) => Some(bytes.data()),
            _ => None,
        };
        let no_bytes = || wrong(Problem::NoBytes { row, column: layout.image.name().to_owned() });
        let place = PathBuf::from(format!("{}, row {row},", path.display()));
        album.add(&place, image.ok_or_else(no_bytes)?, 0)?;
        let class = match cell(label.name()) {
            Some(Field::Str(text)) => {
                album.named(text);
                texts.push(text.clone());
                continue;
            }
            Some(Field::Byte(v)) => u32::try_from(*v).ok(),
            Some(Field::Short(v)) => u32::try_from(*v).ok(),
            Some(Field::Int(v)) => u32::try_from(*v).ok(),
            Some(Field::Long(v)) => u32::try_from(*v).ok(),
            Some(Field::UByte(v)) => Some(u32::from(*v)),
            Some(Field::UShort(v)) => Some(u32::from(*v)),
            Some(Field::UInt(v)) => Some(*v),
            Some(Field::ULong(v)) => u32::try_from(*v).ok(),
            Some(Field::Bool(v)) => Some(u32::from(*v)),
            _ => None,
        };
        let found = || cell(label.name()).map_or_else(String::new, ToString::to_string);
        let no_label = || wrong(Problem::Label { row, column: label.name().to_owned(), found: found() });
        let class = class.ok_or_else(no_label)?;
        if class as usize >= MOST_CLASSES {
            let what = format!("column `{}`", label.name());
            return Err(wrong(LabelError::Classes { what, found: u64::from(class) + 1 }.into()));
        }
        numbers.push(class);
    }
    Ok(())
}

/// Splits with their labels as numbers of classes, which are the same in all.
fn joined(splits: Vec<(Whole, Labels)>, input: &Input) -> Result<Vec<Whole>, Error> {
    let mut texts: Vec<String> = Vec::new();
    let mut what = String::new();
    for (_, labels) in &splits {
        if let Labels::Text { column, all } = labels {
            what = format!("column `{column}`");
            texts.extend(all.iter().cloned());
        }
    }
    if !texts.is_empty() && splits.iter().any(|(_, labels)| matches!(labels, Labels::Numbers(_))) {
        return Err(input.wrong(Problem::Mixed));
    }
    let numbered = number(&what, &texts).map_err(|e| input.wrong(Problem::Classes(e)))?;
    let mut classes = numbered.labels.into_iter();
    let mut out: Vec<Whole> = Vec::new();
    for (mut whole, labels) in splits {
        match labels {
            Labels::Numbers(numbers) => whole.raw.labels = numbers,
            Labels::Text { all, .. } => {
                whole.raw.labels = classes.by_ref().take(all.len()).collect();
                whole.classes = Some(numbered.names.clone());
            }
        }
        out.push(whole);
    }
    if let (Some(first), Some(remark)) = (out.first_mut(), numbered.remark) {
        first.remarks.push(remark);
    }
    Ok(out)
}
