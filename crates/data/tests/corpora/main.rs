//! The seeds and findings of the fuzzers (fuzz/corpora, checks/fuzz.sh) for readers of data, once more: a value or an error, and no panic.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::path::Path;

mod files;

/// What a target does with its bytes.
type Take = fn(&[u8]);

#[test]
fn every_reader_takes_its_corpus() {
    let targets: [(&str, Take); 10] = [
        ("npy", files::npy),
        ("npz", files::npz),
        ("safetensors", files::safetensors),
        ("parquet", files::parquet),
        ("arrow", files::arrow),
        ("csv", files::csv),
        ("idx", files::idx),
        ("cifar", files::cifar),
        ("pictures", files::pictures),
        ("hub", files::hub),
    ];
    for (target, take) in targets {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpora").join(target);
        let all: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!all.is_empty(), "{} is empty: run fuzz/seeds.py", folder.display());
        for path in all {
            let bytes = std::fs::read(&path).unwrap();
            let taken = std::panic::catch_unwind(|| take(&bytes));
            assert!(taken.is_ok(), "{} panics", path.display());
        }
    }
}
