//! Files that claim more than they hold, or hold more than they say, made by hand.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::io::Write;

use flatleak_data::records::{self, Head, RecordError};

/// Types of Thrift's compact protocol.
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

fn varint(mut n: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
    out
}

/// A struct of Thrift that is being written.
#[derive(Default)]
struct Thrift {
    bytes: Vec<u8>,
    last: u8,
}

impl Thrift {
    fn field(mut self, id: u8, kind: u8, value: &[u8]) -> Self {
        self.bytes.push((id - self.last) << 4 | kind);
        self.bytes.extend(value);
        self.last = id;
        self
    }

    fn int(self, id: u8, value: i64) -> Self {
        self.field(id, I32, &varint((value << 1 ^ value >> 63).cast_unsigned()))
    }

    fn long(self, id: u8, value: i64) -> Self {
        self.field(id, I64, &varint((value << 1 ^ value >> 63).cast_unsigned()))
    }

    fn text(self, id: u8, text: &str) -> Self {
        self.field(id, BINARY, &[&varint(text.len() as u64), text.as_bytes()].concat())
    }

    fn list(self, id: u8, kind: u8, items: &[Vec<u8>]) -> Self {
        let head = [vec![0xf0 | kind], varint(items.len() as u64)].concat();
        self.field(id, LIST, &[head, items.concat()].concat())
    }

    fn inner(self, id: u8, inner: Self) -> Self {
        self.field(id, STRUCT, &inner.end())
    }

    fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

/// An element of a schema: a group of so many columns, or a column of this type where there is none.
fn element(name: &str, children: i64, kind: i64) -> Vec<u8> {
    let typed = if children == 0 { Thrift::default().int(1, kind) } else { Thrift::default() };
    let named = typed.int(3, 0).text(4, name);
    if children == 0 { named.end() } else { named.int(5, children).end() }
}

/// A file with this description behind its pages.
fn file(pages: &[u8], footer: Thrift) -> Vec<u8> {
    let footer = footer.end();
    [b"PAR1", pages, &footer, &(footer.len() as u32).to_le_bytes(), b"PAR1"].concat()
}

/// A file with one column of these pages.
fn column(kind: i64, packing: i64, rows: i64, pages: &[Vec<u8>]) -> Vec<u8> {
    let pages = pages.concat();
    let one = |n: i64| varint((n << 1).cast_unsigned());
    let metadata = Thrift::default()
        .int(1, kind)
        .list(2, I32, &[one(0)])
        .list(3, BINARY, &[[varint(1), b"x".to_vec()].concat()])
        .int(4, packing)
        .long(5, rows)
        .long(6, pages.len() as i64)
        .long(7, pages.len() as i64)
        .long(9, 4);
    let chunk = Thrift::default().long(2, 4).inner(3, metadata).end();
    let group = Thrift::default().list(1, STRUCT, &[chunk]).long(2, 9).long(3, rows).end();
    let schema = [element("schema", 1, 0), element("x", 0, kind)];
    file(&pages, Thrift::default().int(1, 1).list(2, STRUCT, &schema).long(3, rows).list(4, STRUCT, &[group]))
}

/// A data page of version 1 with this body, which says that it unpacks to so many bytes of so many values.
fn page(body: &[u8], unpacked: i64, values: i64, encoding: i64) -> Vec<u8> {
    let data = Thrift::default().int(1, values).int(2, encoding).int(3, 3).int(4, 3);
    let head = Thrift::default().int(1, 0).int(2, unpacked).int(3, body.len() as i64).inner(5, data).end();
    [head, body.to_vec()].concat()
}

fn numbers(bytes: &[u8]) -> Result<Vec<f64>, RecordError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let head = |heads: &[Head]| Ok((Vec::new(), (0..heads.len()).collect()));
    records::read(file.path(), head, |out: &mut Vec<f64>, _, row| {
        out.extend(row.iter().filter_map(|field| field.number()));
        Ok(())
    })
}

const PLAIN: i64 = 0;
const INT32: i64 = 1;
const TEXT: i64 = 6;

#[test]
fn an_honest_file_is_read() {
    let body: Vec<u8> = [7i32, -2].iter().flat_map(|v| v.to_le_bytes()).collect();
    assert_eq!(numbers(&column(INT32, 0, 2, &[page(&body, 8, 2, PLAIN)])).unwrap(), [7.0, -2.0]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&body).unwrap();
    assert_eq!(numbers(&column(INT32, 2, 2, &[page(&gzip.finish().unwrap(), 8, 2, PLAIN)])).unwrap(), [7.0, -2.0]);
    // Texts by lengths that are packed as differences: 128 a block, 1 part, 2 values, the first of length 1, each next as long.
    let texts = [&[0x80, 0x01, 1, 2, 2, 0, 0][..], b"46"].concat();
    assert_eq!(numbers(&column(TEXT, 0, 2, &[page(&texts, 9, 2, 6)])).unwrap(), [4.0, 6.0]);
    // With the first letters of the text before: none for the first, 1 for the second; 1 letter of each is its own.
    let prefixes = [0x80, 0x01, 1, 2, 0, 2, 0];
    let texts = [&prefixes[..], &texts].concat();
    assert_eq!(numbers(&column(TEXT, 0, 2, &[page(&texts, 16, 2, 7)])).unwrap(), [4.0, 46.0]);
}

#[test]
fn groups_within_groups_do_not_end_the_stack() {
    let nested = |depth: usize| {
        let mut schema = vec![element("g", 1, 0); depth];
        schema.push(element("x", 0, INT32));
        let footer = Thrift::default().int(1, 1).list(2, STRUCT, &schema).long(3, 0).list(4, STRUCT, &[]);
        numbers(&file(&[], footer))
    };
    for depth in [100, 10_000, 1_000_000] {
        assert!(nested(depth).unwrap_err().to_string().contains("too deep within each other"), "{depth}");
    }
    assert!(nested(20).is_ok());
    // A description that is another one for whoever goes by the numbers of fields alone.
    let hidden = Thrift::default().int(1, 1).field(2, BINARY, &[1, b'x']).long(3, 0).list(4, STRUCT, &[]);
    assert!(numbers(&file(&[], hidden)).unwrap_err().to_string().contains("another type than it should"));
    // So many columns that the room for them alone cannot be had.
    let wide = Thrift::default().int(1, 1).list(2, STRUCT, &[element("g", i64::from(i32::MAX), 0)]).long(3, 0);
    assert!(numbers(&file(&[], wide)).unwrap_err().to_string().contains("more columns than there are"));
}

#[test]
fn pages_unpack_to_what_they_say() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![0; 1 << 20]).unwrap();
    let bomb = column(INT32, 2, 2, &[page(&gzip.finish().unwrap(), 8, 2, PLAIN)]);
    assert!(numbers(&bomb).unwrap_err().to_string().contains("unpacks to more than it says"));
}

#[test]
fn pages_are_held_within_the_budget() {
    // Two GiB each, in as many pages that are dictionaries as there are bytes.
    let head = Thrift::default().int(1, 2).int(2, i64::from(i32::MAX)).int(3, 0);
    let dictionary = head.inner(7, Thrift::default().int(1, i64::from(i32::MAX)).int(2, PLAIN)).end();
    let error = numbers(&column(INT32, 0, 2, &[dictionary])).unwrap_err();
    assert!(matches!(error, RecordError::Budget(_)), "{error}");
}

#[test]
fn lengths_are_of_as_many_texts_as_there_are() {
    // 2^60 lengths, for which the library makes room.
    let many = [&[0x80, 0x01, 1][..], &varint(1 << 60), &[2, 0, 0], b"ab"].concat();
    for (encoding, body) in
        [(6, many.clone()), (7, many.clone()), (7, [&[0x80, 0x01, 1, 2, 0, 2, 0][..], &many].concat())]
    {
        let error = numbers(&column(TEXT, 0, 2, &[page(&body, body.len() as i64, 2, encoding)])).unwrap_err();
        assert!(error.to_string().contains("lengths for more texts than it holds"), "{encoding}: {error}");
    }
}

#[test]
fn rows_that_are_claimed_alone_come_to_an_end() {
    // No column is wanted, so that no value is missed.
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&column(INT32, 0, i64::MAX, &[page(&[], 0, 0, PLAIN)])).unwrap();
    let head = |_: &[Head]| Ok::<_, RecordError>(((), Vec::new()));
    records::read(file.path(), head, |(), place, _| panic!("{place} is nowhere")).unwrap();
    let missing = numbers(&column(INT32, 0, i64::MAX, &[page(&[], 0, 0, PLAIN)])).unwrap_err();
    assert!(missing.to_string().contains("in a piece of 1024 rows"), "{missing}");
}
