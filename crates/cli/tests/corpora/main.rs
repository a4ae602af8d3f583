//! The seeds and findings of the fuzzers (fuzz/corpora, checks/fuzz.sh) for documents and archives, once more: a value or an error, and no
//! panic. Those of readers of data are in crates/data.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

mod problem;
mod results;
mod study;

/// What a target does with its bytes.
type Take = fn(&[u8]);

/// The files of a target.
fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpora").join(target);
    let all: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!all.is_empty(), "{} is empty: run fuzz/seeds.py", folder.display());
    all
}

#[test]
fn every_target_takes_its_corpus() {
    let targets: [(&str, Take); 3] =
        [("study", study::study), ("results", results::results), ("problem", problem::problem)];
    for (target, take) in targets {
        for path in corpus(target) {
            let bytes = std::fs::read(&path).unwrap();
            let taken = std::panic::catch_unwind(|| take(&bytes));
            assert!(taken.is_ok(), "{} panics", path.display());
        }
    }
}

#[test]
fn archives_are_imported_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    for path in corpus("import") {
        let archive = dir.path().join("set.tar.gz");
        let packed = std::fs::File::create(&archive).unwrap();
        let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
        packed.write_all(&std::fs::read(&path).unwrap()).unwrap();
        packed.finish().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_flatleak"));
        command.args(["data", "import"]).arg(&archive).args(["--name", "own", "--replace"]);
        let output = command.env("FLATLEAK_DATA", dir.path().join("cache")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let exits = output.status.code().is_some_and(|code| [0, 3].contains(&code));
        assert!(exits && !said.contains("panicked"), "{}: {said}", path.display());
        assert!(!dir.path().join("up.csv").exists() && !dir.path().join("cache/up.csv").exists());
    }
}
