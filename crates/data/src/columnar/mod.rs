//! Parquet files of strangers, opened within limits.
//!
//! The `parquet` crate allocates what a file claims: a page of 2 GiB, a dictionary of as many values, lists of lengths; it unpacks gzip and
//! brotli to their end, and goes down into groups within groups until the stack ends. [`open`] looks at what is claimed first, and hands out
//! the crate's own reader behind one that looks at every page.

mod fault;
mod footer;
mod pages;
mod texts;
mod thrift;

use std::sync::Mutex;

use ::parquet::bloom_filter::Sbbf;
use ::parquet::column::page::PageReader;
use ::parquet::errors::Result;
use ::parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use ::parquet::file::reader::{ChunkReader, FileReader, RowGroupReader, SerializedFileReader};
use ::parquet::record::reader::RowIter;
use ::parquet::schema::types::Type;

use crate::budget::{Account, Budget};

use fault::damaged;
pub(crate) use fault::over_budget;

/// Opens a file of which there are two handles.
pub(crate) fn open<R: ChunkReader + 'static>(file: R, again: R) -> Result<Checked<R>> {
    footer::check(&again)?;
    Ok(Checked { inner: SerializedFileReader::new(file)?, file: again })
}

/// A reader that looks at pages before they are unpacked.
pub(crate) struct Checked<R: ChunkReader> {
    inner: SerializedFileReader<R>,
    file: R,
}

impl<R: ChunkReader + 'static> FileReader for Checked<R> {
    fn metadata(&self) -> &ParquetMetaData {
        self.inner.metadata()
    }

    fn num_row_groups(&self) -> usize {
        self.inner.num_row_groups()
    }

    fn get_row_group(&self, i: usize) -> Result<Box<dyn RowGroupReader + '_>> {
        let account = Mutex::new(Account::new(Budget::now(), "pages of its columns"));
        Ok(Box::new(Group { inner: self.inner.get_row_group(i)?, file: &self.file, account }))
    }

    fn get_row_iter(&self, projection: Option<Type>) -> Result<RowIter<'_>> {
        RowIter::from_file(projection, self)
    }
}

/// Rows that the groups of a file say to hold; the file itself says it a second time, and nobody counts by that.
pub(crate) fn rows(file: &impl FileReader) -> u64 {
    let groups = file.metadata().row_groups().iter();
    groups.fold(0, |all, group| all.saturating_add(u64::try_from(group.num_rows()).unwrap_or(u64::MAX)))
}

/// The same of a group of rows, whose columns are read at the same time.
struct Group<'a, R> {
    inner: Box<dyn RowGroupReader + 'a>,
    file: &'a R,
    account: Mutex<Account>,
}

impl<R: ChunkReader> RowGroupReader for Group<'_, R> {
    fn metadata(&self) -> &RowGroupMetaData {
        self.inner.metadata()
    }

    fn num_columns(&self) -> usize {
        self.inner.num_columns()
    }

    fn get_column_page_reader(&self, i: usize) -> Result<Box<dyn PageReader>> {
        let mut account = self.account.lock().map_err(|_| damaged("a column could not be read"))?;
        pages::check(self.file, self.metadata().column(i), &mut account)?;
        Ok(Box::new(pages::Pages::new(self.inner.get_column_page_reader(i)?, self.metadata().column(i))))
    }

    fn get_column_bloom_filter(&self, i: usize) -> Option<&Sbbf> {
        self.inner.get_column_bloom_filter(i)
    }

    fn get_row_iter(&self, projection: Option<Type>) -> Result<RowIter<'_>> {
        RowIter::from_row_group(projection, self)
    }
}
