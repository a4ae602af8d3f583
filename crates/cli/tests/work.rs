//! Many workers at one run, from outside.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

mod common;
use common::{code, flatleak, npy, results, words};

/// A study of seconds.
const STUDY: &str = "models = 6\npool = 60\n[train]\nepochs = 2\n[[recipe]]\nname = 'sgd'\n[[recipe]]\nname = 'sam'\noptimizer = 'sam'\n";

fn study(dir: &Path, text: &str) -> PathBuf {
    let path = dir.join("study.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn compare(study: &Path, out: &Path, more: &[&str]) -> Output {
    flatleak().arg("compare").arg(study).arg("--out").arg(out).args(more).output().unwrap()
}

fn worker(run: &Path, more: &[&str]) -> Command {
    let mut command = flatleak();
    command.args(["work", "--workers", "1"]).arg(run).args(more).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn expect(output: Output, want: i32, said: &str) {
    let words = words(&output);
    let flat = words.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(code(&output) == want && flat.contains(said) && !flat.contains("panicked"), "{want} {said}: {words}");
}

fn prepared(dir: &Path, text: &str) -> (PathBuf, PathBuf) {
    let (study, run) = (study(dir, text), dir.join("run"));
    expect(compare(&study, &run, &["--prepare", "--beat", "2s"]), 0, "prepared");
    (study, run)
}

/// What `work/ends` says, by name.
fn ends(run: &Path) -> Vec<(String, Value)> {
    let Ok(entries) = std::fs::read_dir(run.join("work/ends")) else { return Vec::new() };
    let mut all: Vec<(String, Value)> = entries
        .map(|entry| entry.unwrap())
        .map(|e| {
            (e.file_name().into_string().unwrap(), serde_json::from_slice(&std::fs::read(e.path()).unwrap()).unwrap())
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn status(run: &Path) -> Value {
    let output = flatleak().arg("status").arg(run).arg("--json").output().unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn change(file: &Path, key: &str, value: &str) {
    let mut json: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    json[key] = serde_json::from_str(value).unwrap();
    std::fs::write(file, json.to_string()).unwrap();
}

#[test]
fn four_workers_of_different_machines_give_what_one_gives() {
    let dir = tempfile::tempdir().unwrap();
    let (study, run) = prepared(dir.path(), STUDY);
    let alone = dir.path().join("alone");
    expect(compare(&study, &alone, &[]), 0, "report");
    assert_eq!(status(&run)["open"], 12);
    // Nothing but the run is needed.
    std::fs::remove_file(&study).unwrap();
    let simd = ["scalar", "avx2", "", "scalar"];
    let all: Vec<Child> =
        simd.iter().map(|simd| worker(&run, &[]).env("FLATLEAK_SIMD", simd).spawn().unwrap()).collect();
    all.into_iter().for_each(|child| expect(child.wait_with_output().unwrap(), 0, "nothing is left"));
    let ends = ends(&run);
    let published: Vec<_> = ends.iter().filter(|(_, end)| end["published"] == "new").collect();
    assert_eq!((ends.len(), published.len()), (12, 12), "each was published once: {ends:?}");
    let status = status(&run);
    assert_eq!((&status["done"], &status["open"], &status["workers"]), (&12.into(), &0.into(), &0.into()));
    assert!(run.join("work/beats").read_dir().unwrap().next().is_none(), "all have left");
    std::fs::write(&study, STUDY).unwrap();
    expect(compare(&study, &run, &["--no-train"]), 0, "report");
    assert_eq!(results(&run), results(&alone));
    for model in 0..6 {
        for file in ["weights", "signals"] {
            let name = format!("models/sam/{model:04}/{file}.safetensors");
            assert!(std::fs::read(run.join(&name)).unwrap() == std::fs::read(alone.join(&name)).unwrap(), "{name}");
        }
    }
}

#[test]
fn models_that_are_missing_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let (study, run) = prepared(dir.path(), STUDY);
    expect(compare(&study, &run, &["--no-train"]), 3, "12 models are missing in");
    expect(worker(&run, &["--shard", "1/2"]).output().unwrap(), 0, "6 models trained");
    // The other half are those of the other recipe: the two take turns.
    expect(compare(&study, &run, &["--no-train"]), 3, "6 models are missing in");
    expect(compare(&study, &run, &["--no-train"]), 3, "sgd 0000, sgd 0001");
    assert!(!run.join("results.json").exists());
    // Whoever runs the study trains the rest.
    expect(compare(&study, &run, &[]), 0, "report");
    expect(worker(&run, &["--shard", "2/2"]).output().unwrap(), 0, "0 models trained, 6 by others");
    for wrong in ["0/2", "3/2", "2", "a/b"] {
        expect(worker(&run, &["--shard", wrong]).output().unwrap(), 2, "a part is I/N");
    }
}

#[test]
fn shards_without_a_shared_store_are_merged() {
    let dir = tempfile::tempdir().unwrap();
    let study = study(dir.path(), STUDY);
    let [a, b, whole, alone, other] = ["a", "b", "whole", "alone", "other"].map(|name| dir.path().join(name));
    for (part, shard) in [(&a, "1/2"), (&b, "2/2")] {
        expect(compare(&study, part, &["--prepare"]), 0, "prepared");
        expect(worker(part, &["--shard", shard]).output().unwrap(), 0, "6 models trained");
    }
    let merge = |parts: &[&Path]| flatleak().arg("merge").arg(&whole).args(parts).output().unwrap();
    expect(merge(&[&a]), 0, "6 models taken, 0 were there already");
    expect(merge(&[&a, &b]), 0, "6 models taken, 6 were there already");
    expect(compare(&study, &whole, &["--no-train"]), 0, "report");
    expect(compare(&study, &alone, &[]), 0, "report");
    assert_eq!(results(&whole), results(&alone));
    expect(compare(&study, &other, &["--prepare", "--seed", "1"]), 0, "prepared");
    expect(merge(&[&other]), 2, "holds another study");
    expect(merge(&[&dir.path().join("nothing")]), 3, "cannot read");
}

#[test]
fn who_does_not_belong_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (study, run) = prepared(dir.path(), STUDY);
    expect(worker(dir.path(), &[]).output().unwrap(), 3, "is no run to work at");
    expect(worker(&dir.path().join("nothing"), &[]).output().unwrap(), 3, "cannot read");
    expect(flatleak().arg("status").arg(dir.path()).output().unwrap(), 3, "is no run to work at");
    expect(compare(&study, &run, &["--prepare", "--seed", "1"]), 2, "seed 0 there, 1 here");
    let pins = run.join("run.json");
    let before = std::fs::read(&pins).unwrap();
    for (key, value, said) in [
        ("engine_version", "999", "begun with engine 999"),
        ("canary", "\"0123456789abcdef\"", "trains other bits here"),
        ("data", "\"0123456789abcdef\"", "the run's data have the digest"),
        ("seed", "5", "the run has seed 5"),
        ("schema", "9", "form 9"),
    ] {
        change(&pins, key, value);
        expect(worker(&run, &[]).output().unwrap(), 2, said);
        expect(compare(&study, &run, &[]), 2, said);
        std::fs::write(&pins, &before).unwrap();
    }
    std::fs::write(&pins, "{").unwrap();
    expect(worker(&run, &[]).output().unwrap(), 3, "run.json is damaged");
    std::fs::write(&pins, &before).unwrap();

    let own: Value = serde_json::from_slice(&before).unwrap();
    let own = own["binary"].as_str().unwrap();
    change(&pins, "binary", "\"another\"");
    expect(worker(&run, &[]).output().unwrap(), 2, &format!("--accept-binary {own}"));
    expect(worker(&run, &["--accept-binary", "some"]).output().unwrap(), 2, "begun with the program another");
    expect(worker(&run, &["--shard", "1/6", "--accept-binary", own]).output().unwrap(), 0, "nothing is left");
    expect(worker(&run, &["--shard", "2/6"]).output().unwrap(), 0, "nothing is left");

    let staged = run.join("data").read_dir().unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&staged).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&staged, bytes).unwrap();
    expect(worker(&run, &[]).output().unwrap(), 3, "is damaged or of other data");
    // The data of the study's name are as good.
    std::fs::remove_file(&staged).unwrap();
    expect(worker(&run, &[]).output().unwrap(), 0, "nothing is left");
}

/// Logits of model k lie ready as `ak.npy` and `bk.npy`; `train.sh` has this text.
fn foreign(dir: &Path, script: &str) -> String {
    for (model, (name, n)) in (0..6).flat_map(|model| [(model, ("a", 40)), (model, ("b", 20))]) {
        let value = |k: usize| ((k * 37 + model * 11) % 23) as f32 / 4.0;
        let values: Vec<u8> = (0..n * 10).flat_map(|k| value(k).to_le_bytes()).collect();
        std::fs::write(dir.join(format!("{name}{model}.npy")), npy("<f4", &[n, 10], &values)).unwrap();
    }
    std::fs::write(dir.join("train.sh"), script).unwrap();
    let at = dir.display();
    format!(
        "models = 6\npool = 40\ntest = 20\ndata = 'digits'\n[[recipe]]\nname = 'a'\n\
         trainer = 'sh {at}/train.sh {{index}} {{mask}} {{out}} {at}'\n"
    )
}

const DONE: &str = "cp $4/a$1.npy \"$3/logits.npy\"; cp $4/b$1.npy \"$3/test_logits.npy\"\n";

#[test]
fn what_always_fails_is_given_up_and_the_others_are_trained() {
    let dir = tempfile::tempdir().unwrap();
    let text = foreign(
        dir.path(),
        &format!("if [ $1 = 1 ] && [ ! -e $4/mended ]; then echo out of paper; exit 9; fi\n{DONE}"),
    );
    let (study, run) = prepared(dir.path(), &text);
    expect(worker(&run, &[]).output().unwrap(), 1, "1 tasks were tried too often");
    let found = status(&run);
    assert_eq!((&found["done"], &found["given_up"]), (&5.into(), &1.into()));
    let failed = &found["failed"][0];
    assert_eq!(
        (&failed["task"], &failed["attempts"], &failed["said"][0]),
        (&"a.0001".into(), &3.into(), &"out of paper".into())
    );
    expect(flatleak().arg("status").arg(&run).output().unwrap(), 0, "out of paper");
    // No worker tries it again; whoever runs the study does, once.
    expect(worker(&run, &[]).output().unwrap(), 1, "tried too often");
    assert_eq!(ends(&run).len(), 8);
    expect(compare(&study, &run, &[]), 1, "model 1, ended with exit status: 9");
    assert_eq!(ends(&run).len(), 9);
    std::fs::write(dir.path().join("mended"), "").unwrap();
    expect(compare(&study, &run, &[]), 0, "report");
    assert_eq!(status(&run)["done"], 6);
}

#[test]
fn a_recipe_that_diverges_is_told_to_all() {
    let dir = tempfile::tempdir().unwrap();
    let text =
        "models = 6\npool = 60\n[train]\nepochs = 2\n[[recipe]]\nname = 'ok'\n[[recipe]]\nname = 'wild'\nlr = 1e5\n";
    let (study, run) = prepared(dir.path(), text);
    expect(worker(&run, &[]).output().unwrap(), 0, "nothing is left");
    assert_eq!(status(&run)["diverged"], serde_json::json!(["wild"]));
    let tried = ends(&run).iter().filter(|(name, _)| name.starts_with("wild")).count();
    assert_eq!(tried, 1, "one model is enough");
    expect(worker(&run, &[]).output().unwrap(), 0, "nothing is left");
    expect(compare(&study, &run, &["--no-train"]), 4, "diverged");
    let alone = dir.path().join("alone");
    expect(compare(&study, &alone, &["--workers", "2"]), 4, "diverged");
    assert_eq!(results(&run), results(&alone));
}

/// Waits until something is so.
fn await_that(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(90);
    while !is_so() {
        assert!(Instant::now() < end, "{what} never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn signal(name: &str, child: &Child) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

const SLOW: &str = "touch $4/begun; while [ ! -e $4/go ]; do sleep 0.1; done\n";

#[test]
fn a_run_is_cancelled_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (study, run) = prepared(dir.path(), &foreign(dir.path(), &format!("{SLOW}{DONE}")));
    let child = worker(&run, &[]).spawn().unwrap();
    await_that("the command", || dir.path().join("begun").exists());
    assert_eq!(status(&run)["running"].as_array().unwrap().len(), 1);
    let cancel = |more: &[&str]| flatleak().arg("cancel").arg(&run).args(more).output().unwrap();
    expect(cancel(&[]), 0, "workers stop within seconds");
    expect(child.wait_with_output().unwrap(), 5, "interrupted");
    expect(worker(&run, &[]).output().unwrap(), 5, "was cancelled");
    assert_eq!(status(&run)["cancelled"], true);
    std::fs::write(dir.path().join("go"), "").unwrap();
    expect(cancel(&["--undo"]), 0, "goes on");
    expect(worker(&run, &[]).output().unwrap(), 0, "6 models trained");
    let interrupted = ends(&run).iter().filter(|(_, end)| end["outcome"] == "interrupted").count();
    assert_eq!(interrupted, 1);
    expect(compare(&study, &run, &["--no-train"]), 0, "report");
}

#[test]
fn time_that_is_up_and_signals_end_a_worker() {
    let dir = tempfile::tempdir().unwrap();
    let (_, run) = prepared(dir.path(), &foreign(dir.path(), &format!("{SLOW}{DONE}")));
    expect(worker(&run, &["--until", "1s"]).output().unwrap(), 5, "interrupted");
    let child = worker(&run, &[]).spawn().unwrap();
    await_that("the command", || status(&run)["running"].as_array().unwrap().len() == 1);
    signal("-TERM", &child);
    expect(child.wait_with_output().unwrap(), 5, "interrupted");
    assert!(ends(&run).iter().all(|(_, end)| end["outcome"] == "interrupted"));
    assert_eq!(status(&run)["open"], 6);
}

/// The first worker is stopped for longer than five beats. Another does its task; woken, the first finds the same bytes.
#[test]
fn who_is_silent_loses_the_task_and_no_model() {
    let dir = tempfile::tempdir().unwrap();
    let text = "models = 6\npool = 60\n[train]\nepochs = 400\n[[recipe]]\nname = 'sgd'\n";
    let (study, run) = prepared(dir.path(), text);
    let first = worker(&run, &[]).spawn().unwrap();
    await_that("a lease", || run.join("work/leases").read_dir().is_ok_and(|mut d| d.next().is_some()));
    signal("-STOP", &first);
    expect(worker(&run, &[]).output().unwrap(), 0, "nothing is left");
    assert_eq!(status(&run)["done"], 6);
    let second: Vec<String> = ends(&run).into_iter().map(|(name, _)| name).filter(|n| n.ends_with(".2.json")).collect();
    signal("-CONT", &first);
    expect(first.wait_with_output().unwrap(), 0, "nothing is left");
    assert!(second.len() <= 1, "{second:?}");
    let all = ends(&run);
    assert!(all.iter().all(|(_, end)| end["outcome"] == "done"), "{all:?}");
    let new = all.iter().filter(|(_, end)| end["published"] == "new").count();
    assert_eq!(new, 6, "each model was published once: {all:?}");
    expect(compare(&study, &run, &["--no-train"]), 0, "report");
}

/// A worker that is killed is known to be gone on its own machine: the next one takes the task at once.
#[test]
fn who_is_killed_loses_the_task_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let study = study(dir.path(), &foreign(dir.path(), &format!("{SLOW}{DONE}")));
    let run = dir.path().join("run");
    expect(compare(&study, &run, &["--prepare"]), 0, "prepared");
    let mut child = worker(&run, &[]).spawn().unwrap();
    await_that("the command", || dir.path().join("begun").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::write(dir.path().join("go"), "").unwrap();
    let begun = Instant::now();
    expect(worker(&run, &[]).output().unwrap(), 0, "6 models trained");
    assert!(begun.elapsed() < Duration::from_secs(100), "five beats would have been 150 s");
    assert_eq!(ends(&run).len(), 6, "the first attempt has no end");
}
