//! Files that claim more than they hold, or hold more than they say, made by hand.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use flatleak_data::records::{self, Head, RecordError};
use flatleak_data::{Request, parquet};

#[allow(dead_code, reason = "not every test uses everything")]
mod pages;
use pages::{BINARY, INT32, PLAIN, STRUCT, TEXT, Thrift, column, element, file, page, varint};

fn numbers(bytes: &[u8]) -> Result<Vec<f64>, RecordError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let head = |heads: &[Head]| Ok((Vec::new(), (0..heads.len()).collect()));
    records::read(file.path(), head, |out: &mut Vec<f64>, _, row| {
        out.extend(row.iter().filter_map(|field| field.number()));
        Ok(())
    })
}

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
    let claims = |rows: i64| column(INT32, 0, rows, &[page(&[], 0, 0, PLAIN)]);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&claims(i64::MAX)).unwrap();
    let head = |_: &[Head]| Ok::<_, RecordError>(((), Vec::new()));
    records::read(file.path(), head, |(), place, _| panic!("{place} is nowhere")).unwrap();
    let missing = numbers(&claims(1 << 20)).unwrap_err();
    assert!(missing.to_string().contains("in a piece of 1024 rows"), "{missing}");
    uncounted(file.path());
    let error = parquet::parse(claims(i64::MAX)).unwrap_err().to_string();
    assert!(error.contains("9223372036854775807 rows"), "{error}");
}

/// A file with more rows than can be counted is refused before the first of them.
fn uncounted(path: &Path) {
    let mut seen = 0u64;
    let head = |heads: &[Head]| Ok::<_, RecordError>(((), (0..heads.len()).collect()));
    let error = records::read(path, head, |(), _, _| {
        seen += 1;
        Ok(())
    });
    let error = error.unwrap_err();
    assert!(matches!(error, RecordError::Budget(_)) && error.to_string().contains("for its rows"), "{error}");
    assert_eq!(seen, 0);
}

#[cfg(feature = "arrow")]
mod arrow {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, NullArray, RecordBatch};
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};

    use super::*;

    /// A table of one column as a file and as a stream.
    fn written(column: ArrayRef, packed: bool) -> [Vec<u8>; 2] {
        let batch = RecordBatch::try_from_iter([("x", column)]).unwrap();
        let packing = packed.then_some(CompressionType::LZ4_FRAME);
        let options = || IpcWriteOptions::default().try_with_compression(packing).unwrap();
        let [mut file, mut stream] = [Vec::new(), Vec::new()];
        let mut writer = FileWriter::try_new_with_options(&mut file, &batch.schema(), options()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        drop(writer);
        let mut writer = StreamWriter::try_new_with_options(&mut stream, &batch.schema(), options()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        drop(writer);
        [file, stream]
    }

    #[test]
    fn rows_of_nothing_are_counted_before_they_are_read() {
        for bytes in written(Arc::new(NullArray::new(1 << 60)), false) {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(&bytes).unwrap();
            uncounted(file.path());
        }
        for bytes in written(Arc::new(NullArray::new(3)), false) {
            assert_eq!(numbers(&bytes).unwrap(), [0.0; 0]);
        }
    }

    #[test]
    fn buffers_unpack_to_what_can_be_held() {
        for mut bytes in written(Arc::new(Float64Array::from(vec![0.0; 5000])), true) {
            assert_eq!(numbers(&bytes).unwrap().len(), 5000);
            let said = 40_000u64.to_le_bytes();
            let at = bytes.windows(8).position(|eight| eight == said).unwrap();
            bytes[at..at + 8].copy_from_slice(&(1u64 << 60).to_le_bytes());
            let error = numbers(&bytes).unwrap_err();
            assert!(matches!(error, RecordError::Budget(_)) && error.to_string().contains("a piece of it"), "{error}");
        }
    }

    #[test]
    fn descriptions_are_as_long_as_descriptions_are() {
        let refused = |front: &[u8], back: &[u8]| {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(front).unwrap();
            file.as_file().set_len(1 << 32).unwrap();
            file.seek(SeekFrom::End(0)).unwrap();
            file.write_all(back).unwrap();
            let head = |heads: &[Head]| Ok::<_, RecordError>(((), (0..heads.len()).collect()));
            records::read(file.path(), head, |(), _, _| Ok(())).unwrap_err()
        };
        let long = (1u32 << 31).to_le_bytes();
        let stream = refused(&[&[0xff; 4], &long[..]].concat(), &[]);
        assert!(matches!(stream, RecordError::Claim { .. }), "{stream}");
        let file = refused(b"ARROW1\0\0", &[&long[..], b"ARROW1"].concat());
        assert!(matches!(file, RecordError::Claim { .. }), "{file}");
    }
}

/// A black and white picture of noise, which takes a bit a pixel.
fn png(side: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().unwrap();
    let noise = (0..side * side / 8).scan(1u32, |state, _| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some((*state >> 24) as u8)
    });
    writer.write_image_data(&noise.collect::<Vec<_>>()).unwrap();
    writer.finish().unwrap();
    out
}

/// A table of this picture in so many rows, of which every second has this label. It holds both once.
fn repeated(picture: Vec<u8>, label: &str, rows: usize) -> Vec<u8> {
    use ::parquet::data_type::{ByteArray, ByteArrayType};
    use ::parquet::file::properties::WriterProperties;
    use ::parquet::file::writer::SerializedFileWriter;
    use ::parquet::schema::parser::parse_message_type;
    let schema = "message schema { required binary image; required binary label (UTF8); }";
    let (schema, how) = (parse_message_type(schema).unwrap(), WriterProperties::default());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema.into(), how.into()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let pictures = vec![ByteArray::from(picture); rows];
    column.typed::<ByteArrayType>().write_batch(&pictures, None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let both = [ByteArray::from(label), ByteArray::from("b")];
    let labels: Vec<_> = both.into_iter().cycle().take(rows).collect();
    column.typed::<ByteArrayType>().write_batch(&labels, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn a_picture_is_not_decoded_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("set.parquet");
    let request = Request::new(format!("{}+size=2", path.display()));
    std::fs::write(&path, repeated(png(1 << 9), "a", 4000)).unwrap();
    let error = flatleak_data::open(&request).unwrap_err().to_string();
    assert!(error.contains("row 256, and 256 pictures before it are"), "{error}");
    // Small ones may be repeated as their owner likes.
    std::fs::write(&path, repeated(png(8), "a", 4000)).unwrap();
    assert!(flatleak_data::open(&request).is_ok());
}

#[test]
#[cfg(target_os = "linux")]
fn labels_are_held_within_the_budget() {
    if std::env::var_os(LIMITED).is_some() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("set.parquet");
        std::fs::write(&path, repeated(png(8), &"a".repeat(1 << 19), 10_000)).unwrap();
        let error = flatleak_data::open(&Request::new(path.to_string_lossy())).unwrap_err().to_string();
        assert!(error.contains("bytes of memory for this picture and those before it"), "{error}");
        return;
    }
    // Once more under a limit of the address space, less than the labels.
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "ulimit -v 3000000; exec \"$0\" --exact labels_are_held_within_the_budget"]);
    let output = command.arg(std::env::current_exe().unwrap()).env(LIMITED, "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Says that this process runs under a limit.
const LIMITED: &str = "FLATLEAK_TEST_LIMITED";
