//! NumPy archives: what is written reads back, and what cannot be a pool is refused with the reason.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::io::Write;
use std::path::{Path, PathBuf};

use flatleak_pool::{Groups, Membership, Pool, Signals};
use flatleak_store::{export_npz, import_npz};

fn pool() -> Pool {
    let membership = Membership::complementary(3, 6, 11).unwrap();
    let right =
        |k: usize, n: usize| Signals::from_correct((0..n).map(|i| u8::from((i * 7 + k).is_multiple_of(3))).collect());
    Pool {
        test_labels: Some(vec![1, 0, 3]),
        groups: Some(Groups {
            names: vec!["group 0".into(), "group 1".into()],
            pool: (0..11).map(|i| u32::from(i > 5)).collect(),
            test: vec![0, 1, 0],
        }),
        test: (0..6).map(|k| right(k + 1, 3)).collect(),
        ..Pool::new(
            "written",
            membership,
            (0..11).map(|i| i % 4).collect::<Vec<u32>>(),
            (0..6).map(|k| right(k, 11)).collect(),
        )
        .unwrap()
    }
}

fn file(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_pool_reads_back_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let influence: Vec<f32> = (0..33).map(|v| v as f32 / 33.0).collect();
    let bytes = export_npz(&pool(), &[0.5; 11], Some(&influence)).unwrap();
    assert_eq!(bytes, export_npz(&pool(), &[0.5; 11], Some(&influence)).unwrap(), "no time of day in the bytes");
    let found = import_npz(&file(dir.path(), "written.npz", &bytes)).unwrap();
    assert_eq!((found.recipe.as_str(), &found.labels), ("written", &pool().labels));
    assert_eq!((&found.pool, &found.test, &found.groups), (&pool().pool, &pool().test, &pool().groups));
    assert_eq!(found.membership, pool().membership);
    assert!(found.membership.is_complementary());
    let arrays = flatleak_data::npz::archive(&bytes, &["memorization", "influence"]).unwrap();
    assert_eq!(
        (arrays["memorization"].shape.as_slice(), arrays["influence"].shape.as_slice()),
        (&[11][..], &[3, 11][..])
    );
}

/// A `.npy` file of bytes.
fn npy(shape: &str, body: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((header.len() as u16).to_le_bytes());
    out.extend(header.as_bytes());
    out.extend(body);
    out
}

fn archive(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn what_is_no_pool_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let mask = || ("trainset_mask", npy("(4, 3)", &[1, 0, 1, 0, 1, 0, 1, 1, 0, 0, 0, 1]));
    let error =
        |arrays: &[(&str, Vec<u8>)]| import_npz(&file(dir.path(), "x.npz", &archive(arrays))).unwrap_err().to_string();
    assert!(error(&[]).contains("has no array `trainset_mask`"));
    assert!(error(&[mask()]).contains("has no array `trainset_correctness`"));
    let right = |shape: &str, n: usize, v: u8| ("trainset_correctness", npy(shape, &vec![v; n]));
    assert!(error(&[mask(), right("(4, 3)", 12, 2)]).contains("the value 2 in `trainset_correctness`"));
    assert!(error(&[mask(), right("(12,)", 12, 1)]).contains("not (runs, examples)"));
    assert!(error(&[mask(), right("(3, 4)", 12, 1)]).contains("a mask of 4 runs and 3 examples"));
    let test = ("testset_correctness", npy("(2, 1)", &[1, 1]));
    assert!(error(&[mask(), right("(4, 3)", 12, 1), test]).contains("`testset_correctness` of shape (2, 1)"));
    let labels = ("labels", npy("(2,)", &[1, 1]));
    assert!(error(&[mask(), right("(4, 3)", 12, 1), labels]).contains("has 2 values in `labels`, not 3"));
    let few = ("trainset_mask", npy("(4, 1)", &[1, 0, 1, 0]));
    assert!(error(&[few, right("(4, 1)", 4, 1)]).contains("1 examples cannot be split"));
    let path = dir.path().join("absent.npz");
    assert!(import_npz(&path).unwrap_err().to_string().contains("cannot be read"));
    assert!(import_npz(&file(dir.path(), "t.npz", b"PK no")).unwrap_err().to_string().contains("no .npz archive"));
}
