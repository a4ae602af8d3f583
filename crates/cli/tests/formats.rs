//! `flatleak report --format`, `diff` and `runs` from outside.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::path::Path;
use std::process::Output;

use serde_json::Value;

mod common;
use common::{code, flatleak, kept, results, small, words};

const FILES: [&str; 6] = ["report.html", "report.md", "report.tex", "report.csv", "report.json", "model-card.md"];
const FORMATS: &str = "html,markdown,latex,csv,json,model-card";

fn said(arguments: &[&str], paths: &[&Path]) -> Output {
    flatleak().args(arguments).args(paths).output().unwrap()
}

fn event(output: &Output) -> Value {
    assert_eq!(code(output), 0, "{}", words(output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    serde_json::from_str::<Value>(text.lines().last().unwrap()).unwrap()["event"].clone()
}

#[test]
fn runs_and_audits_of_every_schema_are_written_in_every_format() {
    for schema in ["schema-1", "schema-2"] {
        for what in ["run", "audit"] {
            let dir = tempfile::tempdir().unwrap();
            let out = dir.path().join("out");
            let found =
                said(&["report", "--format", FORMATS, "--out", out.to_str().unwrap()], &[&kept(schema).join(what)]);
            assert_eq!(code(&found), 0, "{schema} {what}: {}", words(&found));
            for file in FILES {
                let text = std::fs::read_to_string(out.join(file)).unwrap();
                let wanted = if file == "report.csv" { ",sam,sgd,lira-online-fixed.auc," } else { "sgd" };
                assert!(text.contains(wanted), "{schema} {what}: {file}");
                assert!(words(&found).contains(file), "{file} is named");
            }
            // The document in another form is one of its own, with its checksum.
            let copy = dir.path().join("copy");
            std::fs::create_dir(&copy).unwrap();
            std::fs::rename(out.join("report.json"), copy.join("results.json")).unwrap();
            assert_eq!(code(&said(&["report"], &[&copy])), 0);
        }
    }
    let found = said(&["report", "--format", "docx"], &[&kept("schema-2").join("run")]);
    assert!(code(&found) == 2 && words(&found).contains("model-card"), "{}", words(&found));
}

/// What a run redacts is in no format, and what an earlier call wrote of it goes.
#[test]
fn redaction_holds_for_every_format() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    assert_eq!(code(&small(&run).output().unwrap()), 0);
    let whole = said(&["report", "--format", FORMATS], &[&run]);
    assert_eq!(code(&whole), 0, "{}", words(&whole));
    let read = |file: &str| std::fs::read_to_string(run.join(file)).unwrap();
    let pairs = |text: &str| {
        let v: Value = serde_json::from_str(text).unwrap();
        v["explain"]["influence"].as_array().unwrap().iter().map(|i| i["top"].as_array().unwrap().len()).sum::<usize>()
    };
    assert!(pairs(&read("report.json")) > 0 && read("report.html").contains("data:image/png"));
    assert_eq!(code(&said(&["report", "--redact", "--format", FORMATS], &[&run])), 0);
    assert!(pairs(&read("report.json")) == 0 && !read("report.html").contains("data:image/png"));
    for file in ["report.md", "report.tex", "report.json", "model-card.md"] {
        assert!(read(file).contains("edacted"), "{file} says so");
    }
    assert!(pairs(&read("results.json")) > 0, "results stay as they are");
    assert_eq!(code(&said(&["report", "--format", "json"], &[&run])), 0);
    // The page on paper has what the page had.
    std::fs::write(run.join("report.pdf"), b"%PDF").unwrap();
    let redacted = small(&run).arg("--redact").output().unwrap();
    assert_eq!(code(&redacted), 0, "{}", words(&redacted));
    let left = ["report.json", "report.pdf"].map(|file| run.join(file).exists());
    assert_eq!(left, [false; 2], "no single example stays behind");
}

fn figure(diff: &Value, recipe: &str, metric: &str) -> Value {
    let all = diff["recipes"].as_array().unwrap().iter().find(|r| r["recipe"] == recipe).unwrap();
    all["figures"].as_array().unwrap().iter().find(|f| f["metric"] == metric).unwrap_or(&Value::Null).clone()
}

fn mean(results: &Value, recipe: &str, key: &str) -> f64 {
    let found = results["recipes"].as_array().unwrap().iter().find(|r| r["name"] == recipe).unwrap();
    found[key]["mean"].as_f64().unwrap()
}

fn auc(results: &Value, recipe: &str, attack: &str) -> f64 {
    let found = results["recipes"].as_array().unwrap().iter().find(|r| r["name"] == recipe).unwrap();
    found["attacks"].as_array().unwrap().iter().find(|a| a["name"] == attack).unwrap()["auc"]["mean"].as_f64().unwrap()
}

/// Results of the two schemas side by side: every difference is the one that is computed by hand from the files.
#[test]
fn two_runs_differ_by_what_their_files_say() {
    let (first, second) = (kept("schema-1").join("run"), kept("schema-2").join("run"));
    let found = event(&said(&["diff", "--message-format", "json"], &[&first, &second]));
    let (a, b) = (results(&first), results(&second));
    for recipe in ["sgd", "sam"] {
        for (metric, key) in [("test-accuracy", "test_accuracy"), ("member-accuracy", "member_accuracy")] {
            let f = figure(&found["diff"], recipe, metric);
            let wanted = mean(&b, recipe, key) - mean(&a, recipe, key);
            assert_eq!(f["difference"].as_f64(), Some(wanted), "{recipe} {metric}");
        }
        for attack in ["confidence", "rmia", "lira-online-fixed"] {
            let f = figure(&found["diff"], recipe, &format!("{attack}.auc"));
            assert_eq!(f["first"]["mean"].as_f64(), Some(auc(&a, recipe, attack)));
            assert_eq!(f["difference"].as_f64(), Some(auc(&b, recipe, attack) - auc(&a, recipe, attack)));
        }
    }
    let said = words(&said(&["diff"], &[&first, &second]));
    assert!(said.contains("lira-online-fixed.auc") && said.contains("no interval"), "{said}");
    // A run beside itself does not differ; beside its audit the examples cannot be checked, and are said not to be.
    let same = event(&self::said(&["diff", "--message-format", "json"], &[&second, &second]));
    let none = |v: &Value| v.as_array().unwrap().is_empty();
    assert!(none(&same["diff"]["settings"]) && none(&same["diff"]["only_first"]) && none(&same["diff"]["notes"]));
    let audit = event(&self::said(&["diff", "--message-format", "json"], &[&second, &kept("schema-2").join("audit")]));
    assert!(audit["diff"]["notes"].to_string().contains("cannot be checked"), "{audit}");
}

#[test]
fn other_data_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let runs = dir.path().join("runs");
    let run = |name: &str, data: &str, more: &[&str]| {
        let out = runs.join(name);
        let found = flatleak()
            .args(["compare", "--models", "6", "--epochs", "1", "--recipes", "sgd", "--data", data])
            .args(more)
            .arg("--out")
            .arg(&out)
            .output()
            .unwrap();
        assert_eq!(code(&found), 0, "{}", words(&found));
        out
    };
    let (digits, letter) = (run("digits", "digits", &["--pool", "60"]), run("letter", "letter", &["--pool", "60"]));
    let smaller = run("smaller", "digits", &["--pool", "40"]);
    for (other, names) in [(&letter, ["digits (digest", "letter (digest"]), (&smaller, ["60 examples", "40 examples"])]
    {
        let found = said(&["diff"], &[&digits, other]);
        let text = words(&found);
        assert!(code(&found) == 2 && names.iter().all(|name| text.contains(name)), "{text}");
    }
    let stricter = run("stricter", "digits", &["--pool", "60", "--relevant", "auc=0.03"]);
    let text = words(&said(&["diff"], &[&digits, &stricter]));
    assert!(text.contains("settings that differ") && text.contains("relevant") && text.contains("0.03"), "{text}");
    std::fs::remove_dir_all(stricter).unwrap();
    // Folders of runs: what is finished, what is not, what is damaged.
    std::fs::remove_file(letter.join("results.json")).unwrap();
    std::fs::remove_file(letter.join("models/sgd/0003/signals.safetensors")).unwrap();
    std::fs::write(smaller.join("results.json"), "{}").unwrap();
    let listed = event(&said(&["runs", "--message-format", "json"], &[&runs]));
    let all: Vec<(&str, &str)> = listed["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| {
            (
                Path::new(r["folder"].as_str().unwrap()).file_name().unwrap().to_str().unwrap(),
                r["state"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(all, [("digits", "finished"), ("letter", "unfinished"), ("smaller", "damaged")]);
    assert_eq!((&listed["runs"][1]["complete"], &listed["runs"][1]["models"]), (&5.into(), &6.into()));
    let text = words(&said(&["runs"], &[&runs]));
    assert!(text.contains("5 of 6 models on disk") && text.contains("finished"), "{text}");
    assert!(words(&said(&["runs"], &[&digits.join("models")])).contains("no runs in"));
    // A folder of runs is no run, a study on two data sets is one.
    let above = event(&said(&["runs", "--message-format", "json"], &[dir.path()]));
    assert_eq!(above["runs"], serde_json::json!([]), "{above}");
    let both = run("both", "digits", &["--pool", "60", "--data", "letter"]);
    std::fs::remove_file(both.join("results.json")).unwrap();
    let listed = event(&said(&["runs", "--message-format", "json"], &[&runs]));
    assert_eq!((&listed["runs"][0]["state"], listed["runs"].as_array().unwrap().len()), (&"unfinished".into(), 4));
    assert_eq!((&listed["runs"][0]["complete"], &listed["runs"][0]["models"]), (&12.into(), &12.into()));
    assert_eq!(code(&said(&["runs"], &[&dir.path().join("nowhere")])), 3);
}
