//! `flatleak audit` from outside: every kind of array, known folders, scores beside NumPy's, gates, mistakes.
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::path::{Path, PathBuf};
use std::process::Output;

mod common;
use common::{code, flatleak, floats, results, small, words};

/// A `.npy` file.
fn npy(path: &Path, descr: &str, shape: &[usize], body: &[u8]) {
    std::fs::write(path, common::npy(descr, shape, body)).unwrap();
}

/// Numbers that look drawn: a linear congruential generator (Knuth), mapped to [-1, 1).
fn noise(n: usize) -> Vec<f64> {
    let mut state = 1u64;
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        })
        .collect()
}

const MODELS: usize = 12;
const EXAMPLES: usize = 60;
const CLASSES: usize = 3;

/// Complementary pairs, labels and logits in which members are surer.
struct Made {
    dir: tempfile::TempDir,
}

impl Made {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let coins = noise(MODELS / 2 * EXAMPLES);
        let member = |m: usize, i: usize| (coins[m / 2 * EXAMPLES + i] > 0.0) != (m % 2 == 1);
        let rows: Vec<u8> =
            (0..MODELS).flat_map(|m| (0..EXAMPLES).map(move |i| (m, i))).map(|(m, i)| u8::from(member(m, i))).collect();
        npy(&dir.path().join("membership.npy"), "|b1", &[MODELS, EXAMPLES], &rows);
        let labels: Vec<u8> = (0..EXAMPLES).map(|i| (i % CLASSES) as u8).collect();
        npy(&dir.path().join("labels.npy"), "|u1", &[EXAMPLES], &labels);
        let drawn = noise(MODELS * EXAMPLES * CLASSES);
        let logit = |at: usize| {
            let (m, i, c) = (at / (EXAMPLES * CLASSES), at / CLASSES % EXAMPLES, at % CLASSES);
            let own = if c == i % CLASSES { 1.0 + 2.0 * f64::from(u8::from(member(m, i))) } else { 0.0 };
            own + 2.0 * drawn[at]
        };
        let logits: Vec<f64> = (0..drawn.len()).map(logit).collect();
        npy(&dir.path().join("logits.npy"), "<f8", &[MODELS, EXAMPLES, CLASSES], &floats(&logits));
        let probabilities: Vec<f64> = logits
            .chunks(CLASSES)
            .flat_map(|z| {
                let sum: f64 = z.iter().map(|z| z.exp()).sum();
                z.iter().map(move |z| z.exp() / sum).collect::<Vec<_>>()
            })
            .collect();
        npy(&dir.path().join("probabilities.npy"), "<f8", &[MODELS, EXAMPLES, CLASSES], &floats(&probabilities));
        let p: Vec<f64> =
            (0..MODELS * EXAMPLES).map(|at| probabilities[at * CLASSES + at % EXAMPLES % CLASSES]).collect();
        let of = |f: fn(f64) -> f64| floats(&p.iter().map(|p| f(*p)).collect::<Vec<_>>());
        npy(&dir.path().join("confidence.npy"), "<f8", &[MODELS, EXAMPLES], &of(|p| p));
        npy(&dir.path().join("loss.npy"), "<f8", &[MODELS, EXAMPLES], &of(|p| -p.ln()));
        npy(&dir.path().join("phi.npy"), "<f8", &[MODELS, EXAMPLES], &of(|p| (p / (1.0 - p)).ln()));
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn audit(&self, kind: &str, more: &[&str]) -> Output {
        let mut c = flatleak();
        c.arg("audit").arg(format!("--{kind}")).arg(self.path(&format!("{kind}.npy")));
        c.arg("--membership").arg(self.path("membership.npy")).arg("--labels").arg(self.path("labels.npy"));
        c.arg("--out").arg(self.path(&format!("out-{kind}"))).args(more);
        c.output().unwrap()
    }
}

#[test]
fn all_kinds_of_outputs_say_the_same() {
    let made = Made::new();
    let mut found = Vec::new();
    for kind in ["logits", "probabilities", "phi", "loss", "confidence"] {
        let said = made.audit(kind, &["--save-scores"]);
        assert_eq!(code(&said), 0, "{}", words(&said));
        let all = results(&made.path(&format!("out-{kind}")));
        assert_eq!(all["recipes"][0]["test_accuracy"], serde_json::Value::Null);
        let attacks = all["recipes"][0]["attacks"].as_array().unwrap().clone();
        let auc = |name: &str| attacks.iter().find(|a| a["name"] == name).map(|a| a["auc"]["mean"].as_f64().unwrap());
        assert_eq!(auc("entropy").is_some(), kind == "logits" || kind == "probabilities", "{kind}");
        assert_eq!(auc("rmia-gamma"), None);
        found.push(
            ["lira-online", "lira-online-fixed", "rmia", "confidence", "attack-r"].map(|name| auc(name).unwrap()),
        );
        assert!(made.path(&format!("out-{kind}/scores/rmia.npy")).is_file());
        assert!(words(&said).contains("model leaks: an attacker tells members from others with AUC "));
    }
    // phi is kept in single precision, so that ranks of near ties may differ by a pair or two.
    for other in &found[1..] {
        assert!(other.iter().zip(&found[0]).all(|(a, b)| (a - b).abs() < 1e-3), "{found:?}");
    }
    assert!(found[0][0] > 0.6);
}

#[test]
fn gates_and_variants() {
    let made = Made::new();
    let said = made.audit("phi", &["--fail-above", "rmia.auc=0.5", "--fail-above", "lira-online.auc=1"]);
    assert_eq!(code(&said), 6);
    assert!(words(&said).contains("rmia.auc is 0.") && !words(&said).contains("lira-online.auc is"));
    assert_eq!(code(&made.audit("phi", &["--fail-above", "rmia.auc=1"])), 0);
    // What cannot be measured keeps no limit.
    let said = made.audit("phi", &["--fail-above", "entropy.auc=1"]);
    assert!(code(&said) == 6 && words(&said).contains("could not be measured"));
    for (gate, what) in [
        ("rmia.auc", "write METRIC=X"),
        ("rmia.auc=60", "fractions, not percentages"),
        ("rima.auc=0.6", "no attack"),
        ("rmia.tpr@0.5=0.1", "no measure"),
    ] {
        let said = made.audit("phi", &["--fail-above", gate]);
        assert!(code(&said) == 2 && words(&said).contains(what), "{}", words(&said));
    }
    let said = flatleak().args(["audit", "--explain-variant", "--variant", "official"]).output().unwrap();
    let text = words(&said);
    assert!(code(&said) == 0 && text.contains("lira-online-fixed (official)") && text.contains("2022 reference code"));
    assert!(flatleak_attack::all().iter().all(|a| text.contains(&a.name())));
    let said = made.audit("logits", &["--variant", "per-side"]);
    assert_eq!(code(&said), 0);
    let all = results(&made.path("out-logits"));
    let attacks = all["recipes"][0]["attacks"].as_array().unwrap();
    assert_eq!(attacks.iter().find(|a| a["name"] == "lira-online-fixed").unwrap()["variant"], "per-side");
}

#[test]
fn a_single_model_is_attacked_alone() {
    let made = Made::new();
    let said = made.audit("logits", &["--target", "3", "--save-scores"]);
    assert_eq!(code(&said), 0, "{}", words(&said));
    assert!(made.path("out-logits/scores/rmia.npy").is_file());
    let text = std::fs::read_to_string(made.path("out-logits/target.json")).unwrap();
    let found: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&found["target"], &found["shadows"]), (&3.into(), &10.into()));
    assert_eq!(found["members"].as_u64().unwrap() + found["non_members"].as_u64().unwrap(), EXAMPLES as u64);
    let rmia = found["attacks"].as_array().unwrap().iter().find(|a| a["name"] == "rmia").unwrap();
    let tpr = &rmia["tpr_at_fpr"][3];
    assert!(tpr["tpr"]["low"].as_f64() < tpr["tpr"]["mean"].as_f64());
    // A precision at even odds is that of the rates themselves.
    let (t, f) = (tpr["tpr"]["mean"].as_f64().unwrap(), tpr["realised_fpr"].as_f64().unwrap());
    assert!((tpr["precision"][2].as_f64().unwrap() - t / (t + f)).abs() < 1e-12);
    assert_eq!(code(&made.audit("logits", &["--target", "3", "--fail-above", "rmia.auc=0.1"])), 6);
    assert_eq!(code(&made.audit("logits", &["--target", "3", "--fail-above", "rmia.balanced-accuracy=1"])), 6);
    let none = made.audit("logits", &["--target", "12"]);
    assert!(code(&none) == 2 && words(&none).contains("the pool has 12, counted from 0"), "{}", words(&none));
}

/// A run's own recipes, and two pools with nothing in common.
#[test]
fn folders_are_recognised_and_compared() {
    let made = Made::new();
    let run = made.path("run");
    assert_eq!(code(&small(&run).output().unwrap()), 0);
    let out = made.path("out");
    let audit = |dirs: &[&Path]| flatleak().arg("audit").args(dirs).arg("--out").arg(&out).output().unwrap();
    let said = audit(&[&run]);
    assert_eq!(code(&said), 0, "{}", words(&said));
    let own = results(&run);
    let again = results(&out);
    for (a, b) in own["recipes"].as_array().unwrap().iter().zip(again["recipes"].as_array().unwrap()) {
        assert_eq!(a["attacks"], b["attacks"]);
    }
    assert_eq!(again["comparisons"][0]["pairing"], "paired");
    std::fs::create_dir(made.path("empty")).unwrap();
    let nowhere = audit(&[&made.path("empty")]);
    assert!(code(&nowhere) == 3 && words(&nowhere).contains("in no layout that is known"), "{}", words(&nowhere));
    assert_eq!(code(&audit(&[&made.path("none")])), 3);
}

#[test]
fn mistakes_are_named_with_where_they_are() {
    let made = Made::new();
    let bad = |name: &str, descr: &str, shape: &[usize], body: &[u8]| npy(&made.path(name), descr, shape, body);
    let mut holes = vec![0.5; MODELS * EXAMPLES];
    holes[3 * EXAMPLES + 7] = f64::NAN;
    bad("nan.npy", "<f8", &[MODELS, EXAMPLES], &floats(&holes));
    bad("long.npy", "<f8", &[MODELS, EXAMPLES + 1], &floats(&vec![0.5; MODELS * (EXAMPLES + 1)]));
    bad("minus.npy", "<f8", &[MODELS, EXAMPLES], &floats(&vec![-0.5; MODELS * EXAMPLES]));
    bad("sums.npy", "<f8", &[MODELS, EXAMPLES, 4], &floats(&vec![0.2; 4 * MODELS * EXAMPLES]));
    bad("object.npy", "|O", &[1], b"\x80");
    bad("all.npy", "|b1", &[MODELS, EXAMPLES], &vec![1; MODELS * EXAMPLES]);
    bad("one.npy", "|b1", &[1, EXAMPLES], &[1; EXAMPLES]);
    bad("two.npy", "|u1", &[MODELS, EXAMPLES], &vec![2; MODELS * EXAMPLES]);
    bad("many.npy", "|u1", &[EXAMPLES], &[9; EXAMPLES]);
    bad("hot.npy", "|u1", &[EXAMPLES, 3], &[0; 3 * EXAMPLES]);
    std::fs::write(made.path("pickle.npy"), b"\x80\x04\x95stuff").unwrap();
    let membership = "membership.npy";
    for (kind, outputs, labels, membership, said) in [
        (
            "phi",
            "nan.npy",
            "labels.npy",
            membership,
            "1 of model 3 (1 on members, 0 on others), the first NaN at example 7",
        ),
        (
            "phi",
            "long.npy",
            "labels.npy",
            membership,
            "(12, 61) models and examples in either order, but membership is (12, 60) and there are 60 labels",
        ),
        ("confidence", "minus.npy", "labels.npy", membership, "model 0, example 0: confidence lies between 0 and 1"),
        ("loss", "minus.npy", "labels.npy", membership, "if its sign is turned"),
        ("probabilities", "logits.npy", "labels.npy", membership, "give logits as --logits"),
        ("probabilities", "sums.npy", "labels.npy", membership, "sum to 0.8 for model 0, example 0"),
        ("logits", "object.npy", "labels.npy", membership, "never objects or pickles"),
        ("logits", "pickle.npy", "labels.npy", membership, "pickles are never read"),
        ("logits", "phi.npy", "labels.npy", membership, "one value per example, but there are 3 classes"),
        ("logits", "logits.npy", "many.npy", membership, "with 3 classes, but labels go up to 9"),
        ("logits", "logits.npy", "hot.npy", membership, "there are 3 labels"),
        (
            "phi",
            "phi.npy",
            "labels.npy",
            "all.npy",
            "at best 11 others hold and 0 lack one, so at least 2 more must be trained",
        ),
        (
            "phi",
            "phi.npy",
            "labels.npy",
            "one.npy",
            "(12, 60) models and examples in either order, but membership is (1, 60)",
        ),
        ("phi", "phi.npy", "labels.npy", "two.npy", "the position 2 twice for model 0"),
        ("phi", "none.npy", "labels.npy", membership, "cannot be read"),
    ] {
        let mut c = flatleak();
        c.arg("audit").arg(format!("--{kind}")).arg(made.path(outputs));
        c.arg("--labels").arg(made.path(labels)).arg("--membership").arg(made.path(membership));
        let found = c.arg("--out").arg(made.path("out")).output().unwrap();
        assert!(
            code(&found) == 3 && words(&found).contains(said),
            "{outputs} {labels} {membership}: {}",
            words(&found)
        );
    }
    let nothing = flatleak().arg("audit").output().unwrap();
    assert!(code(&nothing) == 2 && words(&nothing).contains("nothing to audit"));
    let alone = flatleak().arg("audit").arg("--phi").arg(made.path("phi.npy")).output().unwrap();
    assert!(code(&alone) == 2 && words(&alone).contains("--membership is needed"));
    let mut c = flatleak();
    c.arg("audit").arg("--logits").arg(made.path("logits.npy")).arg("--membership").arg(made.path(membership));
    let unlabelled = c.output().unwrap();
    assert!(code(&unlabelled) == 3 && words(&unlabelled).contains("needs labels"), "{}", words(&unlabelled));
}

/// Pools go out in either layout and come back as what they were.
#[test]
fn export_and_import_are_the_identity() {
    let made = Made::new();
    let run = made.path("run");
    assert_eq!(code(&small(&run).output().unwrap()), 0);
    let own = results(&run);
    let export = |layout: &str| {
        let out = made.path(layout);
        let said = flatleak().arg("export").arg(&run).args(["--layout", layout, "--out"]).arg(&out).output().unwrap();
        assert_eq!(code(&said), 0, "{}", words(&said));
        out
    };
    let lira = export("mi_lira_2021");
    assert!(lira.join("sam/experiment-5_6/logits/0000000002.npy").is_file());
    let out = made.path("back");
    let said =
        flatleak().arg("audit").arg(lira.join("sgd")).arg(lira.join("sam")).arg("--out").arg(&out).output().unwrap();
    assert_eq!(code(&said), 0, "{}", words(&said));
    let back = results(&out);
    let attacks = |all: &serde_json::Value, recipe: &str| {
        let recipes = all["recipes"].as_array().unwrap();
        let mut found = recipes.iter().find(|r| r["name"] == recipe).unwrap()["attacks"].as_array().unwrap().clone();
        // The folders of this layout hold nothing outside the pool.
        found.retain(|a| a["name"] != "rmia-gamma");
        found
    };
    for recipe in ["sgd", "sam"] {
        assert_eq!(attacks(&own, recipe), attacks(&back, recipe));
    }
    assert_eq!(back["comparisons"][0]["pairing"], "paired");

    let pool = export("npz").join("sgd/pool.npz");
    let mut c = flatleak();
    c.arg("audit").args(["--name", "sgd", "--out"]).arg(made.path("npz-back"));
    for flag in ["--logits", "--labels", "--membership", "--test-logits", "--test-labels"] {
        c.arg(flag).arg(&pool);
    }
    let said = c.output().unwrap();
    assert_eq!(code(&said), 0, "{}", words(&said));
    let all = |v: &serde_json::Value| v["recipes"][0]["attacks"].clone();
    assert_eq!(all(&own), all(&results(&made.path("npz-back"))));
}

#[test]
fn a_plan_is_the_blocked_design() {
    let dir = tempfile::tempdir().unwrap();
    let plan = |models: &str| {
        let out = dir.path().join(models);
        let said =
            flatleak().args(["plan", "--models", models, "--pool", "10", "--seed", "3", "--out"]).arg(&out).output();
        (said.unwrap(), out)
    };
    let (said, out) = plan("6");
    assert_eq!(code(&said), 0, "{}", words(&said));
    let mask = std::fs::read(out.join("membership.npy")).unwrap();
    let rows = &mask[mask.len() - 60..];
    assert!((0..10).all(|i| rows[i] + rows[10 + i] == 1 && rows[40 + i] + rows[50 + i] == 1));
    let table = std::fs::read_to_string(out.join("plan.csv")).unwrap();
    assert_eq!(table.lines().nth(4), Some("3,1,6,5"));
    assert_eq!(code(&plan("5").0), 2);
}

/// Membership by coins, as most would draw it: examples that hang by a thread are left out and counted, and noise gives nothing.
#[test]
fn memberships_by_coins_are_audited() {
    let dir = tempfile::tempdir().unwrap();
    let (models, examples) = (12, 200);
    let coins = noise(models * examples);
    let mask: Vec<u8> = coins.iter().map(|c| u8::from(*c > 0.0)).collect();
    npy(&dir.path().join("membership.npy"), "|b1", &[models, examples], &mask);
    let phi: Vec<f64> = noise(2 * models * examples)[models * examples..].to_vec();
    npy(&dir.path().join("phi.npy"), "<f8", &[models, examples], &floats(&phi));
    let audit = |phi: &str, membership: &str| {
        let mut c = flatleak();
        c.arg("audit").arg("--phi").arg(dir.path().join(phi)).arg("--membership").arg(dir.path().join(membership));
        c.arg("--out").arg(dir.path().join("out")).output().unwrap()
    };
    let said = audit("phi.npy", "membership.npy");
    assert_eq!(code(&said), 0, "{}", words(&said));
    assert!(words(&said).contains("12 models without relatives"), "{}", words(&said));
    let all = results(&dir.path().join("out"));
    for attack in all["recipes"][0]["attacks"].as_array().unwrap() {
        let auc = attack["auc"]["mean"].as_f64().unwrap();
        assert!((auc - 0.5).abs() < 0.05, "{attack}");
    }
    // Two blocks are a target and no shadow that a jackknife can spare.
    let four: Vec<u8> = [&mask[..examples], &mask[examples..2 * examples]].concat();
    let four: Vec<u8> =
        four.chunks(examples).flat_map(|r| [r.to_vec(), r.iter().map(|m| 1 - m).collect()].concat()).collect();
    npy(&dir.path().join("four.npy"), "|b1", &[4, examples], &four);
    npy(&dir.path().join("phi4.npy"), "<f8", &[4, examples], &floats(&phi[..4 * examples]));
    let said = audit("phi4.npy", "four.npy");
    assert!(
        code(&said) == 3 && words(&said).contains("4 models form 2 blocks, but figures need 3"),
        "{}",
        words(&said)
    );
    // A fifth model of its own can be attacked by the two pairs, the pairs by nobody.
    let five: Vec<u8> = [four.as_slice(), &mask[2 * examples..3 * examples]].concat();
    npy(&dir.path().join("five.npy"), "|b1", &[5, examples], &five);
    npy(&dir.path().join("phi5.npy"), "<f8", &[5, examples], &floats(&phi[..5 * examples]));
    let said = audit("phi5.npy", "five.npy");
    assert!(code(&said) == 3 && words(&said).contains("only model 4 can be attacked"), "{}", words(&said));
}

#[test]
fn pools_that_only_look_alike_are_not_paired() {
    let made = Made::new();
    let lira = |name: &str, shift: usize, models: usize, twice: bool| {
        let dir = made.path(name);
        let membership = std::fs::read(made.path("membership.npy")).unwrap();
        let rows = &membership[membership.len() - MODELS * EXAMPLES..];
        std::fs::create_dir_all(&dir).unwrap();
        let labels: Vec<u8> = (0..EXAMPLES).map(|i| ((i + shift) % CLASSES) as u8).collect();
        npy(&dir.join("labels.npy"), "|u1", &[EXAMPLES], &labels);
        for m in 0..models {
            let folder = dir.join(format!("experiment-{m}_{MODELS}"));
            std::fs::create_dir_all(folder.join("logits")).unwrap();
            npy(&folder.join("keep.npy"), "|b1", &[EXAMPLES], &rows[m * EXAMPLES..(m + 1) * EXAMPLES]);
            let views = if twice { 2 } else { 1 };
            let logits = noise((m + 1) * EXAMPLES * CLASSES * views);
            let own = &logits[m * EXAMPLES * CLASSES * views..];
            npy(&folder.join("logits/0000000009.npy"), "<f8", &[EXAMPLES, 1, views, CLASSES], &floats(own));
        }
        dir
    };
    let audit =
        |dirs: &[&PathBuf]| flatleak().arg("audit").args(dirs).arg("--out").arg(made.path("out")).output().unwrap();
    let plain = lira("plain", 0, MODELS, false);
    let pairing = |other: &PathBuf| {
        let said = audit(&[&plain, other]);
        assert_eq!(code(&said), 0, "{}", words(&said));
        results(&made.path("out"))["comparisons"][0]["pairing"].as_str().unwrap().to_owned()
    };
    assert_eq!(pairing(&lira("same", 0, MODELS, false)), "paired");
    assert_eq!(pairing(&lira("labels", 1, MODELS, false)), "other-examples");
    assert_eq!(pairing(&lira("views", 0, MODELS, true)), "unpaired");
    // Folders that do not make one run.
    let short = lira("short", 0, MODELS - 1, false);
    let said = audit(&[&short]);
    assert!(code(&said) == 3 && words(&said).contains("lacks model 11"), "{}", words(&said));
    std::fs::create_dir(plain.join("experiment-3_24")).unwrap();
    let said = audit(&[&plain]);
    assert!(code(&said) == 3 && words(&said).contains("several runs"), "{}", words(&said));
}

/// Headers that claim more than there is, or than anything could hold, are refused before it is allocated.
#[test]
fn claims_are_not_believed() {
    let made = Made::new();
    for (file, shape) in [
        ("wide.npy", vec![4, 1 << 42]),
        ("deep.npy", vec![MODELS, EXAMPLES, 1 << 42]),
        ("none.npy", vec![MODELS, 0, 1 << 60]),
        ("more.npy", vec![MODELS, EXAMPLES, CLASSES]),
    ] {
        npy(&made.path(file), "<f8", &shape, &[0; 64]);
    }
    let whole = std::fs::read(made.path("phi.npy")).unwrap();
    std::fs::write(made.path("long.npy"), [whole.as_slice(), &[0; 8]].concat()).unwrap();
    npy(&made.path("huge.npy"), "<f8", &[MODELS, EXAMPLES, CLASSES], &floats(&[1e300; MODELS * EXAMPLES * CLASSES]));
    npy(&made.path("few.npy"), "|u1", &[50], &[0; 50]);
    for (kind, outputs, labels, membership, said) in [
        ("phi", "phi.npy", "labels.npy", "wide.npy", "at most"),
        ("logits", "deep.npy", "labels.npy", "membership.npy", "values are read per example"),
        ("logits", "none.npy", "labels.npy", "membership.npy", "save an array without empty axes"),
        ("logits", "more.npy", "labels.npy", "membership.npy", "cut short"),
        ("phi", "long.npy", "labels.npy", "membership.npy", "more values than its shape"),
        ("logits", "huge.npy", "labels.npy", "membership.npy", "the first 1e300 at example 0"),
        ("phi", "phi.npy", "few.npy", "membership.npy", "there are 50 labels"),
    ] {
        let mut c = flatleak();
        c.arg("audit").arg(format!("--{kind}")).arg(made.path(outputs)).arg("--labels").arg(made.path(labels));
        let found =
            c.arg("--membership").arg(made.path(membership)).arg("--out").arg(made.path("out")).output().unwrap();
        assert!(code(&found) == 3 && words(&found).contains(said), "{outputs} {membership}: {}", words(&found));
    }
}
