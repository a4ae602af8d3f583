//! Pages: what they claim before they are unpacked, and what they hold when they are.

use std::io::{self, Read};

use ::parquet::basic::Compression;
use ::parquet::column::page::{Page, PageMetadata, PageReader};
use ::parquet::errors::Result;
use ::parquet::file::metadata::ColumnChunkMetaData;
use ::parquet::file::reader::ChunkReader;
use flate2::read::MultiGzDecoder;

use super::fault::{damaged, over};
use super::texts;
use super::thrift::{Compact, Numbers, Of};
use crate::budget::Account;

/// Bytes of a value of a dictionary in memory.
const OF_VALUE: u64 = 32;
/// Bytes of an entry of a list in memory: its levels, itself, and the number that is made of it.
const OF_ENTRY: u64 = 32;
/// The type of a page that is a dictionary.
const DICTIONARY: i64 = 2;
/// The type of a data page whose levels are not packed.
const DATA_2: i64 = 3;

/// Goes through the pages of a column: each has to be held, and no page may unpack to more than it says.
pub(super) fn check<R: ChunkReader>(file: &R, column: &ColumnChunkMetaData, account: &mut Account) -> Result<()> {
    let (start, length) = column.byte_range();
    let end = start.checked_add(length).filter(|end| *end <= file.len());
    let end = end.ok_or_else(|| damaged("a column ends behind its file"))?;
    let (mut at, mut page, mut dictionary, mut entries) = (start, 0, 0, 0u64);
    // One list may hold all that the column holds; true numbers take a byte of the file at least.
    let (of_lists, mut most) = (column.column_descr().max_rep_level() > 0, 0);
    while at < end {
        let mut from = Compact::new(file.get_read(at)?.take(end - at));
        let mut numbers = Numbers::new();
        from.structure(Of::Page, 0, &mut numbers)?;
        at += from.read;
        let number = |of, id| u64::try_from(numbers.get(&(of, id)).copied().unwrap_or(0));
        let (Ok(unpacked), Ok(packed)) = (number(Of::Page, 2), number(Of::Page, 3)) else {
            return Err(damaged("a page has a negative size"));
        };
        if packed > end - at {
            return Err(damaged("a page ends behind its column"));
        }
        // It is held packed, unpacked and, of a dictionary, as values.
        let held = packed.saturating_add(unpacked);
        if numbers.get(&(Of::Page, 1)) == Some(&DICTIONARY) {
            let values = number(Of::Dictionary, 1).unwrap_or(u64::MAX);
            dictionary = dictionary.max(values.saturating_mul(OF_VALUE).saturating_add(held));
        } else {
            page = page.max(held);
        }
        let values = number(Of::Data, 1).unwrap_or(0).max(number(Of::Data2, 1).unwrap_or(0));
        entries = entries.saturating_add(values);
        let lists = if of_lists && entries > file.len() { entries.saturating_mul(OF_ENTRY) } else { 0 };
        most = most.max(page.saturating_add(dictionary).saturating_add(lists));
        account.clone().spend(most).map_err(over)?;
        let plain = if numbers.get(&(Of::Page, 1)) == Some(&DATA_2) {
            number(Of::Data2, 5).unwrap_or(0).saturating_add(number(Of::Data2, 6).unwrap_or(0))
        } else {
            0
        };
        let body = file.get_read(at)?.take(packed);
        unpacks(body, column.compression(), plain, unpacked)?;
        at += packed;
    }
    account.spend(most).map_err(over)
}

/// Refuses a page that unpacks to more than it says, of those packings that the library unpacks to their end.
fn unpacks(mut body: impl Read, packing: Compression, plain: u64, unpacked: u64) -> Result<()> {
    if !matches!(packing, Compression::GZIP(_) | Compression::BROTLI(_)) {
        return Ok(());
    }
    io::copy(&mut body.by_ref().take(plain), &mut io::sink())?;
    let most = unpacked.saturating_sub(plain).saturating_add(1);
    let found = match packing {
        Compression::GZIP(_) => io::copy(&mut MultiGzDecoder::new(body).take(most), &mut io::sink()),
        _ => io::copy(&mut brotli::Decompressor::new(body, 1 << 12).take(most), &mut io::sink()),
    };
    // What is damaged, the library refuses when it comes to it; a page that is not packed after all looks so.
    match found {
        Ok(found) if found >= most => Err(damaged("a page unpacks to more than it says")),
        _ => Ok(()),
    }
}

/// The library's pages, looked at before its decoders allocate by them.
pub(super) struct Pages {
    inner: Box<dyn PageReader>,
    /// The largest levels of repetition and definition of the column.
    levels: [i16; 2],
}

impl Pages {
    pub(super) fn new(inner: Box<dyn PageReader>, column: &ColumnChunkMetaData) -> Self {
        let descr = column.column_descr();
        Self { inner, levels: [descr.max_rep_level(), descr.max_def_level()] }
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.inner.get_next_page()?;
        if let Some(page) = &page {
            texts::check(page, self.levels)?;
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.inner.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.inner.at_record_boundary()
    }
}
