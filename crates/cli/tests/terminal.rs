//! What people and scripts see: colours, how much is said, events, plans, completions, manual pages.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::collections::HashMap;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

mod common;
use common::{code, flatleak, kept, small, words};

#[test]
fn colours_are_a_terminals_or_asked_for() {
    let report = |arguments: &[&str], no_color: Option<&str>| {
        let dir = tempfile::tempdir().unwrap();
        let mut c = flatleak();
        c.arg("report").arg(kept("schema-2").join("run")).args(["--format", "csv", "--out"]).arg(dir.path());
        match no_color {
            Some(value) => c.env("NO_COLOR", value),
            None => c.env_remove("NO_COLOR"),
        };
        let found = c.args(arguments).output().unwrap();
        assert_eq!(code(&found), 0, "{}", words(&found));
        String::from_utf8(found.stdout).unwrap()
    };
    let is_colored = |text: &str| text.contains("\u{1b}[");
    assert!(!is_colored(&report(&[], None)) && is_colored(&report(&["--color", "always"], None)));
    assert!(is_colored(&report(&["--color=always"], Some("1"))), "what is asked for weighs more");
    assert!(!is_colored(&report(&["--color", "never"], None)));
    // The same words, and nothing but colours beside them.
    let colored = report(&["--color", "always"], None);
    let mut plain = String::new();
    for part in colored.split('\u{1b}') {
        let end =
            if plain.is_empty() && !colored.starts_with('\u{1b}') { 0 } else { part.find('m').map_or(0, |at| at + 1) };
        plain += &part[end..];
    }
    let name = |text: &str| text.lines().filter(|l| !l.starts_with("report: ")).collect::<Vec<_>>().join("\n");
    assert_eq!(name(&plain), name(&report(&[], None)));
}

#[test]
fn quiet_and_verbose_say_less_and_more() {
    let dir = tempfile::tempdir().unwrap();
    let run = |how: &[&str]| {
        let out = dir.path().join("run");
        let mut c = flatleak();
        c.args(["compare", "--models", "6", "--pool", "60", "--epochs", "2", "--out"]).arg(&out).args(how);
        let found = c.output().unwrap();
        assert_eq!(code(&found), 0, "{}", words(&found));
        (String::from_utf8(found.stdout).unwrap(), String::from_utf8(found.stderr).unwrap())
    };
    let (first, usual) = run(&[]);
    assert!(usual.contains("3 recipes of 6 models each") && usual.contains("output: "), "{usual}");
    assert!(!usual.contains("model 1 of 6"), "{usual}");
    let (quiet, nothing) = run(&["-q"]);
    assert!(nothing.is_empty(), "{nothing}");
    assert_eq!(quiet, first);
    let (_, verbose) = run(&["-v"]);
    assert!(verbose.contains("sgd-2x: model 1 of 6 was there") && verbose.contains("analysis took"), "{verbose}");
    assert_eq!(code(&flatleak().args(["list", "data", "-q", "-v"]).output().unwrap()), 2);
}

/// Each phase says how much there is to do and gets there; models are counted; the answer comes last.
#[test]
fn events_have_totals_and_phases() {
    let dir = tempfile::tempdir().unwrap();
    let found = small(&dir.path().join("run")).output().unwrap();
    assert_eq!(code(&found), 0, "{}", words(&found));
    let text = String::from_utf8(found.stdout).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut last: HashMap<String, (u64, u64)> = HashMap::new();
    let mut over = Vec::new();
    let mut stages = Vec::new();
    for e in &events {
        let (phase, event) = (e["phase"].as_str().unwrap().to_owned(), &e["event"]);
        if let (Some(done), Some(total)) = (event["progress"].as_u64(), event["total"].as_u64()) {
            let before = last.insert(phase.clone(), (done, total));
            assert!(before.is_none_or(|(d, t)| d <= done && t == total), "{e}");
            stages.extend(event["stage"].as_str().map(str::to_owned));
            if phase == "training" {
                assert!(
                    event["recipe"].is_string() && event["model"].as_u64().unwrap() < 6 && event["models"] == 6,
                    "{e}"
                );
            }
        }
        if event["over"] == true {
            assert!(event["seconds"].is_f64() && !over.contains(&phase), "{e}");
            over.push(phase);
        }
    }
    stages.dedup();
    assert_eq!(stages, ["attacks", "explanation"]);
    assert_eq!(over, ["training", "analysis"]);
    let (done, total) = last["training"];
    assert_eq!(done, total);
    assert!(events[0]["event"]["folder"].is_string() && events[0]["event"]["recipes"] == 3);
    let complete = events.iter().filter(|e| e["event"]["reused"] == false).count();
    assert_eq!((complete, events.last().unwrap()["phase"].as_str()), (18, Some("done")));
}

/// A plan says what is there, and the time of what is missing alone; it writes nothing.
#[test]
fn a_plan_shows_every_value_and_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let seconds = |models: &str| {
        let mut c = flatleak();
        c.args([
            "compare",
            "--models",
            models,
            "--pool",
            "60",
            "--epochs",
            "2",
            "--dry-run",
            "--message-format",
            "json",
        ]);
        let found = c.arg("--out").arg(&run).output().unwrap();
        assert_eq!(code(&found), 0, "{}", words(&found));
        let line = String::from_utf8(found.stdout).unwrap();
        let event: Value = serde_json::from_str(line.lines().last().unwrap()).unwrap();
        event["event"]["seconds"].as_f64().unwrap()
    };
    let args = ["compare", "--models", "6", "--pool", "60", "--epochs", "2"];
    let before = words(&flatleak().args(args).args(["--dry-run", "--out"]).arg(&run).output().unwrap());
    for value in ["nothing of this study yet", "seed = 0", "weight_decay = 0.0005", "epochs = 2", "relevant", "about"] {
        assert!(before.contains(value), "{value}: {before}");
    }
    assert!(!run.exists());
    assert_eq!(code(&flatleak().args(args).arg("--out").arg(&run).output().unwrap()), 0);
    let after = flatleak().args(args).args(["--dry-run", "--out"]).arg(&run).output().unwrap();
    assert!(words(&after).contains("18 of 18 models are there, and results"), "{}", words(&after));
    let other = flatleak().args(args).args(["--seed", "3", "--dry-run", "--out"]).arg(&run).output().unwrap();
    assert!(words(&other).contains("seed 0 there, 3 here"), "{}", words(&other));
    // Of 12 models 6 are there; of 6 all.
    let of_six = seconds("12");
    assert_eq!(seconds("6"), 0.0);
    assert!((seconds("18") - 2.0 * of_six).abs() < 1e-9 * of_six && of_six > 0.0);
}

#[test]
fn shells_complete_and_every_command_has_a_page() {
    for (shell, checks) in [("bash", true), ("zsh", false), ("fish", false), ("elvish", false), ("powershell", false)] {
        let found = flatleak().args(["completions", shell]).output().unwrap();
        assert_eq!(code(&found), 0, "{shell}");
        let script = String::from_utf8(found.stdout).unwrap();
        for word in ["compare", "model-card", "color"] {
            // These two complete no values.
            let lacks = word == "model-card" && ["elvish", "powershell"].contains(&shell);
            assert!(script.contains(word) || lacks, "{shell}: {word}");
        }
        if checks {
            let mut bash = Command::new("bash").args(["-n"]).stdin(Stdio::piped()).spawn().unwrap();
            bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
            assert!(bash.wait().unwrap().success(), "bash reads its script");
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let found = flatleak().args(["man", "--out"]).arg(dir.path()).output().unwrap();
    assert_eq!(code(&found), 0, "{}", words(&found));
    let help = words(&flatleak().arg("--help").output().unwrap());
    let listed = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let commands = listed.lines().filter(|l| l.starts_with("  ") && !l.starts_with("   "));
    let names: Vec<&str> = commands.filter_map(|l| l.split_whitespace().next()).filter(|n| *n != "help").collect();
    assert!(names.len() > 10, "{names:?}");
    for page in names
        .iter()
        .map(|name| format!("flatleak-{name}.1"))
        .chain(["flatleak.1".into(), "flatleak-data-info.1".into()])
    {
        let text = std::fs::read_to_string(dir.path().join(&page)).unwrap();
        assert!(text.contains(".TH ") && text.contains(".SH NAME"), "{page}");
    }
    assert!(!dir.path().join("flatleak-supervise.1").exists());
    let page = std::fs::read_to_string(dir.path().join("flatleak-report.1")).unwrap();
    assert!(page.contains("redact") && page.contains("color"), "{page}");
}

#[test]
fn every_attack_is_described_with_its_source() {
    let text = words(&flatleak().args(["list", "attacks"]).output().unwrap());
    let lines: Vec<&str> = text.lines().collect();
    let names: Vec<usize> = (0..lines.len()).filter(|k| !lines[*k].starts_with(' ')).collect();
    assert_eq!(names.len(), flatleak_verdict::attacks().len());
    for k in names {
        assert!(lines[k + 1].starts_with("    ") && lines[k + 2].starts_with("    "), "{}", lines[k]);
    }
    assert!(lines.iter().all(|line| line.chars().count() <= 100));
}
