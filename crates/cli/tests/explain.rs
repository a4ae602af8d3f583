//! `flatleak explain` from outside: finished runs, NumPy archives, redaction, mistakes.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a failed set-up is a failed test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

mod common;
use common::{code, flatleak, results, small, words};

fn explain(paths: &[&Path], more: &[&str]) -> Output {
    let mut c: Command = flatleak();
    c.arg("explain").args(paths).args(more);
    c.output().unwrap()
}

fn lists(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.to_string_lossy().ends_with(ending))
        .collect();
    found.sort();
    found
}

/// Explaining a finished run again gives the same explanation, whatever the number of workers; without its results the claims about leakage
/// are left open, and everything else stays.
#[test]
fn a_finished_run_is_explained_again_to_the_same_result() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    assert_eq!(code(&small(&run).output().unwrap()), 0);
    let before = results(&run);
    let explained = &before["explain"];
    for key in ["memorization", "influence", "variance", "attribution", "link", "claims"] {
        assert!(!explained[key].as_array().unwrap().is_empty(), "{key}");
    }
    assert_eq!(explained["claims"].as_array().unwrap().len(), 4);
    // 3 blocks make no two halves.
    assert!(explained["left_out"].to_string().contains("3 blocks give no two halves"));

    let again = explain(&[&run], &["--workers", "1"]);
    assert_eq!(code(&again), 0, "{}", words(&again));
    let mut after = results(&run);
    // Of all attacks, explain scores those on which headlines rest.
    let named = |v: &serde_json::Value| {
        let all = v["explain"]["link"].as_array().unwrap().iter();
        all.filter(|l| ["rmia", "confidence", "lira-online-fixed"].contains(&l["attack"].as_str().unwrap()))
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(named(&after), named(&before));
    // The others' figures stay as the run found them; only their order changes.
    let count = |v: &serde_json::Value| v["explain"]["link"].as_array().unwrap().len();
    assert_eq!(count(&after), count(&before));
    after["explain"]["link"] = before["explain"]["link"].clone();
    assert_eq!(after, before);
    let bare = explain(&[&run], &["--no-attacks"]);
    assert_eq!(code(&bare), 0, "{}", words(&bare));
    assert_eq!(count(&results(&run)), count(&before));
    assert_eq!(results(&run)["explain"]["attribution"], before["explain"]["attribution"]);
    // Results that cannot be read are not overwritten.
    let kept = std::fs::read(run.join("results.json")).unwrap();
    std::fs::write(run.join("results.json"), "{}").unwrap();
    let refused = explain(&[&run], &[]);
    assert!(code(&refused) == 3 && words(&refused).contains("it is left alone"), "{}", words(&refused));
    assert_eq!(std::fs::read(run.join("results.json")).unwrap(), b"{}");
    std::fs::write(run.join("results.json"), kept).unwrap();

    let apart = dir.path().join("apart");
    std::fs::remove_file(run.join("results.json")).unwrap();
    let bare = explain(&[&run], &["--no-attacks", "--out", apart.to_str().unwrap()]);
    assert_eq!(code(&bare), 0, "{}", words(&bare));
    assert!(words(&bare).contains("No comparison of leakage has been made"));
    let found = results(&apart);
    assert_eq!(found["explain"]["memorization"], before["explain"]["memorization"]);
    assert_eq!(found["recipes"][0]["test_accuracy"], before["recipes"][0]["test_accuracy"]);
    assert!(found["explain"]["link"].as_array().unwrap().is_empty());
    assert!(found["explain"]["left_out"].to_string().contains("not asked for"));
    assert!(!run.join("results.json").exists(), "--out leaves the run alone");
}

#[test]
fn archives_go_out_and_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    assert_eq!(code(&small(&run).output().unwrap()), 0);
    let before = results(&run);
    let (sgd, sam) = (run.join("sgd.npz"), run.join("sam.npz"));
    let out = dir.path().join("imported");
    let output = explain(&[&sgd, &sam], &["--out", out.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", words(&output));
    let found = results(&out);
    let of = |v: &serde_json::Value, recipe: &str| {
        let all = v["explain"]["memorization"].as_array().unwrap();
        all.iter().find(|m| m["recipe"] == recipe).unwrap()["hard"].clone()
    };
    for recipe in ["sgd", "sam"] {
        assert_eq!(of(&found, recipe), of(&before, recipe));
    }
    // The memberships agree, so that the archives are paired as the run was.
    let differences = found["explain"]["memorization_differences"].as_array().unwrap();
    assert_eq!((differences.len(), &differences[0]["pairing"]), (1, &"paired".into()));
    assert!(found["explain"]["left_out"].to_string().contains("not how sure the models are"));
    assert!(std::fs::read_to_string(out.join("report.html")).unwrap().contains("What is learnt by heart"));
    // Nothing of the user's is touched, wherever the output goes.
    let mine = dir.path().join("mine");
    std::fs::create_dir(&mine).unwrap();
    std::fs::copy(&sgd, mine.join("sgd.npz")).unwrap();
    let bytes = std::fs::read(&sgd).unwrap();
    for redact in [&[][..], &["--redact"]] {
        let more = [&["--out", mine.to_str().unwrap()], redact].concat();
        assert_eq!(code(&explain(&[&mine.join("sgd.npz")], &more)), 0);
        assert_eq!(std::fs::read(mine.join("sgd.npz")).unwrap(), bytes);
    }
    let refused = explain(&[&sgd], &["--out", run.to_str().unwrap()]);
    assert!(code(&refused) == 2 && words(&refused).contains("the folder of a study"), "{}", words(&refused));
    let refused = explain(&[&sam], &["--out", mine.to_str().unwrap()]);
    assert!(code(&refused) == 2 && words(&refused).contains("holds other results"), "{}", words(&refused));
    // Two archives of one name are told apart.
    let twice = explain(&[&sgd, &mine.join("sgd.npz")], &["--out", dir.path().join("twice").to_str().unwrap()]);
    assert_eq!(code(&twice), 0, "{}", words(&twice));
    assert_eq!(results(&dir.path().join("twice"))["explain"]["memorization"][1]["recipe"], "sgd-2");
    // Another membership cannot be paired.
    let other = dir.path().join("other");
    let mut c = flatleak();
    c.args(["compare", "--models", "8", "--pool", "60", "--epochs", "1", "--seed", "9", "--out"]).arg(&other);
    assert_eq!(code(&c.output().unwrap()), 0);
    let output = explain(&[&sgd, &other.join("sam.npz")], &["--out", out.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", words(&output));
    let found = results(&out);
    assert_eq!(found["explain"]["memorization_differences"][0]["pairing"], "other-examples");
    assert!(found["explain"]["left_out"].to_string().contains("different memberships"));
}

/// An archive of a free design in which example 3 is in every model and example 5 in one alone.
#[test]
fn examples_on_one_side_are_left_out_and_counted() {
    use flatleak_pool::{Membership, Pool, Signals};
    let dir = tempfile::tempdir().unwrap();
    let row = |k: usize| {
        (0..40).map(|i| i == 3 || (i != 5 && (i + 3 * k) % 7 < 3) || (i == 5 && k == 2)).collect::<Vec<bool>>()
    };
    let right = |k: usize| Signals::from_correct((0..40).map(|i| u8::from((i + k) % 4 > 1)).collect());
    let pool = Pool {
        test_labels: None,
        test: (0..15).map(|k| right(k + 1)).collect(),
        ..Pool::new("free", Membership::from_rows((0..15).map(row)).unwrap(), vec![0; 40], (0..15).map(right).collect())
            .unwrap()
    };
    let file = dir.path().join("free.npz");
    std::fs::write(&file, flatleak_store::export_npz(&pool, &[0.0; 40], None).unwrap()).unwrap();
    let output = explain(&[&file], &["--out", dir.path().join("out").to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", words(&output));
    assert!(words(&output).contains("2 of 40 examples are in too few models"), "{}", words(&output));
    let found = results(&dir.path().join("out"));
    assert_eq!(found["explain"]["influence"][0]["pairs"], 38 * 40);
    let table = std::fs::read_to_string(dir.path().join("out/exposure.csv")).unwrap();
    let indices: Vec<&str> = table.lines().skip(1).map(|l| l.split(',').nth(1).unwrap()).collect();
    assert!(indices.len() == 38 && !indices.contains(&"3") && !indices.contains(&"5") && indices.contains(&"39"));
}

/// Rows drawn one by one, as most people draw them: halves of such a design leave examples on one side.
#[test]
fn a_design_without_blocks_is_explained() {
    use flatleak_pool::{Groups, Membership, Pool, Signals};
    use flatleak_stream::{Purpose, Stream};
    let dir = tempfile::tempdir().unwrap();
    for (models, examples) in [(8, 300), (20, 400)] {
        let mut s = Stream::new(3, Purpose::Simulation, models as u64, 0);
        let rows: Vec<Vec<bool>> = (0..models).map(|_| (0..examples).map(|_| s.unit() < 0.6).collect()).collect();
        let mut right = |n: usize| Signals::from_correct((0..n).map(|_| u8::from(s.unit() < 0.7)).collect());
        let pool = Pool {
            test_labels: Some(vec![0; 50]),
            // Every example a group of its own: nothing of it may be left in a redacted page.
            groups: Some(Groups {
                names: (0..examples).map(|g| g.to_string()).collect(),
                pool: (0..examples as u32).collect(),
                test: (0..50).collect(),
            }),
            test: (0..models).map(|_| right(50)).collect(),
            ..Pool::new(
                "drawn",
                Membership::from_rows(rows).unwrap(),
                vec![0; examples],
                (0..models).map(|_| right(examples)).collect(),
            )
            .unwrap()
        };
        let file = dir.path().join(format!("drawn{models}.npz"));
        std::fs::write(&file, flatleak_store::export_npz(&pool, &vec![0.0; examples], None).unwrap()).unwrap();
        let out = dir.path().join(format!("out{models}"));
        let output = explain(&[&file], &["--redact", "--out", out.to_str().unwrap()]);
        assert_eq!(code(&output), 0, "{}", words(&output));
        let found = results(&out);
        assert_eq!(found["explain"]["influence"].as_array().unwrap().len(), 1);
        assert!(found["explain"]["groups"].as_array().unwrap().is_empty());
    }
    // Outputs on held-out examples in one archive alone.
    let run = dir.path().join("run");
    let mut c = flatleak();
    c.args(["compare", "--models", "12", "--pool", "60", "--epochs", "1", "--recipes", "sgd,sam", "--out"]).arg(&run);
    assert_eq!(code(&c.output().unwrap()), 0);
    let mut half = flatleak_store::import_npz(&run.join("sam.npz")).unwrap();
    half.test.clear();
    half.test_labels = None;
    half.groups = None;
    let file = dir.path().join("half.npz");
    std::fs::write(&file, flatleak_store::export_npz(&half, &[0.0; 60], None).unwrap()).unwrap();
    let out = dir.path().join("half");
    let output = explain(&[&run.join("sgd.npz"), &file], &["--out", out.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", words(&output));
    assert!(results(&out)["explain"]["left_out"].to_string().contains("different held-out examples"));
}

/// A run directory from elsewhere whose results name files outside of it: they are neither shown nor removed.
#[test]
fn paths_in_results_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    assert_eq!(code(&small(&run).output().unwrap()), 0);
    let secret = dir.path().join("secret.png");
    std::fs::write(&secret, b"secret").unwrap();
    let path = run.join("results.json");
    let mut v: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    for (at, file) in ["../secret.png", secret.to_str().unwrap(), "../../secret.png"].iter().enumerate() {
        v["pictures"][at]["file"] = (*file).into();
        v["pictures"][at].as_object_mut().unwrap().remove("blake3");
    }
    // Whoever forges results leaves the checksum away, as earlier programs did.
    v["timings"].as_object_mut().unwrap().remove("checksum");
    std::fs::write(&path, v.to_string()).unwrap();
    std::fs::write(run.join("details.txt"), format!("../secret.png\n{}\n", secret.display())).unwrap();
    let mut c = flatleak();
    assert_eq!(code(&c.arg("report").arg(&run).output().unwrap()), 0);
    let page = std::fs::read_to_string(run.join("report.html")).unwrap();
    assert!(!page.contains("c2VjcmV0"), "base64 of the secret");
    assert_eq!(code(&explain(&[&run], &["--redact"])), 0);
    assert_eq!(std::fs::read(&secret).unwrap(), b"secret");
}

#[test]
fn redaction_removes_single_examples_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(code(&small(dir.path()).output().unwrap()), 0);
    let details =
        || ["exposure.csv", ".parquet", ".npz", ".png"].iter().map(|e| lists(dir.path(), e).len()).sum::<usize>();
    assert!(details() >= 10, "{}", details());
    let table = std::fs::read_to_string(dir.path().join("exposure.csv")).unwrap();
    assert!(table.starts_with("recipe,index,label,class,source,group,right_calls,") && table.lines().count() == 181);
    let page = || std::fs::read_to_string(dir.path().join("report.html")).unwrap();
    assert!(page().contains("data:image/png;base64,") && page().contains("flatleak report --redact"));

    // The page alone, for passing on.
    let mut c = flatleak();
    let output = c.arg("report").arg(dir.path()).arg("--redact").output().unwrap();
    assert_eq!(code(&output), 0, "{}", words(&output));
    assert!(!page().contains("data:image") && page().contains("Redacted:") && !page().contains("Strongest pairs"));
    assert!(details() >= 10);

    // Everything.
    assert_eq!(code(&explain(&[dir.path()], &["--redact"])), 0);
    assert_eq!(details(), 0);
    let found = results(dir.path());
    assert_eq!((&found["redacted"], found["pictures"].as_array().unwrap().len()), (&true.into(), 0));
    assert!(found["explain"]["influence"].as_array().unwrap().iter().all(|i| i["top"] == serde_json::json!([])));
    assert_eq!(code(&small(dir.path()).args(["--redact"]).output().unwrap()), 0);
    assert_eq!((details(), results(dir.path())["redacted"].clone()), (0, true.into()));
    // Recipes that are no longer asked for leave nothing behind either.
    assert_eq!(code(&small(dir.path()).output().unwrap()), 0);
    assert!(dir.path().join("sam.npz").exists());
    assert_eq!(code(&small(dir.path()).args(["--recipes", "sgd,sgd-2x", "--redact"]).output().unwrap()), 0);
    assert_eq!(details(), 0);
}

#[test]
fn several_data_sets_are_explained_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut c = flatleak();
    c.args(["compare", "--models", "6", "--epochs", "1", "--pool", "80", "--data", "subpopulations+clusters=3"]);
    c.args(["--data", "fashion-mnist-small", "--out"]).arg(dir.path());
    assert_eq!(code(&c.output().unwrap()), 0);
    let before = results(dir.path());
    let output = explain(&[dir.path()], &[]);
    assert_eq!(code(&output), 0, "{}", words(&output));
    let after = results(dir.path());
    assert_eq!(after["explain"]["claims"], before["explain"]["claims"]);
    assert_eq!(after["study"], before["study"]);
    let files: Vec<&str> = after["pictures"].as_array().unwrap().iter().map(|p| p["file"].as_str().unwrap()).collect();
    assert!(files.iter().all(|f| dir.path().join(f).is_file()) && !files.is_empty(), "{files:?}");
    let page = std::fs::read_to_string(dir.path().join("report.html")).unwrap();
    let listed = page.matches("alt=\"a training example of class").count();
    assert!(listed > 0);
    assert_eq!(page.matches("data:image/png").count(), files.len() + listed);
}

#[test]
fn mistakes_have_their_exit_codes() {
    let dir = tempfile::tempdir().unwrap();
    let check = |output: Output, want: i32, said: &str| {
        let text = words(&output);
        assert_eq!(code(&output), want, "{text}");
        assert!(text.contains(said) && !text.contains("panicked"), "{text}");
    };
    check(explain(&[dir.path()], &[]), 3, "it has no study.toml");
    check(explain(&[&dir.path().join("absent.npz")], &[]), 3, "cannot be read");
    let file = dir.path().join("x.npz");
    std::fs::write(&file, b"nothing").unwrap();
    check(explain(&[&file], &[]), 3, "no .npz archive");
    check(explain(&[dir.path(), &file], &[]), 2, "give one run directory, or only .npz archives");
    check(flatleak().arg("explain").output().unwrap(), 2, "required");
    let run = dir.path().join("run");
    std::fs::create_dir(&run).unwrap();
    std::fs::write(run.join("study.toml"), "models = 6\npool = 60\ndata = 'fashion-mnist-small'\n").unwrap();
    check(explain(&[&run], &[]), 2, "other examples of it");
}
