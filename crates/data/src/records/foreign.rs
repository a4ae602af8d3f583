//! Files of other formats, by their first bytes, and how to make tables of them.

/// First bytes, what they say, and what to do.
const FORMATS: &[(&[u8], &str, &str)] = &[
    (
        b"PK\x03\x04",
        "a zip archive or an Excel workbook",
        "unpack it, or save the sheet as CSV (`pandas.read_excel(FILE).to_csv(\"table.csv\", index=False)`)",
    ),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV"),
    (
        b"FEA1",
        "a Feather file of version 1",
        "write it again with `pyarrow.feather.write_feather(table, FILE, version=2)`",
    ),
    (b"PARE", "an encrypted Parquet file", "write it without encryption"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it with `zstd -d`, or compress it with gzip"),
    (b"BZh", "compressed with bzip2", "unpack it with `bunzip2`, or compress it with gzip"),
    (b"\xfd7zXZ\0", "compressed with xz", "unpack it with `unxz`, or compress it with gzip"),
    (b"\x04\x22\x4d\x18", "compressed with lz4", "unpack it with `lz4 -d`, or compress it with gzip"),
    (
        b"\x93NUMPY",
        "a NumPy array",
        "give it with --logits, --probabilities, --phi, --loss or --confidence instead of --table",
    ),
    (b"\x80\x02", PICKLE, PICKLED),
    (b"\x80\x03", PICKLE, PICKLED),
    (b"\x80\x04", PICKLE, PICKLED),
    (b"\x80\x05", PICKLE, PICKLED),
    (b"\x89HDF\r\n", "an HDF5 file", "write `pandas.read_hdf(FILE).to_parquet(\"table.parquet\")`"),
    (
        b"SQLite format 3",
        "an SQLite database",
        "write the rows with `pandas.read_sql(QUERY, CONNECTION).to_parquet(\"table.parquet\")`",
    ),
    (b"ORC", "an ORC file", "write `pandas.read_orc(FILE).to_parquet(\"table.parquet\")`"),
    (b"Obj\x01", "an Avro file", "write it as Parquet"),
    (b"RDX3\n", R, SAVED),
    (b"RDX2\n", R, SAVED),
    (b"RDA3\n", R, SAVED),
    (b"RDA2\n", R, SAVED),
    (b"X\n\0\0", R, ONE),
    (b"A\n3\n", R, ONE),
    (b"A\n2\n", R, ONE),
    (b"\xff\xfe", UTF16, UTF8),
    (b"\xfe\xff", UTF16, UTF8),
    (b"{", "JSON", JSON),
    (b"[{", "JSON", JSON),
];

const PICKLE: &str = "a pickle, which is never read";
const PICKLED: &str = "write `pandas.read_pickle(FILE).to_parquet(\"table.parquet\")`";
const R: &str = "a file of R's own format";
const SAVED: &str = "write `write.csv(get(load(FILE)[1]), \"table.csv\", row.names = FALSE)`";
const ONE: &str = "write `write.csv(readRDS(FILE), \"table.csv\", row.names = FALSE)`";
const UTF16: &str = "text in UTF-16";
const UTF8: &str = "save it as CSV in UTF-8";
const JSON: &str = "write `pandas.read_json(FILE, lines=True).to_parquet(\"table.parquet\")`, without `lines=True` where it is one list";

/// What the bytes are, and what to do, where they are of a known format that is not read.
pub(super) fn find(start: &[u8]) -> Option<(&'static str, &'static str)> {
    FORMATS.iter().find(|(magic, ..)| start.starts_with(magic)).map(|(_, found, mend)| (*found, *mend))
}
