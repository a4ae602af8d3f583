//! Tables by typed rows, as other programs wrote them.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::path::Path;

use flatleak_data::records::{self, Field, Kind, Place, RecordError};

/// All rows of the columns that are read, as text.
fn rows(name: &str) -> Result<Vec<String>, RecordError> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let all = |heads: &[records::Head]| {
        let read = heads.iter().enumerate().filter(|(_, head)| !matches!(head.kind, Kind::Other(_)));
        Ok((Vec::new(), read.map(|(at, _)| at).collect()))
    };
    records::read(&path, all, |out: &mut Vec<String>, place, row| {
        assert_eq!(place, Place::Row(out.len() as u64));
        out.push(row.iter().map(Field::to_string).collect::<Vec<_>>().join(" "));
        Ok(())
    })
}

#[test]
fn lz4_of_hadoop_and_of_others() {
    for name in ["hadoop_lz4_compressed.parquet", "non_hadoop_lz4_compressed.parquet"] {
        let wanted = ["1593604800 abc 42", "1593604800 def 7.7", "1593604801 abc 42.125", "1593604801 def 7.7"];
        assert_eq!(rows(name).unwrap(), wanted, "{name}");
    }
}

#[test]
fn rows_have_types() {
    let found = rows("lists.parquet").unwrap();
    assert_eq!(found.len(), 30);
    assert_eq!(
        (found[0].as_str(), found[17].as_str()),
        ("seed1 a list of 3 numbers nothing 0", "seed2 a list of 3 numbers false 17")
    );
    #[cfg(feature = "arrow")]
    for name in ["lists.feather", "lists_zstd.feather", "lists.arrows"] {
        assert_eq!(rows(name).unwrap(), found, "{name}");
    }
}

#[test]
fn only_what_is_wanted_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lists.parquet");
    let head = |heads: &[records::Head]| {
        let names: Vec<&str> = heads.iter().map(|head| head.name.as_str()).collect();
        assert_eq!(names, ["model", "logits", "when", "flag", "price"]);
        assert_eq!(heads[2].kind, Kind::Other("date".into()));
        Ok::<_, RecordError>((0, vec![4, 0]))
    };
    let read = records::read(&path, head, |rows, _, row| {
        assert!(matches!(row, [Field::Number(_), Field::Text(_)]), "{row:?}");
        *rows += 1;
        Ok(())
    });
    assert_eq!(read.unwrap(), 30);
}

#[test]
fn a_folder_of_parts_is_one_table() {
    let dir = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let put = |from: &str, to: &str| std::fs::copy(fixtures.join(from), dir.path().join(to)).unwrap();
    put("lists.parquet", "part-00000.zstd.parquet");
    put("lists.parquet", "part-00001.zstd.parquet");
    std::fs::write(dir.path().join("_SUCCESS"), "").unwrap();
    let read = || {
        let head = |_: &[records::Head]| Ok::<_, RecordError>((Vec::new(), vec![0]));
        records::read(dir.path(), head, |places, place, _| {
            places.push(place);
            Ok(())
        })
    };
    assert_eq!(read().unwrap(), (0..60).map(Place::Row).collect::<Vec<_>>());
    put("plain.parquet", "part-00002.parquet");
    assert!(read().unwrap_err().to_string().contains("`part-00002.parquet` with other columns"));
    std::fs::create_dir(dir.path().join("model=0")).unwrap();
    assert!(matches!(read().unwrap_err(), RecordError::Folder));
}
