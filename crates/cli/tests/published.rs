//! Defences behind the model, dropout, and accuracy under noise, from outside.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::path::Path;

use serde_json::Value;

mod common;
use common::{code, flatleak, words};

const PLAIN: &str = "models = 6\npool = 80\ntest = 60\ndata = 'digits'\n[train]\nepochs = 4\nbatch = 16\n[[recipe]]\nname = 'sgd'\n\
    [[recipe]]\nname = 'dropped'\ndropout = 0.5\n";
const PUBLISHED: &str = "[[recipe]]\nname = 'warm'\ntemperature = 3.0\n[[recipe]]\nname = 'top'\ntop_k = 2\n[[recipe]]\nname = 'labels'\n\
    labels_only = true\n[[recipe]]\nname = 'random'\nhamp_outputs = true\n";

fn run(dir: &Path, study: &str) -> Value {
    std::fs::write(dir.join("s.toml"), study).unwrap();
    let said = flatleak().current_dir(dir).args(["compare", "s.toml", "--out", "o"]).output().unwrap();
    assert_eq!(code(&said), 0, "{}", words(&said));
    serde_json::from_str(&std::fs::read_to_string(dir.join("o/results.json")).unwrap()).unwrap()
}

fn recipe<'a>(found: &'a Value, name: &str) -> &'a Value {
    found["recipes"].as_array().unwrap().iter().find(|r| r["name"] == name).unwrap()
}

fn auc(recipe: &Value, attack: &str) -> f64 {
    let all = recipe["attacks"].as_array().unwrap();
    all.iter().find(|a| a["name"] == attack).unwrap()["auc"]["mean"].as_f64().unwrap()
}

#[test]
fn what_is_published_is_trained_once_and_never_changes_a_prediction() {
    let dir = tempfile::tempdir().unwrap();
    let first = run(dir.path(), PLAIN);
    assert_eq!(first["timings"]["trained"], 12);
    let weights =
        |recipe: &str| std::fs::read(dir.path().join(format!("o/models/{recipe}/0003/weights.safetensors"))).unwrap();
    assert!(weights("sgd") != weights("dropped"));
    // The same models are published in four more ways without training anything.
    let found = run(dir.path(), &format!("{PLAIN}{PUBLISHED}"));
    assert_eq!((&found["timings"]["trained"], &found["timings"]["reused"]), (&0.into(), &36.into()));
    let plain = recipe(&found, "sgd");
    // The verdict on one pool shares its error with the others of its document.
    let figures = |recipe: &Value| {
        let mut recipe = recipe.clone();
        recipe["guessing"]["points"][0]["level"].take();
        recipe
    };
    assert_eq!(figures(plain), figures(recipe(&first, "sgd")));
    for name in ["warm", "top", "labels", "random"] {
        let published = recipe(&found, name);
        for accuracy in ["test_accuracy", "member_accuracy", "non_member_accuracy"] {
            assert_eq!(published[accuracy], plain[accuracy], "{name}");
        }
        // What labels alone tell is what no change of scores can hide, and no frontier falls much below it.
        for attack in ["correctness", "calibrated-correctness"] {
            assert_eq!(auc(published, attack), auc(plain, attack));
        }
        let points = found["frontiers"][0]["points"].as_array().unwrap();
        let point = points.iter().find(|p| p["recipe"] == name).unwrap();
        // What is learnt on a dozen models of a few hundred examples wavers by some hundredths.
        let (leakage, labels) = (point["leakage"]["mean"].as_f64().unwrap(), auc(plain, "calibrated-correctness"));
        assert!(leakage >= labels - 0.02, "{name}: {leakage}, labels alone {labels}");
        assert_ne!(auc(published, "confidence"), auc(plain, "confidence"), "{name}");
    }
    // Of labels alone nothing is left to see but whether they are right.
    let labels = recipe(&found, "labels");
    for attack in ["confidence", "entropy", "modified-entropy"] {
        let told = if attack == "entropy" { 0.5 } else { auc(labels, "correctness") };
        assert!((auc(labels, attack) - told).abs() < 1e-12, "{attack}: {} not {told}", auc(labels, attack));
    }
    // Trained in one go, models and results are the same.
    let whole = tempfile::tempdir().unwrap();
    let again = run(whole.path(), &format!("{PLAIN}{PUBLISHED}"));
    assert_eq!(again["timings"]["trained"], 36);
    assert_eq!(again["recipes"], found["recipes"]);
}

#[test]
fn accuracy_under_noise_is_measured_again_where_levels_change() {
    let dir = tempfile::tempdir().unwrap();
    let first = run(dir.path(), PLAIN);
    assert!(recipe(&first, "sgd").get("noise").is_none());
    let noisy = run(dir.path(), &format!("noise = [1e-9, 0.5, 3.0]\n{PLAIN}"));
    assert_eq!(noisy["timings"]["trained"], 0);
    let sgd = recipe(&noisy, "sgd");
    let levels = sgd["noise"].as_array().unwrap();
    let mean = |level: &Value, what: &str| level[what]["mean"].as_f64().unwrap();
    let clean = sgd["test_accuracy"]["mean"].as_f64().unwrap();
    // Next to no noise changes nothing, much of it nearly everything; what is lost adds up.
    assert!((mean(&levels[0], "accuracy") - clean).abs() < 1e-12 && mean(&levels[0], "lost").abs() < 1e-12);
    assert!(mean(&levels[2], "accuracy") < mean(&levels[1], "accuracy") && mean(&levels[2], "accuracy") < 0.7 * clean);
    for level in levels {
        assert!((mean(level, "accuracy") + mean(level, "lost") - clean).abs() < 1e-12);
    }
    let metrics = noisy["comparisons"][0]["metrics"].as_array().unwrap();
    for metric in ["test-accuracy@noise0.5", "lost-accuracy@noise3"] {
        assert!(metrics.iter().any(|m| m["metric"] == metric), "{metric}");
    }
    let other = run(dir.path(), &format!("noise = [3.0]\n{PLAIN}"));
    assert_eq!(recipe(&other, "sgd")["noise"][0], levels[2]);
}
