//! Outputs as real libraries write them (`sources/make.py`): every row of the manifest is taken with the AUC that an independent
//! implementation has, or refused with the words that it names, and nothing is written.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

mod common;
use common::{code, flatleak, results, words};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sources")
}

/// Rows of the manifest that the program is held to.
fn rows() -> Vec<Value> {
    let text = std::fs::read_to_string(folder().join("manifest.json")).unwrap();
    let all: Vec<Value> = serde_json::from_str(&text).unwrap();
    all.into_iter().filter(|row| row["result"] != "wrong").collect()
}

/// What is wrong with a row, if anything.
fn wrong(row: &Value) -> Option<String> {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let given = row["given"].as_array().unwrap().iter().map(|argument| argument.as_str().unwrap());
    let said = flatleak().current_dir(folder()).arg("audit").args(given).arg("--out").arg(&out).output().unwrap();
    let text = words(&said);
    if row["result"] == "refused" {
        let named = text.contains(row["message"].as_str().unwrap());
        let right = row["code"] == code(&said) && named && !out.exists();
        return (!right).then_some(text);
    }
    if code(&said) != 0 {
        return Some(text);
    }
    let found = results(&out);
    let attacks = found["recipes"][0]["attacks"].as_array().unwrap();
    let auc = attacks.iter().find(|a| a["name"] == "lira-online-fixed").and_then(|a| a["auc"]["mean"].as_f64());
    let wanted = row["auc"].as_f64().unwrap();
    let within = row["within"].as_f64().unwrap_or(1e-6);
    let right = auc.is_some_and(|auc| (auc - wanted).abs() <= within);
    (!right).then(|| format!("AUC {auc:?}, not {wanted}"))
}

#[test]
fn sources_are_taken_or_refused_as_the_book_says() {
    let rows = rows();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let failed: Vec<String> = std::thread::scope(|scope| {
        let part = |rows: &[Value]| -> Vec<String> {
            let named = |row: &Value| Some(format!("{} | {}\n{}", row["tool"], row["call"], wrong(row)?));
            rows.iter().filter_map(named).collect()
        };
        let parts: Vec<_> =
            rows.chunks(rows.len().div_ceil(threads)).map(|rows| scope.spawn(move || part(rows))).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "{} of {} rows:\n{}", failed.len(), rows.len(), failed.join("\n"));
}

#[test]
fn there_are_enough_of_them() {
    let rows = rows();
    let mut by_tool: BTreeMap<&str, usize> = BTreeMap::new();
    rows.iter().for_each(|row| *by_tool.entry(row["tool"].as_str().unwrap()).or_default() += 1);
    let taken = rows.iter().filter(|row| row["result"] == "taken").count();
    assert!(rows.len() >= 80 && taken >= 60, "{} rows, {taken} taken", rows.len());
    assert!(by_tool.values().all(|n| *n >= 4), "{by_tool:?}");
}
