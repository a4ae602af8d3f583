//! What the program meets at its edges: numbers beyond memory, outputs that cannot be written, paths that are no text, a system that refuses
//! threads. It says so and exits with the code for it, and never panics.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::path::Path;
use std::process::{Output, Stdio};

mod common;
use common::{code, flatleak, results, words};

fn said(arguments: &[&str], out: &Path) -> Output {
    flatleak().args(arguments).arg("--out").arg(out).output().unwrap()
}

#[test]
fn numbers_beyond_memory_are_refused_with_their_limit() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let most = u64::MAX.to_string();
    for (command, flag, values, limit) in [
        ("plan", "--models", ["18446744073709551614", "10002"], "at most 10000 models"),
        ("plan", "--pool", [&most, "125000001"], "1000000000 entries"),
        ("compare", "--models", ["18446744073709551614", "10002"], "from 6 to 10000"),
        ("compare", "--pool", [&most, "31250001"], "1000000000 entries"),
        ("compare", "--epochs", [&most, "100001"], "1 to 100000"),
        ("compare", "--seed", [&most, "9223372036854775808"], "9223372036854775807"),
        ("compare", "--workers", [&most, "4097"], "1 to 4096"),
        ("compare", "--models", ["18446744073709551616", "-1"], "--models"),
        ("theory", "--models", ["18446744073709551614", "10002"], "at most 10000"),
        ("theory", "--draws", [&most, "10001"], "at most 10000"),
        ("theory", "--dimensions", [&most, "166667"], "at most 10000000"),
        ("theory", "--examples", [&most, "50001"], "at most 10000000"),
        ("theory", "--etas", [&most, "10001"], "10000"),
    ] {
        let needed: &[&str] = match (command, flag) {
            ("plan", "--models") => &["--pool", "100"],
            ("plan", _) => &["--models", "8"],
            _ => &[],
        };
        for value in values {
            let found = said(&[&[command, &format!("{flag}={value}")], needed].concat(), &out);
            let text = words(&found);
            let whole = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(code(&found) == 2 && whole.contains(limit) && !out.exists(), "{command} {flag} {value}: {text}");
        }
    }
    let study = dir.path().join("study.toml");
    let nine = "lr = [1, 2, 3, 4, 5, 6, 7, 8, 9]\nepochs = [1, 2, 3, 4, 5, 6, 7, 8, 9]\nbatch = [1, 2, 3, 4, 5, 6, 7, 8, 9]\n\
        momentum = [1, 2, 3, 4, 5, 6, 7, 8, 9]\nwarmup = [1, 2, 3, 4, 5, 6, 7, 8, 9]\nmixup = [1, 2, 3, 4, 5, 6, 7, 8, 9]\n\
        dropout = [1, 2, 3, 4, 5, 6, 7, 8, 9]\ntemperature = [1, 2, 3, 4, 5, 6, 7, 8, 9]\ntop_k = [1, 2, 3, 4, 5, 6, 7, 8, 9]\n";
    std::fs::write(&study, format!("[[recipe]]\nname = 'a'\n{nine}")).unwrap();
    let found = said(&["compare", study.to_str().unwrap()], &out);
    assert!(code(&found) == 2 && words(&found).contains("387420489 recipes"), "{}", words(&found));
}

/// Small studies over two data sets, on which recipes that hardly differ have differences without spread.
#[test]
fn differences_without_spread_are_summarised_or_left_out() {
    let dir = tempfile::tempdir().unwrap();
    for seed in 0..12 {
        let out = dir.path().join(seed.to_string());
        let mut c = flatleak();
        c.args(["compare", "--models", "6", "--pool", "20", "--epochs", "1", "--data", "digits", "--data", "letter"]);
        let found = c.args(["--seed", &seed.to_string(), "--out"]).arg(&out).output().unwrap();
        assert_eq!(code(&found), 0, "{}", words(&found));
        for pooled in results(&out)["pooled"].as_array().unwrap() {
            let all = ["mean", "low", "high"].map(|k| pooled["difference"][k].as_f64());
            assert!(all.iter().all(Option::is_some) && pooled["p_value"].is_f64(), "{pooled}");
        }
    }
}

/// The same models and figures as with threads.
#[test]
fn refused_threads_are_done_without() {
    let dir = tempfile::tempdir().unwrap();
    let run = |name: &str, stack: &str| {
        let out = dir.path().join(name);
        let mut c = common::small(&out);
        // No address space holds a stack of this size.
        let found = c.args(["--workers", "3"]).env("RUST_MIN_STACK", stack).output().unwrap();
        assert_eq!(code(&found), 0, "{}", words(&found));
        results(&out)
    };
    assert_eq!(run("with", "2097152"), run("without", "140737488355328"));
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    /// Every command that ends with an event, into a folder whose name is no text.
    #[test]
    fn paths_that_are_no_text_are_written_to_and_said() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &[u8]| dir.path().join(OsStr::from_bytes(name));
        let (run, out, other, theory) = (at(b"run-\xff"), at(b"au\xfedit"), at(b"\xc3\x28"), at(b"th\xf5"));
        let events = |c: &mut std::process::Command| {
            let found = c.args(["--message-format", "json"]).output().unwrap();
            assert_eq!(code(&found), 0, "{}", words(&found));
            let text = String::from_utf8(found.stdout).unwrap();
            let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
            assert_eq!(last["phase"], "done", "{text}");
        };
        let mut c = flatleak();
        events(
            c.args([
                "compare",
                "--data",
                "digits",
                "--models",
                "8",
                "--pool",
                "200",
                "--epochs",
                "12",
                "--recipes",
                "sgd",
                "--out",
            ])
            .arg(&run),
        );
        events(flatleak().arg("audit").arg(&run).arg("--out").arg(&out));
        events(
            flatleak()
                .arg("audit")
                .arg(&run)
                .args(["--target", "1", "--out"])
                .arg(&other)
                .arg("--fail-above=rmia.auc=1"),
        );
        events(flatleak().arg("explain").arg(&run));
        let few = ["--examples", "6", "--dimensions", "9", "--etas", "3", "--draws", "2", "--models", "8"];
        events(flatleak().arg("theory").args(few).arg("--out").arg(&theory));
        let found = flatleak().arg("report").arg(&run).output().unwrap();
        assert_eq!(code(&found), 0, "{}", words(&found));
    }

    /// A full disk behind stdout is an output that cannot be written, a reader that has gone is none; a closed one is a file of nothing.
    #[test]
    fn answers_that_cannot_be_said_are_no_panic() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("pool.csv");
        std::fs::write(&data, "nothing").unwrap();
        let full = || Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
        let plan = dir.path().join("plan");
        let plan = plan.to_str().unwrap();
        let commands: [(&[&str], i32); 7] = [
            (&["list", "attacks"], 0),
            (&["data", "list"], 0),
            (&["data", "info", "digits"], 0),
            (&["plan", "--models", "8", "--pool", "40", "--out", plan], 0),
            (&["--help"], 0),
            (&["compare", "--models", "7"], 2),
            (&["audit", "--table", data.to_str().unwrap()], 3),
        ];
        for (arguments, wanted) in commands {
            let status = flatleak().args(arguments).stdout(full()).stderr(full()).status().unwrap();
            assert_eq!(status.code(), Some(if wanted == 0 { 7 } else { wanted }), "{arguments:?}");
            let line = format!("exec {} \"$@\" >&- 2>&-", env!("CARGO_BIN_EXE_flatleak"));
            let closed = std::process::Command::new("sh").args(["-c", &line, "sh"]).args(arguments).status().unwrap();
            assert_eq!(closed.code(), Some(wanted), "{arguments:?}");
            let line = format!(
                "{{ {} \"$@\"; echo $? >&3; }} 2>&1 3>{dir}/rc | true",
                env!("CARGO_BIN_EXE_flatleak"),
                dir = dir.path().display()
            );
            std::process::Command::new("sh").args(["-c", &line, "sh"]).args(arguments).status().unwrap();
            let code = std::fs::read_to_string(dir.path().join("rc")).unwrap();
            assert_eq!(code.trim(), wanted.to_string(), "{arguments:?}");
        }
    }
}
