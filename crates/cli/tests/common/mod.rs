//! What the tests from outside share.
#![allow(clippy::unwrap_used, dead_code, reason = "a failed set-up is a failed test; not every test uses everything")]

pub(crate) mod world;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program.
pub(crate) fn flatleak() -> Command {
    Command::new(env!("CARGO_BIN_EXE_flatleak"))
}

/// A study of seconds.
pub(crate) fn small(out: &Path) -> Command {
    let mut c = flatleak();
    c.args(["compare", "--models", "6", "--pool", "60", "--epochs", "2", "--message-format", "json", "--out"]).arg(out);
    c
}

/// `results.json` without machine and timings.
pub(crate) fn results(out: &Path) -> serde_json::Value {
    let mut v: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(out.join("results.json")).unwrap()).unwrap();
    v.as_object_mut().unwrap().remove("machine").unwrap();
    v.as_object_mut().unwrap().remove("timings").unwrap();
    v
}

/// Its exit code.
pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// All that it wrote, for the message of a failed assertion and for what must be in it.
pub(crate) fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A `.npy` file.
pub(crate) fn npy(descr: &str, shape: &[usize], body: &[u8]) -> Vec<u8> {
    let shape: String = shape.iter().map(|n| format!("{n},")).collect();
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), body].concat()
}

/// The body of a file of `<f8`.
pub(crate) fn floats(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// What an earlier program left behind, by its schema.
pub(crate) fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kept").join(name)
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
