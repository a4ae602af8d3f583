//! Settings that cannot be meant: exit code 2, nothing written, and whoever does what the message says succeeds.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::path::Path;
use std::process::Output;

mod common;
use common::{code, flatleak, words};

fn run(dir: &Path, arguments: &[&str]) -> Output {
    flatleak().args(arguments).current_dir(dir).output().unwrap()
}

/// Refused with these words, and the folder is as it was.
fn refused(dir: &Path, arguments: &[&str], wanted: &[&str]) {
    let before = std::fs::read_dir(dir).unwrap().count();
    let said = run(dir, arguments);
    let text = words(&said);
    assert_eq!(code(&said), 2, "{arguments:?}: {text}");
    for word in wanted {
        assert!(text.contains(word), "{arguments:?}: {word:?} is not in: {text}");
    }
    assert_eq!(std::fs::read_dir(dir).unwrap().count(), before, "{arguments:?} wrote something");
}

/// What the message says to do.
fn succeeds(dir: &Path, arguments: &[&str]) {
    let said = run(dir, arguments);
    assert_eq!(code(&said), 0, "{arguments:?}: {}", words(&said));
}

#[test]
fn numbers_that_cannot_be_meant_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let compare = |more: &[&'static str]| [&["compare", "--data", "digits"], more].concat();
    let planned = |more: &[&'static str]| [&["compare", "--data", "digits", "--dry-run"], more].concat();
    for (wrong, wanted, right) in [
        (["--epochs", "0"], &["--epochs 0 leaves no epoch for recipe `sgd`", "give at least 1"][..], ["--epochs", "1"]),
        (["--workers", "0"], &["1 to 4096 workers", "leave --workers away"], ["--workers", "1"]),
        (["--models", "0"], &["models = 0, but an even number from 6"], ["--models", "6"]),
        (["--pool", "0"], &["pool = 0, but at least 20"], ["--pool", "20"]),
        (["--pool", "1"], &["pool = 1, but at least 20"], ["--pool", "20"]),
        (
            ["--seed", "9223372036854775808"],
            &["seed = 9223372036854775808, but 0 to 9223372036854775807"],
            ["--seed", "9223372036854775807"],
        ),
        (["--data", "digits+canaries=0"], &["digits and digits+canaries=0 hold the same examples"], ["--seed", "1"]),
    ] {
        refused(dir.path(), &compare(&wrong), wanted);
        succeeds(dir.path(), &planned(&right));
    }
    refused(dir.path(), &["explain", "nowhere", "--workers", "0"], &["1 to 4096 workers"]);
    refused(dir.path(), &["audit", "nowhere", "--workers", "0"], &["1 to 4096 workers"]);
    refused(dir.path(), &["theory", "--workers", "0"], &["1 to 4096 workers"]);
    refused(dir.path(), &["theory", "--etas", "0"], &["0 is not in 2..=10000"]);
    refused(dir.path(), &["theory", "--models", "0"], &["--models 0, but two shadows", "need 8, an even number"]);
    let plan = |seed: &'static str| ["plan", "--models", "6", "--pool", "4", "--out", "plan", "--seed", seed];
    refused(dir.path(), &plan("18446744073709551615"), &["is not in 0..=9223372036854775807"]);
    succeeds(dir.path(), &plan("9223372036854775807"));
}

/// Each study with its mistake, the words about it, and what is written in its place.
#[test]
fn settings_of_recipes_that_cannot_be_meant_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let study = |text: &str| {
        std::fs::write(dir.path().join("study.toml"), text).unwrap();
    };
    let head = "models = 6\npool = 60\ndata = 'digits'\n";
    let private = "[[recipe]]\nname = 'p'\noptimizer = 'dp-sgd'\nepochs = 2\nbatch = 10\ndelta = 0.05\n";
    let twice = "[[recipe]]\nname = 'a'\nepochs = 3\n[[recipe]]\nname = 'b'\nepochs = 3\n";
    for (rest, wanted, mends) in [
        (
            "[train]\nbatch = 40\n",
            "batch = 40, but a model is trained on 30 examples: set batch to at most 30, or take a pool of at least 80",
            vec![("batch = 40", "batch = 30"), ("pool = 60", "pool = 80")],
        ),
        (
            private,
            "delta = 0.05, but of 30 training examples one may then be given away whole: set delta to at most 0.03333333333333333",
            vec![("delta = 0.05", "delta = 0.03333333333333333")],
        ),
        (
            twice,
            "recipes `a` and `b` have the same settings",
            vec![("epochs = 3\n[[", "epochs = 4\n[["), ("[[recipe]]\nname = 'b'\nepochs = 3\n", "")],
        ),
        (
            "[[recipe]]\nname = 'a'\noptimizer = 'sam'\nrh0 = 0.1\n",
            "unknown key `rh0` in recipe `a`, line 7, column 1: did you mean `rho`?",
            vec![("rh0", "rho")],
        ),
        ("[train]\nlr = 0.0\n", "lr = 0, but a number above 0", vec![("lr = 0.0", "lr = 0.1")]),
        (
            "[train]\nepoch = 3\n",
            "unknown key `epoch`, line 5, column 1: did you mean `epochs`?",
            vec![("epoch", "epochs")],
        ),
    ] {
        let wrong = format!("{head}{rest}");
        study(&wrong);
        refused(dir.path(), &["compare", "study.toml"], &[wanted]);
        for (from, to) in mends {
            assert!(wrong.contains(from));
            study(&wrong.replacen(from, to, 1));
            succeeds(dir.path(), &["compare", "study.toml", "--dry-run"]);
        }
    }
    // A recipe that is measured early keeps an epoch, or the fewest epochs that do are named.
    study(&format!("{head}[[recipe]]\nname = 'a'\nepochs = 60\nmeasure_at = [5]\n"));
    refused(dir.path(), &["compare", "study.toml", "--epochs", "6"], &["`a-at5`", "5 of 60", "give at least 12"]);
    succeeds(dir.path(), &["compare", "study.toml", "--epochs", "12", "--dry-run"]);
}

/// The default batch is nobody's mistake: it is said that a step sees all examples.
#[test]
fn the_default_batch_of_a_small_pool_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let said = run(dir.path(), &["compare", "--data", "digits", "--pool", "60", "--dry-run"]);
    let text = words(&said);
    assert_eq!(code(&said), 0, "{text}");
    assert!(text.contains("the default batch of 64 is more than the 30 examples of a model"), "{text}");
}
