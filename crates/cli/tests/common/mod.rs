//! What the tests from outside share.
#![allow(clippy::unwrap_used, dead_code, reason = "a failed set-up is a failed test; not every test uses everything")]

use std::path::Path;
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
