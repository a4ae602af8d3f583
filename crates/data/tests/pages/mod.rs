// Parquet files made by hand, which claim whatever they are told to.

/// Types of Thrift's compact protocol.
pub(crate) const I32: u8 = 5;
pub(crate) const I64: u8 = 6;
pub(crate) const BINARY: u8 = 8;
pub(crate) const LIST: u8 = 9;
pub(crate) const STRUCT: u8 = 12;

pub(crate) fn varint(mut n: u64) -> Vec<u8> {
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
pub(crate) struct Thrift {
    bytes: Vec<u8>,
    last: u8,
}

impl Thrift {
    pub(crate) fn field(mut self, id: u8, kind: u8, value: &[u8]) -> Self {
        self.bytes.push((id - self.last) << 4 | kind);
        self.bytes.extend(value);
        self.last = id;
        self
    }

    pub(crate) fn int(self, id: u8, value: i64) -> Self {
        self.field(id, I32, &varint((value << 1 ^ value >> 63).cast_unsigned()))
    }

    pub(crate) fn long(self, id: u8, value: i64) -> Self {
        self.field(id, I64, &varint((value << 1 ^ value >> 63).cast_unsigned()))
    }

    pub(crate) fn text(self, id: u8, text: &str) -> Self {
        self.field(id, BINARY, &[&varint(text.len() as u64), text.as_bytes()].concat())
    }

    pub(crate) fn list(self, id: u8, kind: u8, items: &[Vec<u8>]) -> Self {
        let head = [vec![0xf0 | kind], varint(items.len() as u64)].concat();
        self.field(id, LIST, &[head, items.concat()].concat())
    }

    pub(crate) fn inner(self, id: u8, inner: Self) -> Self {
        self.field(id, STRUCT, &inner.end())
    }

    pub(crate) fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

/// An element of a schema: a group of so many columns, or a column of this type where there is none.
pub(crate) fn element(name: &str, children: i64, kind: i64) -> Vec<u8> {
    let typed = if children == 0 { Thrift::default().int(1, kind) } else { Thrift::default() };
    let named = typed.int(3, 0).text(4, name);
    if children == 0 { named.end() } else { named.int(5, children).end() }
}

/// A file with this description behind its pages.
pub(crate) fn file(pages: &[u8], footer: Thrift) -> Vec<u8> {
    let footer = footer.end();
    [b"PAR1", pages, &footer, &(footer.len() as u32).to_le_bytes(), b"PAR1"].concat()
}

/// A file with one column of these pages.
pub(crate) fn column(kind: i64, packing: i64, rows: i64, pages: &[Vec<u8>]) -> Vec<u8> {
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
pub(crate) fn page(body: &[u8], unpacked: i64, values: i64, encoding: i64) -> Vec<u8> {
    let data = Thrift::default().int(1, values).int(2, encoding).int(3, 3).int(4, 3);
    let head = Thrift::default().int(1, 0).int(2, unpacked).int(3, body.len() as i64).inner(5, data).end();
    [head, body.to_vec()].concat()
}

pub(crate) const PLAIN: i64 = 0;
pub(crate) const INT32: i64 = 1;
pub(crate) const TEXT: i64 = 6;
